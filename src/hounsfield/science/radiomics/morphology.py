"""Morphology: the shape of a region (IBSI manual, section 3.1)."""

import math
from collections.abc import Collection

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, FloatArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.ellipsoids import ellipsoid_area, ellipsoid_volume, enclosing_ellipsoid
from hounsfield.science.radiomics.hulls import diameter, farthest, hull
from hounsfield.science.radiomics.mesh import volume_and_area
from hounsfield.science.radiomics.oriented_boxes import smallest_box

NAMES = (
    "volume", "vol_approx", "area_mesh", "av", "comp_1", "comp_2", "sph_dispr", "sphericity", "asphericity", "com",
    "diam", "pca_maj_axis", "pca_min_axis", "pca_least_axis", "pca_elongation", "pca_flatness", "vol_dens_aabb",
    "area_dens_aabb", "vol_dens_ombb", "area_dens_ombb", "vol_dens_aee", "area_dens_aee", "vol_dens_mvee",
    "area_dens_mvee", "vol_dens_conv_hull", "area_dens_conv_hull", "integ_int", "moran_i", "geary_c",
)  # fmt: skip


_MOST_UNEQUAL = 1e6
"""Longest axis of a voxel over the shortest."""
_OF_AXES = frozenset(
    {"pca_maj_axis", "pca_min_axis", "pca_least_axis", "pca_elongation", "pca_flatness"}
    | {"vol_dens_aee", "area_dens_aee"}
)
_OF_BOX = frozenset({"vol_dens_ombb", "area_dens_ombb"})
_OF_ELLIPSOID = frozenset({"vol_dens_mvee", "area_dens_mvee"})
_OF_HULL = frozenset({"vol_dens_conv_hull", "area_dens_conv_hull"}) | _OF_BOX | _OF_ELLIPSOID
_WITHOUT_MESH = (_OF_AXES - {"vol_dens_aee", "area_dens_aee"}) | {"vol_approx", "diam", "com", "moran_i", "geary_c"}


def shape_features(
    mask: BoolArray, spacing_mm: tuple[float, float, float], names: Collection[str] = NAMES
) -> dict[str, float]:
    """Return what depends on the region's voxels alone.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, bool: the region's bounding box; at least one voxel.
    spacing_mm : tuple of float
        Along z, y, x.
    names : collection of str
        What is wanted of `NAMES`: mesh, axes, hull, boxes and ellipsoids are made only where one of them needs them.

    Returns
    -------
    dict of str to float
        What is wanted, and what came with it, but never the last three and ``com``; NaN where undefined.
    """
    wanted = frozenset(names)
    found = {"vol_approx": float(np.count_nonzero(mask)) * math.prod(spacing_mm)}
    volume = area = math.nan
    if not wanted <= _WITHOUT_MESH:
        volume, area = volume_and_area(mask, spacing_mm)
        edges = [n * s for n, s in zip(mask.shape, spacing_mm, strict=True)]
        sides = 2.0 * (edges[0] * edges[1] + edges[1] * edges[2] + edges[2] * edges[0])
        found |= _roundness(volume, area)
        found |= {"vol_dens_aabb": volume / math.prod(edges), "area_dens_aabb": area / sides}
    if wanted & _OF_AXES:
        major, minor, least = principal_axes(mask, spacing_mm)
        found |= {
            "pca_maj_axis": major,
            "pca_min_axis": minor,
            "pca_least_axis": least,
            "pca_elongation": _ratio(minor, major),
            "pca_flatness": _ratio(least, major),
            "vol_dens_aee": _ratio(volume, ellipsoid_volume(major / 2, minor / 2, least / 2)),
            "area_dens_aee": _ratio(area, ellipsoid_area(major / 2, minor / 2, least / 2)),
        }
    if wanted & _OF_HULL:
        found |= _drawn_around(mask, spacing_mm, (volume, area), wanted)
    elif "diam" in wanted:
        found["diam"] = diameter(mask, spacing_mm)
    return found


