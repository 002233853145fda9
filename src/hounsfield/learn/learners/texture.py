"""Simple numbers of a prepared image: coarse pixels, intensities, local patterns, co-occurrence."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.prepare.image import grey_planes, resize

COARSE = 12
"""Edge of the coarse picture, pixels."""
LEVELS = 16
"""Grey levels of histogram and co-occurrence."""
RADII = (1, 2, 3)


def texture(stored: AnyArray) -> Float64Array:
    """Describe one prepared image.

    Parameters
    ----------
    stored : numpy.ndarray
        ``c y x`` or ``c z y x``, uint8 or float16, as `hounsfield.learn.prepare` stores it.

    Returns
    -------
    numpy.ndarray
        One vector, float64, of the same length for images of the same number of axes.

    Notes
    -----
    A volume is described by its three middle slices. Local binary patterns: Ojala, Pietikainen, Maenpaa, IEEE TPAMI
    24(7), 2002. Co-occurrence: Haralick, Shanmugam, Dinstein, IEEE SMC 3(6), 1973.
    """
    return np.concatenate([_plane(grey) for grey in grey_planes(stored)])


def _plane(grey: Float32Array) -> Float64Array:
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    coarse = resize(np.ascontiguousarray(grey[None]), (COARSE, COARSE)).ravel()
    bytes_ = np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8)
    histogram = np.bincount(bytes_.ravel() // (256 // LEVELS), minlength=LEVELS)
    patterns = [
        np.bincount(local_binary_pattern(bytes_, 8, r, "uniform").astype(np.int64).ravel(), minlength=10) for r in RADII
    ]
    reach = [d for d in (1, 2, 4) if d < min(grey.shape)]
    matrix = graycomatrix(bytes_ // (256 // LEVELS), reach, [0, np.pi / 2], LEVELS, symmetric=True, normed=True)
    properties = [graycoprops(matrix, p).ravel() for p in ("contrast", "homogeneity", "energy", "correlation")]
    parts = [coarse, histogram / grey.size, *(p / grey.size for p in patterns), *properties]
    return np.concatenate([np.asarray(p, dtype=np.float64) for p in parts])
