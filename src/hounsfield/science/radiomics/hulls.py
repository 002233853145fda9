"""Hulls: the convex hull of a region and its largest diameter."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.convex import triangles

_MANY = 4096
"""Points from which on those within the hull are left out before the farthest two are looked for."""


@dataclass(frozen=True)
class Hull:
    """The convex hull of a region's mesh.

    Parameters
    ----------
    points : numpy.ndarray
        ``n 3``: its corners in mm, z y x.
    normals : numpy.ndarray
        ``m 3``: of its faces, outward, unit length, no two alike.
    sides : numpy.ndarray
        ``k``, int64: places in `normals`, one of each two that are opposite.
    edges : numpy.ndarray
        ``e 3``, int64, each edge from both of its ends: the corner where it begins, the face to its left as seen from
        outside, and the face to its right, as places in `points` and `normals`.
    volume, area : float
        mm³ and mm².
    """

    points: Float64Array
    normals: Float64Array
    sides: IntArray
    edges: IntArray
    volume: float
    area: float


def hull(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> Hull:
    """Return the convex hull of a region's mesh.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, bool: the region's box; at least one voxel.
    spacing_mm : tuple of float
        Along z, y, x.

    Notes
    -----
    The mesh's corners lie half a voxel from voxel centres, towards neighbours outside. Its hull is therefore the hull
    of the voxel centres, widened by half a voxel along each axis, and only voxels that are outermost along all three
    axes can be corners of it. Half voxels are whole numbers on a grid twice as fine, and whatever the spacing, what is
    convex there is convex in mm: the hull is exact, and nothing is rounded before its lengths are.
    """
    places, half = _outermost(mask), np.asarray(spacing_mm) / 2.0
    corners, beside, normal = triangles(places)
    volume = int((normal * (places[corners[:, 0]] - places[corners[0, 0]])).sum()) / 6.0 * float(half.prod())
    wide = normal * (half[[1, 2, 0]] * half[[2, 0, 1]])
    lengths = np.sqrt((wide * wide).sum(axis=1))
    face, first, sides = _faces(normal)
    # an edge within a face is none, and a corner of the hull has three of those that are left
    begins, left, right = corners.reshape(-1), np.repeat(face, 3), face[beside].reshape(-1)
    between = left != right
    kept = np.bincount(begins[between], minlength=len(places)) > 2
    between &= kept[begins]
    number = np.cumsum(kept) - 1
    return Hull(
        places[kept] * half,
        wide[first] / lengths[first, None],
        sides,
        np.ascontiguousarray(np.stack([number[begins[between]], left[between], right[between]], axis=1)),
        volume,
        float(lengths.sum()) / 2.0,
    )


def _faces(normal: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Tell which triangles make up a face together.

    Returns
    -------
    tuple of numpy.ndarray
        int64: the face of each triangle; a triangle of each face; the faces of which no other is the opposite one, and
        one of two that are.
    """
    reduced = normal // np.gcd.reduce(normal, axis=1, keepdims=True)
    z, y, x = np.sign(reduced).T
    way = np.where(z != 0, z, np.where(y != 0, y, x))
    line = reduced * way[:, None]
    order = np.lexsort((way, line[:, 2], line[:, 1], line[:, 0]))
    line, way = line[order], way[order]
    other = np.append(True, (line[1:] != line[:-1]).any(axis=1))
    new = other.copy()
    new[1:] |= way[1:] != way[:-1]
    counted = np.cumsum(new) - 1
    face = np.empty(len(order), dtype=np.int64)
    face[order] = counted
    return face, order[new], counted[other]


@compiled
def _outermost(mask: BoolArray) -> IntArray:
    """Return points half a voxel outward of voxels that are outermost along every axis, ``n 3``, in half voxels."""
    nz, ny, _ = mask.shape
    ends_z, ends_y, ends_x = _ends(mask)
    found, m = np.zeros((12 * nz * ny, 3), np.int64), 0
    for z in range(nz):
        for y in range(ny):
            for end in range(2):
                x = ends_x[z, y, end]
                if x < 0 or (end and x == ends_x[z, y, 0]):
                    continue
                here, ends = (z, y, x), (ends_z[y, x], ends_y[z, x], ends_x[z, y])
                if not (z in (ends[0][0], ends[0][1]) and y in (ends[1][0], ends[1][1])):
                    continue
                for n in range(6):
                    if here[n // 2] == ends[n // 2][n % 2]:
                        found[m, 0], found[m, 1], found[m, 2] = 2 * z, 2 * y, 2 * x
                        found[m, n // 2] += 2 * (n % 2) - 1
                        m += 1
    return found[:m]


@compiled
def _ends(mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the first and the last place of a region on each line along z, y and x; -1 on lines without it."""
    nz, ny, nx = mask.shape
    ends_z, ends_y = np.full((ny, nx, 2), -1, np.int64), np.full((nz, nx, 2), -1, np.int64)
    ends_x = np.full((nz, ny, 2), -1, np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if mask[z, y, x]:
                    if ends_z[y, x, 0] < 0:
                        ends_z[y, x, 0] = z
                    if ends_y[z, x, 0] < 0:
                        ends_y[z, x, 0] = y
                    if ends_x[z, y, 0] < 0:
                        ends_x[z, y, 0] = x
                    ends_z[y, x, 1], ends_y[z, x, 1], ends_x[z, y, 1] = z, y, x
    return ends_z, ends_y, ends_x


def diameter(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> float:
    """Return the largest distance between two corners of a region's mesh, in mm; see `hull`."""
    places = _outermost(mask)
    if len(places) > _MANY:
        places = places[np.unique(triangles(places)[0])]
    return farthest(places * (np.asarray(spacing_mm) / 2.0))


def farthest(points: Float64Array) -> float:
    """Return the largest distance between two points, ``n 3``."""
    return float(_farthest(points))


@compiled
def _farthest(points: Float64Array) -> float:
    """Return the largest distance; two points are no farther apart than both together are from the middle."""
    middle, reach = np.zeros(3), np.zeros(len(points))
    for k in range(3):
        middle[k] = 0.5 * (points[:, k].min() + points[:, k].max())
    for n in range(len(points)):
        for k in range(3):
            reach[n] += (points[n, k] - middle[k]) ** 2
        reach[n] = np.sqrt(reach[n])
    order = np.argsort(reach)[::-1]
    most = 0.0
    for n in range(1, len(points)):
        a = order[n]
        # a little more, for rounding
        if ((reach[a] + reach[order[0]]) * (1.0 + 1e-12)) ** 2 < most:
            break
        for m in range(n):
            b = order[m]
            if ((reach[a] + reach[b]) * (1.0 + 1e-12)) ** 2 < most:
                break
            z, y, x = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
            most = max(most, z * z + y * y + x * x)
    return float(np.sqrt(most))
