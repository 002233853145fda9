"""DICOM waveforms as a data set: claimed, labelled by files and by keys, with what their headers say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import UID

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.data.cohort_file import cohort_yaml
from hounsfield.data.cohorts import digest, explore, understand
from hounsfield.data.layouts.waveforms import WaveformsLayout
from hounsfield.data.loose_signals import loose_signals
from hounsfield.data.signal.readers import read_signal
from tests.data_room.dicom.making import dataset, save, series, uid
from tests.data_room.dicom.waves import channel_of, group_of
from tests.data_room.folders import table

AMBULATORY = "1.2.840.10008.5.1.4.1.1.9.1.3"


def _stored(name: str) -> np.ndarray:
    return stream(0, f"waveform {name}").integers(-500, 500, (400, 2))


def _waveform(path: Path, patient: str = "", **told: object) -> None:
    """Write an electrocardiogram of two groups of leads II and V1 in microvolts."""
    channels = [channel_of(n, ChannelSensitivity="2.5", unit="uV") for n in ("II", "V1")]
    stored = _stored(path.stem)
    facts = {
        "SOPClassUID": UID(AMBULATORY),
        "SOPInstanceUID": uid("object", path.name),
        "StudyInstanceUID": uid("study", path.name),
        "Modality": "ECG",
        "PatientID": patient,
        "PatientName": "PLANTED^NAME",
        "PatientAge": "063Y",
        "WaveformSequence": [group_of(stored, "SS", channels), group_of(stored[:60], "SS", channels)],
    }
    save(path, dataset(f"p/{path.name}/ecg", {**facts, **told}, size=0))


def _labels(cohort: Cohort) -> dict[str, object]:
    return {s.id: s.targets["diagnosis"] for s in cohort.samples}


def test_a_table_names_the_files(tmp_path: Path) -> None:
    for i in range(8):
        _waveform(tmp_path / "ecg" / f"e{i}.dcm", f"P{i // 2}")
    _waveform(tmp_path / "ecg" / "none.dcm", "P9")
    answers = [{"record": f"e{i}", "diagnosis": ("normal", "fibrillation")[i % 2]} for i in range(8)]
    table(tmp_path / "labels.csv", [*answers, {"record": "gone", "diagnosis": "normal"}])
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == ("waveforms", 8)
    spec = cohort.schema.inputs[0]
    assert (spec.kind, spec.leads, spec.modality) == ("signal", ("II", "V1"), "ECG")
    assert cohort.schema.targets[0].positive == "fibrillation"
    assert cohort.schema.patients_known
    assert [s.patient for s in cohort.samples] == [f"P{i // 2}" for i in range(8)]
    assert cohort.samples[0].attributes == {"age": 63.0, "sex": "F"} or cohort.samples[0].attributes["age"] == 63.0
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert reasons == {"gone": "no such record", "none": "no answer"}
    assert any("1 further multiplex groups were not read" in n for n in cohort.schema.notes)
    ref = cohort.samples[3].inputs["signal"][0].ref
    assert (ref.reader, ref.path) == ("dicom-waveform", "ecg/e3.dcm")
    signal = read_signal(cohort, ref)
    np.testing.assert_allclose(signal.array, _stored("e3").T * 2.5, rtol=1e-6)
    assert signal.units == ("uV", "uV")
    assert "PLANTED" not in str(cohort.samples) + str(cohort.schema) + str(cohort.listings)
    assert "layout: waveforms" in cohort_yaml(cohort)


@pytest.mark.parametrize("key", ["SOPInstanceUID", "StudyInstanceUID", "AccessionNumber"])
def test_a_table_names_them_by_a_key_of_their_headers(tmp_path: Path, key: str) -> None:
    rows = []
    for i in range(8):
        _waveform(tmp_path / "PAT" / f"I{i}", f"P{i}", AccessionNumber=f"00{i}7")
        keys = {
            "SOPInstanceUID": uid("object", f"I{i}"),
            "StudyInstanceUID": uid("study", f"I{i}"),
            "AccessionNumber": f"{i}7",  # a spreadsheet lost the zeros
        }
        rows.append({key: keys[key], "diagnosis": "ab"[i % 2]})
    table(tmp_path / "answers.csv", rows)
    cohort = understand(tmp_path)
    found = {s.inputs["signal"][0].ref.path: s.targets["diagnosis"] for s in cohort.samples}
    assert found == {f"PAT/I{i}": "ab"[i % 2] for i in range(8)}
    assert any(f"joined by {key}" in n for n in cohort.schema.notes)


def test_a_row_of_a_patient_is_one_for_each_of_his_records(tmp_path: Path) -> None:
    for i in range(12):
        _waveform(tmp_path / f"{i}.dcm", str(100 + i // 2))
    _waveform(tmp_path / "x.dcm", "200", IssuerOfPatientID="A")
    _waveform(tmp_path / "y.dcm", "200", IssuerOfPatientID="B")
    known = [{"PatientID": 100 + i, "diagnosis": "ab"[i % 2]} for i in range(6)]
    # nobody's number 7, though a file is called so
    table(tmp_path / "patients.csv", [*known, {"PatientID": 7, "diagnosis": "a"}, {"PatientID": 200, "diagnosis": "b"}])
    cohort = understand(tmp_path)
    assert _labels(cohort) == {str(i): "ab"[i // 2 % 2] for i in range(12)}
    assert {s.id: s.patient for s in cohort.samples} == {str(i): str(100 + i // 2) for i in range(12)}
    assert any("several patients have their PatientID" in n for n in cohort.schema.notes)
    assert {a.sample for a in cohort.set_aside} >= {"x", "y", "PatientID 7"}


def test_folders_of_classes_and_folders_of_a_pacs(tmp_path: Path) -> None:
    for i in range(12):
        _waveform(tmp_path / "sorted" / ("normal", "afib")[i % 2] / f"e{i}.dcm", f"P{i}")
        _waveform(tmp_path / "pacs" / f"PAT{i // 6}" / f"ST{i}" / "I1", f"P{i // 6}", SOPInstanceUID=uid(i))
    cohort = understand(tmp_path / "sorted")
    assert cohort.schema.targets[0].classes == ("afib", "normal")
    with pytest.raises(CohortError, match=r"no labels: .* holds 12 records"):
        understand(tmp_path / "pacs")
    found = explore(tmp_path / "pacs")
    assert found.listings[0].rows[0][2:5] == ("1.6 s", "250 Hz", "II, V1")
    assert {s.patient for s in found.samples} == {"P0", "P1"}
    assert found.samples[0].id == "PAT0/ST0/I1"
    assert len({digest(replace(found, samples=found.samples[:n])) for n in (1, 2)}) == 2


def test_one_file_and_a_folder_are_signals_without_answers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _waveform(tmp_path / f"{name}.dcm")
    assert WaveformsLayout().claims(tmp_path / "a.dcm", Roles()) == 0.98
    (one,), (both,) = (loose_signals([p], Roles(), ["ecg"]) for p in (tmp_path / "a.dcm", tmp_path))
    assert [s.id for s in both.samples] == ["a", "b"]
    assert read_signal(one, one.samples[0].inputs["ecg"][0].ref).leads == ("II", "V1")


def test_what_cannot_be_read_is_set_aside_and_what_else_lies_there_is_told(tmp_path: Path) -> None:
    for i in range(6):
        _waveform(tmp_path / f"e{i}.dcm", "0")
    _waveform(tmp_path / "still.dcm", "0", WaveformSequence=[])
    (tmp_path / "text.dcm").write_text("no DICOM\n")
    series(tmp_path / "ct", "p/s/t", 1)
    names = [*(f"e{i}" for i in range(6)), "still"]
    table(tmp_path / "labels.csv", [{"record": n, "label": i % 2} for i, n in enumerate(names)])
    cohort = understand(tmp_path)
    assert {s.id for s in cohort.samples} == {f"e{i}" for i in range(6)}
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert "no waveform" in reasons["still"]
    assert "its content does not" in reasons["text"]
    assert any("Other DICOM files lie beside the waveforms" in n and "1 CT" in n for n in cohort.schema.notes)
    assert any("overwritten" in n for n in cohort.schema.notes)
    assert not cohort.schema.patients_known


def test_a_disk_of_pictures_stays_one(tmp_path: Path) -> None:
    series(tmp_path, "p/s/t", 3)
    _waveform(tmp_path / "ecg.dcm", "P")
    assert WaveformsLayout().claims(tmp_path, Roles()) == 0.0
    assert explore(tmp_path).schema.layout == "dicom"
