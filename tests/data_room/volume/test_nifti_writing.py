"""What is written is what nibabel reads, and what this package reads again."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from hounsfield.core.errors import InputError, StorageError
from hounsfield.core.image import Grid, Image
from hounsfield.data.volume.nifti_writing import write_nifti
from tests.data_room.volume.making import loaded, oblique, ours, read, volume


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "bool"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_voxels_and_affine(tmp_path: Path, dtype: str, name: str) -> None:
    array = volume(5, 6, 7) > 20 if dtype == "bool" else volume(5, 6, 7, dtype=dtype)
    image = Image(ours(array), Grid(oblique()))
    write_nifti(tmp_path / name, image)
    known = loaded(tmp_path / name)
    np.testing.assert_array_equal(np.asanyarray(known.dataobj), array)
    np.testing.assert_allclose(known.affine, oblique(), atol=1e-5)
    np.testing.assert_allclose(known.get_qform(), oblique(), atol=1e-4)
    again = read(tmp_path / name)
    np.testing.assert_array_equal(again.array, image.array)
    assert again.grid is not None
    np.testing.assert_allclose(again.grid.affine_ras, oblique(), atol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_hounsfield_units_are_whole_numbers_of_16_bits(tmp_path: Path) -> None:
    array = ours(volume(5, 6, 7)).astype(np.float32) + 0.25
    write_nifti(tmp_path / "a.nii", Image(array, Grid(np.eye(4)), modality="CT", units="HU"))
    found = read(tmp_path / "a.nii").array
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found, np.rint(array))
    write_nifti(tmp_path / "b.nii", Image(array * 1e4, Grid(np.eye(4)), modality="CT", units="HU"))
    np.testing.assert_array_equal(read(tmp_path / "b.nii").array, array * 1e4)


def test_a_shear_is_kept(tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 0.6
    write_nifti(tmp_path / "a.nii.gz", Image(ours(volume(5, 6, 7)), Grid(affine)))
    known = loaded(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(known.affine, affine, atol=1e-6)
    assert known.get_qform(coded=True)[1] == 0


def test_an_image_without_a_grid_stays_without(tmp_path: Path) -> None:
    write_nifti(tmp_path / "a.nii.gz", Image(ours(volume(5, 6, 7))))
    assert read(tmp_path / "a.nii.gz").grid is None


@pytest.mark.parametrize("shape", [(3, 5, 6, 7), (2, 5, 6, 7), (1, 12, 10), (3, 12, 10)])
def test_channels_and_planes_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = volume(*shape, dtype="uint8")
    write_nifti(tmp_path / "a.nii.gz", Image(array, Grid(oblique())))
    np.testing.assert_array_equal(read(tmp_path / "a.nii.gz").array, array)


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    image = Image(ours(volume(5, 6, 7)), Grid(oblique()))
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(tmp_path / name, image)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_long_axis_asks_for_the_second_version(tmp_path: Path) -> None:
    array = np.arange(40_000 * 8, dtype=np.int32).reshape(1, 8, 40_000)
    write_nifti(tmp_path / "a.nii", Image(array))
    assert isinstance(loaded(tmp_path / "a.nii"), nibabel.Nifti2Image)
    np.testing.assert_array_equal(read(tmp_path / "a.nii").array, array)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    image = Image(ours(volume(5, 6, 7)))
    with pytest.raises(InputError, match="another ending"):
        write_nifti(tmp_path / "a.mha", image)
    with pytest.raises(StorageError):
        write_nifti(tmp_path / "missing" / "a.nii", image)
    assert list(tmp_path.iterdir()) == []
