"""Convex hull of points with whole coordinates: on which side of a face a point lies is decided exactly."""

import numpy as np

from hounsfield.core.types import IntArray
from hounsfield.science.compiled import compiled

# columns of the table of faces: three corners; the faces beyond the edges that begin there; the normal; its product
# with points of the face; the first of the points that the face has below it, the farthest of them, how far that is;
# and the last step at which the face was found to be seen
_BESIDE, _NORMAL, _LEVEL, _FIRST, _FARTHEST, _HOW_FAR, _SEEN, _WIDTH = 3, 6, 9, 10, 11, 12, 13, 14


@compiled
def triangles(points: IntArray) -> tuple[IntArray, IntArray, IntArray]:  # noqa: PLR0912, PLR0915  # one growing table
    """Return the faces of the convex hull of points, as triangles.

    Parameters
    ----------
    points : numpy.ndarray
        ``n 3``, int64, not all in one plane, coordinates that differ by less than a million.

    Returns
    -------
    tuple of numpy.ndarray
        Each ``m 3``, int64. The corners of each triangle as places in `points`, counter-clockwise from outside where
        the axes are right-handed; the triangle beyond each edge, the first of which leads from the first corner to the
        second; the normal, outward, as long as twice the area.

    Notes
    -----
    Quickhull (Barber, Dobkin and Huhdanpaa, 1996): the hull grows by the farthest point above one of its faces. Faces
    that such a point sees are replaced by a cone from it to their rim. A face in whose plane the point lies counts as
    not seen, so that the faces that are seen always hang together and no triangle is without area; flat parts of the
    hull are several triangles with one direction. A determinant of such coordinates is below 2^63.
    """
    table = np.full((256, _WIDTH), -1, np.int64)
    # of each point the next one with the same face, and of each corner of a rim the new face that begins there
    after, begins = np.arange(1, len(points) + 1), np.zeros(len(points), np.int64)
    after[-1] = -1
    gone, free, rim = np.zeros(256, np.int64), np.zeros(256, np.int64), np.zeros((256, 3), np.int64)
    waiting = np.zeros(1024, np.int64)
    a, b, c, point = _first(points)
    # two sides of one triangle, of which the fourth point sees the second
    _place(table, 0, a, b, c, points)
    if _above(table, 0, points, point) > 0:
        b, c = c, b
        _place(table, 0, a, b, c, points)
    _place(table, 1, a, c, b, points)
    table[0, _BESIDE : _BESIDE + 3] = 1
    table[1, _BESIDE : _BESIDE + 3] = 0
    used, unused, queue, step, face = 2, 0, 0, 0, 1
    while face >= 0:
        step += 1
        held, edges = _seen_from(point, face, step, table, points, gone, rim)
        loose = _opened(table, gone[:held], after)
        free[unused : unused + held] = gone[:held]
        unused += held
        if used + edges >= len(table):
            more = 2 * len(table) + edges
            table, rim = _longer(table, more), _longer(rim, more)
            gone, free = np.zeros(more, np.int64), np.append(free, np.zeros(more - len(free), np.int64))
        if queue + edges + 1 > len(waiting):
            waiting = np.append(waiting, np.zeros(len(waiting) + edges, np.int64))
        for n in range(edges):
            if unused:
                unused -= 1
                made = free[unused]
            else:
                made = used
                used += 1
            gone[n] = made
            begins[rim[n, 0]] = made
            _place(table, made, rim[n, 0], rim[n, 1], point, points)
            beyond = rim[n, 2]
            table[made, _BESIDE] = beyond
            for k in range(3):
                if table[beyond, k] == rim[n, 1] and table[beyond, (k + 1) % 3] == rim[n, 0]:
                    table[beyond, _BESIDE + k] = made
        for n in range(edges):
            follows = begins[rim[n, 1]]
            table[gone[n], _BESIDE + 1], table[follows, _BESIDE + 2] = follows, gone[n]
        if step == 1:
            # no point has a face yet, and the other side of the first triangle may be that of some
            gone[edges], loose = 0, 0
            edges += 1
        _shared(loose, table, gone[:edges], points, after)
        for n in range(edges):
            if table[gone[n], _FIRST] >= 0:
                waiting[queue] = gone[n]
                queue += 1
        face = -1
        while queue and face < 0:
            queue -= 1
            # it may be gone
            if table[waiting[queue], _FIRST] >= 0:
                face = waiting[queue]
                point = table[face, _FARTHEST]
    return _kept(table[:used])


