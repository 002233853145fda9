"""Neighbourhoods: how a voxel differs from those around it (NGTDM) and how many are like it (NGLDM); 3.10 and 3.11."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.radiomics.compiled import compiled
from hounsfield.science.radiomics.emphasis import tally
from hounsfield.science.radiomics.texture import Texture, neighbours

TONE_NAMES = ("coarseness", "contrast", "busyness", "complexity", "strength")
DEPENDENCE_NAMES = (
    "lde", "hde", "lgce", "hgce", "ldlge", "ldhge", "hdlge", "hdhge", "glnu", "glnu_norm", "dcnu", "dcnu_norm",
    "dc_perc", "gl_var", "dc_var", "dc_entr", "dc_energy",
)  # fmt: skip
MOST_TONES = 1 << 15
"""Levels up to which tone differences are computed: three of the five compare every level with every other."""


def neighbourhoods(region: Texture, *, planar: bool) -> tuple[Float64Array, Float64Array]:
    """Return the features of tone differences and of dependences, for neighbours at distance 1 and coarseness 0.

    Parameters
    ----------
    region : Texture
    planar : bool
        Slice by slice with 8 neighbours, or with 26 in three dimensions.

    Returns
    -------
    tuple of numpy.ndarray
        ``2 5`` and ``2 17``, float64, columns as `TONE_NAMES` and `DEPENDENCE_NAMES`. Rows: mean over slices; slices
        merged. Slices in which a feature is undefined are left out of its mean; NaN where there is none left.
    """
    groups = region.slices if planar else region.whole
    around = neighbours(region.shape, planar=planar)
    rank, alike, apart = _look(region.ranks, region.voxels, around, region.grey)
    part = np.repeat(np.arange(len(groups) - 1), np.diff(groups))
    held, together = np.diff(groups).astype(np.float64), np.array([len(rank)], dtype=np.float64)
    single = tally(part, rank, alike, held, region.grey)
    merged = tally(np.zeros_like(part), rank, alike, together, region.grey) if planar else single
    tones = np.full((2, 5), np.nan)
    if len(region.grey) <= MOST_TONES:
        tones[0] = _tones(rank, apart, groups, region.grey)
        tones[1] = _tones(rank, apart, region.whole, region.grey) if planar else tones[0]
    return tones, np.stack([single, merged])


@compiled
def _look(
    ranks: "np.typing.NDArray[np.int32]", voxels: IntArray, around: IntArray, grey: Float64Array
) -> tuple[IntArray, IntArray, Float64Array]:
    """Return of each voxel its rank, how many like it there are (itself included), and how far it is from the mean.

    The last is -1 for a voxel without neighbours in the region.
    """
    rank, alike, apart = np.zeros(len(voxels), np.int64), np.zeros(len(voxels), np.int64), np.zeros(len(voxels))
    for n in range(len(voxels)):
        v = voxels[n]
        a = ranks[v]
        same, present, total = 1, 0, 0.0
        for step in around:
            b = ranks[v + step]
            present += b > 0
            same += b == a
            total += grey[b]
        rank[n], alike[n] = a, same
        apart[n] = abs(grey[a] - total / present) if present else -1.0
    return rank, alike, apart


@compiled
def _tones(rank: IntArray, apart: Float64Array, groups: IntArray, grey: Float64Array) -> Float64Array:
    count, away = np.zeros(len(grey)), np.zeros(len(grey))
    level, p, s = np.zeros(len(grey)), np.zeros(len(grey)), np.zeros(len(grey))
    total, defined, row = np.zeros(5), np.zeros(5), np.zeros(5)
    for g in range(len(groups) - 1):
        count[:] = 0.0
        away[:] = 0.0
        for n in range(groups[g], groups[g + 1]):
            if apart[n] >= 0.0:
                count[rank[n]] += 1.0
                away[rank[n]] += apart[n]
        m, held = 0, count.sum()
        for a in range(len(grey)):
            if count[a] > 0.0:
                level[m], p[m], s[m] = grey[a], count[a] / held, away[a]
                m += 1
        _tone_features(level[:m], p[:m], s[:m], held, row)
        for n in range(5):
            if np.isfinite(row[n]):
                total[n] += row[n]
                defined[n] += 1.0
    return total / defined


@compiled
def _tone_features(level: Float64Array, p: Float64Array, s: Float64Array, held: float, row: Float64Array) -> None:
    present = len(level)
    row[:] = np.nan
    coarse, away = (p * s).sum(), s.sum()
    if coarse > 0.0:
        row[0] = 1.0 / coarse
    if present < 2:
        return
    contrast = busy = complexity = strength = 0.0
    for a in range(present):
        for b in range(present):
            gap = abs(level[a] - level[b])
            contrast += p[a] * p[b] * gap * gap
            busy += abs(level[a] * p[a] - level[b] * p[b])
            complexity += gap * (p[a] * s[a] + p[b] * s[b]) / (p[a] + p[b])
            strength += (p[a] + p[b]) * gap * gap
    row[1] = contrast / (present * (present - 1)) * away / held
    if busy > 0.0:
        row[2] = coarse / busy
    row[3] = complexity / held
    if away > 0.0:
        row[4] = strength / away
