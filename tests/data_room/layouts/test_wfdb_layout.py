import copy
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import packed_annotations

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.core.image import Header
from hounsfield.core.kinds import Wanted
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.data.beat_inputs import BeatInputs, BeatsOf
from hounsfield.data.cohort_file import cohort_yaml, read_cohort_file, read_samples, samples_csv
from hounsfield.data.cohorts import digest, understand
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.data.row.readers import read_row
from hounsfield.data.signal.readers import read_signal
from tests.data_room.folders import table
from tests.data_room.layouts.ward import RATE, beats, record, ward
from tests.data_room.signal.records import packed

BEATS = Roles(target=("beats",))


def _parts(cohort: Cohort) -> dict[str, set[str | None]]:
    found: dict[str, set[str | None]] = {}
    for s in cohort.samples:
        found.setdefault(s.id.rpartition("_")[0], set()).add(s.part)
    return found


def test_one_sample_for_each_beat_with_its_place_and_its_rhythm(tmp_path: Path) -> None:
    cohort = understand(ward(tmp_path), BEATS)
    assert (cohort.schema.layout, len(cohort)) == ("wfdb", 6 * 20)
    assert cohort.schema.targets[0].classes == ("N", "S", "V", "F", "Q")
    assert [(s.name, s.kind, s.leads) for s in cohort.schema.inputs] == [
        ("signal", "signal", ("II",)),
        ("rhythm", "row", ()),
        ("form", "row", ()),
    ]
    assert _parts(cohort) == {n: {"train" if n < "201" else "test"} for n in ("100", "101", "200", "201", "202", "203")}
    fourth = cohort.samples[3]
    assert (fourth.id, fourth.targets["beats"], fourth.attributes["age"]) == ("100_1260", "V", 60)
    ref = fourth.inputs["signal"][0].ref
    assert (ref.path, dict(ref.part)) == ("100.hea", {"anchor": 1260})
    assert read_signal(cohort, ref, start=1260, stop=1264).rate_hz == RATE
    row = read_row(cohort, fourth.inputs["rhythm"][0].ref)
    assert row.names == tuple(c.name for c in cohort.schema.inputs[1].columns)
    assert row.values.tolist() == pytest.approx([1.0] * 8)
    form = read_row(cohort, fourth.inputs["form"][0].ref)
    assert form.names == tuple(c.name for c in cohort.schema.inputs[2].columns)
    for name, columns in (("form", 20), ("rhythm", 8)):
        header = content_reader("row").header(cohort, fourth.inputs[name][0].ref)
        assert isinstance(header, Header)
        assert header.size == (columns,)


def test_beats_of_some_classes_are_left_out_with_a_word(tmp_path: Path) -> None:
    ward(tmp_path)
    record(tmp_path, "100", beats(symbols="N/fS"))
    cohort = understand(tmp_path, Roles(target=("beats:NSVF",)))
    assert cohort.schema.targets[0].classes == ("N", "S", "V", "F")
    assert len(cohort) == 6 * 20 - 10
    assert any("10 of class Q" in n for n in cohort.schema.notes)
    for wrong in ("beats:NX", "beats:N"):
        with pytest.raises(CohortError, match="asked for"):
            understand(tmp_path, Roles(target=(wrong,)))


def test_what_could_be_asked_is_listed_where_several_things_could(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="beats, rhythm") as error:
        understand(ward(tmp_path))
    assert "--target" in str(error.value)
    with pytest.raises(UnknownNameError, match="AFIBB"):
        understand(tmp_path, Roles(target=("AFIBB",)))


