"""Gabor filters in planes."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, FloatArray
from hounsfield.science.radiomics.filters.boundaries import Boundary, extended, positions
from hounsfield.science.radiomics.filters.protocol import (
    Spacing,
    checked,
    checked_choice,
    checked_positive,
    checked_reach,
)
from hounsfield.science.radiomics.filters.rotations import Pooling

ComplexArray = npt.NDArray[np.complex64] | npt.NDArray[np.complex128]
CUTOFF = 5.5
"""Standard deviations of the envelope after which the kernel ends: it has fallen to 3e-7 there."""
NEGLIGIBLE = 1e-7
"""Share of the transform's peak below which a frequency of a kernel is left out."""
FARTHEST = 1024
"""Voxels that a kernel may reach: planes of both sizes together are transformed."""
SLAB_BYTES = 32 << 20
"""Most that one transformed slab of slices takes."""


class Planes(StrEnum):
    """The planes in which slices lie."""

    AXIAL = "axial"
    ORTHOGONAL = "orthogonal"


@dataclass(frozen=True)
class Gabor:
    """The modulus of a plane wave's response under a Gaussian envelope.

    ``g(k) = exp(-(u^2 + gamma^2 v^2) / (2 sigma^2) + 2 pi i u / lambda)``, ``u = k1 cos(theta) + k2 sin(theta)``,
    ``v = -k1 sin(theta) + k2 cos(theta)``; k1 along x and k2 along y, in mm; the response is ``|f * g|``.

    Parameters
    ----------
    sigma_mm : float
        Standard deviation of the envelope along the wave, mm.
    wavelength_mm : float
        lambda, mm.
    aspect : float
        gamma: the envelope is so many times narrower across the wave.
    theta : float
        Direction of the wave, radians; the first one if there are several.
    theta_step : float or None
        Step between directions all around, a whole part of 2 pi; None for one direction.
    pooling : Pooling
        How the responses of several directions are made one: their average or their greatest.
    planes : Planes
        Axial slices alone, or the average of the responses in the three planes that voxels lie in.
    boundary : Boundary

    Raises
    ------
    InputError
        If a number is not above 0, or the step is no part of a turn.

    Notes
    -----
    The kernel is not normalised, as IBSI defines it, and has no end there; here it ends where the envelope is 3e-7. In
    the other planes k1 is along the first and k2 along the second of x, y, z that lie in the plane.

    A kernel is large in space, but has few frequencies. Slices are transformed once; for each direction only the
    frequencies that the kernel has are multiplied and summed up at the voxels wanted, by two products of matrices. Of
    directions that differ by half a turn, whose responses have the same modulus, one is done.

    References
    ----------
    IBSI 2 (arXiv:2006.05470), section "Gabor filters", identifier Q88H.
    """

    sigma_mm: float = 5.0
    wavelength_mm: float = 2.0
    aspect: float = 1.5
    theta: float = 0.0
    theta_step: float | None = None
    pooling: Pooling = Pooling.AVERAGE
    planes: Planes = Planes.AXIAL
    boundary: Boundary = Boundary.MIRROR

    def __post_init__(self) -> None:
        checked_choice("boundary", self.boundary, Boundary)
        checked_choice("pooling", self.pooling, Pooling)
        checked_choice("planes", self.planes, Planes)
        checked_positive(sigma_mm=self.sigma_mm, wavelength_mm=self.wavelength_mm, aspect=self.aspect)
        if not np.isfinite(self.theta):
            raise InputError("A Gabor filter has no finite direction.", expected="an angle in radians")
        if self.theta_step is not None:
            checked_positive(theta_step=self.theta_step)
            turns = 2 * np.pi / self.theta_step
            if abs(turns - round(turns)) > 1e-6 or self.pooling == Pooling.NONE:
                raise InputError(
                    f"Directions in steps of {self.theta_step} radians, pooled by {self.pooling}, were asked for.",
                    expected="a whole part of a turn of 2 pi, pooled by average or max",
                    next_step="Take theta_step=pi / 8.",
                )

    @property
    def ndim(self) -> int:
        """2 where axial slices are filtered by themselves, 3 where the response depends on their neighbours too."""
        return 2 if self.planes == Planes.AXIAL else 3

    @property
    def directions(self) -> tuple[float, ...]:
        """The directions, radians, without those that lie half a turn from one that is listed."""
        if self.theta_step is None:
            return (self.theta,)
        count = round(2 * np.pi / self.theta_step)
        wanted = count // 2 if count % 2 == 0 else count
        return tuple(self.theta + 2 * np.pi * n / count for n in range(wanted))

    def apply(self, volume: AnyArray, spacing_mm: Spacing) -> FloatArray:
        """Return the response map; see :meth:`~hounsfield.science.radiomics.filters.protocol.ImageFilter.apply`."""
        values = checked(volume, spacing_mm)
        checked_reach(self.reach(spacing_mm), most=FARTHEST)
        out = np.zeros_like(values)
        through = (0,) if self.planes == Planes.AXIAL else (0, 1, 2)
        for axis in through:
            sides = tuple(s for a, s in enumerate(spacing_mm) if a != axis)
            self._add(np.moveaxis(values, axis, 0), np.moveaxis(out, axis, 0), (sides[0], sides[1]))
        if len(through) > 1:
            out /= len(through)
        return out

    def reach(self, spacing_mm: Spacing) -> tuple[int, int, int]:
        """Return how many voxels away the response depends on the volume."""
        z, y, x = (self._radius(side) for side in spacing_mm)
        return (0 if self.planes == Planes.AXIAL else z, y, x)

    def _radius(self, side_mm: float) -> int:
        return int(np.ceil(CUTOFF * self.sigma_mm * max(1.0, 1.0 / self.aspect) / side_mm))

    def kernel(self, theta: float, sides_mm: tuple[float, float]) -> npt.NDArray[np.complex128]:
        """Return a kernel.

        Parameters
        ----------
        theta : float
            Radians.
        sides_mm : tuple of float
            Of a pixel, k2 k1.

        Returns
        -------
        numpy.ndarray
            complex128 ``k2 k1``.
        """
        rows, columns = (np.arange(-r, r + 1) * s for s, r in ((s, self._radius(s)) for s in sides_mm))
        u = columns * np.cos(theta) + rows[:, None] * np.sin(theta)
        v = -columns * np.sin(theta) + rows[:, None] * np.cos(theta)
        envelope = -(u**2 + (self.aspect * v) ** 2) / (2 * self.sigma_mm**2)
        made: npt.NDArray[np.complex128] = np.exp(envelope + 2j * np.pi * u / self.wavelength_mm)
        return made

    def _add(self, slices: FloatArray, out: FloatArray, sides_mm: tuple[float, float]) -> None:
        """Add the pooled response of a stack of slices to `out`."""
        from scipy import fft

        sizes = slices.shape[1:]
        at = [
            positions(size, self._radius(side), self._radius(side), self.boundary)
            for size, side in zip(sizes, sides_mm, strict=True)
        ]
        spans = (at[0].size, at[1].size)
        bands = [self._band(theta, sides_mm, sizes, spans) for theta in self.directions]
        kind = np.complex64 if slices.dtype == np.float32 else np.complex128
        height = max(1, SLAB_BYTES // (np.dtype(kind).itemsize * spans[0] * spans[1]))
        for start in range(0, slices.shape[0], height):
            slab = extended(extended(slices[start : start + height], 1, at[0]), 2, at[1])
            spectrum = fft.fft2(slab)
            found = None
            for band in bands:
                response = band.response(spectrum)
                if found is None:
                    found = response
                elif self.pooling == Pooling.MAX:
                    np.maximum(found, response, out=found)
                else:
                    found += response
            if found is not None:
                weight = 1.0 if self.pooling == Pooling.MAX else 1.0 / len(bands)
                out[start : start + height] += found * found.dtype.type(weight)

    def _band(
        self, theta: float, sides_mm: tuple[float, float], sizes: tuple[int, ...], spans: tuple[int, int]
    ) -> "Band":
        from scipy import fft

        kernel = self.kernel(theta, sides_mm)
        transform = fft.fft2(kernel, spans)
        modulus = np.abs(transform)
        bound = NEGLIGIBLE * modulus.max()
        rows, columns = (np.flatnonzero(modulus.max(axis=other) > bound) for other in (1, 0))
        # a voxel lies a radius behind the edge, and the kernel's middle as far behind its first value
        back = [
            np.exp(2j * np.pi * np.outer(np.arange(size) + (span_of - size), used) / span_of) / span_of
            for size, span_of, used in zip(sizes, spans, (rows, columns), strict=True)
        ]
        return Band(rows, columns, transform[np.ix_(rows, columns)], back[0], back[1])


@dataclass(frozen=True, eq=False)
class Band:
    """The frequencies of one kernel, and the way from them to the voxels wanted."""

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    transform: ComplexArray
    to_rows: ComplexArray
    to_columns: ComplexArray

    def response(self, spectrum: ComplexArray) -> FloatArray:
        """Return the modulus of the response of slices ``n k2 k1`` whose transform is given."""
        kind = spectrum.dtype
        part = spectrum[:, self.rows[:, None], self.columns] * self.transform.astype(kind)
        lines = part @ self.to_columns.T.astype(kind)
        made: FloatArray = np.abs(self.to_rows.astype(kind) @ lines)
        return made
