"""NRRD and MetaImage files give the voxels and places that SimpleITK reads from them."""

import bz2
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data import readers
from tests.data_room.volume.making import cohort, oblique, ours, read, volume

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))
NRRD = """NRRD0004
# a comment
type: {kind}
dimension: {dimension}
space: {space}
sizes: {sizes}
space directions: {directions}
kinds: {kinds}
endian: {endian}
encoding: {encoding}
space origin: (1.5,-2,3)
key:=value
{more}
"""
META = """ObjectType = Image
NDims = 3
BinaryData = True
BinaryDataByteOrderMSB = False
CompressedData = {packed}
TransformMatrix = {matrix}
Offset = 1.5 -2 3
ElementSpacing = 0.5 1 2
DimSize = 5 6 7
{more}ElementType = MET_SHORT
ElementDataFile = {data}
"""
DIAGONAL = "(0.5,0,0) (0,1,0) (0,0,2)"


def nrrd(path: Path, array: AnyArray, encoding: str = "raw", **other: str) -> Path:
    told = {
        "kind": "short", "dimension": str(array.ndim), "space": "right-anterior-superior",
        "sizes": " ".join(map(str, array.shape)), "directions": DIAGONAL, "kinds": "domain domain domain",
        "endian": "little", "encoding": encoding, "more": "",
    } | other  # fmt: skip
    data = array.astype("<i2").tobytes(order="F")
    data = gzip.compress(data) if encoding == "gzip" else bz2.compress(data) if encoding == "bzip2" else data
    head = NRRD.format(**told).strip() + "\n"
    path.write_bytes(head.encode() + (b"" if "data file" in head else b"\n" + data))
    return path


def meta(
    path: Path, array: AnyArray, *, data: str = "LOCAL", more: str = "", matrix: str = "1 0 0 0 1 0 0 0 1"
) -> Path:
    voxels = array.astype("<i2").tobytes(order="F") if data == "LOCAL" else b""
    path.write_bytes(META.format(packed="False", data=data, more=more, matrix=matrix).encode() + voxels)
    return path


def place(image: Image) -> Float64Array:
    assert image.grid is not None
    return image.grid.affine_ras


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_nrrd_encodings(tmp_path: Path, encoding: str) -> None:
    array = volume(5, 6, 7)
    image = read(nrrd(tmp_path / "a.nrrd", array, encoding))
    np.testing.assert_array_equal(image.array, ours(array))
    np.testing.assert_allclose(place(image), np.array([[0.5, 0, 0, 1.5], [0, 1, 0, -2], [0, 0, 2, 3], [0, 0, 0, 1]]))


@pytest.mark.parametrize(
    ("space", "signs"),
    [("left-posterior-superior", (-1, -1, 1)), ("LPS", (-1, -1, 1)), ("LAS", (-1, 1, 1)), ("RAS", (1, 1, 1))],
)
def test_nrrd_spaces(tmp_path: Path, space: str, signs: tuple[int, int, int]) -> None:
    found = place(read(nrrd(tmp_path / "a.nrrd", volume(5, 6, 7), space=space)))
    np.testing.assert_allclose(found[:3, 3], np.array([1.5, -2, 3]) * signs)
    np.testing.assert_allclose(np.diag(found)[:3], np.array([0.5, 1, 2]) * signs)


def test_nrrd_without_an_anatomical_space_has_no_place(tmp_path: Path) -> None:
    assert read(nrrd(tmp_path / "a.nrrd", volume(5, 6, 7), space="3D-right-handed")).grid is None


@pytest.mark.parametrize(("at", "kind"), [(0, "vector"), (3, "list"), (0, "3-color")])
def test_nrrd_channels_on_either_side(tmp_path: Path, at: int, kind: str) -> None:
    array = volume(*([3, 5, 6, 7] if at == 0 else [5, 6, 7, 3]))
    words = ["domain"] * 3
    words.insert(at, kind)
    steps = DIAGONAL.split(" ")
    steps.insert(at, "none")
    path = nrrd(tmp_path / "a.nrrd", array, directions=" ".join(steps), kinds=" ".join(words))
    image = read(path)
    wanted = array.transpose(0, 3, 2, 1) if at == 0 else array.transpose(3, 2, 1, 0)
    np.testing.assert_array_equal(image.array, wanted)
    np.testing.assert_allclose(np.diag(place(image)), [0.5, 1, 2, 1])
    np.testing.assert_array_equal(read(path, ("channel", 1)).array, wanted[1:2])


def test_nrrd_with_its_voxels_beside_it(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    (tmp_path / "a.raw").write_bytes(bytes(10) + array.astype("<i2").tobytes(order="F"))
    for skip in ("10", "-1"):
        path = nrrd(tmp_path / "a.nhdr", array, more=f"data file: a.raw\nbyte skip: {skip}")
        np.testing.assert_array_equal(read(path).array, ours(array))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "block"}, "type 'block'"), ({"sizes": "5 6"}, "3 axes and 2 lengths"),
        ({"sizes": "5 6 0"}, "lengths"), ({"sizes": "5 6 x"}, "no whole numbers"), ({"sizes": "5 6 700"}, "truncated"),
        ({"sizes": "99999 99999 99999"}, "truncated"), ({"dimension": "99999999"}, "axes"),
        ({"encoding": "txt"}, "encoding 'txt'"), ({"endian": "middle"}, "no order of bytes"),
        ({"more": "line skip: 3"}, "lines of text"), ({"more": "byte skip: x"}, "no whole numbers"),
        ({"more": "data file: ../secret.raw"}, "leads outside"),
        ({"more": "data file: /etc/hostname"}, "leads outside"),
        ({"more": "data file: LIST"}, "several files"), ({"more": "data file: a%02d.raw 1 3 1"}, "several files"),
        ({"more": "data file: gone.raw"}, "is missing"), ({"kinds": "complex domain domain"}, "complex"),
    ],
)  # fmt: skip
def test_nrrd_headers_that_lie_are_refused(tmp_path: Path, change: dict[str, str], said: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(1000))
    path = nrrd(folder / "a.nrrd", volume(5, 6, 7), **change)
    with pytest.raises(ReadError, match=said):
        readers.read(cohort(folder), Ref("nrrd", path.name))


