"""Volumes for tests, and the files of them that other libraries write."""

import struct
from pathlib import Path

import nibabel
import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.data import readers
from hounsfield.data.files import reader_by_ending


def loaded(path: Path) -> nibabel.Nifti1Image:
    """Return what nibabel makes of a file."""
    image = nibabel.load(path)
    assert isinstance(image, nibabel.Nifti1Image)
    return image


def volume(*shape: int, dtype: str = "int16", seed: int = 0) -> IntArray:
    """Return whole numbers of any type, from -100 (0 where there is no sign) to 200, ``x y z`` or more axes."""
    low = 0 if dtype.startswith("u") else -100
    return stream(seed, "volume").integers(low, 120 if dtype == "int8" else 200, shape).astype(dtype)


def oblique() -> Float64Array:
    """Return an affine with unequal spacings, turned about two axes, one mirrored."""
    a, b = 0.3, -0.2
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag([-0.8, 1.1, 3.0])
    affine[:3, 3] = [31.5, -40.25, 12.0]
    return affine


def cohort(root: Path) -> Cohort:
    return Cohort(name="toy", root=str(root), samples=(), schema=Schema())


def read(path: Path, *part: tuple[str, str | int]) -> Image:
    """Read a file through the table of readers, as its ending says; its bytes must say the same."""
    name = reader_by_ending(path.name)
    assert readers.reader_for(path) == name
    ref = Ref(name, path.name, tuple(part))
    image = readers.read(cohort(path.parent), ref)
    head = readers.header(cohort(path.parent), ref)
    assert head.size == image.size
    assert head.channels == image.channels
    assert head.bits == image.array.dtype.itemsize * 8
    return image


def ours(array: AnyArray) -> AnyArray:
    """Return ``x y z`` as ``c z y x``."""
    return np.ascontiguousarray(array.transpose(2, 1, 0))[None]


def patched(path: Path, at: int, form: str, *values: float | bytes) -> None:
    """Overwrite numbers of an unpacked file's header."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, at, *values)
    path.write_bytes(data)
