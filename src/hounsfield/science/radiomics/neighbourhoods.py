"""Neighbourhoods: how a voxel differs from those around it (NGTDM) and how many are like it (NGLDM); 3.10 and 3.11."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.discretisation import Int32Array
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
    alike, tones = _look(region.ranks, region.voxels, groups, around, region.grey)
    rank = region.ranks[region.voxels]
    part = np.repeat(np.arange(len(groups) - 1, dtype=np.int32), np.diff(groups))
    held, together = np.diff(groups).astype(np.float64), np.array([len(rank)], dtype=np.float64)
    single = tally(part, rank, alike, held, region.grey)
    merged = tally(np.zeros_like(part), rank, alike, together, region.grey) if planar else single
    return tones, np.stack([single, merged])


@compiled
def _look(
    ranks: Int32Array, voxels: Int32Array, groups: IntArray, around: IntArray, grey: Float64Array
) -> tuple["np.typing.NDArray[np.uint8]", Float64Array]:
    """Return how many voxels like it each has around it, itself included, and the features of tone differences."""
    alike, several = np.zeros(len(voxels), np.uint8), len(groups) > 2
    # the number of voxels of each level that have neighbours, and how far these lie from their means: own and all
    own, over = np.zeros((2, len(grey))), np.zeros((2, len(grey)))
    total, defined, row = np.zeros(5), np.zeros(5), np.zeros(5)
    tones = np.full((2, 5), np.nan)
    for g in range(len(groups) - 1):
        own[:] = 0.0
        for n in range(groups[g], groups[g + 1]):
            v = voxels[n]
            a = ranks[v]
            same, present, levels = 1, 0, 0.0
            for step in around:
                b = ranks[v + step]
                present += b > 0
                same += b == a
                levels += grey[b]
            alike[n] = same
            if present:
                own[0, a] += 1.0
                own[1, a] += abs(grey[a] - levels / present)
        if len(grey) <= MOST_TONES:
            _tone_features(grey, own, row)
            for n in range(5):
                if np.isfinite(row[n]):
                    total[n] += row[n]
                    defined[n] += 1.0
        if several:
            over += own
    tones[0] = total / defined
    if several and len(grey) <= MOST_TONES:
        _tone_features(grey, over, row)
        tones[1] = row
    elif not several:
        tones[1] = tones[0]
    return alike, tones


@compiled
def _tone_features(grey: Float64Array, sums: Float64Array, row: Float64Array) -> None:
    level, p, s = np.zeros(len(grey)), np.zeros(len(grey)), np.zeros(len(grey))
    present, held, coarse, away = 0, 0.0, 0.0, 0.0
    for a in range(len(grey)):
        held += sums[0, a]
    for a in range(len(grey)):
        if sums[0, a] > 0.0:
            level[present], p[present], s[present] = grey[a], sums[0, a] / held, sums[1, a]
            coarse += p[present] * s[present]
            away += s[present]
            present += 1
    row[:] = np.nan
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
