"""Checks of truths and predictions, and the few array operations that all metrics share."""

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray


def binary_truth(truth: AnyArray) -> BoolArray:
    """Return a truth of zeros and ones as booleans.

    Parameters
    ----------
    truth : array (n,)
        0 or 1 for every sample, of any number type; missing answers are taken out before.

    Returns
    -------
    bool array (n,)

    Raises
    ------
    InputError
        Where a value is neither 0 nor 1, or the array is not one-dimensional.
    """
    truth = np.asarray(truth)
    if truth.ndim != 1:
        raise InputError(f"A binary truth has the shape {truth.shape}.", expected="one value per sample")
    positive: BoolArray = truth == 1
    if not np.all(positive | (truth == 0)):
        raise InputError(
            "A binary truth holds values other than 0 and 1.",
            expected="0 or 1 for every sample",
            next_step="leave samples without an answer out before the metric",
        )
    return positive


def class_truth(truth: AnyArray, classes: int) -> IntArray:
    """Return a truth of class indices, with -1 where the answer is missing.

    Parameters
    ----------
    truth : array (n,)
        Class index in [0, classes), or -1 or NaN where missing.
    classes : int
        The number of classes k.

    Returns
    -------
    int array (n,)

    Raises
    ------
    InputError
        Where an index is outside the classes or is no whole number.
    """
    truth = np.asarray(truth)
    if truth.ndim != 1:
        raise InputError(f"A categorical truth has the shape {truth.shape}.", expected="one class index per sample")
    values = np.asarray(truth, dtype=np.float64)
    values = np.where(np.isnan(values), -1.0, values)
    index: IntArray = values.astype(np.int64)
    if np.any(index != values) or np.any((index < -1) | (index >= classes)):
        raise InputError(
            "A categorical truth holds values that are no class index.",
            expected=f"whole numbers from 0 to {classes - 1}, or -1 where the answer is missing",
        )
    return index


def finite(values: AnyArray, *, shape: tuple[int, ...], name: str) -> Float64Array:
    """Return predictions as float64 after checking shape and finiteness.

    Parameters
    ----------
    values : array
        Scores, probabilities or numbers.
    shape : tuple of int
        The shape that they must have.
    name : str
        What they are, for the message.

    Returns
    -------
    float64 array

    Raises
    ------
    InputError
        Where the shape differs or a value is NaN or infinite.
    """
    array: Float64Array = np.asarray(values, dtype=np.float64)
    if array.shape != shape:
        raise InputError(f"The {name} has the shape {array.shape}.", expected=f"the shape {shape}")
    if not np.all(np.isfinite(array)):
        raise InputError(
            f"The {name} holds NaN or infinite values.",
            expected="a finite value for every sample",
            next_step="leave refused samples out before the metric",
        )
    return array


def unit_weights(samples: int) -> Float64Array:
    """Return the weight matrix (n, 1) under which a weighted metric is the plain metric."""
    return np.ones((samples, 1), dtype=np.float64)


def ratio(numerator: Float64Array, denominator: Float64Array) -> Float64Array:
    """Divide element by element; NaN where the denominator is zero."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    result: Float64Array = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def logit(probability: Float64Array) -> Float64Array:
    """Return log-odds, with probabilities first moved into [1e-7, 1 - 1e-7] so that they stay finite."""
    inside = np.clip(probability, 1e-7, 1 - 1e-7)
    odds: Float64Array = np.log(inside) - np.log1p(-inside)
    return odds


def expit(log_odds: Float64Array) -> Float64Array:
    """Return 1 / (1 + exp(-x)) without overflow."""
    result: Float64Array = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return result
