"""Long tails drawn in and gaps filled: what a linear model needs of laboratory values and counts."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array

TAILS = (0.01, 0.99)
"""Values beyond these quantiles of the training part are drawn in. On 4000 intensive-care stays, divided by
themselves, the area under the curve was .837; with ranks in place of values .833."""


def fit_tails(values: Float64Array) -> Float64Array:
    """Return least, most and mean of each feature, ``3 f`` float64; 0 for one that no row has.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN missing.
    """
    tails = np.zeros((3, values.shape[1]))
    for feature, column in enumerate(values.T):
        seen = column[np.isfinite(column)]
        if len(seen):
            tails[:2, feature] = np.quantile(seen, TAILS)
            tails[2, feature] = np.clip(seen, *tails[:2, feature]).mean()
    return tails


def drawn_in(values: Float64Array, tails: AnyArray) -> Float32Array:
    """Return values within the tails, the mean where one is missing, ``n f`` float32.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN missing.
    tails : numpy.ndarray
        ``3 f``, from `fit_tails`.
    """
    low, high, mean = np.asarray(tails, dtype=np.float64)
    found: Float32Array = np.where(np.isfinite(values), np.clip(values, low, high), mean).astype(np.float32)
    return found
