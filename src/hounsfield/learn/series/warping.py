"""Distances between series of one length: straight, and along the best path of a warped clock."""

import numpy as np

from hounsfield.core.types import BoolArray, Float32Array, Float64Array, IntArray
from hounsfield.science.compiled import compiled


def resampled(series: Float32Array, ends: IntArray, steps: int) -> Float32Array:
    """Return series without gaps at one length.

    Parameters
    ----------
    series : numpy.ndarray
        ``n c t`` float32, without gaps.
    ends : numpy.ndarray
        ``n`` int64, the length of each.
    steps : int
        The new length: a shorter series is interpolated, a longer one averaged over what each new step covers.

    Returns
    -------
    numpy.ndarray
        ``n c steps`` float32.
    """
    found = np.empty((*series.shape[:2], steps), dtype=np.float32)
    edges = np.arange(steps + 1) / steps
    for row, end in enumerate(ends):
        if end == steps:
            found[row] = series[row, :, :end]
        elif end > steps:
            # The mean over a step is a difference of the running sum, which is linear between samples.
            sums = np.concatenate([np.zeros((series.shape[1], 1)), np.cumsum(series[row, :, :end], axis=1)], axis=1)
            at = np.stack([np.interp(edges * end, np.arange(end + 1), channel) for channel in sums])
            found[row] = np.diff(at, axis=1) * (steps / end)
        else:
            where = np.linspace(0.0, end - 1.0, steps)
            found[row] = np.stack([np.interp(where, np.arange(end), channel) for channel in series[row, :, :end]])
    return found


def envelopes(series: Float32Array, window: int) -> tuple[Float32Array, Float32Array]:
    """Return the least and the most within a window around each step, ``n c t`` each, for `nearest`."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    size = 2 * window + 1
    low = minimum_filter1d(series, size, axis=2, mode="nearest")
    return low, maximum_filter1d(series, size, axis=2, mode="nearest")


def nearest(
    asked: Float32Array, known: Float32Array, window: int, *, allowed: BoolArray | None = None
) -> tuple[IntArray, Float64Array]:
    """Return the nearest known series of each series asked for.

    Parameters
    ----------
    asked, known : numpy.ndarray
        ``n c t`` and ``m c t`` float32, of one length.
    window : int
        How many steps the clocks may be apart; 0 is the Euclidean distance.
    allowed : numpy.ndarray or None
        ``n m``: which may be taken; None: all.

    Returns
    -------
    tuple of numpy.ndarray
        Place ``n`` int64, -1 where none is allowed, and distance ``n`` float64 (the root of the sum of squares
        along the path over all channels, which share one path). Of two at the same distance the first is taken.

    Notes
    -----
    Candidates are given up as soon as a lower bound, or the path so far, is beyond the nearest one found; what is
    returned is exact.

    References
    ----------
    Sakoe, Chiba: "Dynamic programming algorithm optimization for spoken word recognition", 1978. Keogh,
    Ratanamahatana: "Exact indexing of dynamic time warping", 2005.
    """
    may = np.ones((len(asked), len(known)), dtype=np.bool_) if allowed is None else allowed
    low, high = envelopes(known, window)
    places = np.full(len(asked), -1, dtype=np.int64)
    distances = np.full(len(asked), np.inf)
    _search(np.ascontiguousarray(asked), (known, low, high), window, may, (places, distances))
    return places, np.sqrt(distances)


@compiled
def _search(
    asked: Float32Array,
    held: tuple[Float32Array, Float32Array, Float32Array],
    window: int,
    may: BoolArray,
    out: tuple[IntArray, Float64Array],
) -> None:
    known, low, high = held
    places, distances = out
    bounds = np.empty(len(known))
    for n in range(len(asked)):
        for m in range(len(known)):
            bounds[m] = _bound(asked[n], low[m], high[m]) if may[n, m] else np.inf
        # In the order of their bounds the nearest is met early, and the rest is never looked at.
        for m in np.argsort(bounds, kind="mergesort"):
            if not may[n, m] or bounds[m] > distances[n] * (1.0 + 1e-9):
                continue
            cost = bounds[m] if window == 0 else _warped(asked[n], known[m], window, distances[n])
            if cost < distances[n] or (cost == distances[n] and m < places[n]):
                distances[n], places[n] = cost, m


@compiled
def _bound(series: Float32Array, low: Float32Array, high: Float32Array) -> float:
    total = 0.0
    for c in range(series.shape[0]):
        for t in range(series.shape[1]):
            beyond = max(float(series[c, t]) - high[c, t], low[c, t] - float(series[c, t]), 0.0)
            total += beyond * beyond
    return total


@compiled
def _warped(one: Float32Array, other: Float32Array, window: int, most: float) -> float:
    steps = one.shape[1]
    before = np.full(steps + 1, np.inf)
    now = np.full(steps + 1, np.inf)
    before[0] = 0.0
    for i in range(steps):
        first, last = max(0, i - window), min(steps, i + window + 1)
        now[first] = np.inf
        least = np.inf
        for j in range(first, last):
            cost = 0.0
            for c in range(one.shape[0]):
                apart = float(one[c, i]) - float(other[c, j])
                cost += apart * apart
            cost += min(before[j], before[j + 1], now[j])
            now[j + 1] = cost
            least = min(least, cost)
        if last < steps:
            now[last + 1] = np.inf
        # A hair more than the most: of two at the same distance both are wanted, and sums differ in their order.
        if least > most * (1.0 + 1e-9):
            return np.inf
        before, now = now, before
    return float(before[steps])
