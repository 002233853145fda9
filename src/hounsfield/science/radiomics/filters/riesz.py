"""Riesz transforms of isotropic filters."""

from dataclasses import dataclass
from math import factorial, prod

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary
from hounsfield.science.radiomics.filters.laplacian import LaplacianOfGaussian
from hounsfield.science.radiomics.filters.protocol import (
    Spacing,
    checked,
    checked_choice,
    checked_positive,
    checked_reach,
)
from hounsfield.science.radiomics.filters.simoncelli import MARGIN, Simoncelli, checked_level, extension_of
from hounsfield.science.radiomics.filters.spectral import ComplexArray, Extension, filtered, prolonged

Order = tuple[int, ...]
FARTHEST = 256
"""Voxels that a Laplacian may reach here, where the volume is extended by as many."""


@dataclass(frozen=True)
class RieszLaplacian:
    """The Riesz transform of the Laplacian of Gaussian: its structure along a direction.

    ``R_l(v) = (-i)^|l| sqrt(|l|! / (l1! l2! l3!)) v1^l1 v2^l2 v3^l3 / |v|^|l|``, times the filter's transform.

    Parameters
    ----------
    sigma_mm, cutoff
        As for :class:`~hounsfield.science.radiomics.filters.laplacian.LaplacianOfGaussian`.
    order : tuple of int
        l: along x, y and, for a volume, z; two numbers filter every slice by itself.
    boundary : Boundary
        Of the volume, which goes on so for 32 voxels, or 16 more than the kernel reaches, and is periodic beyond.

    Raises
    ------
    InputError
        If a number is not above 0, or the order is not two or three numbers of 0 or more whose sum is above 0.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Riesz transform", identifier AYRS. Unser, M. and Van De Ville, D., IEEE Trans
    Image Process 2010;19:636.
    """

    sigma_mm: float = 3.0
    order: Order = (1, 0, 0)
    cutoff: float = 4.0
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_order(self.order)
        checked_choice("boundary", self.boundary, Boundary)
        checked_positive(sigma_mm=self.sigma_mm, cutoff=self.cutoff)

    @property
    def ndim(self) -> int:
        """2 for an order of two numbers, 3 for three."""
        return len(self.order)

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        laplacian = LaplacianOfGaussian(self.sigma_mm, self.cutoff, self.ndim, Boundary.PERIODIC)
        values = checked(volume, spacing_mm)
        checked_reach(laplacian.reach(spacing_mm), most=FARTHEST)
        margin = max(MARGIN, MARGIN // 2 + max(laplacian.reach(spacing_mm)))
        wide, inside = prolonged(values, Extension(margin, self.ndim, self.boundary))
        smooth = laplacian.apply(wide, spacing_mm)
        del wide  # memory is that of the extended volume twice, in its own type
        response = filtered(smooth, self.transfer, Extension(0, self.ndim, Boundary.PERIODIC), out=smooth)
        kept: FloatArray = response[inside].copy()
        return kept

    def transfer(self, z: Float64Array, y: Float64Array, x: Float64Array) -> ComplexArray | Float64Array:
        """Return the transform alone, without the Laplacian, at normalised frequencies."""
        return riesz(self.order, (x, y, z))

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int] | None:
        """Return None: every voxel counts."""
        del spacing_mm
        return None


@dataclass(frozen=True)
class RieszSimoncelli:
    """The Riesz transform of Simoncelli's wavelet: an octave of frequencies along a direction.

    ``R_l(v) G_j(v)``, with R as for :class:`RieszLaplacian` and G as for
    :class:`~hounsfield.science.radiomics.filters.simoncelli.Simoncelli`.

    Parameters
    ----------
    level : int
        j, from 1, the finest.
    order : tuple of int
        l: along x, y and, for a volume, z; two numbers filter every slice by itself.
    boundary : Boundary

    Raises
    ------
    InputError
        If the level is none from 1 to 16, or the order is not two or three numbers of 0 or more, their sum above 0.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Riesz transform", identifier AYRS.
    """

    level: int = 1
    order: Order = (1, 0, 0)
    boundary: Boundary = Boundary.PERIODIC

    def __post_init__(self) -> None:
        checked_order(self.order)
        checked_choice("boundary", self.boundary, Boundary)
        checked_level(self.level)

    @property
    def ndim(self) -> int:
        """2 for an order of two numbers, 3 for three."""
        return len(self.order)

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        return filtered(values, self.transfer, extension_of(self.level, self.ndim, self.boundary, values.shape))

    def transfer(self, z: Float64Array, y: Float64Array, x: Float64Array) -> ComplexArray | Float64Array:
        """Return the filter at normalised frequencies."""
        made: ComplexArray | Float64Array = riesz(self.order, (x, y, z)) * Simoncelli(self.level).transfer(z, y, x)
        return made

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int] | None:
        """Return None: every voxel counts."""
        del spacing_mm
        return None


def riesz(order: Order, at: tuple[Float64Array, ...]) -> ComplexArray | Float64Array:
    """Return a Riesz transform at frequencies along x, y, z; 0 at frequency 0."""
    total = sum(order)
    squared = np.asarray(sum(a * a for a in at))
    above = np.where(squared > 0, squared, 1.0)  # where it is not, all frequencies and so their powers are 0
    powers = prod((a**n for a, n in zip(at, order, strict=False) if n), start=np.float64(1.0))
    scale = np.sqrt(factorial(total) / prod(factorial(n) for n in order)) * (1, -1j, -1, 1j)[total % 4]
    # an even order is real, and cheaper so
    made: ComplexArray | Float64Array = powers / (np.sqrt(above) if total == 1 else above ** (total / 2)) * scale
    return made


def checked_order(order: Order) -> None:
    """Raise InputError for an order that is none."""
    if len(order) not in (2, 3) or min(order) < 0 or not 0 < sum(order) <= 16:
        raise InputError(
            f"A Riesz transform of order {order} was asked for.",
            expected="two or three whole numbers of 0 or more along x, y and z, in sum from 1 to 16",
            next_step="Write for example (1, 0, 0) for what changes along x.",
        )
