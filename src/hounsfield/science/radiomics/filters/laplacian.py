"""The Laplacian of Gaussian."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary, matrix
from hounsfield.science.radiomics.filters.protocol import (
    Spacing,
    checked,
    checked_choice,
    checked_ndim,
    checked_positive,
    checked_reach,
)
from hounsfield.science.radiomics.filters.separable import Key, Keys, weighted_sum


@dataclass(frozen=True)
class LaplacianOfGaussian:
    """The Laplacian of the volume smoothed by a Gaussian: bright on dark spots, dark on bright ones.

    ``g(k) = -(1 / s^2) (1 / (sqrt(2 pi) s))^D (D - |k|^2 / s^2) exp(-|k|^2 / (2 s^2))``, k and the standard deviation s
    in voxels, sampled at the voxel centres out to ``floor(cutoff s + 1/2)`` voxels along each axis.

    Parameters
    ----------
    sigma_mm : float
        Standard deviation, mm, above 0.
    cutoff : float
        Where the kernel ends, in standard deviations.
    ndim : int
        D: 2, every slice by itself, or 3.
    boundary : Boundary

    Raises
    ------
    InputError
        If a number is not above 0, or `ndim` is not 2 or 3.

    Notes
    -----
    The kernel is a sum of D separable ones and is applied so, without being changed. It is not made to sum to 0: the
    reference maps are met without. IBSI defines it for voxels of equal sides. Where they are not, the kernel is the one
    in mm, round in space, times the voxels' volume and the square of their (geometric) mean side.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Laplacian of Gaussian", identifier L6PA.
    """

    sigma_mm: float = 1.5
    cutoff: float = 4.0
    ndim: int = 3
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_ndim(self.ndim)
        checked_choice("boundary", self.boundary, Boundary)
        checked_positive(sigma_mm=self.sigma_mm, cutoff=self.cutoff)

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        checked_reach(self.reach(spacing_mm))
        sides = spacing_mm[-self.ndim :]
        mean_side = float(np.prod(sides)) ** (1 / self.ndim)
        of: list[dict[Key, Float64Array]] = []
        for size, side in zip(values.shape, spacing_mm, strict=True):
            smooth, second = kernels(self.sigma_mm / side, self.cutoff)
            second = second * (mean_side / side) ** 2
            of.append({"s": matrix(smooth, size, self.boundary), "d": matrix(second, size, self.boundary)})
        if self.ndim == 2:
            return weighted_sum(values, ({}, of[1], of[2]), {(None, "s", "d"): 1.0, (None, "d", "s"): 1.0})
        terms: dict[Keys, float] = {("s", "s", "d"): 1.0, ("s", "d", "s"): 1.0, ("d", "s", "s"): 1.0}
        return weighted_sum(values, (of[0], of[1], of[2]), terms)

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int]:
        """Return how many voxels away the response depends on the volume."""
        z, y, x = (int(np.floor(self.cutoff * self.sigma_mm / side + 0.5)) for side in spacing_mm)
        return (z if self.ndim == 3 else 0, y, x)


def kernels(sigma: float, cutoff: float) -> tuple[Float64Array, Float64Array]:
    """Return a Gaussian and its second derivative, sampled.

    Parameters
    ----------
    sigma : float
        Standard deviation in voxels.
    cutoff : float
        In standard deviations.
    """
    radius = int(np.floor(cutoff * sigma + 0.5))
    k = np.arange(-radius, radius + 1, dtype=np.float64)
    smooth = np.exp(-(k**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
    return smooth, smooth * (k**2 / sigma**2 - 1) / sigma**2
