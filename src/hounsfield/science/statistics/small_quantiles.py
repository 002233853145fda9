"""Quantiles of few values, many times: bit by bit those of NumPy, without what its general form costs each time."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, IntArray

ROWS = 4096
"""Stretches that are sorted at once."""


def quantiles(values: Float64Array, shares: Sequence[float]) -> Float64Array:
    """Return quantiles, linear between neighbours, as ``numpy.quantile`` does.

    Parameters
    ----------
    values : numpy.ndarray
        ``... n``, at least one, all finite.
    shares : sequence of float
        0 to 1.

    Returns
    -------
    numpy.ndarray
        ``... q``, one for each share.

    Notes
    -----
    Definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996. A day of ECG is a hundred
    thousand beats, and each is looked at.
    """
    ordered = np.sort(values, axis=-1)
    last = ordered.shape[-1] - 1
    at = np.asarray(shares) * last
    low = np.floor(at).astype(np.int64)
    share = at - low
    first, second = ordered[..., low], ordered[..., np.minimum(low + 1, last)]
    apart = second - first
    found: Float64Array = np.where(share >= 0.5, second - apart * (1.0 - share), first + apart * share)
    return found


def quantile_within(values: AnyArray, first: IntArray, stop: IntArray, *, share: float) -> Float64Array:
    """Return a quantile of each of many short stretches of a series, as ``numpy.quantile`` does.

    Parameters
    ----------
    values : numpy.ndarray
        ``t``, finite.
    first, stop : numpy.ndarray
        ``n``, int64: where each stretch begins, and the place behind its last value.
    share : float
        0 to 1.

    Returns
    -------
    numpy.ndarray
        ``n`` float64; NaN of an empty stretch.

    Notes
    -----
    Stretches are sorted side by side, the shorter ones filled up with infinity behind their values.
    """
    found = np.full(len(first), np.nan)
    for begin in range(0, len(first), ROWS):
        rows = slice(begin, begin + ROWS)
        count = stop[rows] - first[rows]
        width = int(count.max())
        if width < 1:
            continue
        places = first[rows, None] + np.arange(width)
        inside = places < stop[rows, None]
        ordered = np.where(inside, values[np.minimum(places, len(values) - 1)], np.inf)
        ordered.sort(axis=1)
        at = share * (np.maximum(count, 1) - 1)
        low = at.astype(np.int64)
        rest = at - low
        here = np.arange(len(count))
        below, above = ordered[here, low], ordered[here, np.minimum(low + 1, np.maximum(count, 1) - 1)]
        filled = count > 0
        apart = np.subtract(above, below, out=np.zeros(len(count)), where=filled)
        made = np.where(rest >= 0.5, above - apart * (1.0 - rest), below + apart * rest)
        found[rows] = np.where(filled, made, np.nan)
    return found


def middle_around(values: AnyArray, reach: int) -> Float64Array:
    """Return the median of each value of a series and so many on either side, fewer at its ends.

    Parameters
    ----------
    values : numpy.ndarray
        ``t``, finite.
    reach : int

    Returns
    -------
    numpy.ndarray
        ``t`` float64.
    """
    at = np.arange(len(values))
    return quantile_within(values, np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values)), share=0.5)
