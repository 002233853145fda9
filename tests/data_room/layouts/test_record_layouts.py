"""One answer for each record: label tables, class folders, header comments; WFDB, EDF and CSV files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import explore, understand
from hounsfield.data.signal.readers import read_signal
from hounsfield.data.signal.wfdb.comments import header_comments
from tests.data_room.folders import table
from tests.data_room.signal.records import some_samples, write_record

Write = Callable[[Path, str], None]


def _wfdb(folder: Path, name: str) -> None:
    write_record(folder, some_samples(500, 2, 12), 16, name=name)


def _edf(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    head = f"{'0':8}{'X X X X':80}{'Startdate X X X X':80}{'01.01.85'}{'00.00.00'}{512:<8}{'':44}{5:<8}{1:<8}{1:<4}"
    line = f"{'ECG II':16}{'':80}{'uV':8}{-100:<8}{100:<8}{-1000:<8}{1000:<8}{'':80}{100:<8}{'':32}"
    values = stream(0, f"edf {name}").integers(-900, 900, 500).astype("<i2")
    (folder / f"{name}.edf").write_bytes((head + line).encode() + values.tobytes())


def _csv(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = stream(0, f"csv {name}").normal(size=(60, 2)).round(3)
    lines = ["time (s),ABP (mmHg),ECG (mV)", *(f"{i / 10},{a},{b}" for i, (a, b) in enumerate(values))]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


KINDS: dict[str, tuple[Write, str]] = {"wfdb": (_wfdb, "hea"), "edf": (_edf, "edf"), "columns": (_csv, "csv")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_of_answers_beside_the_records(tmp_path: Path, kind: str) -> None:
    write, end = KINDS[kind]
    rows = []
    for i in range(12):
        write(tmp_path / "data", f"r{i:02d}")
        rows.append(
            {
                "record": f"r{i:02d}",
                "diagnosis": ("healthy", "infarction")[i % 2],
                "patient": f"p{i // 2}",
                "age": 50 + i,
            }
        )
    table(tmp_path / "labels.csv", [*rows, {"record": "gone", "diagnosis": "healthy", "patient": "p9", "age": 1}])
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == (kind, 12)
    assert (cohort.schema.targets[0].name, cohort.schema.targets[0].positive) == ("diagnosis", "infarction")
    assert len({s.patient for s in cohort.samples}) == 6
    assert cohort.samples[3].attributes["age"] == 53
    ref = cohort.samples[3].inputs["signal"][0].ref
    assert (ref.reader, ref.path) == (kind, f"data/r03.{end}")
    assert read_signal(cohort, ref).samples > 50
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("gone", "no such record")]
    assert {c.column: c.role for c in cohort.schema.columns}["record"] == "signal"


@pytest.mark.parametrize("kind", KINDS)
def test_class_folders_with_parts(tmp_path: Path, kind: str) -> None:
    write, _ = KINDS[kind]
    for part in ("train", "test"):
        for name in ("normal", "afib"):
            for i in range(4):
                write(tmp_path / part / name, f"{part}{name}{i}")
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == (kind, 16)
    assert cohort.schema.targets[0].classes == ("afib", "normal")
    assert cohort.schema.official_parts == ("train", "test")


def test_records_without_answers_are_told_so(tmp_path: Path) -> None:
    _wfdb(tmp_path, "a")
    with pytest.raises(CohortError, match=r"no labels: .* holds 1 record"):
        understand(tmp_path)
    found = explore(tmp_path)
    assert found.schema.targets == ()
    assert found.listings[0].rows == (("a", "", "2 s", "250 Hz", "lead 0, lead 1", ""),)


def test_header_comments_are_attributes_and_answers(tmp_path: Path) -> None:
    for i in range(12):
        folder = tmp_path / f"patient{i // 2:03d}"
        _wfdb(folder, f"s{i:04d}")
        text = (folder / f"s{i:04d}.hea").read_text()
        reason = ("Healthy control", "Myocardial infarction")[i % 2]
        text += f"# age: {50 + i}\n# sex: female\n# name: Somebody\n# Reason for admission: {reason}\n# Smoker: n/a\n"
        (folder / f"s{i:04d}.hea").write_text(text)
    cohort = understand(tmp_path)
    assert cohort.schema.targets[0].name == "Reason for admission"
    assert cohort.schema.targets[0].positive == "Myocardial infarction"
    assert len({s.patient for s in cohort.samples}) == 6
    assert cohort.samples[0].attributes == {"age": 50.0, "sex": "female"} or cohort.samples[0].attributes["age"] == 50.0
    assert "Somebody" not in str(cohort.samples)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("# 69 M 1085 1629 x1\n# Aldomet, Inderal\n", {"age": "69", "sex": "M"}),
        ("#Age: 74\n#Sex: Male\n#Dx: 59118001,426177001\n", {"age": "74", "sex": "Male", "Dx": "59118001;426177001"}),
        ("# <age>: 63 <sex>: M <diagnoses>: AF\n", {"age": "63", "sex": "M", "diagnoses": "AF"}),
        ("# age: n/a\n# Patient: A B\n#\n# beginning at 0:00\n", {}),
    ],
)
def test_comments_of_several_kinds(tmp_path: Path, lines: str, said: dict[str, str]) -> None:
    (tmp_path / "a.hea").write_text("a 1 250 5\na.dat 16\n" + lines)
    found = header_comments(tmp_path / "a.hea")
    assert {k: v for k, v in found.items() if "beginning" not in k} == said


IDENTIFYING = (
    "First name: Hans{i}",
    "Last name: Meyer{i}",
    "patientname: Meyer{i}",
    "Patient's surname: Meyer{i}",
    "Birthdate: 1950-01-{i:02d}",
    "DOB: 0{i}.01.1950",
    "Physician: Dr. Huber{i}",
    "Seen by: Dr. Huber",
    "MRN: 77{i}",
    "PatientID: 77{i}",
    "Case: C77{i}",
    "Phone: 030 12345{i:02d}",
    "Home address: Meyerstr. {i}",
    "Mail: meyer{i}@example.org",
    "Sample key: Meyer{i}",
    "Quirk: Hans{i}",
    "Recording date: 1999-01-{i:02d}",
    "Tape: 7719{i:02d}",
)


def _commented(folder: Path, count: int, lines: tuple[str, ...]) -> Cohort:
    for i in range(count):
        _wfdb(folder, f"s{i:04d}")
        path = folder / f"s{i:04d}.hea"
        said = (*lines, f"Diagnosis: {'ab'[i % 2]}", f"Age: {60 + i}", "Patient sex: male", f"Pacemaker: {i % 2}")
        path.write_text(path.read_text() + "".join(f"# {line.format(i=i)}\n" for line in said))
    return understand(folder)


@pytest.mark.parametrize("count", [2, 12])
def test_comments_that_identify_are_neither_ids_nor_attributes(tmp_path: Path, count: int) -> None:
    cohort = _commented(tmp_path, count, IDENTIFYING)
    assert [s.id for s in cohort.samples] == [f"s{i:04d}" for i in range(count)]
    assert [s.patient for s in cohort.samples] == [s.id for s in cohort.samples]
    told = str(cohort.samples) + str(cohort.schema)
    for planted in ("Hans", "Meyer", "Huber", "1950", "1999", "77", "030", "@"):
        assert planted not in told
    assert {c.column for c in cohort.schema.columns} == {"record", "Diagnosis", "age", "Patient sex", "Pacemaker"}
    assert cohort.schema.targets[0].name == "Diagnosis"


def test_what_differs_in_every_header_is_not_what_records_are_called(tmp_path: Path) -> None:
    cohort = _commented(tmp_path, 12, ("Sample: {i}", "Key: {i}", "Original: s{i:04d}"))
    assert [s.id for s in cohort.samples] == [f"s{i:04d}" for i in range(12)]
    assert "id" not in {c.role for c in cohort.schema.columns}


def test_comments_of_few_words_stay(tmp_path: Path) -> None:
    lines = ("Remark: quiet", "Ejection fraction: 5{i}", "Heart axis: left", "Bundle branch block: yes")
    names = {c.column for c in _commented(tmp_path, 8, lines).schema.columns}
    assert names >= {"Remark", "Ejection fraction", "Heart axis", "Bundle branch block"}


def test_leads_are_found_under_synonyms_and_a_record_without_them_is_set_aside(tmp_path: Path) -> None:
    names = [("MLII", "V5"), ("V5", "MLII"), ("II", "V1"), ("ECG II", "V1")] * 3
    rows = []
    for i, leads in enumerate(names):
        _wfdb(tmp_path, f"r{i:02d}")
        path = tmp_path / f"r{i:02d}.hea"
        path.write_text(path.read_text().replace("lead 0", leads[0]).replace("lead 1", leads[1]))
        rows.append({"record": f"r{i:02d}", "label": i % 2})
    _wfdb(tmp_path, "odd")
    table(tmp_path / "labels.csv", [*rows, {"record": "odd", "label": 1}])
    cohort = understand(tmp_path)
    assert cohort.schema.inputs[0].leads == ("II",)
    assert cohort.schema.inputs[0].modality == "ECG"
    found = [dict(s.inputs["signal"][0].ref.part)["lead"] for s in cohort.samples[:4]]
    assert found == ["MLII", "MLII", "II", "ECG II"]
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("odd", "it has no lead II, which the others have")]


def test_segments_are_no_records(tmp_path: Path) -> None:
    for name in ("s1", "s2"):
        _wfdb(tmp_path, name)
    (tmp_path / "m.hea").write_text("m/2 2 250 1000\ns1 500\ns2 500\n")
    _wfdb(tmp_path, "n")
    table(tmp_path / "labels.csv", [{"record": "m", "label": 0}, {"record": "n", "label": 1}])
    cohort = understand(tmp_path)
    assert [s.id for s in cohort.samples] == ["m", "n"]


def test_a_table_that_runs_backwards_or_holds_text_is_set_aside(tmp_path: Path) -> None:
    rows = []
    for i in range(10):
        _csv(tmp_path, f"r{i}")
        rows.append({"record": f"r{i}", "label": i % 2})
    lines = (tmp_path / "r0.csv").read_text().splitlines()
    (tmp_path / "r0.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    (tmp_path / "r1.csv").write_text("\n".join([*lines[:5], "0.4,error,1", *lines[6:]]) + "\n")
    table(tmp_path / "labels.csv", rows)
    cohort = understand(tmp_path)
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert "backwards" in reasons["r0"]
    assert "text where a number belongs" in reasons["r1"]
    assert len(cohort) == 8


def test_sets_a_and_b_are_parts_where_that_is_said(tmp_path: Path) -> None:
    rows = []
    for i in range(12):
        _wfdb(tmp_path, f"r{i:02d}")
        rows.append({"record": f"r{i:02d}", "label": i % 2, "set": "ab"[i >= 8]})
    table(tmp_path / "labels.csv", rows)
    assert understand(tmp_path).schema.official_parts == ()
    cohort = understand(tmp_path, Roles(split="set"))
    assert [s.part for s in cohort.samples] == ["train"] * 8 + ["test"] * 4
    assert any("'a' is taken for the training part" in n for n in cohort.schema.notes)
    table(tmp_path / "labels.csv", [{**r, "set": ("train", "oops")[i % 2]} for i, r in enumerate(rows)])
    with pytest.raises(CohortError, match="oops, train where parts"):
        understand(tmp_path, Roles(split="set"))
    table(tmp_path / "labels.csv", [{**r, "set": i % 3} for i, r in enumerate(rows)])
    with pytest.raises(CohortError, match="where parts are expected"):
        understand(tmp_path, Roles(split="set"))
    table(tmp_path / "labels.csv", [{**r, "strat_fold": i % 10 + 1} for i, r in enumerate(rows)])
    folds = understand(tmp_path, Roles(split="strat_fold"))
    assert [s.part for s in folds.samples][:10] == ["train"] * 8 + ["val", "test"]


def test_values_are_those_of_the_files(tmp_path: Path) -> None:
    for i in range(8):
        _edf(tmp_path / ("x" if i % 2 else "y"), f"r{i}")
    cohort = understand(tmp_path)
    one = read_signal(cohort, cohort.samples[0].inputs["signal"][0].ref)
    raw = stream(0, f"edf {cohort.samples[0].id}").integers(-900, 900, 500)
    assert np.allclose(one.array[0], raw / 10.0, atol=1e-4)


@pytest.mark.parametrize(
    ("names", "leads", "modality"),
    [
        (("C3", "C4", "O1", "ECG II"), {"C3", "C4", "O1", "II"}, ""),
        (("I", "II", "C3", "C4"), {"I", "II", "V3", "V4"}, "ECG"),
    ],
)
def test_electrodes_on_the_head_are_no_chest_leads(
    tmp_path: Path, names: tuple[str, ...], leads: set[str], modality: str
) -> None:
    for i in range(12):
        write_record(tmp_path, some_samples(500, 4, 12, seed=i), 16, name=f"r{i:02d}")
        path = tmp_path / f"r{i:02d}.hea"
        text = path.read_text()
        for number, name in enumerate(names):
            text = text.replace(f"lead {number}", name)
        path.write_text(text)
    table(tmp_path / "labels.csv", [{"record": f"r{i:02d}", "stage": ("wake", "sleep")[i % 2]} for i in range(12)])
    spec = understand(tmp_path).schema.inputs[0]
    assert (set(spec.leads), spec.modality) == (leads, modality)


def test_records_that_do_not_add_up_to_their_checksums_are_told(tmp_path: Path) -> None:
    for i in range(8):
        _wfdb(tmp_path, f"r{i}")
    table(tmp_path / "labels.csv", [{"record": f"r{i}", "label": i % 2} for i in range(8)])
    assert not any("checksum" in n for n in understand(tmp_path).schema.notes)
    data = bytearray((tmp_path / "r3.dat").read_bytes())
    data[2] ^= 1
    (tmp_path / "r3.dat").write_bytes(bytes(data))
    (tmp_path / "r5.dat").write_bytes((tmp_path / "r5.dat").read_bytes()[:-40])  # told as shorter, not as changed
    told = [n for n in understand(tmp_path).schema.notes if "checksum" in n]
    assert told == [
        "1 of 7 records that were looked into do not add up to the checksum of their header: r3 (lead 1). Copy them "
        "again, unless they were changed on purpose."
    ]


def test_annotations_of_recordings_are_counted_and_only_usual_words_shown(tmp_path: Path) -> None:
    edfio = pytest.importorskip("edfio", reason="edfio is not installed; it writes the annotations")
    for i in range(4):
        marks = [edfio.EdfAnnotation(1, 30, "Sleep stage W"), edfio.EdfAnnotation(2, None, f"Mrs Planted {i} calls")]
        lead = edfio.EdfSignal(stream(0, "annotated", i).normal(0, 9, 400), 100, label="EEG", physical_dimension="uV")
        edfio.Edf([lead], annotations=marks if i else marks[:1]).write(tmp_path / f"r{i}.edf")
    table(tmp_path / "labels.csv", [{"record": f"r{i}", "label": i % 2} for i in range(4)])
    notes = understand(tmp_path).schema.notes
    told = [n for n in notes if "annotations" in n]
    assert told == [
        "4 of 4 recordings that were looked into hold 7 annotations, such as Sleep stage W (4); they are not taken for "
        "answers."
    ]
    assert "Planted" not in str(notes)


def test_records_of_one_name_in_several_folders_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    rows = []
    for i in range(8):
        _wfdb(tmp_path / f"stay{i}", "ecg")
        rows.append({"record": f"stay{i}/ecg.hea", "label": i % 2})
    table(tmp_path / "labels.csv", rows)
    assert [s.id for s in understand(tmp_path).samples] == [f"stay{i}/ecg" for i in range(8)]
