"""Zones of one grey level: their sizes (GLSZM) and distances from the border (GLDZM); IBSI manual, 3.8 and 3.9."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.discretisation import Int32Array
from hounsfield.science.radiomics.emphasis import tally
from hounsfield.science.radiomics.texture import Texture, neighbours

Int16Array: TypeAlias = npt.NDArray[np.int16]

SIZE_NAMES = (
    "sze", "lze", "lgze", "hgze", "szlge", "szhge", "lzlge", "lzhge", "glnu", "glnu_norm", "zsnu", "zsnu_norm",
    "z_perc", "gl_var", "zs_var", "zs_entr",
)  # fmt: skip
DISTANCE_NAMES = (
    "sde", "lde", "lgze", "hgze", "sdlge", "sdhge", "ldlge", "ldhge", "glnu", "glnu_norm", "zdnu", "zdnu_norm",
    "z_perc", "gl_var", "zd_var", "zd_entr",
)  # fmt: skip


def zones(region: Texture, whole: BoolArray | None, *, planar: bool) -> tuple[Float64Array, Float64Array]:
    """Return the features of zones: of their sizes, and of their distances from the border.

    Parameters
    ----------
    region : Texture
    whole : numpy.ndarray or None
        ``z y x``, bool, the region's box: the region before intensities were excluded, from whose border is measured.
        None where distances are not wanted: they are NaN.
    planar : bool
        Slice by slice with 8 neighbours and distances within the slice, or with 26 in three dimensions.

    Returns
    -------
    tuple of numpy.ndarray
        Each ``2 16``, float64, columns as `SIZE_NAMES` and `DISTANCE_NAMES`. Rows: mean over slices; slices merged.

    Notes
    -----
    A zone's distance is the smallest of its voxels', and a voxel's the number of steps across faces to the outside of
    the region, 1 at its border; what lies outside the image counts as outside.
    """
    groups = region.slices if planar else region.whole
    around = neighbours(region.shape, planar=planar)
    distance = np.zeros(1, dtype=np.int16) if whole is None else border_distance(whole, planar=planar).reshape(-1)
    part, rank, size, far = _zones(region.ranks.copy(), region.voxels, groups, around, distance)
    del distance
    held, together = np.diff(groups).astype(np.float64), np.array([len(region.voxels)], dtype=np.float64)
    found = []
    for what in (size, far):
        if what is far and whole is None:
            found.append(np.full((2, 16), np.nan))
            continue
        apart = tally(part, rank, what, held, region.grey)
        merged = tally(np.zeros_like(part), rank, what, together, region.grey) if planar else apart
        found.append(np.stack([apart, merged])[:, :16])
    return found[0], found[1]


def border_distance(mask: BoolArray, *, planar: bool) -> Int16Array:
    """Return how many steps across faces each voxel of a mask lies from the outside; 1 at the border, 0 outside.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, bool.
    planar : bool
        Whether steps are made within a slice only.

    Returns
    -------
    numpy.ndarray
        int16, with a rim of one voxel around the mask's shape.
    """
    padded = np.zeros(tuple(n + 2 for n in mask.shape), dtype=np.int16)
    padded[1:-1, 1:-1, 1:-1] = mask
    _sweep(padded, planar)
    return padded


@compiled
def _sweep(far: Int16Array, planar: bool) -> None:  # noqa: FBT001  # compiled: by position only
    """Turn a mask into distances: two sweeps are exact for steps across faces (Rosenfeld and Pfaltz, 1966)."""
    nz, ny, nx = far.shape
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if far[z, y, x]:
                    near = min(far[z, y - 1, x], far[z, y, x - 1])
                    if not planar:
                        near = min(near, far[z - 1, y, x])
                    far[z, y, x] = near + 1
    for z in range(nz - 2, 0, -1):
        for y in range(ny - 2, 0, -1):
            for x in range(nx - 2, 0, -1):
                if far[z, y, x]:
                    near = min(far[z, y + 1, x], far[z, y, x + 1])
                    if not planar:
                        near = min(near, far[z + 1, y, x])
                    far[z, y, x] = min(far[z, y, x], near + 1)


@compiled
def _zones(
    left: Int32Array,
    voxels: Int32Array,
    groups: IntArray,
    around: IntArray,
    distance: Int16Array,
) -> Int32Array:
    """Return of each zone its group, rank, size and distance (0 where none are given), ``4 n``; `left` is used up."""
    measured = len(distance) > 1
    found, m = np.zeros((4, 1024), np.int32), 0
    waiting = np.zeros(len(voxels), np.int32)
    for g in range(len(groups) - 1):
        for n in range(groups[g], groups[g + 1]):
            seed = voxels[n]
            a = left[seed]
            if a == 0:
                continue
            left[seed] = 0
            waiting[0] = seed
            length, held, nearest = 1, 0, distance[seed] if measured else distance[0]
            while length:
                length -= 1
                v = waiting[length]
                held += 1
                if measured:
                    nearest = min(nearest, distance[v])
                for step in around:
                    if left[v + step] == a:
                        left[v + step] = 0
                        waiting[length] = v + step
                        length += 1
            if m == found.shape[1]:
                # there are far fewer zones than voxels, as a rule
                more = np.zeros((4, 2 * m), np.int32)
                more[:, :m] = found
                found = more
            found[0, m], found[1, m], found[2, m], found[3, m] = g, a, held, nearest
            m += 1
    return found[:, :m]
