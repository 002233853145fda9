"""Disks from a PACS become cohorts: by accession number from Excel, by patient, study, series or image, and alone."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.cohort import Cohort, InputSpec, Ref, Roles
from hounsfield.core.errors import CohortError
from hounsfield.data import readers
from hounsfield.data.cohorts import cohort_yaml, explore, samples_csv, understand, unlabelled
from hounsfield.data.layouts.dicom import DicomLayout
from tests.data_room.dicom.making import CAPTURE, DX, REPORT, dataset, save, uid
from tests.data_room.pacs.making import write_studies

SCOUT = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}


def _disk(root: Path, patients: int = 6) -> Path:
    """Every patient: one CT study of a scout, thick soft, thin sharp slices, a capture and a report, in one folder."""
    for n in range(patients):
        who = f"00{n + 1}"
        facts: dict[str, Any] = {"AccessionNumber": f"000{710 + n}", "StudyDate": f"202401{n + 10}"}
        folder = root / f"EXPORT/{n % 2}"
        _series(folder, f"{who}/s/scout", 1, facts | SCOUT)
        _series(folder, f"{who}/s/soft", 4, facts)
        _series(folder, f"{who}/s/sharp", 4, facts | {"ConvolutionKernel": "B70f", "SliceThickness": 1.0})
        save(folder / f"c{who}", dataset(f"{who}/s/capture", facts | {"SOPClassUID": CAPTURE}))
        save(folder / f"r{who}", dataset(f"{who}/s/dose", facts | {"SOPClassUID": REPORT, "Modality": "SR"}, size=0))
    return root


def _series(folder: Path, words: str, count: int, facts: Mapping[str, Any]) -> None:
    for n in range(count):
        save(folder / f"{uid(words, n)[-9:]}", dataset(words, facts, number=n))


def _excel(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def _csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")
    return path


def _used(cohort: Cohort) -> set[object]:
    return {dict(s.inputs["image"][-1].ref.part).get("series") for s in cohort.samples}


def test_a_spreadsheet_that_lost_its_zeros_is_joined_by_accession_number(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    rows: list[list[object]] = [["Accession No", "diagnosis", "reader"]]
    rows += [[710.0 + n, "malignant" if n % 2 else "benign", "A"] for n in range(5)]
    rows += [[999, "benign", "A"]]
    table = _excel(tmp_path / "answers.xlsx", rows)
    cohort = understand(disk, Roles(labels=str(table)))
    assert cohort.schema.layout == "dicom"
    assert cohort.schema.inputs[0] == InputSpec(name="image", kind="image", ndim=3, modality="CT")
    assert [s.targets["diagnosis"] for s in cohort.samples] == ["benign", "malignant", "benign", "malignant", "benign"]
    assert [s.patient for s in cohort.samples] == ["001", "002", "003", "004", "005"]
    assert cohort.schema.patients_known
    assert cohort.schema.targets[0].positive == "malignant"
    assert _used(cohort) == {uid(f"00{n}/s/soft") for n in range(1, 6)}
    first = cohort.samples[0]
    assert first.attributes["site"] == "North"
    assert first.attributes["scanner"] == "ACME Spiral 1"
    assert (first.attributes["age"], first.attributes["sex"]) == (61.0, "F")
    ref = first.inputs["image"][0].ref
    assert ref.reader == "dicom"
    assert dict(ref.part)["volume"] == 0
    assert (disk / ref.path).is_file()
    aside = {a.sample: a.reason for a in cohort.set_aside}
    assert aside["999"] == "no file has this AccessionNumber"
    assert aside["000715"] == "no row in answers.xlsx"
    assert any("joined by AccessionNumber" in n and "5 of 6 rows" in n for n in cohort.schema.notes)


def test_what_was_understood_can_be_written_and_read_again(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    _csv(disk / "answers.csv", [["accession", "label"], *([f"000{710 + n}", n % 2] for n in range(6))])
    cohort = understand(disk)
    assert (cohort.schema.layout, len(cohort)) == ("dicom", 6)
    (disk / "cohort.yaml").write_text(cohort_yaml(cohort))
    (disk / "samples.csv").write_text(samples_csv(cohort))
    again = understand(disk)
    assert again.samples == cohort.samples


@pytest.mark.parametrize(
    ("head", "key", "level"),
    [
        ("PatientID", lambda n: f"{n + 1}", "patient"),
        ("study", lambda n: uid(f"00{n + 1}", "s"), "study"),
        ("uid", lambda n: uid(f"00{n + 1}/s/sharp"), "series"),
        ("SOPInstanceUID", lambda n: uid(f"00{n + 1}/s/soft", 2), "image"),
    ],
)
def test_other_keys_are_found_by_their_values(tmp_path: Path, head: str, key: Any, level: str) -> None:  # noqa: ANN401
    disk = _disk(tmp_path / "disk")
    _csv(disk / "answers.csv", [[head, "label"], *([key(n), n % 2] for n in range(6))])
    cohort = understand(disk)
    assert (len(cohort), cohort.schema.layout) == (6, "dicom")
    assert any(
        n.startswith("answers.csv is joined") and n.endswith(f"one sample per {level}.") for n in cohort.schema.notes
    )
    assert cohort.schema.inputs[0].ndim == (2 if level == "image" else 3)
    if level == "series":
        assert _used(cohort) == {uid(f"00{n}/s/sharp") for n in range(1, 7)}
    if level == "image":
        assert {s.inputs["image"][0].ref.part for s in cohort.samples} == {()}


def test_a_patient_with_several_visits_is_one_sample_with_several_readings(tmp_path: Path) -> None:
    for n in range(6):
        for visit, day in enumerate(("20240101", "20240131")):
            facts = {"StudyDate": day, "AccessionNumber": f"{n}{visit}"}
            _series(tmp_path / "disk/X", f"p{n}/v{visit}/a", 3, facts)
    disk = tmp_path / "disk"
    table = _csv(tmp_path / "patients.csv", [["patient", "label"], *([f"p{n}", n % 2] for n in range(6))])
    cohort = understand(disk, Roles(labels=str(table)))
    assert [[r.time_days for r in s.inputs["image"]] for s in cohort.samples] == [[0.0, 30.0]] * 6
    assert cohort.samples[0].time_days == 30.0
    rows: list[list[object]] = [["acc", "label"]]
    rows += [[f"{n}{v}", v] for n in range(6) for v in (0, 1)]
    cohort = understand(disk, Roles(labels=str(_csv(tmp_path / "visits.csv", rows))))
    assert (len(cohort), len({s.patient for s in cohort.samples})) == (12, 6)
    assert [s.time_days for s in cohort.samples][:2] == [0.0, 30.0]


def test_a_query_overrides_the_choice(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    table = _csv(tmp_path / "a.csv", [["acc", "label"], *([710 + n, n % 2] for n in range(6))])
    cohort = understand(disk, Roles(labels=str(table), series="SliceThickness <= 1"))
    assert _used(cohort) == {uid(f"00{n}/s/sharp") for n in range(1, 7)}
    with pytest.raises(CohortError, match="None of the 6 rows"):
        understand(disk, Roles(labels=str(table), series="Modality == 'MR'"))


def test_a_disk_alone_is_listed_and_predicted_study_by_study(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk", patients=3)
    (disk / "broken.dcm").write_bytes(b"x" * 400)
    with pytest.raises(CohortError, match="3 DICOM studies"):
        understand(disk)
    cohort = explore(disk)
    titles = {t.title: t for t in cohort.listings}
    assert [r[0] for r in titles["Patients on the disk"].rows] == ["001", "002", "003"]
    told = {r[3]: r[-1] for r in titles["Studies and their series"].rows}
    assert told["soft"] == "used: the best"
    assert {r[4] for r in titles["Studies and their series"].rows} >= {"CT, axial, 4 images, 2 mm, soft kernel B30f"}
    assert told["sharp"] == "apart: kernel B70f is not as soft"
    assert (told["scout"], told["capture"], told["dose"]) == (
        "apart: a localizer (scout)", "apart: a secondary capture", "apart: a dose report"
    )  # fmt: skip
    assert titles["Files with problems"].rows == (("broken.dcm", "its name says DICOM, its content does not"),)
    asked = unlabelled([disk])
    assert [s.id for s in asked.samples] == ["000710", "000711", "000712"]
    assert _used(asked) == _used(cohort)


def test_an_archive_is_a_disk_too(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in sorted(p for p in disk.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(disk).as_posix())
    table = _csv(tmp_path / "a.csv", [["acc", "label"], *([710 + n, n % 2] for n in range(6))])
    cohort = understand(tmp_path / "export.zip", Roles(labels=str(table)))
    assert len(cohort) == 6
    ref = cohort.samples[0].inputs["image"][0].ref
    assert ref.path == "export.zip"
    assert set(dict(ref.part)) == {"member", "series", "volume"}


def _pictures(root: Path, folders: Sequence[str]) -> Path:
    for n in range(12):
        made = dataset(f"p{n}/1/chest", {"SOPClassUID": DX, "Modality": "DX", "AccessionNumber": f"X{n}"})
        save(root / folders[n % len(folders)] / f"img{n}.dcm", made)
    return root


def test_single_pictures_by_a_table_of_paths_stay_a_manifest(tmp_path: Path) -> None:
    root = _pictures(tmp_path / "xray", ["images"])
    _csv(root / "labels.csv", [["file", "label"], *([f"images/img{n}.dcm", n % 2] for n in range(12))])
    cohort = understand(root)
    assert (cohort.schema.layout, len(cohort)) == ("manifest", 12)
    assert cohort.samples[0].inputs["image"][0].ref == Ref("dicom", "images/img0.dcm")
    named = _csv(tmp_path / "elsewhere.csv", [["file", "label"], *([f"images/img{n}.dcm", n % 2] for n in range(12))])
    assert understand(root, Roles(labels=str(named))).schema.layout == "manifest"


def test_single_pictures_by_accession_number(tmp_path: Path) -> None:
    root = _pictures(tmp_path / "xray", ["a", "b", "c"])
    table = _csv(tmp_path / "t.csv", [["accession", "label"], *([f"x{n}", n % 2] for n in range(12))])
    cohort = understand(root, Roles(labels=str(table)))
    assert (cohort.schema.layout, len(cohort)) == ("dicom", 12)
    assert cohort.schema.inputs[0] == InputSpec(name="image", kind="image", ndim=2, modality="DX")
    assert cohort.samples[0].inputs["image"][0].ref.part == ()


def test_pictures_in_folders_of_classes_stay_class_folders(tmp_path: Path) -> None:
    root = _pictures(tmp_path / "xray", ["NORMAL", "PNEUMONIA"])
    assert understand(root).schema.layout == "class folders"


def test_other_folders_are_not_claimed(tmp_path: Path) -> None:
    assert DicomLayout().claims(tmp_path, Roles()) == 0.0
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    assert DicomLayout().claims(tmp_path, Roles()) == 0.0
    assert DicomLayout().claims(tmp_path / "a.png", Roles()) == 0.0


def test_a_table_that_does_not_belong_to_the_disk_is_refused(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk", patients=2)
    table = _csv(tmp_path / "a.csv", [["case", "label"], ["north", 1], ["south", 0]])
    with pytest.raises(CohortError, match=r"No column of 'a\.csv' holds keys"):
        understand(disk, Roles(labels=str(table)))


def test_the_index_is_kept_where_asked_and_nowhere_else(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk", patients=2)
    before = set(tmp_path.rglob("*"))
    explore(disk)
    assert set(tmp_path.rglob("*")) == before
    explore(disk, Roles(index=str(tmp_path / "index.sqlite")))
    assert set(tmp_path.rglob("*")) == before | {tmp_path / "index.sqlite"}


def test_what_the_refs_mean_can_be_read_from_folders_and_archives(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk", patients=2)
    save(disk / "xray", dataset("009/x/chest", {"SOPClassUID": DX, "Modality": "DX"}))
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for path in sorted(p for p in disk.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(disk).as_posix())
    for source in (disk, tmp_path / "export.zip"):
        cohort = explore(source)
        for sample in cohort.samples:
            image = readers.read(cohort, sample.inputs["image"][0].ref)
            stored = [dataset(f"{sample.patient}/s/soft", number=n).PixelData for n in range(4)]
            slices = [np.frombuffer(s, np.uint16).reshape(8, 8) - 1024.0 for s in stored]
            assert np.array_equal(image.array[0], np.stack(slices))
        assert any(a.reason == "2D, where most studies are 3D" for a in cohort.set_aside)
        single = understand(
            source,
            Roles(labels=str(_csv(tmp_path / "s.csv", [["SOPInstanceUID", "label"], [uid("001/s/soft", 1), 0]]))),
        )
        image = readers.read(single, single.samples[0].inputs["image"][0].ref)
        assert image.array.shape == (1, 8, 8)


def test_the_largest_volume_of_a_series_is_used(tmp_path: Path) -> None:
    _series(tmp_path / "d", "a/1/s", 4, {})
    for n in range(6):
        other = {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1], "ImagePositionPatient": [0, 2.0 * n, 0]}
        save(tmp_path / f"d/cor{n}", dataset("a/1/s", other | {"SOPInstanceUID": uid("cor", n)}, number=n))
    cohort = explore(tmp_path / "d")
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).size[0] == 6


def test_a_series_of_two_modalities_gives_the_volume_that_was_chosen(tmp_path: Path) -> None:
    _series(tmp_path / "d", "a/1/s", 3, {})
    for n in range(5):
        other = {"Modality": "MR", "SOPInstanceUID": uid("mr", n), "ConvolutionKernel": None}
        save(tmp_path / f"d/mr{n}", dataset("a/1/s", other, number=n))
    cohort = explore(tmp_path / "d")
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).size[0] == 5


def test_inspect_prints_the_disk(tmp_path: Path) -> None:
    disk = _disk(tmp_path / "disk")
    (disk / "broken.dcm").write_bytes(b"x" * 400)
    rows: list[list[object]] = [["Accession No", "diagnosis"]]
    rows += [[710.0 + n, "malignant" if n % 2 else "benign"] for n in range(6)]
    table = _excel(tmp_path / "answers.xlsx", rows)
    done = CliRunner().invoke(app, ["inspect", str(disk), "--labels", str(table)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    for text in (
        "Patients on the disk", "Studies and their series", "B30f", "used: the best", "apart: a localizer",
        "Files with problems", "broken.dcm", "joined by AccessionNumber", "6 samples, 6 patients (layout: dicom)",
    ):  # fmt: skip
        assert text in done.output, text
    alone = CliRunner().invoke(app, ["inspect", str(disk), "--json"])
    listed = {t["title"]: t["rows"] for t in json.loads(alone.stdout)["cohort"]["listings"]}
    assert len(listed["Studies and their series"]) == 30
    wrong = CliRunner().invoke(app, ["inspect", str(disk), "--series", "SliceThicknes <= 3"])
    assert wrong.exit_code == 2
    assert "SliceThickness" in wrong.output


def test_one_file_without_an_ending_is_read_by_its_content(tmp_path: Path) -> None:
    write_studies(tmp_path, studies=1, series=1, slices=1)
    cohort = unlabelled([tmp_path / "0" / "0" / "0001"])
    ref = cohort.samples[0].inputs["image"][0].ref
    assert ref.reader == "dicom"
    assert readers.read(cohort, ref).array.shape[-2:] == (16, 16)
