"""Separable filters: along each axis one small matrix, and sums or the greatest of several such products.

A convolution along an axis, its boundary included, is a banded matrix. Products of matrices are made before the volume
is touched (levels of a wavelet, a filter and its reverse), and the volume is multiplied by blocks of rows: a few dense
products that stay in the cache, several times faster than a convolution tap by tap, whatever the boundary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from hounsfield.core.types import Float64Array, FloatArray

SLAB = 32
"""Slices that are taken through all axes together."""
ROWS = (SLAB, 32, 64)
"""Rows of a block along z, y and x: few, so that a narrow band wastes little; enough for a dense product to be fast."""

Key = str | tuple[str, str] | None
Keys = tuple[Key, Key, Key]
Matrices = tuple[Mapping[Key, Float64Array], Mapping[Key, Float64Array], Mapping[Key, Float64Array]]
"""For each of z, y, x the matrices by key. An empty mapping for z: slices are filtered by themselves."""


@dataclass(frozen=True)
class Block:
    """Some rows of a matrix and the columns in which they are not 0."""

    start: int
    stop: int
    low: int
    high: int
    rows: FloatArray


def blocks(matrix: Float64Array, height: int, kind: np.dtype[np.generic]) -> tuple[Block, ...]:
    """Cut a matrix into blocks of rows, each with the span of columns that it uses."""
    made = []
    for start in range(0, matrix.shape[0], height):
        rows = matrix[start : start + height]
        used = np.flatnonzero(rows.any(axis=0))
        low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        part: FloatArray = np.ascontiguousarray(rows[:, low:high]).astype(kind)
        made.append(Block(start, start + rows.shape[0], low, high, part))
    return tuple(made)


class Axes:
    """The matrices of all axes, cut into blocks once for one volume."""

    def __init__(self, matrices: Matrices, kind: np.dtype[np.generic]) -> None:
        self._of = [{k: blocks(m, h, kind) for k, m in of.items()} for of, h in zip(matrices, ROWS, strict=True)]
        self._kind = kind

    def along_z(self, volume: FloatArray, key: Key, slab: int) -> FloatArray:
        """Return slices ``slab * SLAB`` onwards of the volume filtered along z."""
        if not self._of[0]:
            return volume[slab * SLAB : (slab + 1) * SLAB]
        block = self._of[0][key][slab]
        taken = volume[block.low : block.high].reshape(block.high - block.low, -1)
        return (block.rows @ taken).reshape(-1, *volume.shape[1:])

    def along_y(self, slices: FloatArray, key: Key) -> FloatArray:
        """Return slices filtered along y."""
        out = np.empty_like(slices)
        for b in self._of[1][key]:
            np.matmul(b.rows, slices[:, b.low : b.high], out=out[:, b.start : b.stop])
        return out

    def along_x(self, slices: FloatArray, key: Key) -> FloatArray:
        """Return slices filtered along x."""
        out = np.empty_like(slices)
        lines, results = slices.reshape(-1, slices.shape[2]), out.reshape(-1, slices.shape[2])
        for b in self._of[2][key]:
            np.matmul(lines[:, b.low : b.high], b.rows.T, out=results[:, b.start : b.stop])
        return out


def weighted_sum(volume: FloatArray, matrices: Matrices, terms: Mapping[Keys, float]) -> FloatArray:
    """Return a sum of separable filters of a volume.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``, float32 or float64.
    matrices : tuple of mapping
        For z, y and x the matrices by key, each of the axis's size squared.
    terms : mapping of (key of z, key of y, key of x) to float
        What is summed and with what weight; the key of z is not looked at where `matrices` has none for z.

    Returns
    -------
    numpy.ndarray
        ``z y x``, of the volume's type.

    Notes
    -----
    Passes that several terms share are done once: along z once for each key, along x once for each key over the sum of
    what arrives there. Beyond the result, a few slabs of slices are held.
    """
    out = np.zeros_like(volume)
    axes = Axes(matrices, volume.dtype)
    ordered = _ordered(terms)
    for slab, start in enumerate(range(0, volume.shape[0], SLAB)):
        arriving: dict[Key, FloatArray] = {}
        for kz, of_z in groupby(ordered, key=lambda keys: keys[0]):
            plane = axes.along_z(volume, kz, slab)
            for ky, of_y in groupby(of_z, key=lambda keys: keys[1]):
                line = axes.along_y(plane, ky)
                for keys in of_y:
                    part = line if terms[keys] == 1 else line * line.dtype.type(terms[keys])
                    arriving[keys[2]] = arriving[keys[2]] + part if keys[2] in arriving else part
        for kx, summed in arriving.items():
            out[start : start + SLAB] += axes.along_x(summed, kx)
    return out


def greatest(volume: FloatArray, matrices: Matrices, terms: Mapping[Keys, frozenset[int]]) -> FloatArray:
    """Return, voxel by voxel, the greatest response of several separable filters.

    Parameters
    ----------
    volume, matrices
        As for :func:`weighted_sum`.
    terms : mapping of (key of z, key of y, key of x) to set of {1, -1}
        The filters, and whether each, its negative, or both take part.

    Returns
    -------
    numpy.ndarray
        ``z y x``, of the volume's type.
    """
    out = np.full_like(volume, -np.inf)
    axes = Axes(matrices, volume.dtype)
    ordered = _ordered(terms)
    for slab, start in enumerate(range(0, volume.shape[0], SLAB)):
        best = out[start : start + SLAB]
        for kz, of_z in groupby(ordered, key=lambda keys: keys[0]):
            plane = axes.along_z(volume, kz, slab)
            for ky, of_y in groupby(of_z, key=lambda keys: keys[1]):
                line = axes.along_y(plane, ky)
                for keys in of_y:
                    response = axes.along_x(line, keys[2])
                    if terms[keys] == {1, -1}:
                        np.abs(response, out=response)
                    elif terms[keys] == {-1}:
                        np.negative(response, out=response)
                    np.maximum(best, response, out=best)
    return out


def _ordered(terms: Iterable[Keys]) -> Sequence[Keys]:
    """Bring terms that share their first keys together, in the order in which they first come."""
    listed = list(terms)
    first: dict[tuple[Key, ...], int] = {}
    for keys in listed:
        for depth in (1, 2):
            first.setdefault(keys[:depth], len(first))
    return sorted(listed, key=lambda keys: (first[keys[:1]], first[keys[:2]]))
