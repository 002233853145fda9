"""Arrays on disk, read as they are asked for, whose pages are given back."""

import mmap
from pathlib import Path

import numpy as np

from hounsfield.core.types import AnyArray


class Mapped(np.memmap[tuple[int, ...], np.dtype[np.generic]]):
    """A read-only memory map of rows ``n ...`` that keeps the pages of one access at most.

    Notes
    -----
    The system counts a page of a file as memory of the process that has touched it, until it is short of memory: after
    one epoch the whole data set, 80 MiB of 20,000 images of 64 pixels. Every access by index first gives back what the
    one before it touched. What was handed out stays valid: a view's pages come again as they are asked for, from the
    system's own cache of the file.
    """

    def __getitem__(self, rows: object) -> AnyArray:
        """Return rows; lists of them as a copy, one or a slice as a view, as NumPy does."""
        held = getattr(self, "_mmap", None)
        if held is not None and hasattr(mmap, "MADV_DONTNEED"):
            held.madvise(mmap.MADV_DONTNEED)
        found: AnyArray = np.asarray(super().__getitem__(rows))  # type: ignore[call-overload]  # NumPy checks it
        return found


def mapped(path: Path) -> AnyArray:
    """Open a ``.npy`` file as a `Mapped`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    numpy.ndarray
        Read-only.
    """
    found: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False).view(Mapped)
    return found
