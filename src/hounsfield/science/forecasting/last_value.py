"""The last value: what is, will be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array, Json
from hounsfield.science.forecasting.fitting import median_shift, numbers, pooled


@dataclass(frozen=True)
class LastValue:
    """The present reading, and for each question what it usually lies off.

    Parameters
    ----------
    shift : numpy.ndarray
        ``k``, in the variable's unit. The lowest reading of three hours lies under the present one; without the shift
        the comparison would be too easy to win.
    """

    shift: Float64Array

    @classmethod
    def fit(cls, past: Sequence[Float64Array], truth: Sequence[Float64Array], *, lags: int) -> "LastValue":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        del lags
        every, _ = pooled(truth)
        now = np.concatenate(list(past))
        return cls(np.array([median_shift(now, column) for column in every.T]))

    def apply(self, past: Float64Array) -> Float64Array:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return past[:, None] + self.shift

    def to_json(self) -> Json:
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return {"shift": self.shift.tolist()}

    @classmethod
    def from_json(cls, stored: Json) -> "LastValue":
        """See `hounsfield.science.forecasting.protocol.Baseline`."""
        return cls(numbers(stored, "shift", ndim=1))