def test_windows_of_one_rhythm_never_cross_into_the_next(tmp_path: Path) -> None:
    ward(tmp_path)
    record(tmp_path, "100", [(5, "+", "(N"), (180, "N", ""), (RATE * 7, "+", "(AFIB"), (RATE * 8, "N", "")])
    cohort = understand(tmp_path, Roles(target=("rhythm:3",)))
    assert cohort.schema.targets[0].classes == ("AFIB", "N")
    own = [s for s in cohort.samples if s.id.startswith("100_")]
    spans = [(dict(s.inputs["signal"][0].ref.part), s.targets["rhythm"]) for s in own]
    assert [a for _, a in spans] == ["N"] * 2 + ["AFIB"] * 4
    for part, answer in spans:
        assert part["stop"] - part["start"] == 3 * RATE  # type: ignore[operator]  # both are numbers
        assert (part["stop"] <= 7 * RATE) == (answer == "N")  # type: ignore[operator]  # it is a number
    fibrillation = understand(tmp_path, Roles(target=("afib",)))
    spec = fibrillation.schema.targets[0]
    assert (spec.name, spec.classes, spec.positive) == ("AFIB", ("other", "AFIB"), "AFIB")


def test_a_rhythm_of_one_patient_is_left_out_and_told(tmp_path: Path) -> None:
    ward(tmp_path / "many", [str(n) for n in range(100, 110)])
    record(tmp_path / "many", "100", beats(rhythm="VT"))
    cohort = understand(tmp_path / "many", Roles(target=("rhythm",)))
    assert cohort.schema.targets[0].classes == ("AFIB", "N")
    assert any("VT" in n for n in cohort.schema.notes)
    assert not any(s.id.startswith("100_") for s in cohort.samples)
    with pytest.raises(CohortError, match="fewer than 2 patients"):
        understand(ward(tmp_path / "few"), Roles(target=("rhythm",)))


def test_two_records_of_one_person_share_a_patient(tmp_path: Path) -> None:
    ward(tmp_path)
    table(tmp_path / "patients.csv", [{"record": "201", "patient": "p"}, {"record": "202", "patient": "p"}])
    cohort = understand(tmp_path, BEATS)
    assert cohort.schema.patients_known
    who = {s.id.rpartition("_")[0]: s.patient for s in cohort.samples}
    assert who == {"100": "100", "101": "101", "200": "200", "201": "p", "202": "p", "203": "203"}


def test_lists_of_records_say_the_parts(tmp_path: Path) -> None:
    ward(tmp_path)
    (tmp_path / "records.csv").unlink()
    (tmp_path / "DS1").write_text("100\n101\n203\n")
    (tmp_path / "DS2.txt").write_text("200\n201\n202\n")
    cohort = understand(tmp_path, BEATS)
    assert cohort.schema.official_parts == ("train", "test")
    assert _parts(cohort)["203"] == {"train"}
    assert _parts(cohort)["201"] == {"test"}


def test_a_bad_record_is_set_aside_with_its_reason(tmp_path: Path) -> None:
    ward(tmp_path)
    (tmp_path / "100.dat").unlink()
    (tmp_path / "101.atr").write_bytes(b"\1")
    (tmp_path / "200.hea").write_text("200 0 360 7200\n")
    header = (tmp_path / "201.hea").read_text()
    (tmp_path / "201.hea").write_text(header.replace(" 360 ", " 0 "))
    (tmp_path / "202.hea").write_text((tmp_path / "202.hea").read_text().replace(" 7200\n", " 72000\n"))
    (tmp_path / "203.hea").write_text((tmp_path / "203.hea").read_text().replace("200(1024)/mV", "0(1024)/mV"))
    cohort = understand(tmp_path, BEATS)
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert set(reasons) == {"100", "101", "200", "201"}
    assert "missing" in reasons["100"]
    assert "annotations end" in reasons["101"]
    assert "0 leads" in reasons["200"]
    assert "rate of 0" in reasons["201"]
    assert len(cohort) == 40
    notes = " ".join(cohort.schema.notes)
    assert "promises 72000 frames" in notes
    assert "gain 0" in notes
    for name in ("202", "203"):
        (tmp_path / f"{name}.dat").unlink()
    with pytest.raises(CohortError, match="None of the records"):
        understand(tmp_path, BEATS)


def test_beats_outside_the_record_are_left_out(tmp_path: Path) -> None:
    ward(tmp_path)
    record(tmp_path, "100", [*beats(), (RATE * 30, "N", "")])
    cohort = understand(tmp_path, BEATS)
    assert len(cohort) == 120
    assert any("1 beats lie outside" in n for n in cohort.schema.notes)


