"""The mean filter."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary, matrix
from hounsfield.science.radiomics.filters.protocol import Spacing, checked, checked_choice, checked_ndim, checked_reach
from hounsfield.science.radiomics.filters.separable import Key, weighted_sum


@dataclass(frozen=True)
class Mean:
    """The mean over a square or cube around each voxel.

    ``h(k) = (1 / M^D) sum of f(k + m) over all |m_i| <= (M - 1) / 2``

    Parameters
    ----------
    support : int
        M in voxels, odd.
    ndim : int
        D: 2, every slice by itself, or 3.
    boundary : Boundary

    Raises
    ------
    InputError
        If the support is not odd and above 0, or `ndim` is another number.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Mean filters", identifier S60F; the support is given in voxels there too.

    Examples
    --------
    >>> import numpy as np
    >>> volume = np.zeros((1, 3, 3))
    >>> volume[0, 1, 1] = 9.0
    >>> Mean(support=3, ndim=2, boundary=Boundary.ZERO).apply(volume, (1.0, 1.0, 1.0)).sum()
    np.float64(9.0)
    """

    support: int = 5
    ndim: int = 3
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_ndim(self.ndim)
        checked_choice("boundary", self.boundary, Boundary)
        if self.support < 1 or self.support % 2 == 0:
            raise InputError(
                f"A mean filter over {self.support} voxels was asked for.",
                expected="an odd number above 0, so that it has a middle",
                next_step=f"Take support={abs(self.support) + 1}.",
            )

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        checked_reach(self.reach(spacing_mm))
        return local_mean(checked(volume, spacing_mm), self.support, ndim=self.ndim, boundary=self.boundary)

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int]:
        """Return how many voxels away the response depends on the volume."""
        del spacing_mm
        half = self.support // 2
        return (half if self.ndim == 3 else 0, half, half)


def local_mean(values: FloatArray, support: int, *, ndim: int, boundary: Boundary) -> FloatArray:
    """Return the mean over `support` voxels along the last `ndim` axes."""
    kernel = np.full(support, 1.0 / support)
    of: list[dict[Key, Float64Array]] = [{"mean": matrix(kernel, n, boundary)} for n in values.shape]
    return weighted_sum(values, (of[0] if ndim == 3 else {}, of[1], of[2]), {("mean", "mean", "mean"): 1.0})
