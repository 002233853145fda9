"""NumPy archives: one array is read once and kept, nothing is ever unpickled."""

import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray
from hounsfield.data.files import inside

KEPT_BYTES = 1 << 30
"""How much decoded archive one process keeps."""
MAX_BYTES = 8 << 30
"""Largest array that is decoded at all: a header can promise anything."""
MIN_SIDE = 8

_kept: "OrderedDict[tuple[str, int, int, str], AnyArray]" = OrderedDict()


class NpzReader:
    """Reads one array of an ``.npz`` archive (part ``array``), or one element of it (part ``index`` too)."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the signature of a zip archive whose first member is an array."""
        return head[:4] == b"PK\x03\x04" and b".npy" in head[:512]

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return the shape from the array's own header, without decoding."""
        path = inside(Path(cohort.root), ref.path)
        parts = dict(ref.part)
        shapes = npz_arrays(path)
        name = _array_name(path, ref)
        if name not in shapes:
            raise _missing_array(ref)
        shape, dtype = shapes[name]
        return _header(shape[1:] if "index" in parts else shape, dtype, "NPZ")

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the array or element, channels first; NaN and Inf are refused."""
        path = inside(Path(cohort.root), ref.path)
        return _image(npz_array(path, _array_name(path, ref)), ref)


class NpyReader:
    """Reads one ``.npy`` file, or one element of it (part ``index``)."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the signature."""
        return head[:6] == b"\x93NUMPY"

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return the shape from the file's own header."""
        array = _npy(inside(Path(cohort.root), ref.path))
        return _header(array.shape[1:] if dict(ref.part).keys() & {"index"} else array.shape, array.dtype, "NPY")

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the array or element, channels first; NaN and Inf are refused."""
        return _image(_npy(inside(Path(cohort.root), ref.path)), ref)


def npz_arrays(path: Path) -> dict[str, tuple[tuple[int, ...], "np.dtype[np.generic]"]]:
    """Return name to shape and dtype of the arrays of an archive, without decoding them.

    Raises
    ------
    ReadError
        If it is no archive of arrays.
    """
    found: dict[str, tuple[tuple[int, ...], np.dtype[np.generic]]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if member.endswith(".npy"):
                    with archive.open(member) as stream:
                        version = npy_format.read_magic(stream)
                        first = version == (1, 0)
                        read = npy_format.read_array_header_1_0 if first else npy_format.read_array_header_2_0
                        shape, _, dtype = read(stream)
                    found[member[:-4]] = (tuple(int(n) for n in shape), dtype)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise _damaged(path, error) from error
    return found


def npz_array(path: Path, name: str) -> AnyArray:
    """Return one whole array of an archive, decoded once per process while there is room.

    Raises
    ------
    ReadError
        If it is missing, damaged, too large, or would have to be unpickled.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise _damaged(path, error) from error
    key = (str(path), stat.st_mtime_ns, stat.st_size, name)
    if key in _kept:
        _kept.move_to_end(key)
        return _kept[key]
    shapes = npz_arrays(path)
    if name not in shapes:
        raise _missing_array(Ref("npz", path.name))
    shape, dtype = shapes[name]
    if dtype.hasobject:
        raise _pickled(path)
    if int(np.prod(shape, dtype=np.float64)) * dtype.itemsize > MAX_BYTES:
        raise ReadError(
            f"Case {case_id(path.name)}: array {name!r} promises {shape} values, which is too large.",
            expected=f"at most {MAX_BYTES >> 30} GiB",
            next_step="store the data as one file per case",
        )
    try:
        with np.load(path, allow_pickle=False) as archive:
            array: AnyArray = archive[name]
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]  # zipfile re-exports zlib
        raise _damaged(path, error) from error
    array.setflags(write=False)
    _keep(key, array)
    return array


def _keep(key: tuple[str, int, int, str], array: AnyArray) -> None:
    if array.nbytes > KEPT_BYTES:
        return
    _kept[key] = array
    while sum(a.nbytes for a in _kept.values()) > KEPT_BYTES:
        _kept.popitem(last=False)


