"""Linear autoregression: a weighted sum of the last readings, fitted to each question directly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array, Json
from hounsfield.science.forecasting.fitting import numbers, pooled
from hounsfield.science.forecasting.outcomes import windows

ROUNDS = 30
RIDGE = 1e-4
MOST_ROWS = 60_000
"""More questions than this are thinned out evenly: some fifty weights need no more."""


@dataclass(frozen=True)
class Autoregression:
    """``y_k = c_k + sum_j w_jk x_(i-j)``.

    Parameters
    ----------
    weights : numpy.ndarray
        ``lags k``; row 0 is of the present reading.
    constant : numpy.ndarray
        ``k``, in the variable's unit.

    Notes
    -----
    Fitted to the least absolute error, which is what forecasts are judged by, with iteratively reweighted least
    squares and a ridge that is small beside the readings' variance: collinear neighbours of a waveform would else
    get weights that blow noise up. Each question has its own weights (direct forecasts): nothing is iterated.

    References
    ----------
    Schlossmacher EJ. An iterative technique for absolute deviations curve fitting. JASA 1973;68:857-859. Marcellino M,
    Stock JH, Watson MW. Journal of Econometrics 2006;135:499-526 (direct and iterated forecasts).
    """

    weights: Float64Array
    constant: Float64Array

    @classmethod
    def fit(cls, past: Sequence[Float64Array], truth: Sequence[Float64Array], *, lags: int) -> "Autoregression":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        every, known = pooled(truth)
        rows = np.concatenate([windows(series, lags) for series in past])
        weights, constant = np.zeros((lags, every.shape[1])), np.zeros(every.shape[1])
        for k, column in enumerate(every.T):
            chosen = np.flatnonzero(known[:, k])
            chosen = chosen[:: max(1, -(-len(chosen) // MOST_ROWS))]
            weights[:, k], constant[k] = least_absolute(rows[chosen], column[chosen])
        return cls(weights, constant)

    def apply(self, past: Float64Array) -> Float64Array:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return windows(past, len(self.weights)) @ self.weights + self.constant

    def to_json(self) -> Json:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return {"weights": self.weights.tolist(), "constant": self.constant.tolist()}

    @classmethod
    def from_json(cls, stored: Json) -> "Autoregression":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return cls(numbers(stored, "weights", ndim=2), numbers(stored, "constant", ndim=1))


def least_absolute(
    inputs: Float64Array, wanted: Float64Array, *, ridge: Float64Array | None = None
) -> tuple[Float64Array, float]:
    """Return weights and constant with about the least mean absolute error.

    Parameters
    ----------
    inputs : numpy.ndarray
        ``n p``.
    wanted : numpy.ndarray
        ``n``.
    ridge : numpy.ndarray, optional
        ``p``: penalty on each squared weight; None: `RIDGE` of the inputs' variance.
    """
    middle, centre = inputs.mean(axis=0), float(np.median(wanted))
    rows = np.column_stack([inputs - middle, np.ones(len(inputs))])
    target = wanted - centre
    penalty = np.zeros(rows.shape[1])
    penalty[:-1] = ridge if ridge is not None else RIDGE * max(float(inputs.var()), 1e-12)
    share = np.full(len(rows), 1.0 / max(len(rows), 1))
    found = np.zeros(rows.shape[1])
    for _ in range(ROUNDS):
        weighted = rows * share[:, None]
        found = np.linalg.solve(rows.T @ weighted + np.diag(penalty + 1e-12), weighted.T @ target)
        off = np.abs(target - rows @ found)
        closest = max(1e-3 * float(np.median(off)), 1e-9)
        share = 1.0 / np.maximum(off, closest)
        share /= share.sum()
    return found[:-1], float(found[-1] + centre - found[:-1] @ middle)
