"""The pointing game: whether the highest place of a map lies in what a reader outlined."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array

TOLERANCE = 15.0 / 224.0
"""Tolerance of the pointing game as a share of the longest edge."""
_Z = 1.959963984540054


@dataclass(frozen=True)
class Pointed:
    """One image of the game.

    Parameters
    ----------
    hit, near : bool
        Whether the map's highest place lies in the mask, and within the tolerance of it.
    share, share_near : float
        Share of the image that the mask covers, alone and with the tolerance: what a random place would hit.
    middle, middle_near : bool
        Whether the middle of the image would hit.
    """

    hit: bool
    near: bool
    share: float
    share_near: float
    middle: bool
    middle_near: bool


def point(values: Float64Array, mask: BoolArray, *, tolerance: float = TOLERANCE) -> Pointed:
    """Play the game on one image.

    Parameters
    ----------
    values : numpy.ndarray
        A map.
    mask : numpy.ndarray
        Of the same size, with at least one place inside.
    tolerance : float
        Share of the longest edge.

    References
    ----------
    Zhang et al., "Top-down neural attention by excitation backprop", ECCV 2016 (15 pixels at 224).
    """
    from scipy.ndimage import distance_transform_edt

    reach = distance_transform_edt(~mask) <= tolerance * max(mask.shape)
    peak = peak_of(values)
    middle = tuple(n // 2 for n in mask.shape)
    return Pointed(
        hit=bool(mask[peak]),
        near=bool(reach[peak]),
        share=float(mask.mean()),
        share_near=float(reach.mean()),
        middle=bool(mask[middle]),
        middle_near=bool(reach[middle]),
    )


def peak_of(values: Float64Array) -> tuple[int, ...]:
    """Return where a map is highest."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(values)), values.shape))


def share_with_interval(hits: Sequence[bool]) -> tuple[float, float, float]:
    """Return a share and its 95% interval by Wilson's score, 0 to 1.

    References
    ----------
    Wilson, "Probable inference", JASA 1927.
    """
    n = len(hits)
    p = sum(hits) / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    return p, max(0.0, middle - half), min(1.0, middle + half)
