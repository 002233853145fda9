import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest

from hounsfield.core.errors import RunExistsError
from hounsfield.data.cohorts import understand
from hounsfield.data.readers import read
from hounsfield.science.physics.ct_cohort import simulate_ct_slice
from hounsfield.workflow.demo import COLUMNS, TRAPS, demo, write_cohort


def test_the_cohort_is_seeded_and_understood(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cohort(tmp_path / name, patients=10, slices=1, size=48, seed=4)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    cohort = understand(tmp_path / "a")
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "multilabel", "ordinal", "number"]
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert len(cohort) == 10 + len(TRAPS)


def test_slices_are_on_a_disk_as_dicom_with_answers_beside(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=2, size=48, seed=3)
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len({(r["PatientID"], r["split"]) for r in rows}) == 10
    files = [p for p in (tmp_path / "disk").rglob("*") if p.is_file()]
    assert {p.suffix for p in files} == {"", ".dcm"}
    read = [pydicom.dcmread(p) for p in files]
    found = {str(d.SOPInstanceUID): d for d in read}
    assert set(found) == {r["SOPInstanceUID"] for r in rows}
    assert len(found) == len(files) == 20 + len(TRAPS)
    assert len({str(d.StudyInstanceUID) for d in read}) == len({str(d.AccessionNumber) for d in read}) == 10
    for number, row in enumerate(rows[:20]):
        made = simulate_ct_slice(number // 2, number % 2, size=48, seed=3)
        header = found[row["SOPInstanceUID"]]
        assert header.PatientID == row["PatientID"] == made.patient
        assert (header.PatientSex, int(header.PatientAge[:3])) == (row["sex"], int(row["age"]))
        np.testing.assert_array_equal(header.pixel_array.astype(int) + int(header.RescaleIntercept), made.hu)
    repeat, corrupt, contradiction = (found[r["SOPInstanceUID"]] for r in rows[20:])
    assert len(corrupt.PixelData) < 2 * 48 * 48
    test = found[next(r["SOPInstanceUID"] for r in rows if r["split"] == "test")]
    likeness = np.corrcoef(repeat.pixel_array.ravel(), test.pixel_array.ravel())[0, 1]
    assert likeness > 0.999
    assert not np.array_equal(repeat.pixel_array, test.pixel_array)
    twin = next(r for r in rows[:20] if found[r["SOPInstanceUID"]].PixelData == contradiction.PixelData)
    assert twin["lesion"] != rows[-1]["lesion"]


def test_what_is_read_is_in_hounsfield_units(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=1, size=48, seed=3)
    cohort = understand(tmp_path)
    image = read(cohort, cohort.samples[0].inputs["image"][0].ref)
    assert (image.modality, image.units) == ("CT", "HU")
    np.testing.assert_array_equal(image.array[0], simulate_ct_slice(0, 0, size=48, seed=3).hu)


def test_a_finished_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text("{}")
    with pytest.raises(RunExistsError, match="finished demo"):
        demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
