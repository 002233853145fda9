"""Oriented boxes: the smallest box around a hull that lies flat on one of its faces."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics.hulls import Hull

_ALONG = 1e-12
"""Cosine up to which a face counts as parallel to a direction: what rounding leaves of 0."""


def smallest_box(around: Hull) -> tuple[float, float]:
    """Return volume and area of the smallest box around a hull that lies flat on one of its faces.

    Notes
    -----
    For each face the smallest rectangle around the hull as seen along the face's normal; it has a side along an edge
    of what is seen (Freeman and Shapira, 1975). What is seen is bounded by the edges between a face that looks along
    the normal and one that does not. The smallest box of all may touch with edges only (O'Rourke, 1985), so that this
    is an upper bound; it is what the IBSI manual names as common practice.
    """
    a, b, c = (float(e) for e in _smallest(around.points, around.normals, around.sides, around.edges))
    return a * b * c, 2.0 * (a * b + b * c + c * a)


@compiled
def _smallest(points: Float64Array, normals: Float64Array, sides: IntArray, edges: IntArray) -> Float64Array:
    """Return the edges of the smallest box."""
    best, found = np.inf, np.zeros(3)
    flat, ring = np.zeros((len(edges), 2)), np.zeros((2 * len(edges) + 1, 2))
    looks, way, first, second = np.zeros(len(normals)), np.zeros(3), np.zeros(3), np.zeros(3)
    for side in sides:
        way[:] = normals[side]
        for n in range(len(normals)):
            looks[n] = normals[n, 0] * way[0] + normals[n, 1] * way[1] + normals[n, 2] * way[2]
        low, high = np.inf, -np.inf
        for n in range(len(points)):
            height = points[n, 0] * way[0] + points[n, 1] * way[1] + points[n, 2] * way[2]
            low, high = min(low, height), max(high, height)
        _beside(way, first, second)
        m = 0
        for n in range(len(edges)):
            if looks[edges[n, 1]] > _ALONG and looks[edges[n, 2]] <= _ALONG:
                flat[m, 0] = flat[m, 1] = 0.0
                for k in range(3):
                    flat[m, 0] += points[edges[n, 0], k] * first[k]
                    flat[m, 1] += points[edges[n, 0], k] * second[k]
                m += 1
        if m < 3:
            continue
        width, depth = _rectangle(ring, _ring(flat, np.argsort(flat[:m, 0]), ring))
        if width * depth * (high - low) < best:
            best = width * depth * (high - low)
            found[0], found[1], found[2] = width, depth, high - low
    return found


@compiled
def _beside(way: Float64Array, first: Float64Array, second: Float64Array) -> None:
    """Fill in two directions at right angles to a third and to each other, from the axis that is least along it."""
    least = np.argmin(np.abs(way))
    length = np.sqrt(1.0 - way[least] * way[least])
    for k in range(3):
        first[k] = ((1.0 if k == least else 0.0) - way[least] * way[k]) / length
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        second[k] = way[i] * first[j] - way[j] * first[i]


@compiled
def _rectangle(ring: Float64Array, m: int) -> tuple[float, float]:
    """Return the edges of the smallest rectangle around a convex ring of `m` points, counter-clockwise.

    The outermost points along and across an edge go on around the ring as the edge does (Toussaint, 1983).
    """
    best, width, depth = np.inf, 0.0, 0.0
    right, top, left = 1, 1, 1
    for e in range(m):
        after = (e + 1) % m
        dx, dy = ring[after, 0] - ring[e, 0], ring[after, 1] - ring[e, 1]
        length = np.sqrt(dx * dx + dy * dy)
        dx, dy = dx / length, dy / length
        right = _outward(ring, m, right, dx, dy)
        top = _outward(ring, m, right if e == 0 else top, -dy, dx)
        left = _outward(ring, m, top if e == 0 else left, -dx, -dy)
        along = (ring[right, 0] - ring[left, 0]) * dx + (ring[right, 1] - ring[left, 1]) * dy
        away = (ring[top, 1] - ring[e, 1]) * dx - (ring[top, 0] - ring[e, 0]) * dy
        if along * away < best:
            best, width, depth = along * away, along, away
    return width, depth


@compiled
def _outward(ring: Float64Array, m: int, at: int, dx: float, dy: float) -> int:
    """Return the point from which on a ring does not go on along a direction."""
    here = ring[at, 0] * dx + ring[at, 1] * dy
    for _ in range(m):
        after = (at + 1) % m
        there = ring[after, 0] * dx + ring[after, 1] * dy
        if there <= here:
            break
        at, here = after, there
    return at


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
