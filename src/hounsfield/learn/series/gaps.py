"""Where a padded series ends, and what is put into its gaps."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, IntArray
from hounsfield.science.compiled import compiled


def lengths(values: AnyArray) -> IntArray:
    """Return the steps up to the last at which anything was recorded, at least 1.

    Parameters
    ----------
    values : numpy.ndarray
        ``n c t``; what is not finite was not recorded.

    Returns
    -------
    numpy.ndarray
        ``n`` int64.
    """
    seen = np.isfinite(values).any(axis=1)
    steps = np.arange(1, values.shape[2] + 1)
    found: IntArray = np.maximum((seen * steps).max(axis=1), 1).astype(np.int64)
    return found


def bridged(values: AnyArray) -> tuple[Float32Array, IntArray]:
    """Return series without gaps, and where each ends.

    Parameters
    ----------
    values : numpy.ndarray
        ``n c t``, any float; what is not finite was not recorded.

    Returns
    -------
    tuple
        ``n c t`` float32: gaps are bridged by straight lines, before the first and behind the last value of a channel
        that value is repeated, a channel without any value is 0, and so is what lies behind the end; and the lengths
        ``n`` int64.
    """
    ends = lengths(values)
    whole = np.array(values, dtype=np.float32, order="C")
    _bridge(whole, ends)
    return whole, ends


@compiled
def _bridge(series: Float32Array, ends: IntArray) -> None:
    for n in range(series.shape[0]):
        end = ends[n]
        for c in range(series.shape[1]):
            last = -1
            for t in range(end):
                if not np.isfinite(series[n, c, t]):
                    continue
                value = series[n, c, t]
                if last < 0:
                    for gap in range(t):
                        series[n, c, gap] = value
                else:
                    begin = series[n, c, last]
                    for gap in range(last + 1, t):
                        share = np.float32(gap - last) / np.float32(t - last)
                        series[n, c, gap] = begin + share * (value - begin)
                last = t
            rest = series[n, c, last] if last >= 0 else np.float32(0.0)
            for t in range(last + 1, end):
                series[n, c, t] = rest
            for t in range(end, series.shape[2]):
                series[n, c, t] = np.float32(0.0)
