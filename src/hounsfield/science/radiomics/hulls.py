"""Hulls: what is drawn tightly around a region: convex hull, largest diameter, boxes and ellipsoid."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.compiled import compiled

_AXES = np.eye(3)
_MARKS = np.sqrt([2.0, 3.0, 5.0])
_AT_ONCE = 1 << 17
"""Points times faces that are looked at together, which bounds memory."""


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

    scaled = _outermost(mask) * (np.asarray(spacing_mm) / 2.0)
    found = ConvexHull(scaled)
    # a box does not know a face from the opposite one, nor triangles of one face from one another
    facing = np.round(found.equations[:, :3], 9)
    mark = np.abs(np.round(facing @ _MARKS, 9))
    order = np.argsort(mark, kind="stable")
    ranked = mark[order]
    first = order[np.append(True, ranked[1:] != ranked[:-1])]
    normals = np.ascontiguousarray(facing[first])
    corners = np.flatnonzero(np.bincount(found.simplices.reshape(-1)))
    return Hull(scaled[corners], normals, float(found.volume), float(found.area))


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
    best = np.full(3, np.inf)
    few = max(1, _AT_ONCE // len(around.points))
    for n in range(0, len(around.normals), few):
        edges = _box_along(around.points, around.normals[n : n + few])
        best = edges if edges.prod() < best.prod() else best
    a, b, c = (float(e) for e in best)
    return a * b * c, 2.0 * (a * b + b * c + c * a)


def _box_along(points: Float64Array, normal: Float64Array) -> Float64Array:
    # two directions at right angles to each normal, from the axis that is least along it
    first = _AXES[np.argmin(np.abs(normal), axis=1)]
    first -= (first * normal).sum(axis=1, keepdims=True) * normal
    first /= np.sqrt((first * first).sum(axis=1, keepdims=True))
    flat = np.empty((len(normal), len(points), 2))
    flat[:, :, 0], flat[:, :, 1] = (points @ first.T).T, (points @ _across(normal, first).T).T
    heights = np.ptp(points @ normal.T, axis=0)
    return _box(flat, np.argsort(flat[:, :, 0], axis=1), heights)


def _across(a: Float64Array, b: Float64Array) -> Float64Array:
    """Return what is at right angles to both of each two vectors, ``... 3``; NumPy's own checks take longer than it."""
    found = np.empty_like(b)
    for n in range(3):
        k, m = (n + 1) % 3, (n + 2) % 3
        found[..., n] = a[..., k] * b[..., m] - a[..., m] * b[..., k]
    return found


@compiled
def _box(flat: Float64Array, orders: IntArray, heights: Float64Array) -> Float64Array:
    """Return the edges of the smallest box; `flat` is the hull as seen along each normal, ``f n 2``."""
    best, edges = np.inf, np.zeros(3)
    ring = np.zeros((2 * flat.shape[1] + 1, 2))
    for f in range(flat.shape[0]):
        m = _ring(flat[f], orders[f], ring)
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
            if (right - left) * far * heights[f] < best:
                best = (right - left) * far * heights[f]
                edges[0], edges[1], edges[2] = right - left, far, heights[f]
    return edges


@compiled
def _ring(flat: Float64Array, order: IntArray, ring: Float64Array) -> int:
    """Fill `ring` with the convex hull of points in a plane, counter-clockwise (Andrew's monotone chain).

    `order` is that of their first coordinate.
    """
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
    points = points - points.mean(axis=0)
    lifted = np.column_stack([points, np.ones(len(points))])
    weight = _first_weights(points)
    for _ in range(100):
        # what is updated step by step drifts by rounding: it is computed anew now and then
        inner = np.linalg.inv((lifted.T * weight) @ lifted).astype(np.float64)
        if _improved(lifted, weight, inner, ((lifted @ inner) * lifted).sum(axis=1)):
            break
    away = points - weight @ points
    spread = (away.T * weight) @ away
    widest = ((away @ np.linalg.inv(spread)) * away).sum(axis=1).max()
    half: Float64Array = np.sqrt(np.linalg.eigvalsh(spread) * widest)[::-1]
    return half


@compiled
def _improved(lifted: Float64Array, weight: Float64Array, inner: Float64Array, reach: Float64Array) -> bool:
    """Take up to 200 steps in place; tell whether the weights are good enough."""
    n, d = lifted.shape
    for _ in range(200):
        far = near = 0
        most, least = -np.inf, np.inf
        for p in range(n):
            if reach[p] > most:
                far, most = p, reach[p]
            if weight[p] > 1e-12 and reach[p] < least:
                near, least = p, reach[p]
        if most / d - 1.0 <= 3e-5 and 1.0 - least / d <= 3e-5:
            return True
        if most + least >= 2.0 * d:
            at, step = far, (most - d) / (d * (most - 1.0))
        else:
            at, step = near, -weight[near] / (1.0 - weight[near])
            if least > 1.0:
                step = max(step, -(d - least) / (d * (least - 1.0)))
        _step(at, step, lifted, weight, inner, reach)
    return False


@compiled
def _step(
    at: int, step: float, lifted: Float64Array, weight: Float64Array, inner: Float64Array, reach: Float64Array
) -> None:
    """Give a point a share of the weight, negative to take it: the inverse after a change of rank one, and all else."""
    n, d = lifted.shape
    # Sherman and Morrison
    share = step / (1.0 - step + step * reach[at])
    shift = np.zeros(d)
    for j in range(d):
        for k in range(d):
            shift[j] += inner[j, k] * lifted[at, k]
    for p in range(n):
        along = 0.0
        for k in range(d):
            along += lifted[p, k] * shift[k]
        reach[p] = (reach[p] - share * along * along) / (1.0 - step)
        weight[p] *= 1.0 - step
    weight[at] = max(weight[at] + step, 0.0)
    for j in range(d):
        for k in range(d):
            inner[j, k] = (inner[j, k] - share * shift[j] * shift[k]) / (1.0 - step)


def _first_weights(points: Float64Array) -> Float64Array:
    """Weigh the two outermost points along each of three directions alike (Kumar and Yildirim, 2005)."""
    weight = np.zeros(len(points))
    way = np.array([1.0, 0.0, 0.0])
    edges: list[Float64Array] = []
    for _ in range(3):
        along = points @ way
        first, last = int(np.argmin(along)), int(np.argmax(along))
        weight[first] += 1.0 / 6.0
        weight[last] += 1.0 / 6.0
        edges.append(points[last] - points[first])
        one = edges[0]
        if len(edges) == 1:
            # at right angles to it, from the axis that it has least of
            k = int(np.argmin(np.abs(one)))
            way = _AXES[k] - one * (one[k] / (one @ one))
        else:
            way = _across(one, edges[1])
    return weight
