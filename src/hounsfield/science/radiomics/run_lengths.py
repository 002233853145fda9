"""Grey level run lengths (GLRLM): how long a level goes on in one direction (IBSI manual, section 3.7)."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.discretisation import Int32Array
from hounsfield.science.radiomics.emphasis import emphases, tally
from hounsfield.science.radiomics.texture import Texture, directions

NAMES = (
    "sre", "lre", "lgre", "hgre", "srlge", "srhge", "lrlge", "lrhge", "glnu", "glnu_norm", "rlnu", "rlnu_norm",
    "r_perc", "gl_var", "rl_var", "rl_entr",
)  # fmt: skip
DENSE_CELLS = 1 << 24


def run_lengths(region: Texture, *, planar: bool) -> Float64Array:
    """Return the features of runs of voxels of one level.

    Parameters
    ----------
    region : Texture
    planar : bool
        Slice by slice, or in three dimensions.

    Returns
    -------
    numpy.ndarray
        ``4 16``, float64, columns as `NAMES`; rows as `hounsfield.science.radiomics.cooccurrence.cooccurrence` has
        them.
    """
    steps = directions(region.shape, planar=planar)
    groups = region.slices if planar else region.whole
    longest = max(region.shape) - 1
    if len(steps) * len(region.grey) * longest <= DENSE_CELLS:
        return _dense(region.ranks, region.voxels, groups, steps, region.grey, longest)[:, :16]
    return _sorted(region, groups, steps)[:, :16]


def _sorted(region: Texture, groups: IntArray, steps: IntArray) -> Float64Array:
    """Do the same without tables, where there are many levels."""
    which = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    found = [_runs(region.ranks, region.voxels, step) for step in steps]
    way = np.repeat(np.arange(len(steps)), [len(f[0]) for f in found])
    first, length = (np.concatenate([f[n] for f in found]) for n in (0, 1))
    rank, part = region.ranks[region.voxels[first]].astype(np.int64), which[first]
    sizes, ways = np.diff(groups).astype(np.float64), len(steps)
    whole = float(len(region.voxels))
    rows = [
        tally(part * ways + way, rank, length, np.repeat(sizes, ways), region.grey),
        tally(part, rank, length, sizes * ways, region.grey),
        tally(way, rank, length, np.full(ways, whole), region.grey),
        tally(np.zeros_like(way), rank, length, np.array([whole * ways]), region.grey),
    ]
    return np.stack(rows)


@compiled
def _runs(ranks: Int32Array, voxels: Int32Array, step: int) -> tuple[IntArray, IntArray]:
    """Return where runs begin, as places in `voxels`, and how long they are."""
    first, length, m = np.zeros(len(voxels), np.int64), np.zeros(len(voxels), np.int64), 0
    for n in range(len(voxels)):
        v = voxels[n]
        if ranks[v - step] != ranks[v]:
            run, w = 1, v + step
            while ranks[w] == ranks[v]:
                run += 1
                w += step
            first[m], length[m] = n, run
            m += 1
    return first[:m], length[:m]


@compiled
def _dense(
    ranks: Int32Array,
    voxels: Int32Array,
    groups: IntArray,
    steps: IntArray,
    grey: Float64Array,
    longest: int,
) -> Float64Array:
    ways, present = len(steps), len(grey)
    by_level, by_size = np.zeros(present), np.zeros(longest)
    rank, size = np.zeros(present * longest, np.int64), np.zeros(present * longest, np.int64)
    count = np.zeros(present * longest)
    several = len(groups) > 2
    over = np.zeros((ways if several else 1, present, longest), np.int32)
    own = np.zeros((ways, present, longest), np.int32)
    total, row = np.zeros((4, 17)), np.zeros(17)
    for g in range(len(groups) - 1):
        if g:
            own[:] = 0
        for n in range(groups[g], groups[g + 1]):
            v = voxels[n]
            a = ranks[v]
            for d in range(ways):
                step = steps[d]
                if ranks[v - step] != a:
                    run, w = 1, v + step
                    while ranks[w] == a:
                        run += 1
                        w += step
                    own[d, a, run] += 1
        held = float(groups[g + 1] - groups[g])
        for d in range(ways):
            m = _entries(own[d], rank, size, count)
            emphases(rank[:m], size[:m], count[:m], held, grey, by_level, by_size, row)
            total[0] += row / (ways * (len(groups) - 1))
            if several:
                over[d] += own[d]
        for d in range(1, ways):
            own[0] += own[d]
        m = _entries(own[0], rank, size, count)
        emphases(rank[:m], size[:m], count[:m], held * ways, grey, by_level, by_size, row)
        total[1] += row / (len(groups) - 1)
    if not several:
        total[2:] = total[:2]
        return total
    held = float(len(voxels))
    for d in range(ways):
        m = _entries(over[d], rank, size, count)
        emphases(rank[:m], size[:m], count[:m], held, grey, by_level, by_size, row)
        total[2] += row / ways
    for d in range(1, ways):
        over[0] += over[d]
    m = _entries(over[0], rank, size, count)
    emphases(rank[:m], size[:m], count[:m], held * ways, grey, by_level, by_size, row)
    total[3] += row
    return total


@compiled
def _entries(table: Int32Array, rank: IntArray, size: IntArray, count: Float64Array) -> int:
    m = 0
    for a in range(table.shape[0]):
        for b in range(table.shape[1]):
            if table[a, b]:
                rank[m], size[m], count[m] = a, b, table[a, b]
                m += 1
    return m
