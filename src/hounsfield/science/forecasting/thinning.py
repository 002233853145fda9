"""Fewer samples of a series, without a look at what comes; and a long series in pieces."""

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.course import Course

ORDER = 4
PASS = 0.8
"""Edge of the filter as a share of half the new rate."""


def factor(rate_hz: float, wanted_hz: float) -> int:
    """Return how many samples become one, at least 1: the new rate is at most the wanted one."""
    return max(1, int(np.ceil(rate_hz / wanted_hz - 1e-9)))


def thinned(values: Float64Array, rate_hz: float, wanted_hz: float) -> Float64Array:
    """Return rows at a lower rate, behind a causal anti-aliasing filter.

    Parameters
    ----------
    values : numpy.ndarray
        ``c t``, NaN where nothing was recorded: the filter then sees the last value, and the gap stays a gap.
    rate_hz, wanted_hz : float
        Present rate, and the highest that the result may have.

    Returns
    -------
    numpy.ndarray
        ``c ceil(t / n)``; sample i knows nothing later than sample i n of the input.

    Notes
    -----
    A Butterworth filter of order 4 forwards only: what it delays, about half a sample of the new rate, is the price of
    not looking ahead.
    """
    step = factor(rate_hz, wanted_hz)
    if step == 1 or values.shape[1] == 0:
        return values
    from scipy.signal import butter, sosfilt, sosfilt_zi

    stages = butter(ORDER, PASS * rate_hz / step / 2, fs=rate_hz, output="sos")
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), -1), axis=1)
    found = np.full((len(values), -(-values.shape[1] // step)), np.nan)
    for row, one in enumerate(values):
        if not known[row].any():
            continue
        begin = int(np.argmax(known[row]))
        held = one[np.maximum(last[row], begin)]
        lowered, _ = sosfilt(stages, held[begin:], zi=sosfilt_zi(stages) * held[begin])
        whole = np.full(len(one), np.nan)
        whole[begin:] = lowered
        found[row] = np.where(known[row], whole, np.nan)[::step]
    return found


def pieces(course: Course, most: int) -> list[Course]:
    """Return a course in stretches of at most so many steps.

    Parameters
    ----------
    course : Course
    most : int
        At least 1.

    Notes
    -----
    Each ends with its own last step: what was asked near its end stays without an answer.
    """
    count = len(course.times_h)
    if count <= most:
        return [course]
    found: list[Course] = []
    for first in range(0, count, most):
        last = min(first + most, count)
        end = course.end_h if last == count else float(course.times_h[last - 1])
        found.append(Course(course.times_h[first:last], course.values[:, first:last], end))
    return found
