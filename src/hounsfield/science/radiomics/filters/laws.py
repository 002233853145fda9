"""Laws' kernels and their energy."""

import re
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary, matrix
from hounsfield.science.radiomics.filters.mean import local_mean
from hounsfield.science.radiomics.filters.protocol import Spacing, checked, checked_choice, checked_reach
from hounsfield.science.radiomics.filters.rotations import Pooling, pooled
from hounsfield.science.radiomics.filters.separable import Key

KERNELS: dict[str, tuple[int, ...]] = {
    "L3": (1, 2, 1),
    "L5": (1, 4, 6, 4, 1),
    "E3": (-1, 0, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S3": (-1, 2, -1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
}
"""Level, edge, spot, wave and ripple before they are brought to length 1."""


@dataclass(frozen=True)
class Laws:
    """Laws' kernels along each axis, on request pooled over rotations and averaged into an energy.

    ``h = f * (g1 (x) g2 (x) g3)``, each ``g`` of :data:`KERNELS` divided by its length ``sqrt(sum g^2)``; the energy is
    ``e(k) = mean of |h(k + m)| over all |m_i| <= delta``.

    Parameters
    ----------
    response : str
        Kernels along x, y and, for a volume, z: ``"E5L5S5"``; two of them filter every slice by itself: ``"L5E5"``.
    pooling : Pooling
        Over the right-angle rotations: 24 of the volume, 4 of a slice.
    energy_radius : int or None
        delta in voxels; None for no energy.
    boundary : Boundary
        Of the volume, and of the response when its energy is taken.

    Raises
    ------
    InputError
        If `response` is not two or three kernels, or the radius is negative.

    Notes
    -----
    An edge or wave kernel is negated when its axis is reversed, so an average over rotations is 0 wherever a number
    of them is odd: what is pooled by the maximum then is the modulus.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Laws kernels", identifier JTXT. Laws, K. I., Rapid texture identification, 1980.
    """

    response: str = "L5E5E5"
    pooling: Pooling = Pooling.NONE
    energy_radius: int | None = None
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_choice("boundary", self.boundary, Boundary)
        checked_choice("pooling", self.pooling, Pooling)
        if not re.fullmatch(f"({'|'.join(KERNELS)}){{2,3}}", self.response):
            raise InputError(
                f"The response {self.response!r} of Laws' kernels was asked for.",
                expected=f"two or three of {', '.join(KERNELS)}, along x, y and z",
                next_step='Write for example "L5E5" for slices or "L5E5E5" for volumes.',
            )
        if self.energy_radius is not None and self.energy_radius < 0:
            raise InputError(
                f"An energy over a radius of {self.energy_radius} voxels was asked for.",
                expected="0 or more voxels, or None for no energy",
                next_step="Take energy_radius=7, as IBSI does.",
            )

    @property
    def ndim(self) -> int:
        """2 for two kernels, 3 for three."""
        return len(self.response) // 2

    @property
    def letters(self) -> tuple[str, ...]:
        """The kernels in the order of the volume's axes: z, y, x."""
        return tuple(re.findall("..", self.response))[::-1]

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        checked_reach(self.reach(spacing_mm))
        wanted = sorted(set(self.letters))
        of: list[dict[Key, Float64Array]] = [
            {name: matrix(kernel(name), n, self.boundary) for name in wanted} for n in values.shape
        ]
        response = pooled(values, (of[0] if self.ndim == 3 else {}, of[1], of[2]), self.letters, self.pooling)
        if self.energy_radius is None:
            return response
        np.abs(response, out=response)
        return local_mean(response, 2 * self.energy_radius + 1, ndim=self.ndim, boundary=self.boundary)

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int]:
        """Return how many voxels away the response depends on the volume."""
        del spacing_mm
        halves = [len(KERNELS[name]) // 2 for name in self.letters]
        if self.pooling != Pooling.NONE:
            halves = [max(halves)] * self.ndim
        z, y, x = ([0] * (3 - self.ndim)) + [half + (self.energy_radius or 0) for half in halves]
        return (z, y, x)


def kernel(name: str) -> Float64Array:
    """Return a kernel of length 1."""
    values = np.asarray(KERNELS[name], dtype=np.float64)
    made: Float64Array = values / np.linalg.norm(values)
    return made
