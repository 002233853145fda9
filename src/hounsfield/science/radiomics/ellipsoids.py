"""Ellipsoids: the smallest one around points, and volume and surface of any."""

import math

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.compiled import compiled

_AXES = np.eye(3)


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


def _across(a: Float64Array, b: Float64Array) -> Float64Array:
    """Return what is at right angles to both of each two vectors, ``... 3``; NumPy's own checks take longer than it."""
    found = np.empty_like(b)
    for n in range(3):
        k, m = (n + 1) % 3, (n + 2) % 3
        found[..., n] = a[..., k] * b[..., m] - a[..., m] * b[..., k]
    return found


def ellipsoid_volume(a: float, b: float, c: float) -> float:
    """Return the volume of an ellipsoid with these half axes."""
    return 4.0 / 3.0 * math.pi * a * b * c


def ellipsoid_area(a: float, b: float, c: float) -> float:
    """Return the surface of an ellipsoid with these half axes, longest first, as the IBSI manual computes it.

    Notes
    -----
    A series of Legendre polynomials to degree 20 (section 3.1.22). It does not converge to the true surface: for the
    half axes of the IBSI phantoms it is 0.6% above it and 4% below. The reference values are those of the series.
    The terms ``(alpha beta)^n P_n`` follow from one another without a division, so that a round ellipsoid is none.
    """
    if not c > 0.0:
        return math.nan
    alpha, beta = 1.0 - (b / a) ** 2, 1.0 - (c / a) ** 2
    before, term, total = 0.0, 1.0, 0.0
    for n in range(21):
        total += term / (1.0 - 4.0 * n * n)
        before, term = term, ((2 * n + 1) * (alpha + beta) / 2.0 * term - n * alpha * beta * before) / (n + 1)
    return 4.0 * math.pi * a * b * total
