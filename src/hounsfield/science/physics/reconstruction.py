"""Filtered back-projection of parallel-beam measurements."""

from functools import lru_cache
from math import pi
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import fft

from hounsfield.core.errors import unknown_name
from hounsfield.science.physics.projection import ParallelBeam, mu_to_hu

Window = Literal["ram-lak", "shepp-logan", "cosine", "hann"]
"""Apodisation of the ramp filter, from sharp and noisy to smooth."""


def filtered_back_projection(
    sinogram: npt.NDArray[np.floating], geometry: ParallelBeam, *, window: Window = "hann"
) -> npt.NDArray[np.float32]:
    """Reconstruct attenuation from line integrals.

    Parameters
    ----------
    sinogram : ndarray, shape (..., views, bins)
        Line integrals without unit (attenuation per mm times mm).
    geometry : ParallelBeam
        Where the integrals were taken.
    window : {"ram-lak", "shepp-logan", "cosine", "hann"}, default "hann"
        Apodisation of the ramp.

    Returns
    -------
    ndarray of float32, shape (..., y, x)
        Attenuation per mm.

    Raises
    ------
    InputError
        If the window is unknown or the shape is not the geometry's.

    Notes
    -----
    The ramp is sampled in space (1/4 at 0, ``-1 / (pi n)^2`` at odd n) and transformed with zero padding, which keeps
    the mean right where a ramp sampled in frequency would lose it. Filtered views are spread with the adjoint of the
    projector, whose weights over one pixel and view sum to 1, times ``pi / views``.

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, section 3.3, equations 61 and 66 to 69.
    """
    if window not in get_args(Window):
        raise unknown_name("window", window, get_args(Window))
    length = fft.next_fast_len(2 * geometry.bins, real=True)
    spectrum = fft.rfft(np.asarray(sinogram, dtype=np.float32), n=length, axis=-1)
    filtered = fft.irfft(spectrum * _ramp(length, window), n=length, axis=-1)[..., : geometry.bins]
    # forward carries one factor pixel_mm and the ramp is per pixel_mm: two of them are divided out
    return geometry.adjoint(filtered) * np.float32(pi / geometry.views / geometry.pixel_mm**2)


def reconstruct_hu(
    sinogram: npt.NDArray[np.floating], geometry: ParallelBeam, *, window: Window = "hann"
) -> npt.NDArray[np.float32]:
    """Reconstruct CT numbers from line integrals with `filtered_back_projection`.

    Parameters
    ----------
    sinogram : ndarray, shape (..., views, bins)
        Line integrals without unit.
    geometry : ParallelBeam
        Where the integrals were taken.
    window : {"ram-lak", "shepp-logan", "cosine", "hann"}, default "hann"
        Apodisation of the ramp.

    Returns
    -------
    ndarray of float32, shape (..., y, x)
        HU: water 0, air -1000.
    """
    return mu_to_hu(filtered_back_projection(sinogram, geometry, window=window))


@lru_cache(maxsize=8)
def _ramp(length: int, window: Window) -> npt.NDArray[np.float32]:
    """Return the windowed ramp over the frequencies of a real transform, in units of one bin."""
    distance = np.minimum(np.arange(length), length - np.arange(length))
    kernel = np.zeros(length)
    odd = distance % 2 == 1
    kernel[odd] = -1.0 / (pi * distance[odd]) ** 2
    kernel[0] = 0.25
    frequency = fft.rfftfreq(length)
    weight = {
        "ram-lak": np.ones_like(frequency),
        "shepp-logan": np.sinc(frequency),
        "cosine": np.cos(pi * frequency),
        "hann": 0.5 * (1.0 + np.cos(2.0 * pi * frequency)),
    }[window]
    response: npt.NDArray[np.float32] = (fft.rfft(kernel).real * weight).astype(np.float32)
    response.setflags(write=False)
    return response
