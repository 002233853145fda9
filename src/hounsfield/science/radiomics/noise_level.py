"""How much noise an image has, from the image alone."""

import numpy as np

from hounsfield.core.types import AnyArray

_QUARTILE = 0.6744897501960817
"""Of the standard normal distribution: half of all deviations are smaller."""


def noise_level(volume: AnyArray) -> float:
    """Return the standard deviation of an image's noise.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``.

    Returns
    -------
    float
        In the image's unit; 0 where there are no two by two finite voxels in a slice.

    Notes
    -----
    The finest diagonal differences within slices, ``(a - b - c + d) / 2`` of two by two voxels, hardly see anatomy; the
    median of their moduli is 0.6745 standard deviations of white noise, whatever edges there are. Smoothed noise, as of
    images that were resampled, is underestimated.

    References
    ----------
    Donoho, D. L. and Johnstone, I. M., Biometrika 1994;81:425, section 5.
    """
    values = volume.astype(np.float64)
    apart = values[:, :-1, :-1] - values[:, :-1, 1:] - values[:, 1:, :-1] + values[:, 1:, 1:]
    finite = np.abs(apart[np.isfinite(apart)]) / 2
    return float(np.median(finite)) / _QUARTILE if finite.size else 0.0
