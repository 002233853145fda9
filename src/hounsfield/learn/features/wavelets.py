"""Morlet waves in several directions, in the plane and in space."""

import math

import numpy as np

from hounsfield.core.types import Float64Array

FREQUENCY = 0.6 * math.pi
"""Radians per pixel of every wave: between the half and the whole band that an image of its scale holds."""
SLANT = 0.6
"""Width of the envelope along the wave's direction by that across it: below 1 it is longer across, which sharpens
the direction."""
PLANE_DIRECTIONS = 8
PLANE_EDGE, PLANE_WIDTH = 7, 1.3
SPACE_EDGE, SPACE_WIDTH = 5, 1.1


def waves(ndim: int) -> tuple[Float64Array, Float64Array]:
    """Return even and odd Morlet waves.

    Parameters
    ----------
    ndim : int
        2 (8 directions, 22.5 degrees apart) or 3 (the 6 axes of an icosahedron).

    Returns
    -------
    tuple of numpy.ndarray
        Even and odd part, ``k y x`` or ``k z y x`` each, float64; the even part sums to 0, and the moduli of each
        wave to 1.

    Notes
    -----
    ``psi(p) = exp(-(u^2 + s^2 v^2) / 2 w^2) (exp(i f u) - b)`` with u along and v across the direction and b such
    that the wave has no mean: constant brightness says nothing.

    References
    ----------
    Bruna, Mallat, "Invariant scattering convolution networks", IEEE TPAMI 35(8), 2013, section 2.1.
    """
    edge, width = (PLANE_EDGE, PLANE_WIDTH) if ndim == 2 else (SPACE_EDGE, SPACE_WIDTH)
    half = edge // 2
    axes = np.stack(np.meshgrid(*[np.arange(-half, half + 1.0)] * ndim, indexing="ij"))
    even, odd = [], []
    for direction in directions(ndim):
        along = np.tensordot(direction, axes, axes=1)
        across_squared = np.maximum((axes**2).sum(axis=0) - along**2, 0.0)
        envelope = np.exp(-(along**2 + SLANT**2 * across_squared) / (2.0 * width**2))
        real, imaginary = envelope * np.cos(FREQUENCY * along), envelope * np.sin(FREQUENCY * along)
        real -= envelope * (real.sum() / envelope.sum())
        size = np.hypot(real, imaginary).sum()
        even.append(real / size)
        odd.append(imaginary / size)
    return np.stack(even), np.stack(odd)


def directions(ndim: int) -> Float64Array:
    """Return unit vectors ``k 2`` (y x) or ``k 3`` (z y x), no two of them opposite."""
    if ndim == 2:
        angles = np.pi * np.arange(PLANE_DIRECTIONS) / PLANE_DIRECTIONS
        return np.stack([np.sin(angles), np.cos(angles)], axis=1)
    golden = (1.0 + math.sqrt(5.0)) / 2.0
    pairs = [(1.0, golden), (1.0, -golden)]
    corners = np.array([np.roll([0.0, *pair], turn) for pair in pairs for turn in range(3)])
    vectors: Float64Array = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    return vectors
