"""DICOM series in folders of classes, and tables that name DICOM files and folders."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import CohortError
from hounsfield.data import readers
from hounsfield.data.cohorts import cohort_yaml, digest, explore, samples_csv, understand
from tests.data_room.dicom.making import DX, dataset, save, uid


def _study(folder: Path, words: str, count: int = 3, facts: Mapping[str, Any] | None = None, ending: str = "") -> None:
    for n in range(count):
        save(folder / f"IM{n}{ending}", dataset(words, facts, number=n))


@pytest.mark.parametrize("ending", ["", ".dcm"])
def test_series_in_class_folders_are_labelled_by_them(tmp_path: Path, ending: str) -> None:
    for n in range(6):
        name = "covid" if n % 2 else "normal"
        _study(tmp_path / f"ct/{name}/case{n}/SE0", f"p{n}/s/scout", 1, {"ImageType": ["O", "P", "LOCALIZER"]}, ending)
        _study(tmp_path / f"ct/{name}/case{n}/SE1", f"p{n}/s/a", 3, {"AccessionNumber": f"N{n}"}, ending)
    cohort = understand(tmp_path)
    assert cohort.schema.layout == "dicom"
    assert {s.id: s.targets["class"] for s in cohort.samples} == {
        f"N{n}": "covid" if n % 2 else "normal" for n in range(6)
    }
    assert (cohort.schema.inputs[0].ndim, cohort.schema.inputs[0].modality) == (3, "CT")
    assert {s.patient for s in cohort.samples} == {f"p{n}" for n in range(6)}
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).array.shape == (1, 3, 8, 8)
    assert any("Names of folders" in u for u in cohort.schema.unsure)
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort))
    (tmp_path / "samples.csv").write_text(samples_csv(cohort))
    assert understand(tmp_path).samples == cohort.samples


def test_parts_around_and_pictures_without_endings(tmp_path: Path) -> None:
    facts = {"SOPClassUID": DX, "Modality": "DX", "ImagePositionPatient": None, "ImageOrientationPatient": None}
    for part in ("train", "test"):
        for n in range(6):
            name = "pneumonia" if n % 2 else "healthy"
            save(tmp_path / f"{part}/{name}/IMG{n}", dataset(f"{part}{n}/s/a", facts))
    cohort = understand(tmp_path)
    assert cohort.schema.official_parts == ("train", "test")
    assert Counter((s.part, s.targets["class"]) for s in cohort.samples) == {
        (p, c): 3 for p in ("train", "test") for c in ("pneumonia", "healthy")
    }
    assert cohort.schema.inputs[0].ndim == 2


def test_overwritten_identifiers_leave_the_folders(tmp_path: Path) -> None:
    for n in range(6):
        facts = {"PatientID": "ANON", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
        words = f"p{n}/s/a"
        _study(tmp_path / f"{'tumour' if n % 2 else 'none seen'}/{n:03d}", words, 3 + n, facts)
    cohort = understand(tmp_path)
    assert Counter(s.targets["class"] for s in cohort.samples) == {"tumour": 3, "none seen": 3}
    assert len({s.patient for s in cohort.samples}) == 6
    assert any("one PatientID" in u for u in cohort.schema.unsure)
    # a series of one UID in six folders is six series
    depth = [readers.read(cohort, s.inputs["image"][0].ref).array.shape[1] for s in cohort.samples]
    assert sorted(depth) == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    "where",
    [
        lambda n: f"EXPORT/{n % 2}/ST{n}",  # folders of a PACS
        lambda n: f"DICOM/PAT{n:03d}/STUDY1",
        lambda n: f"{'CT' if n % 2 else 'MR'}/{n}",  # modalities
        lambda n: f"meier{chr(97 + n)}/{n}",  # patients by name: each its own
        lambda n: f"{n}",
    ],
)
def test_folders_that_are_no_classes(tmp_path: Path, where: Any) -> None:  # noqa: ANN401 - a function of a number
    for n in range(6):
        _study(tmp_path / where(n), f"p{n}/s/a")
    assert explore(tmp_path).schema.targets == ()
    with pytest.raises(CohortError, match="no labels"):
        understand(tmp_path)


def test_folders_of_series_are_no_classes(tmp_path: Path) -> None:
    for n in range(6):
        for name in ("plain", "contrast"):
            _study(tmp_path / f"{n:03d}/{name}", f"p{n}/s/{name}")
    assert explore(tmp_path).schema.targets == ()


def _table(path: Path, head: str, rows: list[tuple[str, int]]) -> None:
    path.write_text(f"{head},label\n" + "".join(f"{name},{label}\n" for name, label in rows))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("folder", lambda n: f"scans/P{n:02d}"),
        ("case", lambda n: f"P{n:02d}"),
        ("path", lambda n: f".\\scans\\p{n:02d}\\"),
        ("series_dir", lambda n: f"P{n:02d}/thorax"),
    ],
)
def test_a_table_may_name_folders(tmp_path: Path, head: str, name: Any) -> None:  # noqa: ANN401
    for n in range(6):
        _study(tmp_path / f"scans/P{n:02d}/thorax", f"id{n}/s/a", 3 + n % 2)
    _table(tmp_path / "labels.csv", head, [(name(n), n % 2) for n in range(6)])
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == ("dicom", 6)
    assert [s.targets["label"] for s in cohort.samples] == ["0", "1"] * 3
    assert [readers.read(cohort, s.inputs["image"][0].ref).array.shape[1] for s in cohort.samples] == [3, 4] * 3
    assert {s.patient for s in cohort.samples} == {f"id{n}" for n in range(6)}


@pytest.mark.parametrize("written", ["", ".dcm"])
def test_a_table_may_name_files_with_or_without_their_ending(tmp_path: Path, written: str) -> None:
    facts = {"SOPClassUID": DX, "Modality": "DX", "ImagePositionPatient": None, "ImageOrientationPatient": None}
    for n in range(6):
        save(tmp_path / f"img/X{n}", dataset(f"p{n}/s/a", facts | {"PatientID": "ANON"}))
    _table(tmp_path / "labels.csv", "image", [(f"img/X{n}{written}", n % 2) for n in range(6)] + [("img/none", 1)])
    cohort = understand(tmp_path)
    assert len(cohort) == 6
    assert [s.inputs["image"][0].ref.path for s in cohort.samples] == [f"img/X{n}" for n in range(6)]
    assert len({s.patient for s in cohort.samples}) == 6
    assert {a.sample: a.reason for a in cohort.set_aside}["img/none"] == "no such DICOM file or folder"


def test_a_folder_name_that_two_folders_have_is_not_guessed(tmp_path: Path) -> None:
    for n in range(4):
        _study(tmp_path / f"x/a{n}", f"p{n}/s/a")
    _study(tmp_path / "y/a0", "q/s/a")
    _table(tmp_path / "labels.csv", "folder", [(f"a{n}", n % 2) for n in range(4)])
    cohort = understand(tmp_path)
    assert len(cohort) == 3
    assert any(a.sample == "a0" and "several" in a.reason for a in cohort.set_aside)


def test_two_patients_are_never_one_sample(tmp_path: Path) -> None:
    """An accession number, a study UID or an identifier of two issuers that several patients share joins nobody."""
    for n in range(6):
        _study(tmp_path / f"d/{n}", f"p{n}/s/a", 3, {"AccessionNumber": f"{n // 2 if n < 2 else n}"})
    table = tmp_path / "t.csv"
    _table(table, "accession", [(f"{n}", n % 2) for n in (0, 2, 3, 4, 5)])
    cohort = understand(tmp_path / "d", Roles(labels=str(table)))
    assert [s.patient for s in cohort.samples] == ["p2", "p3", "p4", "p5"]
    assert {a.sample: a.reason for a in cohort.set_aside}["0"] == "several patients have this AccessionNumber"
    for n in range(2):
        _study(tmp_path / f"e/{n}", f"p{n}/s/a", 3, {"StudyInstanceUID": "1.2.3", "AccessionNumber": ""})
        _study(tmp_path / f"f/{n}", f"p{n}/s/a", 3, {"StudyInstanceUID": "", "AccessionNumber": ""})
        _study(tmp_path / f"g/{n}", f"p/s{n}/a", 3, {"PatientID": "1", "IssuerOfPatientID": f"H{n}"})
    for folder in "ef":
        alone = explore(tmp_path / folder)
        assert sorted(s.patient for s in alone.samples) == ["p0", "p1"]
        assert all(len(s.inputs["image"]) == 1 for s in alone.samples)
    _table(tmp_path / "u.csv", "patient", [("1", 0)])
    with pytest.raises(CohortError, match="None of the 1 rows"):
        understand(tmp_path / "g", Roles(labels=str(tmp_path / "u.csv")))


def test_the_digest_sees_every_file_of_a_series(tmp_path: Path) -> None:
    for n in range(4):
        _study(tmp_path / f"{n}", f"p{n}/s/a", 3, {"AccessionNumber": str(n)})
    before = digest(explore(tmp_path))
    assert digest(explore(tmp_path)) == before
    last = tmp_path / "2/IM2"
    content = bytearray(last.read_bytes())
    content[-1] ^= 1
    last.write_bytes(bytes(content))
    assert digest(explore(tmp_path)) != before


def test_a_disk_is_known_beside_the_program_that_came_with_it(tmp_path: Path) -> None:
    for n in range(200):
        (tmp_path / "BIN").mkdir(exist_ok=True)
        (tmp_path / f"BIN/part{n:03d}.dll").write_bytes(b"MZ" + bytes(600))
    for n in range(60):
        for folder in range(8):
            (tmp_path / f"APP{folder}").mkdir(exist_ok=True)
            (tmp_path / f"APP{folder}/x{n}.html").write_text("<html></html>")
    for n in range(3):
        _study(tmp_path / f"DICOM/{n}", f"p{n}/s/a")
    assert explore(tmp_path).schema.layout == "dicom"


def test_the_user_names_the_column_of_folders_and_asks_for_phases(tmp_path: Path) -> None:
    for n in range(4):
        for k, echo in enumerate((20.0, 80.0)):
            for z in range(3):
                facts = {"Modality": "MR", "EchoTime": echo, "SOPInstanceUID": uid(n, k, z), "ConvolutionKernel": None}
                save(tmp_path / f"d/C{n}/{k}{z}", dataset(f"p{n}/s/a", facts, number=z))
                save(tmp_path / f"d/X{n}/{k}{z}", dataset(f"q{n}/s/a", facts, number=z))
    table = tmp_path / "t.csv"
    table.write_text("first,second,label\n" + "".join(f"C{n},X{n},{n % 2}\n" for n in range(4)))
    cohort = understand(tmp_path / "d", Roles(labels=str(table), image="second"))
    assert [s.patient for s in cohort.samples] == ["q0", "q1", "q2", "q3"]
    both = understand(tmp_path / "d", Roles(labels=str(table), image="phases"))
    assert [i.name for i in both.schema.inputs] == ["echo_1", "echo_2"]
