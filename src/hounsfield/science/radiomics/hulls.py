"""Hulls: what is drawn tightly around a region: convex hull, largest diameter, boxes and ellipsoid."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.radiomics.compiled import compiled


@dataclass(frozen=True)
class Hull:
    """The convex hull of a region's mesh.

    Parameters
    ----------
    points : numpy.ndarray
        ``n 3``: its corners in mm, z y x.
    normals : numpy.ndarray
        ``m 3``: of its faces, unit length.
    volume, area : float
        mm³ and mm².
    """

    points: Float64Array
    normals: Float64Array
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
    axes can be corners of it. Half voxels are whole numbers on a grid twice as fine: nothing is rounded.
    """
    from scipy.spatial import ConvexHull

    centres = _outermost(mask)
    half = np.concatenate([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])
    points = np.unique((2 * centres[:, None] + half).reshape(-1, 3), axis=0)
    scaled = points * (np.asarray(spacing_mm) / 2.0)
    found = ConvexHull(scaled)
    normals = np.unique(np.round(found.equations[:, :3], 9), axis=0)
    return Hull(scaled[found.vertices], normals, float(found.volume), float(found.area))


def _outermost(mask: BoolArray) -> IntArray:
    """Return the voxels that are the first or the last of a region along every axis, ``n 3``."""
    kept = mask.copy()
    for n in range(3):
        first = np.expand_dims(mask.argmax(axis=n), n)
        last = mask.shape[n] - 1 - np.expand_dims(np.flip(mask, n).argmax(axis=n), n)
        place = np.arange(mask.shape[n]).reshape([-1 if k == n else 1 for k in range(3)])
        kept &= (place == first) | (place == last)
    return np.argwhere(kept)


def diameter(points: Float64Array) -> float:
    """Return the largest distance between two points, ``n 3``."""
    return float(_diameter(points))


@compiled
def _diameter(points: Float64Array) -> float:
    most = 0.0
    for a in range(len(points)):
        for b in range(a):
            z, y, x = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
            most = max(most, z * z + y * y + x * x)
    return float(np.sqrt(most))


def smallest_box(around: Hull) -> tuple[float, float]:
    """Return volume and area of the smallest box around a hull that lies flat on one of its faces.

    Notes
    -----
    For each face the smallest rectangle around the hull as seen along the face's normal; it has a side along an edge
    of what is seen (Freeman and Shapira, 1975). The smallest box of all may touch with edges only (O'Rourke, 1985),
    so that this is an upper bound; it is what the IBSI manual names as common practice.
    """
    edges = _box(around.points, around.normals)
    a, b, c = (float(e) for e in edges)
    return a * b * c, 2.0 * (a * b + b * c + c * a)


@compiled
def _box(points: Float64Array, normals: Float64Array) -> Float64Array:
    best, edges = np.inf, np.zeros(3)
    n = len(points)
    flat, ring = np.zeros((n, 2)), np.zeros((2 * n + 1, 2))
    for f in range(len(normals)):
        w = normals[f]
        # two directions at right angles to the normal, from the axis that is least along it
        k = 0
        for j in range(1, 3):
            if abs(w[j]) < abs(w[k]):
                k = j
        u = np.zeros(3)
        u[k] = 1.0
        u -= w[k] * w
        u /= np.sqrt((u * u).sum())
        v = np.array([w[1] * u[2] - w[2] * u[1], w[2] * u[0] - w[0] * u[2], w[0] * u[1] - w[1] * u[0]])
        low, high = np.inf, -np.inf
        for p in range(n):
            flat[p, 0] = points[p, 0] * u[0] + points[p, 1] * u[1] + points[p, 2] * u[2]
            flat[p, 1] = points[p, 0] * v[0] + points[p, 1] * v[1] + points[p, 2] * v[2]
            t = points[p, 0] * w[0] + points[p, 1] * w[1] + points[p, 2] * w[2]
            low, high = min(low, t), max(high, t)
        m = _ring(flat, ring)
        for e in range(m):
            dx, dy = ring[(e + 1) % m, 0] - ring[e, 0], ring[(e + 1) % m, 1] - ring[e, 1]
            length = np.sqrt(dx * dx + dy * dy)
            if length == 0.0:
                continue
            dx, dy = dx / length, dy / length
            left, right, far = np.inf, -np.inf, 0.0
            for p in range(m):
                x, y = ring[p, 0] - ring[e, 0], ring[p, 1] - ring[e, 1]
                along, away = x * dx + y * dy, y * dx - x * dy
                left, right, far = min(left, along), max(right, along), max(far, away)
            if (right - left) * far * (high - low) < best:
                best = (right - left) * far * (high - low)
                edges[0], edges[1], edges[2] = right - left, far, high - low
    return edges