@compiled
def _first(points: IntArray) -> tuple[int, int, int, int]:
    """Return four points that lie in no plane, far apart."""
    a = b = c = d = 0
    for n in range(len(points)):
        if points[n, 0] < points[a, 0]:
            a = n
    most = -1.0
    for n in range(len(points)):
        far = 0.0
        for k in range(3):
            far += float(points[n, k] - points[a, k]) ** 2
        if far > most:
            b, most = n, far
    most = -1.0
    for n in range(len(points)):
        far = 0.0
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            across = (points[b, i] - points[a, i]) * (points[n, j] - points[a, j])
            across -= (points[b, j] - points[a, j]) * (points[n, i] - points[a, i])
            far += float(across) ** 2
        if far > most:
            c, most = n, far
    trial = np.zeros((1, _WIDTH), np.int64)
    _place(trial, 0, a, b, c, points)
    highest = -1
    for n in range(len(points)):
        above = abs(_above(trial, 0, points, n))
        if above > highest:
            d, highest = n, above
    return a, b, c, d


@compiled
def _place(table: IntArray, at: int, a: int, b: int, c: int, points: IntArray) -> None:
    """Write a face with these corners, and no points above it, into a row of the table."""
    table[at, 0], table[at, 1], table[at, 2] = a, b, c
    level = np.int64(0)
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        across = (points[b, i] - points[a, i]) * (points[c, j] - points[a, j])
        across -= (points[b, j] - points[a, j]) * (points[c, i] - points[a, i])
        table[at, _NORMAL + k] = across
        level += across * points[a, k]
    table[at, _LEVEL] = level
    table[at, _FIRST], table[at, _FARTHEST], table[at, _HOW_FAR], table[at, _SEEN] = -1, -1, 0, 0


@compiled
def _above(table: IntArray, face: int, points: IntArray, point: int) -> int:
    """Return how far a point lies above a face, in units of that face; 0 in its plane."""
    level = -table[face, _LEVEL]
    for k in range(3):
        level += table[face, _NORMAL + k] * points[point, k]
    return int(level)


@compiled
def _seen_from(
    point: int, face: int, step: int, table: IntArray, points: IntArray, gone: IntArray, rim: IntArray
) -> tuple[int, int]:
    """Fill `gone` with the faces that a point sees, one of which is known, and `rim` with the edges around them."""
    gone[0], table[face, _SEEN] = face, step
    at, held, edges = 0, 1, 0
    while at < held:
        here = gone[at]
        at += 1
        for k in range(3):
            beside = table[here, _BESIDE + k]
            if table[beside, _SEEN] == step:
                continue
            if _above(table, beside, points, point) > 0:
                table[beside, _SEEN] = step
                gone[held] = beside
                held += 1
            else:
                rim[edges, 0], rim[edges, 1], rim[edges, 2] = table[here, k], table[here, (k + 1) % 3], beside
                edges += 1
    return held, edges


@compiled
def _opened(table: IntArray, gone: IntArray, after: IntArray) -> int:
    """Clear faces that are gone, and return the first of the points that were above them, one list."""
    loose = -1
    for face in gone:
        q = table[face, _FIRST]
        while q >= 0:
            after[q], loose, q = loose, q, after[q]
        table[face, 0], table[face, _FIRST] = -1, -1
    return loose


@compiled
def _shared(loose: int, table: IntArray, made: IntArray, points: IntArray, after: IntArray) -> None:
    """Give points of a list to the first of some faces that has them above it; the others are inside by now."""
    while loose >= 0:
        q, loose = loose, after[loose]
        for face in made:
            far = _above(table, face, points, q)
            if far > 0:
                after[q], table[face, _FIRST] = table[face, _FIRST], q
                if far > table[face, _HOW_FAR]:
                    table[face, _HOW_FAR], table[face, _FARTHEST] = far, q
                break


@compiled
def _longer(table: IntArray, length: int) -> IntArray:
    found = np.full((length, table.shape[1]), -1, np.int64)
    found[: len(table)] = table
    return found


@compiled
def _kept(table: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    number, m = np.zeros(len(table), np.int64), 0
    for n in range(len(table)):
        number[n] = m
        m += table[n, 0] >= 0
    corners, beside, normal = np.zeros((m, 3), np.int64), np.zeros((m, 3), np.int64), np.zeros((m, 3), np.int64)
    for n in range(len(table)):
        if table[n, 0] >= 0:
            for k in range(3):
                corners[number[n], k] = table[n, k]
                beside[number[n], k] = number[table[n, _BESIDE + k]]
                normal[number[n], k] = table[n, _NORMAL + k]
    return corners, beside, normal
