"""A line that hears the other variables: an autoregression beside what was last seen of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.autoregression import MOST_ROWS, RIDGE, Autoregression, least_absolute
from hounsfield.science.forecasting.fitting import pooled
from hounsfield.science.forecasting.outcomes import windows

PENALTIES = (1e-3, 1e-2, 1e-1)
"""On the squared weights of the others, which are heard in units of their own spread."""
HELD = 4
"""Every so manieth stretch of the training series tells whether hearing the others helps."""
TRIAL_ROWS = 15_000
LEAST_GAIN = 0.002
"""Share of the error that the others have to save there: less is chance, and one more thing to go wrong."""


@dataclass(frozen=True)
class Line:
    """``y_k = c_k + sum_j w_jk x_(i-j) + sum_v u_vk z_v``, z what was last seen of the others.

    Parameters
    ----------
    weights : numpy.ndarray
        ``lags k``.
    constant : numpy.ndarray
        ``k``.
    company : numpy.ndarray
        ``v k``; a column of zeros where a question is answered no better by hearing the others.
    """

    weights: Float64Array
    constant: Float64Array
    company: Float64Array


def fit_line(
    alone: Autoregression, past: Sequence[Float64Array], beside: Sequence[Float64Array], truth: Sequence[Float64Array]
) -> Line:
    """Fit a line for each question, with the others where they help.

    Parameters
    ----------
    alone : Autoregression
        Fitted to the same series: what is kept where the others do not help.
    past : sequence of numpy.ndarray
        Of each series ``m`` readings.
    beside : sequence of numpy.ndarray
        Of each series ``m v``: what was last seen of each variable at those readings, standardised; 0 where nothing
        was, and for the variable itself.
    truth : sequence of numpy.ndarray
        Of each series ``m k``, NaN where not known.

    Notes
    -----
    Whether the others help, and how much their weights are held back, is tried inside the training part: the last
    fourth of the series, in their order, judges weights of the first three fourths, so that neighbouring series, which
    are often of one patient, stay together.
    """
    lags = len(alone.weights)
    every, known = pooled(truth)
    rows = np.concatenate([np.column_stack([windows(p, lags), b]) for p, b in zip(past, beside, strict=True)])
    judges = np.concatenate([np.full(len(p), number * HELD >= len(past) * (HELD - 1)) for number, p in enumerate(past)])
    weights, constant = alone.weights.copy(), alone.constant.copy()
    company = np.zeros((rows.shape[1] - lags, every.shape[1]))
    for k, column in enumerate(every.T):
        learned, held = np.flatnonzero(known[:, k] & ~judges), np.flatnonzero(known[:, k] & judges)
        if len(learned) < 2 * rows.shape[1] or not len(held):
            continue
        learned = learned[:: max(1, -(-len(learned) // TRIAL_ROWS))]
        inputs, wanted = rows[learned], column[learned]
        plain = least_absolute(inputs[:, :lags], wanted)
        best, chosen = (1.0 - LEAST_GAIN) * _off(rows[held, :lags], column[held], plain), None
        for penalty in PENALTIES:
            off = _off(rows[held], column[held], least_absolute(inputs, wanted, ridge=_ridge(inputs, lags, penalty)))
            if off < best:
                best, chosen = off, penalty
        if chosen is not None:
            whole = np.flatnonzero(known[:, k])
            whole = whole[:: max(1, -(-len(whole) // MOST_ROWS))]
            found, constant[k] = least_absolute(rows[whole], column[whole], ridge=_ridge(rows[whole], lags, chosen))
            weights[:, k], company[:, k] = found[:lags], found[lags:]
    return Line(weights, constant, company)


def _ridge(inputs: Float64Array, lags: int, penalty: float) -> Float64Array:
    own = RIDGE * max(float(inputs[:, :lags].var()), 1e-12)
    return np.concatenate([np.full(lags, own), np.full(inputs.shape[1] - lags, penalty)])


def _off(inputs: Float64Array, wanted: Float64Array, fitted: tuple[Float64Array, float]) -> float:
    return float(np.abs(wanted - inputs @ fitted[0] - fitted[1]).mean())