@compiled
def _ring(flat: Float64Array, ring: Float64Array) -> int:
    """Fill `ring` with the convex hull of points in a plane, counter-clockwise (Andrew's monotone chain)."""
    order = np.argsort(flat[:, 0])
    # among points of the same abscissa the order is that of the ordinate
    for n in range(1, len(order)):
        k = n
        while k > 0 and flat[order[k], 0] == flat[order[k - 1], 0] and flat[order[k], 1] < flat[order[k - 1], 1]:
            order[k], order[k - 1] = order[k - 1], order[k]
            k -= 1
    m = 0
    for turn in range(2):
        start = m
        for n in range(len(order)):
            p = order[n] if turn == 0 else order[len(order) - 1 - n]
            x, y = flat[p, 0], flat[p, 1]
            while m - start >= 2:
                ax, ay = ring[m - 1, 0] - ring[m - 2, 0], ring[m - 1, 1] - ring[m - 2, 1]
                bx, by = x - ring[m - 2, 0], y - ring[m - 2, 1]
                if ax * by - ay * bx > 0.0:
                    break
                m -= 1
            ring[m, 0], ring[m, 1] = x, y
            m += 1
        # the last point of one chain is the first of the other
        m -= 1
    return m


def enclosing_ellipsoid(points: Float64Array) -> Float64Array:
    """Return the half axes of the smallest ellipsoid around points, largest first.

    Parameters
    ----------
    points : numpy.ndarray
        ``n 3``, not in one plane.

    Notes
    -----
    Khachiyan's algorithm with steps towards and away from a point (Todd and Yildirim, 2007), to a relative error of
    the volume of at most 1e-4; then widened so that no point lies outside.
    """
    return np.asarray(_ellipsoid(np.ascontiguousarray(points - points.mean(axis=0))))


@compiled
def _ellipsoid(points: Float64Array) -> Float64Array:
    n, d = points.shape
    lifted = np.ones((n, d + 1))
    lifted[:, :d] = points
    weight = np.full(n, 1.0 / n)
    for _ in range(20000):
        inner = np.linalg.inv((lifted.T * weight) @ lifted)
        reach = ((lifted @ inner) * lifted).sum(axis=1)
        far = int(np.argmax(reach))
        near, least = far, np.inf
        for p in range(n):
            if weight[p] > 1e-12 and reach[p] < least:
                near, least = p, reach[p]
        above, below = reach[far] / (d + 1) - 1.0, 1.0 - least / (d + 1)
        if above <= 3e-5 and below <= 3e-5:
            break
        if above >= below:
            step = (reach[far] - d - 1.0) / ((d + 1.0) * (reach[far] - 1.0))
            weight *= 1.0 - step
            weight[far] += step
        else:
            step = (d + 1.0 - least) / ((d + 1.0) * (least - 1.0)) if least > 1.0 else np.inf
            step = min(step, weight[near] / (1.0 - weight[near]))
            weight *= 1.0 + step
            weight[near] -= step
            weight[near] = max(weight[near], 0.0)
    centre = weight @ points
    away = points - centre
    spread = (away.T * weight) @ away
    most = ((away @ np.linalg.inv(spread)) * away).sum(axis=1).max()
    return np.sqrt(np.linalg.eigvalsh(spread) * most)[::-1]
