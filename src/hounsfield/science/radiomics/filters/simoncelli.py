"""Simoncelli's non-separable wavelet."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.protocol import Spacing, checked, checked_choice, checked_ndim
from hounsfield.science.radiomics.filters.spectral import Extension, filtered

MARGIN = 32
"""Voxels at level 1 by which a volume is extended where its boundary is not periodic."""


@dataclass(frozen=True)
class Simoncelli:
    """An octave of spatial frequencies, alike in all directions.

    ``G_j(v) = cos(pi/2 log2(2 |v| / b))`` for ``b / 4 < |v| <= b`` and 0 elsewhere, with ``b = 2^(1 - j)`` and the
    frequency v normalised to the Nyquist frequency.

    Parameters
    ----------
    level : int
        j, from 1, the finest.
    ndim : int
        2, every slice by itself, or 3.
    boundary : Boundary

    Raises
    ------
    InputError
        If the level is none from 1 to 16, or `ndim` is not 2 or 3.

    Notes
    -----
    Frequencies are per voxel: where sides are not equal, resample first. The kernel has no end. Where the boundary is
    not periodic, the volume goes on for 32 voxels times ``2^(j-1)`` on every side, at most for its longest axis, and is
    periodic beyond. The frequencies are those of :func:`~hounsfield.science.radiomics.filters.spectral.frequencies`.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Non-separable wavelets", identifier PRT7. Portilla, J. and Simoncelli, E. P.,
    Int J Comput Vis 2000;40:49.
    """

    level: int = 1
    ndim: int = 3
    boundary: Boundary = Boundary.PERIODIC

    def __post_init__(self) -> None:
        checked_ndim(self.ndim)
        checked_choice("boundary", self.boundary, Boundary)
        checked_level(self.level)

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        return filtered(values, self.transfer, extension_of(self.level, self.ndim, self.boundary, values.shape))

    def transfer(self, z: Float64Array, y: Float64Array, x: Float64Array) -> Float64Array:
        """Return the filter at normalised frequencies."""
        squared = np.asarray(z * z + y * y + x * x)
        top = 2.0 ** (1 - self.level)
        band = (squared > (top / 4) ** 2) & (squared <= top**2)
        made = np.zeros(squared.shape)
        # half the logarithm of the square is that of the modulus
        made[band] = np.cos(np.pi / 2 * (1 + 0.5 * np.log2(squared[band]) - np.log2(top)))
        return made

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int] | None:
        """Return None: every voxel counts."""
        del spacing_mm
        return None


def checked_level(level: int) -> None:
    """Raise InputError for a level that is not from 1 to 16."""
    if not 1 <= level <= 16:
        raise InputError(
            f"Level {level} of Simoncelli's wavelet was asked for.",
            expected="a level from 1, the finest octave, to 16",
            next_step="Take level=1.",
        )


def extension_of(level: int, ndim: int, boundary: Boundary, sizes: tuple[int, ...]) -> Extension:
    """Return how a volume goes on for a level, and the frequency up to which that level goes."""
    return Extension(margin_of(level, sizes[-ndim:]), ndim, boundary, band=2.0 ** (1 - level))


def margin_of(level: int, sizes: tuple[int, ...]) -> int:
    """Return the margin for a level; a period of thrice the longest axis is enough for any."""
    return int(min(MARGIN * 2 ** (level - 1), max(MARGIN, *sizes)))
