"""Quantiles of few values, many times: bit by bit those of NumPy, without what its general form costs each time."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array


def quantiles(values: Float64Array, shares: Sequence[float]) -> Float64Array:
    """Return quantiles, linear between neighbours, as ``numpy.quantile`` does.

    Parameters
    ----------
    values : numpy.ndarray
        ``n``, at least one, all finite.
    shares : sequence of float
        0 to 1.

    Notes
    -----
    Definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages", 1996. A day of ECG is a hundred
    thousand beats, and each is looked at.
    """
    ordered = np.sort(values)
    at = np.asarray(shares) * (len(ordered) - 1)
    low = np.floor(at).astype(np.int64)
    share = at - low
    first, second = ordered[low], ordered[np.minimum(low + 1, len(ordered) - 1)]
    apart = second - first
    found: Float64Array = np.where(share >= 0.5, second - apart * (1.0 - share), first + apart * share)
    return found


def quantile(values: Float64Array, share: float) -> float:
    """Return one quantile, as `quantiles` does."""
    ordered = np.sort(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    rest = at - low
    first, second = float(ordered[low]), float(ordered[min(low + 1, len(ordered) - 1)])
    return second - (second - first) * (1.0 - rest) if rest >= 0.5 else first + (second - first) * rest


def middle(values: AnyArray) -> float:
    """Return the median of at least one finite value, as ``numpy.median`` does."""
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float(ordered[half]) if len(ordered) % 2 else (float(ordered[half - 1]) + float(ordered[half])) / 2.0
