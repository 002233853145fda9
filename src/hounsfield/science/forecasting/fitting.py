"""What the cheap forecasts share: pooling series, a median shift, reading back what was stored."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.errors import BundleError, InputError
from hounsfield.core.types import BoolArray, Float64Array, Json


def pooled(truth: Sequence[Float64Array]) -> tuple[Float64Array, BoolArray]:
    """Return the truths of all series, ``n k``, and which are known.

    Raises
    ------
    InputError
        If no answer is known for a question.
    """
    every = np.concatenate(list(truth)) if truth else np.zeros((0, 1))
    known = np.isfinite(every)
    if not len(every) or not known.any(axis=0).all():
        raise InputError(
            "A question has no known answer in the training series.",
            expected="readings after others, within every horizon",
            next_step="choose horizons (--ahead) that are shorter than the series and longer than the time from one "
            "reading to the next",
        )
    return every, known


def median_shift(forecast: Float64Array, truth: Float64Array) -> float:
    """Return what is to be added to a forecast so that half of the truths lie under it; ``n`` each, NaN left out."""
    return float(np.nanmedian(truth - forecast))


def numbers(stored: Json, key: str, *, ndim: int) -> Float64Array:
    """Return an array of a stored forecast.

    Raises
    ------
    BundleError
        If there is none of so many axes, or a number in it is not finite.
    """
    found = stored.get(key) if isinstance(stored, dict) else None
    try:
        array = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if found is None or array.ndim != ndim or not array.size or not np.isfinite(array).all():
        raise BundleError(
            f"A stored forecast has no usable {key!r}.",
            expected=f"finite numbers with {ndim} axes",
            next_step="use an undamaged copy of the bundle",
        )
    return array