def test_metaimage_matrix_holds_the_direction_of_each_axis_in_turn(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    image = read(meta(tmp_path / "a.mha", array, matrix="0 1 0 0 0 1 1 0 0"))
    np.testing.assert_array_equal(image.array, ours(array))
    wanted = np.array([[0, 0, -2, -1.5], [-0.5, 0, 0, 2], [0, 1, 0, 3], [0, 0, 0, 1]])
    np.testing.assert_allclose(place(image), wanted)


def test_metaimage_with_its_voxels_beside_it(tmp_path: Path) -> None:
    array = volume(5, 6, 7)
    (tmp_path / "a.raw").write_bytes(bytes(16) + array.astype("<i2").tobytes(order="F"))
    for more in ("HeaderSize = 16\n", "HeaderSize = -1\n"):
        path = meta(tmp_path / "a.mhd", array, data="a.raw", more=more)
        np.testing.assert_array_equal(read(path).array, ours(array))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"more": "DimSize = 5 6\n"}, "3 axes and 2 lengths"), ({"more": "DimSize = 5 6 7000\n"}, "truncated"),
        ({"more": "DimSize = 9e9 9e9 9e9\n"}, "lengths"), ({"more": "NDims = many\n"}, "no numbers"),
        ({"more": "BinaryData = False\n"}, "written as text"), ({"data": "LIST"}, "several files"),
        ({"data": "../secret.raw"}, "leads outside"), ({"data": "gone.raw"}, "is missing"),
        ({"matrix": "1 0 0 1"}, "4 numbers of direction"),
    ],
)  # fmt: skip
def test_metaimage_headers_that_lie_are_refused(tmp_path: Path, change: dict[str, str], said: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(1000))
    meta(folder / "a.mha", volume(5, 6, 7), **change)
    with pytest.raises(ReadError, match=said):
        readers.read(cohort(folder), Ref("metaimage", "a.mha"))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mha").write_bytes(b"ObjectType = Image\nNDims = 3\n" + b"Comment = x\n" * 200_000)
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\n" + b"#\n" * 1_000_000)
    for reader, name in (("metaimage", "a.mha"), ("nrrd", "a.nrrd")):
        with pytest.raises(ReadError, match="bytes of text"):
            readers.read(cohort(tmp_path), Ref(reader, name))


@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr", "a.mha", "a.mhd"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_as_simpleitk_writes_it(tmp_path: Path, name: str, packed: bool, dtype: str) -> None:  # noqa: FBT001
    itk = pytest.importorskip("SimpleITK")
    array = volume(5, 6, 7, dtype=dtype)
    known = itk.GetImageFromArray(ours(array)[0])
    affine = oblique()
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    known.SetSpacing(spacing.tolist())
    known.SetDirection((np.diag([-1, -1, 1]) @ affine[:3, :3] / spacing).ravel().tolist())
    known.SetOrigin((affine[:3, 3] * (-1, -1, 1)).tolist())
    itk.WriteImage(known, str(tmp_path / name), packed)
    image = read(tmp_path / name)
    np.testing.assert_array_equal(image.array, ours(array))
    np.testing.assert_allclose(place(image), affine, atol=1e-6)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha", "a.nii.gz"])
def test_vectors_as_simpleitk_writes_them(tmp_path: Path, name: str) -> None:
    itk = pytest.importorskip("SimpleITK")
    array = volume(3, 5, 6, 7, dtype="float32").transpose(0, 3, 2, 1)
    known = itk.GetImageFromArray(np.ascontiguousarray(np.moveaxis(array, 0, -1)), isVector=True)
    itk.WriteImage(known, str(tmp_path / name))
    np.testing.assert_array_equal(read(tmp_path / name).array, array)


def test_public_nrrd_as_simpleitk_reads_it() -> None:
    itk = pytest.importorskip("SimpleITK")
    folder = DATA / "dicom-corpus" / "ct" / "three-slice-with-seg"
    files = sorted(folder.glob("*.nrrd"))
    if not files:
        pytest.skip("dicom-corpus is not in the folder that HOUNSFIELD_DATA names")
    for path in files:
        image, known = read(path), itk.ReadImage(str(path))
        np.testing.assert_array_equal(image.array[0], itk.GetArrayFromImage(known))
        corner = np.array(known.TransformIndexToPhysicalPoint((3, 4, 1))) * (-1, -1, 1)
        np.testing.assert_allclose(place(image) @ (3, 4, 1, 1), (*corner, 1), atol=1e-6)
