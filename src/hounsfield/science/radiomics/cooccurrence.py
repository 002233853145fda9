"""Grey level co-occurrence (GLCM): how often levels lie side by side (IBSI manual, section 3.6)."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.discretisation import Int32Array
from hounsfield.science.radiomics.texture import Texture, directions

NAMES = (
    "joint_max", "joint_avg", "joint_var", "joint_entr", "diff_avg", "diff_var", "diff_entr", "sum_avg", "sum_var",
    "sum_entr", "energy", "contrast", "dissimilarity", "inv_diff", "inv_diff_norm", "inv_diff_mom",
    "inv_diff_mom_norm", "inv_var", "corr", "auto_corr", "clust_tend", "clust_shade", "clust_prom", "info_corr1",
    "info_corr2",
)  # fmt: skip
DENSE_CELLS = 1 << 24
"""Cells of counting tables up to which they are kept whole; beyond, pairs are sorted."""


def cooccurrence(region: Texture, *, planar: bool) -> Float64Array:
    """Return the features of the co-occurrence of neighbours at distance 1.

    Parameters
    ----------
    region : Texture
    planar : bool
        Slice by slice, or in three dimensions.

    Returns
    -------
    numpy.ndarray
        ``4 25``, float64, columns as `NAMES`. Rows: mean over slices and directions; directions merged, mean over
        slices; slices merged, mean over directions; everything merged. In three dimensions there is one slice, so that
        the first and the third row are alike, as are the second and the fourth. NaN where undefined: matrices without
        a pair are left out of a mean, and so are undefined values.

    Notes
    -----
    The matrix is symmetric, so that only half of it is counted. Its two marginal distributions are then the same, and
    both cross entropies of the information measures equal twice the marginal entropy.
    """
    steps = directions(region.shape, planar=planar)
    groups = region.slices if planar else region.whole
    present = len(region.grey)
    if len(steps) * present * present <= DENSE_CELLS:
        return _dense(region.ranks, region.voxels, groups, steps, region.grey, region.levels)
    return _sorted(region, groups, steps)


def _sorted(region: Texture, groups: IntArray, steps: IntArray) -> Float64Array:
    """Do the same without tables, where there are many levels: by sorting pairs."""
    keys, group, way = [], [], []
    present = len(region.grey)
    which = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    here = region.ranks[region.voxels].astype(np.int64)
    for n, step in enumerate(steps):
        there = region.ranks[region.voxels + step].astype(np.int64)
        pair = there > 0
        keys.append(np.minimum(here, there)[pair] * present + np.maximum(here, there)[pair])
        group.append(which[pair])
        way.append(np.full(int(pair.sum()), n))
    pairs, slices, ways = np.concatenate(keys), np.concatenate(group), np.concatenate(way)
    parts = (slices * len(steps) + ways, slices, ways, np.zeros_like(ways))
    return np.stack([_mean_over(p, pairs, region) for p in parts])


def _mean_over(part: IntArray, pairs: IntArray, region: Texture) -> Float64Array:
    order = np.lexsort((pairs, part))
    part, pairs = part[order], pairs[order]
    new = np.flatnonzero((np.diff(part, prepend=-1) != 0) | (np.diff(pairs, prepend=-1) != 0))
    counts = np.diff(np.append(new, len(pairs))).astype(np.float64)
    return _of_entries(part[new], pairs[new], counts, region.grey, region.levels)


@compiled
def _of_entries(part: IntArray, pairs: IntArray, counts: Float64Array, grey: Float64Array, levels: int) -> Float64Array:
    present = len(grey)
    spread = int(grey[-1] - grey[1]) + 1
    by_level, by_sum, by_difference = np.zeros(present), np.zeros(2 * spread), np.zeros(spread)
    total, defined, row = np.zeros(25), np.zeros(25), np.zeros(25)
    begin = 0
    while begin < len(part):
        end = begin
        while end < len(part) and part[end] == part[begin]:
            end += 1
        first, second = pairs[begin:end] // present, pairs[begin:end] % present
        _features(first, second, counts[begin:end], grey, levels, by_level, by_sum, by_difference, row)
        _gather(row, total, defined)
        begin = end
    return total / defined


@compiled
def _dense(
    ranks: Int32Array,
    voxels: Int32Array,
    groups: IntArray,
    steps: IntArray,
    grey: Float64Array,
    levels: int,
) -> Float64Array:
    ways, present = len(steps), len(grey)
    spread = int(grey[-1] - grey[1]) + 1
    by_level, by_sum, by_difference = np.zeros(present), np.zeros(2 * spread), np.zeros(spread)
    most = present * (present + 1) // 2
    first, second, count = np.zeros(most, np.int64), np.zeros(most, np.int64), np.zeros(most)
    several = len(groups) > 2
    over = np.zeros((ways if several else 1, present, present), np.int32)
    own = np.zeros((ways, present, present), np.int32)
    total, defined, row = np.zeros((4, 25)), np.zeros((4, 25)), np.zeros(25)
    for g in range(len(groups) - 1):
        own[:] = 0
        _count(ranks, voxels[groups[g] : groups[g + 1]], steps, own)
        if several:
            over += own
        for n in range(ways + 1):
            # after the directions, their sum
            if n == ways:
                for d in range(1, ways):
                    own[0] += own[d]
            m = _entries(own[n % ways], first, second, count)
            if m:
                _features(first[:m], second[:m], count[:m], grey, levels, by_level, by_sum, by_difference, row)
                _gather(row, total[n // ways], defined[n // ways])
    if not several:
        total[2:], defined[2:] = total[:2], defined[:2]
        return total / defined
    for n in range(ways + 1):
        if n == ways:
            for d in range(1, ways):
                over[0] += over[d]
        m = _entries(over[n % ways], first, second, count)
        if m:
            _features(first[:m], second[:m], count[:m], grey, levels, by_level, by_sum, by_difference, row)
            _gather(row, total[2 + n // ways], defined[2 + n // ways])
    return total / defined


@compiled
def _count(ranks: Int32Array, voxels: Int32Array, steps: IntArray, tables: Int32Array) -> None:
    for v in voxels:
        a = ranks[v]
        for d in range(len(steps)):
            b = ranks[v + steps[d]]
            if b > 0:
                if a <= b:
                    tables[d, a, b] += 1
                else:
                    tables[d, b, a] += 1


@compiled
def _gather(row: Float64Array, total: Float64Array, defined: Float64Array) -> None:
    for n in range(len(row)):
        if not np.isnan(row[n]):
            total[n] += row[n]
            defined[n] += 1.0


@compiled
def _entries(table: Int32Array, first: IntArray, second: IntArray, count: Float64Array) -> int:
    m = 0
    for a in range(1, table.shape[0]):
        for b in range(a, table.shape[0]):
            n = table[a, b]
            if n:
                first[m], second[m], count[m] = a, b, n
                m += 1
    return m


@compiled
def _features(  # noqa: PLR0913, PLR0917  # one pass over one matrix; the buffers are the caller's
    first: IntArray,
    second: IntArray,
    count: Float64Array,
    grey: Float64Array,
    levels: int,
    by_level: Float64Array,
    by_sum: Float64Array,
    by_difference: Float64Array,
    row: Float64Array,
) -> None:
    pairs = 0.0
    for n in range(len(first)):
        pairs += count[n]
    mean = difference = 0.0
    for n in range(len(first)):
        share = count[n] / pairs
        a, b = grey[first[n]], grey[second[n]]
        mean += share * 0.5 * (a + b)
        difference += share * (b - a)
        by_level[first[n]] += 0.5 * share
        by_level[second[n]] += 0.5 * share
        by_sum[int(a + b - 2.0 * grey[1])] += share
        by_difference[int(b - a)] += share
    row[:] = 0.0
    marginal = 0.0
    for n in range(len(first)):
        # the share of both cells (a, b) and (b, a) together, and of one of them
        share = count[n] / pairs
        cells = 1.0 if first[n] == second[n] else 2.0
        cell = share / cells
        a, b = grey[first[n]], grey[second[n]]
        d, s = b - a, a + b - 2.0 * mean
        row[0] = max(row[0], cell)
        row[2] += share * 0.5 * ((a - mean) ** 2 + (b - mean) ** 2)
        row[3] -= share * np.log2(cell)
        row[5] += share * (d - difference) ** 2
        row[10] += share * cell
        row[11] += share * d * d
        row[13] += share / (1.0 + d)
        row[14] += share / (1.0 + d / levels)
        row[15] += share / (1.0 + d * d)
        row[16] += share / (1.0 + (d / levels) ** 2)
        if d > 0.0:
            row[17] += share / (d * d)
        row[18] += share * (a - mean) * (b - mean)
        row[19] += share * a * b
        row[20] += share * s * s
        row[21] += share * s * s * s
        row[22] += share * s * s * s * s
        # each of these is taken once and cleared for the next matrix
        at = int(b - a)
        if by_difference[at] > 0.0:
            row[6] -= by_difference[at] * np.log2(by_difference[at])
            by_difference[at] = 0.0
        at = int(a + b - 2.0 * grey[1])
        if by_sum[at] > 0.0:
            row[9] -= by_sum[at] * np.log2(by_sum[at])
            by_sum[at] = 0.0
        for at in (first[n], second[n]):
            if by_level[at] > 0.0:
                marginal -= by_level[at] * np.log2(by_level[at])
                by_level[at] = 0.0
    row[1], row[4], row[7], row[8], row[12] = mean, difference, 2.0 * mean, row[20], difference
    row[18] = row[18] / row[2] if row[2] > 0.0 else np.nan
    row[23] = (row[3] - 2.0 * marginal) / marginal if marginal > 0.0 else np.nan
    row[24] = np.sqrt(max(0.0, 1.0 - np.exp(-2.0 * (2.0 * marginal - row[3]))))
