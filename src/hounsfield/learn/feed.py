"""Prepared arrays in a memory map, and batches from them."""

import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hounsfield.core.errors import StorageError
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.learn.maps import mapped
from hounsfield.learn.prepare.protocol import Preparation


@dataclass(frozen=True)
class Feed:
    """What a learner sees: prepared inputs and encoded answers of the training and validation part.

    Parameters
    ----------
    inputs : mapping of str to numpy.ndarray
        ``n c y x``, ``n c z y x``, ``n c t`` or ``n c`` memory maps, as `hounsfield.learn.prepare` stores them.
    targets : mapping of str to numpy.ndarray
        ``n`` (class index, -1 missing; number, NaN missing) or ``n k`` (labels 0 / 1, NaN missing).
    train, val : numpy.ndarray
        Rows of the two parts, int64. Nothing of a test part is ever in a feed.
    groups : numpy.ndarray
        Group of each row, int64.
    unlabelled : mapping of str to numpy.ndarray
        Prepared images without answers, rows as in `inputs`; seen by a warm-up only. Empty for none.
    encoder : mapping of str to numpy.ndarray
        First weights of the encoder, as a local file has them; empty for fresh weights.
    """

    inputs: Mapping[str, AnyArray]
    targets: Mapping[str, AnyArray]
    train: IntArray
    val: IntArray
    groups: IntArray
    unlabelled: Mapping[str, AnyArray] = field(default_factory=dict)
    encoder: Mapping[str, AnyArray] = field(default_factory=dict)
    _described: dict[int, tuple[Float64Array, ...]] = field(default_factory=dict, compare=False, repr=False)

    def described(self, row: int, preparation: Mapping[str, Preparation]) -> tuple[Float64Array, ...]:
        """Return simple numbers of one row (texture of an image), one vector per input; computed once."""
        if row not in self._described:
            self._described[row] = tuple(preparation[n].described(stored[row]) for n, stored in self.inputs.items())
        return self._described[row]

    def with_parts(self, train: IntArray, val: IntArray) -> "Feed":
        """Return the same arrays divided otherwise, as a fold divides them."""
        return replace(self, train=train, val=val)


def fill(path: Path, shape: tuple[int, ...], dtype: str, rows: Iterable[tuple[int, AnyArray]]) -> AnyArray:
    """Fill a memory map row by row; reuse one that is already whole and of this shape.

    Parameters
    ----------
    path : Path
        Where the ``.npy`` file shall lie.
    shape : tuple of int
        ``n`` and the shape of a row.
    dtype : str
        As stored.
    rows : iterable of (int, numpy.ndarray)
        Row number and content; not touched if the file is there already.

    Returns
    -------
    numpy.ndarray
        Read-only memory map.

    Raises
    ------
    StorageError
        If the file cannot be written whole.
    """
    found = _whole(path, shape, dtype)
    if found is not None:
        return found
    draft = path.with_suffix(".draft")
    try:
        begin = _drafted(draft, shape, np.dtype(dtype))
        with draft.open("r+b") as file:  # written, not mapped: pages of a map count as the process's memory
            for row, content in rows:
                values = np.ascontiguousarray(np.broadcast_to(np.asarray(content, dtype=dtype), shape[1:]))
                file.seek(begin + row * values.nbytes)
                file.write(values.data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(
            "The prepared images could not be written.",
            expected=f"{np.prod(shape) * np.dtype(dtype).itemsize / 2**20:.0f} MiB of free space beside the run",
            next_step="free space or choose another --out, then give the same command again",
        ) from error
    return mapped(path)


def _whole(path: Path, shape: tuple[int, ...], dtype: str) -> AnyArray | None:
    if not path.exists():
        return None
    found = mapped(path)
    return found if found.shape == shape and found.dtype == np.dtype(dtype) else None


def _drafted(path: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> int:
    """Make a file of the size that it will have; return where its rows begin."""
    empty = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    begin = int(empty.offset)
    del empty
    _take_space(path)
    return begin


def _take_space(path: Path) -> None:
    """Give every page of a file its place on the disk.

    Notes
    -----
    A new memory map is a file of holes. A page that finds no room when it is first written ends the process with
    SIGBUS, which no program can answer; asked for at once, a full disk is an ordinary error.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):  # a file system that has no such service
                raise