def as_channels_first(array: AnyArray) -> AnyArray:
    """Return a view of a picture or volume with its channels first.

    Parameters
    ----------
    array : numpy.ndarray
        ``y x``, ``y x c``, ``c y x``, ``z y x``, ``z y x c`` or ``c z y x``; the channel axis is the one of length
        1, 3 or 4 (last before first) beside longer ones. bool becomes uint8 of 0 and 1.

    Returns
    -------
    numpy.ndarray
        ``c y x`` or ``c z y x``.

    Raises
    ------
    ReadError
        If the number of axes is not 2, 3 or 4.
    """
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.ndim == 2:
        return array[None]
    if array.ndim in (3, 4):
        if array.shape[-1] in (1, 3, 4) and min(array.shape[:-1]) >= MIN_SIDE:
            return np.moveaxis(array, -1, 0)
        if array.ndim == 4 or (array.shape[0] in (1, 3, 4) and min(array.shape[1:]) >= MIN_SIDE):
            return array
        return array[None]
    raise ReadError(
        f"An array has the shape {array.shape}.",
        expected="a picture (y x) or a volume (z y x), with or without channels",
        next_step="name the right array, or leave the case out",
    )


def check_array(array: AnyArray, ref: Ref) -> None:
    """Refuse what is no picture: NaN, Inf, objects, text.

    Raises
    ------
    ReadError
        With the reason.
    """
    case = case_id(ref.key())
    if array.dtype.kind not in "buif":
        raise ReadError(
            f"Case {case}: the array has the type {array.dtype}.",
            expected="numbers",
            next_step="store the pixels as integers or floats",
        )
    if array.dtype.kind == "f":
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        if bad:
            raise ReadError(
                f"Case {case}: {bad} of {array.size} values are NaN or infinite.",
                expected="finite numbers",
                next_step="correct the array or leave the case out",
            )


def check_sides(size: tuple[int, ...], case: str) -> None:
    """Refuse pictures too small to show anything.

    Raises
    ------
    ReadError
        If a side of the picture plane is shorter than 8 pixels.
    """
    if min(size[-2:]) < MIN_SIDE:
        raise ReadError(
            f"Case {case}: the image is {' x '.join(str(n) for n in size)} pixels.",
            expected=f"at least {MIN_SIDE} pixels on each side",
            next_step="leave the case out",
        )


def _image(array: AnyArray, ref: Ref) -> Image:
    index = dict(ref.part).get("index")
    if index is not None:
        if not isinstance(index, int) or not 0 <= index < len(array):
            raise ReadError(
                f"Case {case_id(ref.key())}: the array has no element {index}.",
                expected=f"0 to {len(array) - 1}",
                next_step="make the cohort again: the file has changed",
            )
        array = array[index]
    check_array(array, ref)
    first = as_channels_first(array)
    check_sides(tuple(first.shape[1:]), case_id(ref.key()))
    return Image(np.ascontiguousarray(first))


def _header(shape: tuple[int, ...], dtype: "np.dtype[np.generic]", file_format: str) -> Header:
    first = as_channels_first(np.broadcast_to(np.zeros((), np.uint8), shape))
    count = int(np.prod(shape))
    return Header(tuple(first.shape[1:]), int(first.shape[0]), dtype.itemsize * 8, file_format, count * dtype.itemsize)


def _npy(path: Path) -> AnyArray:
    try:
        array: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(path, error) from error
    return array


def _array_name(path: Path, ref: Ref) -> str:
    """Return the array that the ref names, or the only one that the archive holds."""
    named = dict(ref.part).get("array")
    if named is not None:
        return str(named)
    names = list(npz_arrays(path))
    if len(names) != 1:
        raise ReadError(
            f"Case {case_id(ref.path)}: the archive holds {len(names)} arrays and none is named.",
            expected="one array, or a table that names the archives",
            next_step="store one image per archive, or use train, val and test arrays",
        )
    return names[0]


def _missing_array(ref: Ref) -> ReadError:
    return ReadError(
        f"Case {case_id(ref.path)}: the archive does not hold the array asked for.",
        expected="an archive as it was when the cohort was made",
        next_step="make the cohort again",
    )


def _pickled(path: Path) -> ReadError:
    return ReadError(
        f"Case {case_id(path.name)}: the array holds pickled objects.",
        expected="plain numbers: unpickling could run foreign code",
        next_step="store the array with a numeric type",
    )


def _damaged(path: Path, error: Exception) -> ReadError:
    if "pickle" in str(error).lower():
        return _pickled(path)
    return ReadError(
        f"Case {case_id(path.name)}: the NumPy file is damaged ({type(error).__name__}).",
        expected="a complete .npz or .npy file",
        next_step="copy it again from its source, or leave it out",
    )
