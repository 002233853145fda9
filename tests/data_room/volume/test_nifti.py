"""NIfTI files give the voxels and affines that nibabel and SimpleITK read from them."""

import gzip
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data import readers
from hounsfield.data.volume.facts import headers_of, volume_facts
from tests.data_room.volume.making import cohort, loaded, oblique, ours, patched, read, volume

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))
DIM, UNITS, QFORM_CODE, SFORM_CODE, SLOPE, OFFSET, PIXDIM, INTENT = 40, 123, 252, 254, 112, 108, 76, 68


def save(
    path: Path, array: AnyArray, affine: Float64Array | None = None, *, second: bool = False, order: str = "<"
) -> Path:
    kind = nibabel.Nifti2Image if second else nibabel.Nifti1Image
    header = kind.header_class(endianness=order)
    header.set_data_dtype(array.dtype)
    header.set_xyzt_units("mm", "sec")
    image = kind(array, oblique() if affine is None else affine, header)  # type: ignore[no-untyped-call]  # as above
    image.set_qform(oblique() if affine is None else affine, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_every_type_as_nibabel_reads_it(tmp_path: Path, dtype: str, name: str) -> None:
    array = volume(7, 6, 5, dtype=dtype)
    image = read(save(tmp_path / name, array))
    np.testing.assert_array_equal(image.array, ours(array))
    assert image.array.dtype == (np.int16 if dtype == "int8" else np.dtype(dtype))
    assert image.grid is not None
    np.testing.assert_allclose(image.grid.affine_ras, oblique(), atol=1e-5)


@pytest.mark.parametrize("second", [False, True], ids=["NIfTI-1", "NIfTI-2"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_versions_in_both_orders_of_bytes(tmp_path: Path, second: bool, order: str) -> None:  # noqa: FBT001
    array = volume(4, 9, 6, dtype="float32")
    image = read(save(tmp_path / "a.nii.gz", array, second=second, order=order))
    np.testing.assert_array_equal(image.array, ours(array))
    assert image.array.dtype == np.float32
    assert image.grid is not None
    np.testing.assert_allclose(image.grid.affine_ras, oblique(), atol=1e-5)


def test_a_pair_of_header_and_voxels(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    nibabel.save(nibabel.Nifti1Pair(array, oblique()), tmp_path / "a.img")
    np.testing.assert_array_equal(read(tmp_path / "a.hdr").array, ours(array))
    voxels = readers.read(cohort(tmp_path), Ref("nifti", "a.img"))
    np.testing.assert_array_equal(voxels.array, ours(array))
    (tmp_path / "a.img").unlink()
    with pytest.raises(ReadError, match="voxels is missing"):
        read(tmp_path / "a.hdr")


def test_analyze_is_refused_with_its_reason(tmp_path: Path) -> None:
    nibabel.save(nibabel.AnalyzeImage(volume(9, 9, 9), np.eye(4)), tmp_path / "a.img")
    with pytest.raises(ReadError, match=r"Analyze 7\.5, which does not tell left from right"):
        readers.read(cohort(tmp_path), Ref("nifti", "a.hdr"))


def test_sform_is_used_and_a_disagreement_is_said(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", volume(5, 6, 7))
    facts = volume_facts(tmp_path, Ref("nifti", "a.nii"))
    assert facts.notes == ()
    image = loaded(path)
    image.set_sform(np.diag([2.0, 2.0, 2.0, 1.0]), code=2)
    nibabel.save(image, tmp_path / "b.nii")
    grid = read(tmp_path / "b.nii").grid
    assert grid is not None
    np.testing.assert_allclose(grid.affine_ras, np.diag([2.0, 2.0, 2.0, 1.0]))
    facts = volume_facts(tmp_path, Ref("nifti", "b.nii"))
    assert facts.notes == ("sform and qform differ; the sform is used",)
    said = headers_of(tmp_path, [Ref("nifti", "a.nii"), Ref("nifti", "b.nii")])
    assert said.unsure == ("1 of 2 headers: sform and qform differ; the sform is used.",)


@pytest.mark.parametrize(
    ("code", "value"), [(0, 1.0), (1, 0.0), (1, np.nan)], ids=["not declared", "singular", "not finite"]
)
def test_qform_where_there_is_no_possible_sform(tmp_path: Path, code: int, value: float) -> None:
    path = save(tmp_path / "a.nii", volume(5, 6, 7))
    patched(path, SFORM_CODE, "<h", code)
    patched(path, 280, "<4f", *[value] * 4)
    grid = read(path).grid
    assert grid is not None
    np.testing.assert_allclose(grid.affine_ras, oblique(), atol=1e-4)


def test_without_both_the_place_stays_unknown(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", volume(5, 6, 7))
    patched(path, QFORM_CODE, "<2h", 0, 0)
    assert read(path).grid is None
    assert "does not say how it lies" in volume_facts(tmp_path, Ref("nifti", "a.nii")).notes[0]


def test_units_other_than_mm_are_converted(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", volume(5, 6, 7), np.diag([0.001, 0.002, 0.003, 1.0]))
    patched(path, UNITS, "<B", 1)
    grid = read(path).grid
    assert grid is not None
    np.testing.assert_allclose(grid.affine_ras, np.diag([1.0, 2.0, 3.0, 1.0]), rtol=1e-5)


@pytest.mark.parametrize(
    ("slope", "inter", "dtype"),
    [(0.0, 5.0, "int16"), (np.nan, np.nan, "int16"), (1.0, 0.0, "int16"), (1.0, np.nan, "int16"),
     (2.0, -1024.0, "int32"), (0.5, 3.25, "float32"), (1.0, -10.0, "int32")],
)  # fmt: skip
def test_slope_and_intercept(tmp_path: Path, slope: float, inter: float, dtype: str) -> None:
    array = volume(5, 6, 7)
    path = save(tmp_path / "a.nii", array)
    patched(path, SLOPE, "<2f", slope, inter)
    none = slope == 0 or np.isnan(slope)
    wanted = array if none else array.astype(np.float64) * slope + (0.0 if np.isnan(inter) else inter)
    image = read(path)
    assert image.array.dtype == dtype
    np.testing.assert_allclose(image.array.astype(np.float64), ours(wanted).astype(np.float64), rtol=1e-6)


def test_a_series_over_time_gives_its_first_volume_or_the_one_named(tmp_path: Path) -> None:
    array = volume(5, 6, 7, 3)
    path = save(tmp_path / "a.nii.gz", array)
    for part, number in (((), 0), ((("volume", 2),), 2)):
        np.testing.assert_array_equal(read(path, *part).array, ours(array[..., number]))
    np.testing.assert_array_equal(read(path, ("axis4", "channels")).array, array.transpose(3, 2, 1, 0))
    with pytest.raises(ReadError, match="no volume 3"):
        read(path, ("volume", 3))
    said = headers_of(tmp_path, [Ref("nifti", "a.nii.gz")])
    assert said.unsure == ("1 of 1 headers: a series over time of up to 3 volumes.",)


def test_a_fourth_axis_without_a_unit_of_time_is_channels(tmp_path: Path) -> None:
    array = volume(5, 6, 7, 3)
    path = save(tmp_path / "a.nii", array)
    patched(path, UNITS, "<B", 2)
    wanted = np.stack([ours(array[..., i])[0] for i in range(3)])
    np.testing.assert_array_equal(read(path).array, wanted)
    np.testing.assert_array_equal(read(path, ("channel", 2)).array, wanted[2:])
    np.testing.assert_array_equal(read(path, ("axis4", "time")).array, wanted[:1])


def test_vectors_along_the_fifth_axis_are_channels(tmp_path: Path) -> None:
    array = volume(5, 6, 7, 1, 3, dtype="float32")
    path = save(tmp_path / "a.nii", array)
    np.testing.assert_array_equal(read(path).array, array[:, :, :, 0].transpose(3, 2, 1, 0))


@pytest.mark.parametrize(("kind", "count"), [("RGB", 3), ("RGBA", 4)])
def test_colours(tmp_path: Path, kind: str, count: int) -> None:
    plain = volume(5, 6, 7, count, dtype="uint8")
    fields = np.dtype([(letter, "u1") for letter in kind])
    nibabel.save(nibabel.Nifti1Image(plain.copy().view(fields)[..., 0], oblique()), tmp_path / "a.nii.gz")
    image = read(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(image.array, plain.transpose(3, 2, 1, 0))


def test_one_plane_is_an_image_of_two_axes(tmp_path: Path) -> None:
    array = volume(12, 10, 1)
    image = read(save(tmp_path / "a.nii", array))
    np.testing.assert_array_equal(image.array, array[:, :, 0].T[None])
    assert headers_of(tmp_path, [Ref("nifti", "a.nii")]).ndim == 2


def test_nan_is_the_lowest_value_and_infinity_refused(tmp_path: Path) -> None:
    array = volume(5, 6, 7, dtype="float32")
    array[0, 0, 0] = np.nan
    image = read(save(tmp_path / "a.nii", array))
    assert image.array[0, 0, 0, 0] == np.nanmin(array)
    array[0, 0, 0] = np.inf
    with pytest.raises(ReadError, match="1 of 210 values are NaN or infinite"):
        read(save(tmp_path / "b.nii", array))
    with pytest.raises(ReadError, match="NaN"):
        read(save(tmp_path / "c.nii", np.full((5, 6, 7), np.nan, np.float32)))


@pytest.mark.parametrize(
    ("at", "form", "values", "said"),
    [
        (DIM, "<h", (0,), "0 axes"), (DIM, "<h", (9,), "9 axes"), (DIM, "<h", (-3,), "-3 axes"),
        (DIM + 2, "<h", (0,), "the lengths 0 x 6 x 7"), (DIM + 2, "<h", (-5,), "the lengths -5 x 6 x 7"),
        (DIM + 2, "<h", (500,), "truncated, or its header lies"), (DIM + 2, "<3h", (32767,) * 3, "promise"),
        (70, "<h", (32,), "complex numbers"), (70, "<h", (1,), "single bits"), (70, "<h", (77,), "type 77"),
        (OFFSET, "<f", (1e30,), "begin at byte"), (OFFSET, "<f", (np.nan,), "begin at byte"),
        (OFFSET, "<f", (100.0,), "inside the header"), (OFFSET, "<f", (700.0,), "truncated, or its header lies"),
        (344, "<4s", (b"nope",), r"Analyze 7\.5"), (0, "<i", (349,), "does not begin as NIfTI"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_headers_that_lie_are_refused(
    tmp_path: Path,
    at: int,
    form: str,
    values: tuple[float, ...],
    said: str,
    packed: bool,  # noqa: FBT001
) -> None:
    path = save(tmp_path / "a.nii", volume(5, 6, 7))
    patched(path, at, form, *values)
    if packed:
        path = tmp_path / "a.nii.gz"
        path.write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    with pytest.raises(ReadError, match=said):
        readers.read(cohort(tmp_path), Ref("nifti", path.name))


def test_trailing_axes_of_length_0_are_said(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    path = save(tmp_path / "a.nii", array)
    patched(path, DIM, "<5h", 4, 5, 6, 7, 0)
    np.testing.assert_array_equal(read(path).array, ours(array))
    assert "axes of length 0" in volume_facts(tmp_path, Ref("nifti", "a.nii")).notes[0]
    patched(path, DIM, "<5h", 3, 5, 6, 7, 4)
    np.testing.assert_array_equal(read(path).array, ours(array))
    assert "names 3 axes and lengths of more" in volume_facts(tmp_path, Ref("nifti", "a.nii")).notes[0]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import tracemalloc

    path = save(tmp_path / "a.nii", volume(5, 6, 7))
    bomb = tmp_path / "bomb.nii.gz"
    bomb.write_bytes(gzip.compress(path.read_bytes() + bytes(200 << 20), compresslevel=1))
    tracemalloc.start()
    np.testing.assert_array_equal(read(bomb).array, read(path).array)
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
    patched(path, DIM + 2, "<3h", 1024, 1024, 1024)
    lie = tmp_path / "lie.nii.gz"
    lie.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(ReadError, match="truncated, or its header lies"):
        readers.read(cohort(tmp_path), Ref("nifti", "lie.nii.gz"))


def test_cut_and_damaged_files_end_in_a_reason(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", volume(12, 11, 10)).read_bytes()
    random = np.random.Generator(np.random.Philox(5))
    for number in range(150):
        bad = bytearray(whole[: int(random.integers(0, len(whole)))] if number % 3 == 0 else whole)
        for place in random.integers(0, max(1, len(bad)), 3):
            if bad:
                bad[place] ^= 1 << int(random.integers(0, 8))
        (tmp_path / "b.nii.gz").write_bytes(bad)
        _image_or_reason(tmp_path, "b.nii.gz")


def test_every_header_of_random_bytes_ends_in_a_reason(tmp_path: Path) -> None:
    whole = bytearray(save(tmp_path / "a.nii", volume(5, 6, 7)).read_bytes())
    random = np.random.Generator(np.random.Philox(6))
    for _ in range(300):
        bad = bytearray(whole)
        for place in random.integers(39, 348, 4):
            bad[place] = int(random.integers(0, 256))
        bad[344:348] = b"n+1\0"
        (tmp_path / "b.nii").write_bytes(bad)
        _image_or_reason(tmp_path, "b.nii")


def _image_or_reason(folder: Path, name: str) -> None:
    for action in (readers.header, readers.read):
        try:
            with np.errstate(all="ignore"):
                action(cohort(folder), Ref("nifti", name))
        except ReadError as error:
            assert name not in str(error)  # noqa: PT017  # most damage gives an image all the same


def test_several_members_of_a_gzip_are_one_file(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    data = save(tmp_path / "a.nii", array).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:400]) + gzip.compress(data[400:]))
    np.testing.assert_array_equal(read(tmp_path / "b.nii.gz").array, ours(array))


@pytest.mark.parametrize("folder", ["dicom-corpus/nifti", "volumes-ct-mr"])
def test_public_files_as_nibabel_reads_them(folder: str) -> None:
    files = sorted((DATA / folder).glob("*.nii*")) if (DATA / folder).is_dir() else []
    if not files:
        pytest.skip(f"{folder} is not in the folder that HOUNSFIELD_DATA names")
    for path in files:
        known = loaded(path)
        array = np.asanyarray(known.dataobj)
        array = np.nan_to_num(array if array.ndim == 3 else array[..., 0], nan=np.nanmin(array))
        image = read(path)
        np.testing.assert_allclose(image.array.astype(np.float64), ours(array).astype(np.float64), rtol=2e-7, atol=1e-6)
        assert image.grid is not None
        np.testing.assert_allclose(image.grid.affine_ras, known.affine, atol=1e-6)


def test_as_simpleitk_reads_it(tmp_path: Path) -> None:
    itk = pytest.importorskip("SimpleITK")
    path = save(tmp_path / "a.nii.gz", volume(5, 6, 7))
    image, known = read(path), itk.ReadImage(str(path))
    np.testing.assert_array_equal(image.array[0], itk.GetArrayFromImage(known))
    assert image.grid is not None
    for index in ((0, 0, 0), (4, 0, 2), (1, 5, 6)):
        place = np.array(known.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
        np.testing.assert_allclose(image.grid.affine_ras @ (*index, 1), (*place, 1), atol=1e-4)
