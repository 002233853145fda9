"""Whose records are: headers, tables of events and folders tell it, so that one patient never stands in two parts."""

from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from tests.data_room.folders import table
from tests.data_room.signal.records import some_samples, write_record


def _edf(path: Path, patient: str, *, plus: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "EDF+C" if plus else ""
    head = f"{'0':8}{patient:80}{'Startdate X X X X':80}{'01.01.85'}{'00.00.00'}{512:<8}{kind:44}{5:<8}{1:<8}{1:<4}"
    line = f"{'ECG II':16}{'':80}{'uV':8}{-100:<8}{100:<8}{-1000:<8}{1000:<8}{'':80}{100:<8}{'':32}"
    values = stream(0, f"edf {path.name}").integers(-900, 900, 500).astype("<i2")
    path.write_bytes((head + line).encode() + values.tobytes())


def _nights(folder: Path, patients: list[str], *, plus: bool = True, **more: object) -> Cohort:
    for i, patient in enumerate(patients):
        _edf(folder / f"n{i}.edf", patient, plus=plus)
    rows = [
        {"record": f"n{i}", "label": "ab"[i % 2]} | {k: f"{v}{i}" for k, v in more.items()}
        for i in range(len(patients))
    ]
    table(folder / "labels.csv", rows)
    return understand(folder)


CODES = ["MCH-1 F X A_B", "MCH-2 M X C_D", "MCH-1 F X A_B", "X F X X", "X F X X", "mch-2 M 02-MAY-1951 X"]


def test_recordings_of_one_patient_by_their_headers_share_him(tmp_path: Path) -> None:
    cohort = _nights(tmp_path, CODES)
    assert cohort.schema.patients_known
    assert {s.id: s.patient for s in cohort.samples} == {
        "n0": "n0", "n1": "n1", "n2": "n0", "n3": "n3", "n4": "n4", "n5": "n1",
    }  # fmt: skip
    assert "mch" not in (str(cohort.schema) + str(cohort.samples)).casefold()


@pytest.mark.parametrize(
    "patients",
    [
        ["A_1 X X X"] * 6,
        ["X F X Female_33yr", "X X X X"] * 3,
        [f"P{i} X X X" for i in range(6)],
        ["unknown", "Unknown"] * 3,
    ],
)
def test_codes_that_say_nothing_are_not_believed(tmp_path: Path, patients: list[str]) -> None:
    assert not _nights(tmp_path, patients, plus=False).schema.patients_known


def test_a_table_of_patients_is_believed_before_headers(tmp_path: Path) -> None:
    cohort = _nights(tmp_path, CODES, patient="q")
    assert [s.patient for s in cohort.samples] == [f"q{i}" for i in range(6)]


def test_stays_of_one_patient_by_a_table_of_events_share_him(tmp_path: Path) -> None:
    rows = [
        {"subject_id": f"p{stay // 2}", "stay_id": stay, "hours": hour, "variable": "HR", "value": 60 + stay + hour}
        for stay in range(20, 40)
        for hour in range(4)
    ]
    table(tmp_path / "events.csv", rows)
    table(tmp_path / "outcomes.csv", [{"stay_id": s, "death": int(s % 3 == 0)} for s in range(20, 40)])
    cohort = understand(tmp_path)
    assert cohort.schema.patients_known
    assert {s.id: s.patient for s in cohort.samples} == {str(s): f"p{s // 2}" for s in range(20, 40)}
    table(tmp_path / "outcomes.csv", [{"stay_id": s, "patient": "ab"[s < 30], "death": s % 2} for s in range(20, 40)])
    assert {s.patient for s in understand(tmp_path).samples} == {"a", "b"}


@pytest.mark.parametrize(
    ("paths", "level"),
    [
        (["p1000/p100012/s41/a", "p1000/p100012/s42/b", "p1000/p100034/s43/c", "p1001/p100156/s44/d"], 1),
        (["p00/p000020/a", "p00/p000021/b", "p01/p010001/c", "p01/p010001/d"], 1),
        (["s01/a", "s01/b", "s02/c", "s03/d"], 0),
        (["s01/p001/a", "s01/p002/b", "s02/p003/c", "s02/p003/d"], 1),
        (["patient001/s0010/a", "patient001/s0011/b", "patient002/s0012/c", "patient003/s0013/d"], 0),
    ],
)
def test_folders_of_studies_are_no_patients(tmp_path: Path, paths: list[str], level: int) -> None:
    for path in paths:
        folder, _, name = path.rpartition("/")
        write_record(tmp_path / folder, some_samples(50, 1, 12), 16, name=name)
    table(
        tmp_path / "labels.csv", [{"record": p.rpartition("/")[2], "label": "ab"[i % 2]} for i, p in enumerate(paths)]
    )
    cohort = understand(tmp_path)
    assert {s.id: s.patient for s in cohort.samples} == {p.rpartition("/")[2]: p.split("/")[level] for p in paths}


def test_a_table_in_a_folder_means_the_records_beside_it(tmp_path: Path) -> None:
    for part, flip in (("train", 0), ("test", 1)):
        for i in range(6):
            write_record(tmp_path / part, some_samples(50, 1, 12, seed=i + flip), 16, name=f"r{i}")
        table(tmp_path / part / "labels.csv", [{"record": f"r{i}", "label": "ab"[(i + flip) % 2]} for i in range(6)])
    cohort = understand(tmp_path)
    assert cohort.schema.official_parts == ("train", "test")
    found = {s.inputs["signal"][0].ref.path: (s.part, s.targets["label"]) for s in cohort.samples}
    assert found == {
        f"{part}/r{i}.hea": (part, "ab"[(i + flip) % 2]) for part, flip in (("train", 0), ("test", 1)) for i in range(6)
    }


def test_a_named_file_is_the_one_beside_its_table(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "more"):
        for i in range(4):
            write_record(folder, some_samples(50, 1, 12, seed=i), 16, name=f"r{i}")
    table(tmp_path / "more" / "labels.csv", [{"record": f"r{i}.hea", "label": "ab"[i % 2]} for i in range(4)])
    cohort = understand(tmp_path, Roles(target=("label",)))
    assert {s.inputs["signal"][0].ref.path for s in cohort.samples} == {f"more/r{i}.hea" for i in range(4)}


def test_a_table_that_cannot_be_read_is_told_where_folders_answer_in_its_place(tmp_path: Path) -> None:
    for i in range(8):
        write_record(tmp_path / ("afib", "normal")[i % 2], some_samples(50, 1, 12, seed=i), 16, name=f"r{i}")
    (tmp_path / "labels.csv").write_text("record,diagnosis\nr0,a,b\nr1,c\n")
    (tmp_path / "notes.txt").write_text("who, when\nof, these, records\n")
    notes = understand(tmp_path).schema.notes
    assert [n for n in notes if "it is not used" in n] == [
        "Row 2 of 'labels.csv' has 3 fields where the header has 2: it is not used."
    ]
