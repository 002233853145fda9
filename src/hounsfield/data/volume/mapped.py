"""Voxels that stay in their file until they are looked at."""

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hounsfield.core.types import AnyArray

LEAST_MAPPED = 32 << 20
"""Bytes from which voxels are left in their file: smaller volumes are read at once, which is faster and sure."""


def mapped(path: Path, *, start: int, dtype: "np.dtype[np.generic]", shape: Sequence[int]) -> AnyArray:
    """Return an array, read-only, whose values are read as they are looked at.

    Parameters
    ----------
    path : pathlib.Path
        At least as long as what is asked for.
    start : int
        Bytes in front of the first value.
    dtype : numpy.dtype
        As stored, with its byte order.
    shape : sequence of int
    """
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=tuple(shape))


def is_mapped(array: AnyArray) -> bool:
    """Tell whether an array, or what it is a view of, lies in a file."""
    return _map_of(array) is not None


def release(array: AnyArray) -> None:
    """Let go of the memory that holds what was read of a mapped array; other arrays are not touched.

    Notes
    -----
    What is looked at again is read again; what was written is in the file. Pages of a file count as memory of the
    process that looked at them until the system wants them for something else, and a container's limit does not wait
    for that.
    """
    held = _map_of(array)
    if held is not None and hasattr(held, "madvise"):
        held.madvise(mmap.MADV_DONTNEED)


def _map_of(array: AnyArray) -> mmap.mmap | None:
    held: object = array
    while isinstance(held, np.ndarray):
        if isinstance(held, np.memmap) and held.mode == "c":
            return None  # what was written to a private copy would be lost
        held = held.base
    return held if isinstance(held, mmap.mmap) else None
