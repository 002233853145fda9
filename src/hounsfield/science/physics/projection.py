"""Parallel-beam projection with exact strip integrals, its adjoint, and the Hounsfield scale."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, pi, sqrt

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hounsfield.core.errors import InputError

MU_WATER_PER_MM = 0.01929
"""Linear attenuation of water at 70 keV, per mm (NIST XCOM: 0.1929 per cm)."""

_DEGENERATE = 1e-9


def hu_to_mu(hu: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Convert Hounsfield units to linear attenuation.

    Parameters
    ----------
    hu : array_like, any shape
        CT numbers in HU; values below -1000 are taken as vacuum.

    Returns
    -------
    ndarray of float32, same shape
        Attenuation per mm, at least 0.
    """
    mu = MU_WATER_PER_MM * (1.0 + np.asarray(hu, dtype=np.float32) / 1000.0)
    return np.asarray(np.maximum(mu, 0.0), dtype=np.float32)


def mu_to_hu(mu: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Convert linear attenuation to Hounsfield units, the inverse of `hu_to_mu` for non-negative attenuation.

    Parameters
    ----------
    mu : array_like, any shape
        Attenuation per mm.

    Returns
    -------
    ndarray of float32, same shape
        CT numbers in HU: water 0, air -1000.
    """
    return (1000.0 * (np.asarray(mu, dtype=np.float32) / MU_WATER_PER_MM - 1.0)).astype(np.float32)


@dataclass(frozen=True)
class ParallelBeam:
    """A parallel-beam scanner over half a turn, as a linear operator with an exact adjoint.

    Detector bins are as wide as pixels and cover the diagonal, so nothing is ever truncated. View v looks along the
    angle ``pi * v / views``; the detector coordinate of a point is ``x cos(angle) - y sin(angle)`` with x to the right
    and y down, as in `skimage.transform.radon`.

    Parameters
    ----------
    size : int
        Pixels along y and along x, at least 2.
    pixel_mm : float
        Edge of a pixel in mm.
    views : int
        Number of angles over half a turn; about ``pi / 2 * size`` avoids streaks, fewer is a sparse-view measurement.

    Notes
    -----
    Each weight is the area shared by a square pixel and a detector strip, divided by the width of the strip. The shadow
    of a square is a trapezoid, the convolution of two boxes, hence its integral is piecewise quadratic and the weights
    are exact rather than sampled. Every pixel gives all of its area to every view: the sum of each view is the mass.

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3; De Man and Basu, Distance-driven
    projection and backprojection in three dimensions, Phys Med Biol 49, 2004.
    """

    size: int
    pixel_mm: float
    views: int

    def __post_init__(self) -> None:
        """Refuse a geometry that has no meaning."""
        if self.size < 2 or self.views < 1 or not self.pixel_mm > 0:
            raise InputError(
                f"A scanner geometry has size {self.size}, pixel_mm {self.pixel_mm} and views {self.views}.",
                expected="size >= 2, pixel_mm > 0 and views >= 1",
                next_step="give values in these ranges",
            )

    @property
    def bins(self) -> int:
        """Detector bins per view: enough for the diagonal, odd or even as `size` is."""
        wanted = ceil(self.size * sqrt(2.0)) + 1
        return wanted + (wanted - self.size) % 2

    @property
    def angles_rad(self) -> npt.NDArray[np.float64]:
        """Angle of each view in radians, shape (views,), in [0, pi)."""
        return np.arange(self.views, dtype=np.float64) * (pi / self.views)

    def forward(self, image: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Integrate an image along every ray.

        Parameters
        ----------
        image : array_like, shape (..., y, x)
            Values per mm (attenuation), or of any unit.

        Returns
        -------
        ndarray of float32, shape (..., views, bins)
            Line integrals, the image's unit times mm.
        """
        flat, lead = _flatten(image, (self.size, self.size))
        matrix = _strip_areas(self.size, self.views, self.bins)
        sinogram = np.asarray(matrix @ flat.T, dtype=np.float32).T * np.float32(self.pixel_mm)
        return np.ascontiguousarray(sinogram).reshape(*lead, self.views, self.bins)

    def adjoint(self, sinogram: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Spread every ray back over the pixels that it crossed: the exact transpose of `forward`.

        Parameters
        ----------
        sinogram : array_like, shape (..., views, bins)

        Returns
        -------
        ndarray of float32, shape (..., y, x)
            ``<forward(a), b> == <a, adjoint(b)>`` up to rounding.
        """
        flat, lead = _flatten(sinogram, (self.views, self.bins))
        matrix = _strip_areas(self.size, self.views, self.bins)
        image = np.asarray(matrix.T @ flat.T, dtype=np.float32).T * np.float32(self.pixel_mm)
        return np.ascontiguousarray(image).reshape(*lead, self.size, self.size)


def _flatten(values: npt.ArrayLike, tail: tuple[int, int]) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
    """Return values as (lead product, tail product), and the leading shape; refuse another tail."""
    array = np.asarray(values, dtype=np.float32)
    if array.ndim < 2 or array.shape[-2:] != tail:
        raise InputError(
            f"An array has shape {array.shape}.",
            expected=f"last two axes {tail}, as the scanner geometry has",
            next_step="make a ParallelBeam of the array's size, or resample the array",
        )
    return array.reshape(-1, tail[0] * tail[1]), array.shape[:-2]


@lru_cache(maxsize=4)
def _strip_areas(size: int, views: int, bins: int) -> sparse.csr_array:
    """Build the matrix (views * bins, size * size) of shared areas, in units of one pixel, once per geometry."""
    offset = np.arange(size) - (size - 1) / 2.0
    columns = np.arange(size * size, dtype=np.int32)
    blocks = []
    for angle in np.arange(views) * (pi / views):
        cosine, sine = float(np.cos(angle)), float(np.sin(angle))
        centre = (offset[None, :] * cosine - offset[:, None] * sine).ravel() + bins / 2.0
        reach = (abs(cosine) + abs(sine)) / 2.0
        first = np.floor(centre - reach).astype(np.int32)
        edges = first[:, None] + np.arange(4) - centre[:, None]
        areas = np.diff(_shadow_integral(edges, abs(cosine), abs(sine)), axis=1).astype(np.float32)
        rows = first[:, None] + np.arange(3, dtype=np.int32)
        keep = areas > 1e-7
        pixels = np.broadcast_to(columns[:, None], keep.shape)
        blocks.append(sparse.csr_array((areas[keep], (rows[keep], pixels[keep])), shape=(bins, size * size)))
    return sparse.csr_array(sparse.vstack(blocks, format="csr"))


def _shadow_integral(at: npt.NDArray[np.float64], wide: float, narrow: float) -> npt.NDArray[np.float64]:
    """Integrate the shadow of a unit square from minus infinity to `at`; its boxes are `wide` and `narrow`."""
    if min(wide, narrow) < _DEGENERATE:
        return np.clip(at + 0.5, 0.0, 1.0)
    total, difference = (wide + narrow) / 2.0, (wide - narrow) / 2.0
    ramps = _half_square(at + total) - _half_square(at + difference)
    ramps += _half_square(at - total) - _half_square(at - difference)
    return np.asarray(ramps / (wide * narrow))


def _half_square(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return half the square of the positive part, the integral of a ramp."""
    return np.maximum(at, 0.0) ** 2 / 2.0
