"""The convex hull of whole numbers against Qhull, and where coordinates leave nothing to chance."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from hounsfield.core.streams import stream
from hounsfield.core.types import IntArray
from hounsfield.science.radiomics.convex import triangles


def clouds() -> list[IntArray]:
    """Return points that lie anywhere, many in one plane or on one line, twice, on a ball, and far apart."""
    drawn = stream(0, "convex")
    ball = drawn.standard_normal((3000, 3))
    lattice = np.stack(np.meshgrid(*map(np.arange, (4, 3, 5)), indexing="ij"), axis=-1).reshape(-1, 3)
    found = [drawn.integers(-n, n + 1, (count, 3)) for n, count in ((2, 30), (3, 200), (50, 60), (1 << 19, 500))]
    found += [lattice, drawn.permutation(np.concatenate([lattice, lattice]))]
    found.append(np.rint(400 * ball / np.linalg.norm(ball, axis=1, keepdims=True)).astype(np.int64))
    found.append(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]))
    return [np.ascontiguousarray(f, dtype=np.int64) for f in found]


@pytest.mark.parametrize("points", clouds(), ids=len)
def test_the_hull_is_closed_convex_and_as_large_as_qhull_s(points: IntArray) -> None:
    corners, beside, normal = triangles(points)
    # every edge is met once from each side, by the triangle that is told
    for n, triangle in enumerate(corners.tolist()):
        for k in range(3):
            other = beside[n, k]
            there = corners[other].tolist()
            at = there.index(triangle[(k + 1) % 3])
            assert there[(at + 1) % 3] == triangle[k]
            assert beside[other, at] == n
    # no point is above a triangle: whole numbers, so without a tolerance
    at = points[corners[:, 0]]
    assert (points @ normal.T <= (at * normal).sum(axis=1)).all()
    u, v = points[corners[:, 1]] - at, points[corners[:, 2]] - at
    assert np.array_equal(normal, np.cross(u, v))
    assert normal.any(axis=1).all()
    assert len(corners) == 2 * len(np.unique(corners)) - 4
    wanted = ConvexHull(points.astype(np.float64))
    six = int((normal * (at - points[corners[0, 0]])).sum())
    assert six / 6 == pytest.approx(wanted.volume, rel=1e-12)
    assert np.linalg.norm(normal.astype(np.float64), axis=1).sum() / 2 == pytest.approx(wanted.area, rel=1e-12)