def test_what_is_written_is_read_back_alike(tmp_path: Path) -> None:
    cohort = understand(ward(tmp_path), BEATS)
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort))
    (tmp_path / "samples.csv").write_text(samples_csv(cohort))
    again = read_samples(tmp_path / "samples.csv", read_cohort_file(tmp_path / "cohort.yaml"), tmp_path)
    assert again.samples == cohort.samples
    assert again.schema == cohort.schema
    assert digest(again) == digest(cohort)
    declared = understand(tmp_path)
    assert declared.samples == cohort.samples


def test_the_digest_changes_with_samples_and_annotations(tmp_path: Path) -> None:
    first = digest(understand(ward(tmp_path), BEATS))
    data = (tmp_path / "100.dat").read_bytes()
    (tmp_path / "100.dat").write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    assert digest(understand(tmp_path, BEATS)) != first


def test_a_hundred_thousand_beats_are_lean() -> None:
    from hounsfield.core.cohort import Sample

    own = BeatsOf("100.hea", (("lead", "MLII"),), 1, "atr")
    answer, about = {"beats": "N"}, {"age": 60.0}
    tracemalloc.start()
    made = [
        Sample(f"100_{i}", "100", BeatInputs(own, i + 1000), targets=answer, part="train", attributes=about)
        for i in range(5000)
    ]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held / len(made) < 400
    assert copy.deepcopy(made[7]) == made[7]
    assert dict(made[7].inputs["signal"][0].ref.part) == {"anchor": 1007, "lead": "MLII"}


def _two_rates(folder: Path) -> dict[str, np.ndarray]:
    """Write records of a slow ECG beside a lead four times as fast that differs from record to record."""
    values: dict[str, np.ndarray] = {}
    for i, name in enumerate(("a", "b", "c", "d")):
        fast, slow = (stream(i, f"two rates {n}").integers(-900, 900, n) for n in (4 * 2500, 2500))
        frames = np.concatenate([fast.reshape(2500, 4), slow[:, None]], axis=1)
        (folder / f"{name}.dat").write_bytes(packed(frames, 16))
        lines = [
            f"{name} 2 125 2500",
            f"{name}.dat 16x4 100/mmHg 12 0 0 0 0 ABP{i}",
            f"{name}.dat 16 100 12 0 0 0 0 II",
        ]
        (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
        marks = [(0, "+", "(N"), (300, "N", ""), (900, "V", ""), (1250, "+", "(AFIB"), (2400, "N", "")]
        (folder / f"{name}.atr").write_bytes(packed_annotations(marks))
        values[name] = slow
    return values


def test_beats_and_rhythms_of_a_slow_lead_beside_a_fast_one_lie_where_they_were_marked(tmp_path: Path) -> None:
    values = _two_rates(tmp_path)
    cohort = understand(tmp_path, BEATS)
    assert len(cohort) == 4 * 3
    last = cohort.samples[5]
    ref = last.inputs["signal"][0].ref
    assert (last.id, dict(ref.part)) == ("b_2400", {"anchor": 2400, "lead": "II"})
    around = content_reader("signal").read(cohort, ref, wanted=Wanted(around_s=(0.016, 0.016)))
    assert isinstance(around, Signal)
    np.testing.assert_allclose(around.array[0], values["b"][2398:2402] / 100, rtol=1e-6)
    windows = understand(tmp_path, Roles(target=("rhythm:5",)))
    own = {s.id: dict(s.inputs["signal"][0].ref.part) for s in windows.samples if s.id.startswith("a_")}
    assert [(p["start"], p["stop"]) for p in own.values()] == [(0, 625), (625, 1250), (1250, 1875), (1875, 2500)]
    assert read_signal(windows, windows.samples[-1].inputs["signal"][0].ref).array.shape == (1, 625)


def test_lists_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    ward(tmp_path)
    (tmp_path / "records.csv").unlink()
    (tmp_path / "DS1").write_text("100\n101\n203\n")
    (tmp_path / "DS2.txt").write_text("200\n201\n203\n")
    cohort = understand(tmp_path, BEATS)
    assert cohort.schema.official_parts == ()
    assert any("DS2.txt is not used: another list has 1 of its records" in n for n in cohort.schema.notes)
