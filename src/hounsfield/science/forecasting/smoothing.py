"""Exponential smoothing: a level that follows the readings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array, Json
from hounsfield.science.forecasting.fitting import median_shift, numbers, pooled

ALPHAS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Smoothing:
    """``s_i = s_(i-1) + a (x_i - s_(i-1))``, s_0 = x_0, and for each question what it usually lies off.

    Parameters
    ----------
    alpha : numpy.ndarray
        ``k``, in (0, 1]: the one of `ALPHAS` with the smallest mean absolute error in training, for each question.
    shift : numpy.ndarray
        ``k``, in the variable's unit.

    References
    ----------
    Brown RG. Statistical forecasting for inventory control. 1959. Holt CC. International Journal of Forecasting
    2004;20:5-10 (reprint of 1957).
    """

    alpha: Float64Array
    shift: Float64Array

    @classmethod
    def fit(cls, past: Sequence[Float64Array], truth: Sequence[Float64Array], *, lags: int) -> "Smoothing":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        del lags
        every, _ = pooled(truth)
        best = np.full(every.shape[1], np.inf)
        alpha, shift = np.ones(every.shape[1]), np.zeros(every.shape[1])
        for candidate in ALPHAS:
            level = np.concatenate([smoothed(series, candidate) for series in past])
            for k, column in enumerate(every.T):
                off = median_shift(level, column)
                error = float(np.nanmean(np.abs(column - level - off)))
                if error < best[k]:
                    best[k], alpha[k], shift[k] = error, candidate, off
        return cls(alpha, shift)

    def apply(self, past: Float64Array) -> Float64Array:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        levels = {alpha: smoothed(past, alpha) for alpha in set(self.alpha.tolist())}
        return np.stack([levels[alpha] for alpha in self.alpha.tolist()], axis=1) + self.shift

    def to_json(self) -> Json:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return {"alpha": self.alpha.tolist(), "shift": self.shift.tolist()}

    @classmethod
    def from_json(cls, stored: Json) -> "Smoothing":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return cls(numbers(stored, "alpha", ndim=1), numbers(stored, "shift", ndim=1))


def smoothed(readings: Float64Array, alpha: float) -> Float64Array:
    """Return the level after each reading, ``m``.

    Parameters
    ----------
    readings : numpy.ndarray
        ``m``, no NaN.
    alpha : float
        In (0, 1].
    """
    if alpha == 1.0 or len(readings) < 2:
        return readings.astype(np.float64)
    from scipy.signal import lfilter

    level, _ = lfilter([alpha], [1.0, alpha - 1.0], readings, zi=[(1.0 - alpha) * readings[0]])
    return np.asarray(level, np.float64)
