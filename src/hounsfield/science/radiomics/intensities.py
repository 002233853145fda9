"""Intensity statistics, of intensities and of grey levels alike (IBSI manual, sections 3.3 and 3.4)."""

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.compiled import compiled

NAMES = (
    "mean", "var", "skew", "kurt", "median", "min", "p10", "p90", "max", "iqr", "range", "mad", "rmad", "medad", "cov",
    "qcod", "energy", "rms",
)  # fmt: skip


@compiled
def statistics(ordered: Float64Array) -> Float64Array:
    """Return the statistics of a region's intensities.

    Parameters
    ----------
    ordered : numpy.ndarray
        ``n``, float64, sorted, at least one.

    Returns
    -------
    numpy.ndarray
        ``18``, float64, as `NAMES`; NaN where a formula divides by zero.

    Notes
    -----
    Variance divides by n; kurtosis is in excess of a normal distribution's. Percentiles are interpolated linearly
    between the two nearest ranks. Sums run over the sorted values, so that the order of voxels changes no bit.
    """
    n = len(ordered)
    low, high = _percentile(ordered, 0.10), _percentile(ordered, 0.90)
    first, third, median = _percentile(ordered, 0.25), _percentile(ordered, 0.75), _percentile(ordered, 0.50)
    total = energy = inner = 0.0
    held = 0
    for x in ordered:
        total += x
        energy += x * x
        if low <= x <= high:
            inner += x
            held += 1
    mean, inner = total / n, inner / held
    second = third_moment = fourth = away = robust = middle = 0.0
    for x in ordered:
        d = x - mean
        second += d * d
        third_moment += d * d * d
        fourth += d * d * d * d
        away += abs(d)
        middle += abs(x - median)
        if low <= x <= high:
            robust += abs(x - inner)
    out = np.full(18, np.nan)
    variance = second / n
    out[0], out[1], out[4], out[5], out[6], out[7] = mean, variance, median, ordered[0], low, high
    out[8], out[9], out[10] = ordered[n - 1], third - first, ordered[n - 1] - ordered[0]
    out[11], out[12], out[13] = away / n, robust / held, middle / n
    if ordered[n - 1] > ordered[0]:
        out[2], out[3] = third_moment / n / variance**1.5, fourth / n / (variance * variance) - 3.0
    if mean != 0.0:
        out[14] = np.sqrt(variance) / mean
    if third + first != 0.0:
        out[15] = (third - first) / (third + first)
    out[16], out[17] = energy, np.sqrt(energy / n)
    return out


@compiled
def _percentile(ordered: Float64Array, share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    if below + 1 >= len(ordered):
        return float(ordered[-1])
    return float(ordered[below] + (place - below) * (ordered[below + 1] - ordered[below]))
