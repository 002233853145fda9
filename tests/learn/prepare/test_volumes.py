"""Volumes that say how they lie come to one orientation and spacing, whatever file they were in."""

import os
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import PlanError
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.data import readers
from hounsfield.data.cohorts import understand
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.learn.prepare.image import ImagePreparation, prepare

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))
PLACED = ImagePreparation(
    ndim=3, size=(10, 12, 14), orientation="RAS", spacing_mm=(2.0, 1.0, 1.0), fit="centre", high=255.0
)


def noise(*size: int) -> AnyArray:
    return stream(0, "volumes").integers(0, 256, size).astype(np.uint8)[None]


def test_what_already_lies_so_is_left_alone() -> None:
    array = noise(10, 12, 14)
    stored = prepare(Image(array, Grid(np.diag([1.0, 1.0, 2.0, 1.0]))), PLACED)
    np.testing.assert_array_equal(stored, array)


def test_the_same_volume_laid_down_otherwise_is_prepared_alike() -> None:
    array = noise(10, 12, 14)
    wanted = prepare(Image(array, Grid(np.diag([1.0, 1.0, 2.0, 1.0]))), PLACED)
    affine = np.array([[0, 0, -1.0, 13], [0, 1.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
    # x of this array runs upwards, z to the left
    turned = np.ascontiguousarray(array[0].transpose(2, 1, 0)[::-1])[None]
    np.testing.assert_array_equal(prepare(Image(turned, Grid(affine)), PLACED), wanted)


def test_resampling_is_by_the_spacing_of_each_axis() -> None:
    fine = noise(10, 12, 14).repeat(2, axis=1).repeat(3, axis=2).repeat(2, axis=3)
    stored = prepare(Image(fine, Grid(np.diag([0.5, 1 / 3, 1.0, 1.0]))), PLACED)
    np.testing.assert_array_equal(stored, noise(10, 12, 14))


def test_larger_volumes_are_cut_and_smaller_ones_padded_about_the_centre() -> None:
    grid = Grid(np.diag([1.0, 1.0, 2.0, 1.0]))
    array = noise(13, 9, 14)
    stored = prepare(Image(array, grid), PLACED)
    np.testing.assert_array_equal(stored[:, :, 1:10], array[:, 1:11])
    assert not stored[:, :, 0].any()
    assert not stored[:, :, 10:].any()


def test_a_millimetre_is_as_long_in_every_volume() -> None:
    for spacing in (0.5, 1.0, 2.0):
        n = round(24 / spacing)
        places = (np.indices((n, n, n)) + 0.5) * spacing - 12
        ball = ((places**2).sum(axis=0) < 64).astype(np.uint8)[None] * 255
        spec = ImagePreparation(ndim=3, size=(24, 24, 24), orientation="RAS", spacing_mm=(1.0, 1.0, 1.0), fit="centre")
        stored = prepare(Image(ball, Grid(np.diag([spacing] * 3 + [1.0]))), spec)
        assert stored.sum() / 255 == pytest.approx((ball > 0).sum() * spacing**3, rel=0.005)


def test_a_volume_without_a_place_is_refused_where_the_plan_needs_one() -> None:
    with pytest.raises(PlanError, match="does not say how it lies"):
        prepare(Image(noise(10, 12, 14)), PLACED)


def test_spacing_and_orientation_are_for_volumes() -> None:
    for wrong in (
        {"ndim": 2, "size": (8, 8), "orientation": "RAS"},
        {"ndim": 3, "size": (8, 8, 8), "spacing_mm": (1.0, 1.0)},
        {"ndim": 3, "size": (8, 8, 8), "spacing_mm": (1.0, 1.0, 0.0)},
    ):
        with pytest.raises(ValidationError):
            ImagePreparation.model_validate(wrong)


def medmnist(path: Path, count: int = 6) -> Path:
    rng = stream(0, "medmnist")
    arrays: dict[str, AnyArray] = {}
    for part in ("train", "val", "test"):
        arrays[f"{part}_images"] = rng.integers(0, 256, (count, 12, 11, 10)).astype(np.uint8)
        arrays[f"{part}_labels"] = np.arange(count)[:, None] % 2
    np.savez(path, **arrays)  # type: ignore[arg-type]  # of NumPy's own annotation of savez
    return path


def same_as_files(source: Path, folder: Path, grid: Grid | None, *, most: int) -> None:
    """Prepare the volumes of an archive, and the same written as files and read again."""
    cohort = understand(source)
    size = readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).size
    plain = ImagePreparation(ndim=3, size=size, fit="pad")
    placed = ImagePreparation(ndim=3, size=size, orientation="RAS", spacing_mm=(1.0, 1.0, 1.0), fit="centre")
    files = Cohort(name="files", root=str(folder), samples=(), schema=Schema())
    for number, sample in enumerate(cohort.samples[:most]):
        image = readers.read(cohort, sample.inputs["image"][0].ref)
        write_nifti(folder / f"{number}.nii.gz", Image(image.array, grid))
        again = readers.read(files, Ref("nifti", f"{number}.nii.gz"))
        assert again.array.dtype == image.array.dtype
        np.testing.assert_array_equal(prepare(again, plain if grid is None else placed), prepare(image, plain))


@pytest.mark.parametrize("grid", [None, Grid(np.eye(4))], ids=["without", "with affine"])
def test_a_medmnist_archive_written_as_files_is_prepared_alike(tmp_path: Path, grid: Grid | None) -> None:
    same_as_files(medmnist(tmp_path / "toymnist3d.npz"), tmp_path, grid, most=18)


@pytest.mark.parametrize("grid", [None, Grid(np.eye(4))], ids=["without", "with affine"])
def test_adrenalmnist3d_written_as_files_is_prepared_alike(tmp_path: Path, grid: Grid | None) -> None:
    source = DATA / "medmnist" / "adrenalmnist3d.npz"
    if not source.is_file():
        pytest.skip("medmnist is not in the folder that HOUNSFIELD_DATA names")
    same_as_files(source, tmp_path, grid, most=40)
