"""Volumes over time and b-values: one is looked at with the reason, or every one as an input."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.types import AnyArray
from hounsfield.data.cohorts import understand, unlabelled
from hounsfield.data.loose import loose
from hounsfield.data.readers import read


def _series(path: Path, moments: int, *, seed: int, unit: str = "sec") -> AnyArray:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.Generator(np.random.PCG64(seed)).integers(0, 900, (4, 5, 6, moments)).astype(np.int16)
    image = nibabel.Nifti1Image(voxels, np.diag([2.0, 2.0, 3.0, 1.0]))
    image.header.set_xyzt_units("mm", unit)
    nibabel.save(image, path)
    return voxels


def _folder(root: Path, moments: int = 3, *, b_values: str = "", unit: str = "sec") -> list[AnyArray]:
    made = []
    for n in range(6):
        path = root / ("well" if n % 2 else "ill") / f"c{n}.nii.gz"
        made.append(_series(path, moments, seed=n, unit=unit))
        if b_values:
            path.with_name(f"c{n}.bval").write_text(b_values)
    return made


def _voxels(cohort: Cohort, name: str, sample: str) -> AnyArray:
    (one,) = [s for s in cohort.samples if s.id == sample]
    return np.asarray(read(cohort, one.inputs[name][0].ref).array[0].T)


def test_the_first_moment_is_looked_at_and_told(tmp_path: Path) -> None:
    made = _folder(tmp_path)
    cohort = understand(tmp_path)
    np.testing.assert_array_equal(_voxels(cohort, "image", "c4"), made[4][..., 0])
    (listing,) = [t for t in cohort.listings if t.title == "Files of several moments"]
    assert listing.rows == (("image", "6", "3: phase_1, phase_2, phase_3", "the first of 3 moments"),)
    assert any("6 files hold several moments" in n and "--image phases" in n for n in cohort.schema.notes)


def test_the_highest_b_value_is_looked_at_as_of_dicom_series(tmp_path: Path) -> None:
    made = _folder(tmp_path, 4, b_values="0 995 1005 500\n", unit="unknown")
    cohort = understand(tmp_path)
    np.testing.assert_array_equal(_voxels(cohort, "image", "c1"), made[1][..., 1])
    (listing,) = [t for t in cohort.listings if t.title == "Files of several moments"]
    assert listing.rows[0][3] == "b = 1000 s/mm2: the highest of 3 b-values in 4 volumes"
    phases = understand(tmp_path, Roles(image="phases"))
    assert [i.name for i in phases.schema.inputs] == ["b_0", "b_500", "b_1000"]
    np.testing.assert_array_equal(_voxels(phases, "b_500", "c1"), made[1][..., 3])
    (alone,) = loose([tmp_path / "ill/c0.nii.gz"], Roles(), ["b_1000", "b_0"])
    np.testing.assert_array_equal(_voxels(alone, "b_0", alone.samples[0].id), made[0][..., 0])
    single = unlabelled([tmp_path / "ill/c0.nii.gz"])
    np.testing.assert_array_equal(_voxels(single, "image", single.samples[0].id), made[0][..., 1])


@pytest.mark.parametrize("unit", ["sec", "unknown"])
def test_every_moment_becomes_an_input(tmp_path: Path, unit: str) -> None:
    made = _folder(tmp_path, 3, unit=unit)
    _series(tmp_path / "ill/c9.nii.gz", 2, seed=9, unit=unit)
    cohort = understand(tmp_path, Roles(image="phases"))
    assert [(i.name, i.ndim) for i in cohort.schema.inputs] == [("phase_1", 3), ("phase_2", 3)]
    assert len(cohort) == 7
    np.testing.assert_array_equal(_voxels(cohort, "phase_2", "c5"), made[5][..., 1])


def test_what_has_no_moments_or_too_many_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path / "long", 20)
    with pytest.raises(CohortError, match="20 moments"):
        understand(tmp_path / "long", Roles(image="phases"))
    _folder(tmp_path / "short", 1)
    with pytest.raises(CohortError, match="0 moments"):
        understand(tmp_path / "short", Roles(image="phases"))


def test_damaged_tables_of_b_values_say_nothing(tmp_path: Path) -> None:
    made = _folder(tmp_path, 3, b_values="0 nan 1000\n")
    np.testing.assert_array_equal(_voxels(understand(tmp_path), "image", "c2"), made[2][..., 0])
