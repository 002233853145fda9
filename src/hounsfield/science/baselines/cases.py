"""What every baseline of masks takes and gives.

A baseline is a module with two functions::

    fit(cases: Cases, *, rng) -> Fitted
    apply(fitted: Fitted, image) -> float32 array, k y x or k z y x, probabilities 0 to 1
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float32Array, Float64Array, Json


@dataclass(frozen=True)
class Case:
    """One training image with its masks.

    Parameters
    ----------
    image : numpy.ndarray
        One channel, ``y x`` or ``z y x``.
    masks : numpy.ndarray
        Bool, ``k y x`` or ``k z y x``.
    """

    image: AnyArray
    masks: AnyArray

    def __post_init__(self) -> None:
        if self.masks.shape[1:] != self.image.shape or self.masks.dtype != np.bool_:
            raise InputError(
                f"Masks of {self.masks.dtype} with the shape {self.masks.shape} lie on an image of {self.image.shape}.",
                expected="one bool mask for each class, of the image's size",
                next_step="bring the masks to the grid of the image",
            )


LEAST = 1e-6
"""The smallest share that is one."""

Cases: TypeAlias = Callable[[], Iterable[Case]]
"""Called once for each pass over the training images, so that they need not all be held."""


@dataclass(frozen=True)
class Fitted:
    """What a baseline learned.

    Parameters
    ----------
    json : mapping of str to Json
    arrays : mapping of str to numpy.ndarray
    """

    json: Mapping[str, Json]
    arrays: Mapping[str, AnyArray] = field(default_factory=dict)


def finite(image: AnyArray) -> Float64Array:
    """Return an image as float64, what is no number as the smallest value."""
    values = np.asarray(image, dtype=np.float64)
    known = np.isfinite(values)
    if known.all():
        return values
    return np.where(known, values, values[known].min() if known.any() else 0.0)


def none_seen(name: str) -> InputError:
    """Return the error of a baseline that has no training image."""
    return InputError(
        f"The baseline {name} has no training image with a mask.",
        expected="at least one",
        next_step="give masks to some of the training images",
    )


def as_probabilities(masks: Iterable[AnyArray]) -> Float32Array:
    """Return masks as probabilities 0 and 1."""
    return np.stack([np.asarray(m, dtype=np.float32) for m in masks])


def sharpened(share: Float64Array, threshold: float) -> Float64Array:
    """Return shares moved so that `threshold` becomes one half, in order and within 0 and 1.

    Notes
    -----
    A threshold of 0 marks every share above it, one of 1 only full shares.
    """
    limit = min(max(threshold, LEAST), 1 - LEAST)
    low, high = 0.5 * share / limit, 1 - 0.5 * (1 - share) / (1 - limit)
    return np.where(share < limit, low, high)
