"""Images to NIfTI files: whole or not at all, with their place in the patient."""

import gzip
import io
import os
from pathlib import Path

import numpy as np

from hounsfield.core.errors import InputError, StorageError
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array

_LONGEST_FIRST = 32767
"""Longest axis that NIfTI-1 can name; longer ones are written as NIfTI-2."""
_STORED = ("uint8", "int16", "int32", "float32", "float64", "uint16", "uint32")
_SCANNER = 1
_VECTOR = 1007


def write_nifti(path: Path, image: Image) -> None:
    """Write an image as a NIfTI file.

    Parameters
    ----------
    path : pathlib.Path
        Ends in ``.nii`` or ``.nii.gz``; an existing file is replaced.
    image : Image
        ``c y x`` or ``c z y x``. Hounsfield units are written as int16 where they fit, other values as they are
        stored; several channels as a vector along the fifth axis.

    Raises
    ------
    InputError
        If the ending is another one, or the values are no numbers.
    StorageError
        If the file cannot be written whole; what was there before stays.

    Notes
    -----
    The affine goes into the sform, and into the qform too unless it has a shear, which a qform cannot hold. An image
    without a grid is written with both codes 0: its place in the patient stays unknown. The same image gives the
    same bytes, packed or not. The text fields of the header stay empty.
    """
    packed = path.name.lower().endswith(".nii.gz")
    if not packed and not path.name.lower().endswith(".nii"):
        raise InputError(
            "The file to be written has another ending.", expected=".nii or .nii.gz", next_step="name it so"
        )
    content = _content(_stored(image), image.grid)
    if packed:
        out = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=6) as file:
            file.write(content)
        content = out.getvalue()
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(
            f"The NIfTI file could not be written ({error.strerror}).",
            expected=f"{len(content) / 2**20:.0f} MiB of free space in a folder that may be written to",
            next_step="free space or choose another folder",
        ) from error


def _stored(image: Image) -> AnyArray:
    """Return the values in the type that is written, ``x y z`` or ``x y z 1 c``."""
    array = image.array
    if array.dtype.kind not in "buif":
        raise InputError(f"The image has the type {array.dtype}.", expected="numbers", next_step="convert it")
    if image.units == "HU":
        whole = np.rint(array) if array.dtype.kind == "f" else array
        info = np.iinfo(np.int16)
        if whole.min() >= info.min and whole.max() <= info.max:
            array = whole.astype(np.int16)
    if array.dtype.name not in _STORED:
        array = array.astype(_able(array))
    if image.ndim == 2:
        array = array[:, None]
    turned: AnyArray = array.transpose(3, 2, 1, 0)
    return turned[..., 0] if image.channels == 1 else turned[:, :, :, None, :]


def _able(array: AnyArray) -> "np.dtype[np.generic]":
    """Return a type that every reader knows and that holds the values."""
    if array.dtype.kind == "b":
        return np.dtype(np.uint8)
    if array.dtype.kind == "f":
        return np.dtype(np.float32)
    low, high = int(array.min()), int(array.max())
    kinds = (np.int16, np.int32, np.uint32)
    return np.dtype(next((k for k in kinds if np.iinfo(k).min <= low and high <= np.iinfo(k).max), np.float64))


def _content(array: AnyArray, grid: Grid | None) -> bytes:
    import nibabel

    affine = grid.affine_ras if grid is not None else np.eye(4)
    kind = nibabel.Nifti1Image if max(array.shape) <= _LONGEST_FIRST else nibabel.Nifti2Image
    made = kind(array, affine, dtype=array.dtype)  # type: ignore[no-untyped-call]  # of two classes, neither annotated
    placed = _SCANNER if grid is not None else 0
    made.set_sform(affine, code=placed)
    made.set_qform(affine, code=placed if not _sheared(affine) else 0)
    made.header.set_xyzt_units("mm")
    if array.ndim == 5:
        made.header.set_intent(_VECTOR)
    content: bytes = made.to_bytes()
    return content


def _sheared(affine: Float64Array) -> bool:
    columns = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(columns.T @ columns - np.eye(3)).max() > 1e-4)
