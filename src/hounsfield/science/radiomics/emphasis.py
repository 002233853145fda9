"""Emphases: the features that run lengths, zones, distances and dependences share (IBSI manual, sections 3.7 to 3.11).

Each of these matrices counts pairs of a grey level and a size: how long a run is, how large a zone, how far it lies
from the border, how many neighbours depend on a voxel. The formulas are the same.
"""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.compiled import compiled

Whole: TypeAlias = npt.NDArray[np.integer[Any]]

KINDS = 17
"""Small and large sizes, low and high levels, the four mixtures, level and size non-uniformity with their normalised
forms, percentage, level and size variance, entropy, energy: the order of the columns."""


def tally(part: Whole, rank: Whole, size: Whole, voxels: Float64Array, grey: Float64Array) -> Float64Array:
    """Return the mean over parts of the features of each part's matrix.

    Parameters
    ----------
    part : numpy.ndarray
        ``n``, integers: which matrix an item counts in, 0 ... p - 1.
    rank, size : numpy.ndarray
        ``n``, integers: of each item.
    voxels : numpy.ndarray
        ``p``, float64: to what the number of items of each part is related.
    grey : numpy.ndarray
        Grey level of each rank.

    Returns
    -------
    numpy.ndarray
        ``17``, float64; NaN where nothing is counted.
    """
    longest, present = int(np.max(size, initial=0)) + 1, len(grey)
    keys = part.astype(np.int64)
    keys *= present
    keys += rank
    keys *= longest
    keys += size
    keys.sort()
    return _tally(keys, voxels, grey, longest)


@compiled
def _tally(keys: IntArray, voxels: Float64Array, grey: Float64Array, longest: int) -> Float64Array:
    present = len(grey)
    by_level, by_size = np.zeros(present), np.zeros(longest)
    distinct = 1
    for n in range(1, len(keys)):
        distinct += keys[n] != keys[n - 1]
    rank, size, count = np.zeros(distinct, np.int64), np.zeros(distinct, np.int64), np.zeros(distinct)
    total, row, parts = np.zeros(17), np.zeros(17), 0
    n = 0
    while n < len(keys):
        part, m = keys[n] // (present * longest), 0
        while n < len(keys) and keys[n] // (present * longest) == part:
            key, begun = keys[n], n
            while n < len(keys) and keys[n] == key:
                n += 1
            rank[m], size[m], count[m] = key // longest % present, key % longest, n - begun
            m += 1
        emphases(rank[:m], size[:m], count[:m], voxels[part], grey, by_level, by_size, row)
        total += row
        parts += 1
    return total / parts


@compiled
def emphases(  # noqa: PLR0913, PLR0917  # one pass over one matrix; the buffers are the caller's
    rank: IntArray,
    size: IntArray,
    count: Float64Array,
    voxels: float,
    grey: Float64Array,
    by_level: Float64Array,
    by_size: Float64Array,
    row: Float64Array,
) -> None:
    """Fill `row` with the features of one matrix, given as its cells that are not empty.

    Parameters
    ----------
    rank, size, count : numpy.ndarray
        Of each cell.
    voxels : float
        To what the number of items is related.
    grey : numpy.ndarray
        Grey level of each rank.
    by_level, by_size : numpy.ndarray
        Zeros as long as the ranks and the sizes; zeros again afterwards.
    row : numpy.ndarray
        ``17``.
    """
    row[:] = 0.0
    items = level_mean = size_mean = 0.0
    for n in range(len(rank)):
        items += count[n]
        by_level[rank[n]] += count[n]
        by_size[size[n]] += count[n]
    for n in range(len(rank)):
        p, g, s = count[n] / items, grey[rank[n]], float(size[n])
        gg, ss = g * g, s * s
        level_mean += p * g
        size_mean += p * s
        row[0] += p / ss
        row[1] += p * ss
        row[2] += p / gg
        row[3] += p * gg
        row[4] += p / (ss * gg)
        row[5] += p * gg / ss
        row[6] += p * ss / gg
        row[7] += p * ss * gg
        row[15] -= p * np.log2(p)
        row[16] += p * p
        if by_level[rank[n]] > 0.0:
            row[8] += by_level[rank[n]] ** 2 / items
            by_level[rank[n]] = 0.0
        if by_size[size[n]] > 0.0:
            row[10] += by_size[size[n]] ** 2 / items
            by_size[size[n]] = 0.0
    row[9], row[11] = row[8] / items, row[10] / items
    row[12] = items / voxels
    for n in range(len(rank)):
        p = count[n] / items
        row[13] += p * (grey[rank[n]] - level_mean) ** 2
        row[14] += p * (size[n] - size_mean) ** 2
