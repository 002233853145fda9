"""Shapes whose figures are known in closed form."""

import numpy as np

from hounsfield.core.types import BoolArray


def box(size: tuple[int, ...], *sides: slice) -> BoolArray:
    mask = np.zeros(size, dtype=np.bool_)
    mask[sides] = True
    return mask


def ball(
    size: tuple[int, int, int], spacing: tuple[float, float, float], radius: float, shift: float = 0.0
) -> BoolArray:
    """Return a ball about the middle, moved by `shift` mm along x."""
    places = np.indices(size, dtype=float)
    middle = [(p - (n - 1) / 2) * s for p, n, s in zip(places, size, spacing, strict=True)]
    inside: BoolArray = middle[0] ** 2 + middle[1] ** 2 + (middle[2] - shift) ** 2 <= radius**2
    return inside
