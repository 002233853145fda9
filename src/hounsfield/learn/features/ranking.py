"""Ranks instead of values: what a linear model needs of quantities with long tails and gaps."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array

KNOTS = 64
"""Quantiles that a value is ranked among."""


def fit_knots(values: Float64Array) -> Float64Array:
    """Return quantiles of each feature, ``KNOTS f`` float64; 0 for one that no row has.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN missing.
    """
    shares = (np.arange(KNOTS) + 0.5) / KNOTS
    knots = np.zeros((KNOTS, values.shape[1]))
    for feature, column in enumerate(values.T):
        seen = column[np.isfinite(column)]
        if len(seen):
            knots[:, feature] = np.quantile(seen, shares)
    return knots


def ranked(values: Float64Array, knots: AnyArray) -> Float32Array:
    """Return the mid-rank of each value among the knots of its feature, ``n f`` float32.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, NaN missing.
    knots : numpy.ndarray
        ``KNOTS f``, from `fit_knots`.

    Returns
    -------
    numpy.ndarray
        From -1 (below all) over 0 (median, or missing) to 1 (above all).
    """
    found = np.zeros(values.shape, dtype=np.float32)
    for feature, column in enumerate(values.T):
        own = np.asarray(knots[:, feature], dtype=np.float64)
        both = np.searchsorted(own, column, "left") + np.searchsorted(own, column, "right")
        found[:, feature] = np.where(np.isfinite(column), both / len(own) - 1.0, 0.0)
    return found
