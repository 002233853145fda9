"""What a cheap forecast is."""

from collections.abc import Sequence
from typing import Protocol, Self

from hounsfield.core.types import Float64Array, Json


class Baseline(Protocol):
    """A cheap forecast of one variable from its own past readings."""

    @classmethod
    def fit(cls, past: Sequence[Float64Array], truth: Sequence[Float64Array], *, lags: int) -> Self:
        """Fit to training series.

        Parameters
        ----------
        past : sequence of numpy.ndarray
            Of each series the ``m`` readings.
        truth : sequence of numpy.ndarray
            Of each series ``m k``: what came after each reading; NaN where it is not known.
        lags : int
            How many readings may be looked back at.

        Raises
        ------
        InputError
            If no answer is known for a question.
        """

    def apply(self, past: Float64Array) -> Float64Array:
        """Return the forecast at each reading of one series, ``m k``, from that reading and earlier ones alone."""

    def to_json(self) -> Json:
        """Return everything that was fitted."""

    @classmethod
    def from_json(cls, stored: Json) -> Self:
        """Return what was stored.

        Raises
        ------
        BundleError
            If it is not what was stored.
        """