def _drawn_around(
    mask: BoolArray, spacing_mm: tuple[float, float, float], mesh: tuple[float, float], wanted: frozenset[str]
) -> dict[str, float]:
    """Return what needs the hull; no box and no ellipsoid where voxels are so unequal that their numbers fail."""
    around, (volume, area) = hull(mask, spacing_mm), mesh
    found = {
        "diam": farthest(around.points),
        "vol_dens_conv_hull": volume / around.volume,
        "area_dens_conv_hull": area / around.area,
    }
    if max(spacing_mm) > _MOST_UNEQUAL * min(spacing_mm):
        return found
    if wanted & _OF_BOX:
        oriented, oriented_sides = smallest_box(around)
        found |= {"vol_dens_ombb": _ratio(volume, oriented), "area_dens_ombb": _ratio(area, oriented_sides)}
    if wanted & _OF_ELLIPSOID:
        half = enclosing_ellipsoid(around.points)
        found |= {"vol_dens_mvee": volume / ellipsoid_volume(*half), "area_dens_mvee": area / ellipsoid_area(*half)}
    return found


def _roundness(volume: float, area: float) -> dict[str, float]:
    ball = (36.0 * math.pi * volume**2) ** (1.0 / 3.0)
    return {
        "volume": volume,
        "area_mesh": area,
        "av": area / volume,
        "comp_1": volume / (math.sqrt(math.pi) * area**1.5),
        "comp_2": 36.0 * math.pi * volume**2 / area**3,
        "sph_dispr": area / ball,
        "sphericity": ball / area,
        "asphericity": (area**3 / (36.0 * math.pi * volume**2)) ** (1.0 / 3.0) - 1.0,
    }


def principal_axes(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the lengths of the three principal axes in mm, longest first: 4 times the root of each eigenvalue.

    Notes
    -----
    The covariance divides by n - 1, as the reference values ask for; it is undefined for one voxel.
    """
    moments = _moments(mask)
    count = float(moments[0])
    if count < 2:
        return math.nan, math.nan, math.nan
    first = moments[1:4] / count
    pairs = moments[[4, 5, 6, 5, 7, 8, 6, 8, 9]].reshape(3, 3)
    spread = (pairs - count * np.outer(first, first)) / (count - 1.0) * np.outer(spacing_mm, spacing_mm)
    least, minor, major = (4.0 * math.sqrt(max(0.0, float(v))) for v in np.linalg.eigvalsh(spread))
    # an eigenvalue of 0 comes out as rounding leaves it
    least, minor = (v if v > 1e-6 * major else 0.0 for v in (least, minor))
    return major, minor, least


@compiled
def _moments(mask: BoolArray) -> Float64Array:
    """Return the number of voxels, the sums of z, y, x, and of zz, zy, zx, yy, yx, xx: whole numbers, exact."""
    sums = np.zeros(10)
    for z in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            held = first = second = 0
            for x in range(mask.shape[2]):
                if mask[z, y, x]:
                    held += 1
                    first += x
                    second += x * x
            sums[0] += held
            sums[1] += z * held
            sums[2] += y * held
            sums[3] += first
            sums[4] += z * z * held
            sums[5] += z * y * held
            sums[6] += z * first
            sums[7] += y * y * held
            sums[8] += y * first
            sums[9] += second
    return sums


@compiled
def _weighted(image: FloatArray, kept: BoolArray) -> Float64Array:
    """Return the sums of the intensities, and of them times z, y, x."""
    sums = np.zeros(4)
    for z in range(image.shape[0]):
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                if kept[z, y, x]:
                    value = image[z, y, x]
                    sums[0] += value
                    sums[1] += value * z
                    sums[2] += value * y
                    sums[3] += value * x
    return sums


def shift(image: FloatArray, kept: BoolArray, whole: BoolArray, spacing_mm: tuple[float, float, float]) -> float:
    """Return how far the centre of the intensities lies from the centre of the shape, in mm.

    Parameters
    ----------
    image, kept, whole : numpy.ndarray
        ``z y x``: intensities, the region that they are taken of, and the region's shape.
    spacing_mm : tuple of float
        Along z, y, x.

    Returns
    -------
    float
        NaN where the intensities add up to 0.
    """
    heavy, places = _weighted(image, kept), _moments(whole)
    if heavy[0] == 0.0:
        return math.nan
    apart = heavy[1:] / heavy[0] - places[1:4] / places[0]
    return float(np.linalg.norm(apart * np.asarray(spacing_mm)))


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0.0 else math.nan
