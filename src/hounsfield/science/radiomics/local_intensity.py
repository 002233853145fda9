"""Local intensity: peaks of the mean over a sphere of 1 cm³ (IBSI manual, section 3.2)."""

import math

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, FloatArray, IntArray
from hounsfield.science.compiled import compiled

NAMES = ("peak_loc", "peak_glob")
RADIUS_MM = (3000.0 / (4.0 * math.pi)) ** (1.0 / 3.0)
"""Of a sphere of 1 cm³: 6.2 mm."""


def margin(spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
    """Return how many voxels the sphere reaches along z, y, x."""
    z, y, x = (math.floor(RADIUS_MM / s + 1e-9) for s in spacing_mm)
    return z, y, x


def peaks(image: FloatArray, mask: BoolArray, spacing_mm: tuple[float, float, float]) -> Float64Array:
    """Return the local and the global intensity peak.

    Parameters
    ----------
    image : numpy.ndarray
        ``z y x``: the region's box with `margin` around it, as far as the image reaches; finite.
    mask : numpy.ndarray
        ``z y x``, bool: the region; at least one voxel.
    spacing_mm : tuple of float
        Along z, y, x.

    Returns
    -------
    numpy.ndarray
        ``2``: the mean over voxels whose centres lie within the sphere around the region's brightest voxel (around
        several, the highest mean), and the highest mean around any voxel of the region. Voxels outside the region
        count, voxels outside the image do not.
    """
    # a header may call voxels so small that the sphere is larger than any image
    reach = [min(r, n - 1) for r, n in zip(margin(spacing_mm), image.shape, strict=True)]
    rows = []
    for z in range(-reach[0], reach[0] + 1):
        for y in range(-reach[1], reach[1] + 1):
            rest = RADIUS_MM**2 - (z * spacing_mm[0]) ** 2 - (y * spacing_mm[1]) ** 2
            if rest >= -1e-9:
                rows.append((z, y, min(image.shape[2], math.floor(math.sqrt(max(rest, 0.0)) / spacing_mm[2] + 1e-9))))
    return _peaks(image, mask, np.array(rows, dtype=np.int64))


@compiled
def _peaks(image: FloatArray, mask: BoolArray, rows: IntArray) -> Float64Array:
    nz, ny, nx = image.shape
    # sums along x up to each voxel: a row of the sphere is the difference of two
    sums = np.zeros((nz, ny, nx + 1))
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                sums[z, y, x + 1] = sums[z, y, x] + image[z, y, x]
    highest, local, everywhere = -np.inf, -np.inf, -np.inf
    for cz in range(nz):
        for cy in range(ny):
            for cx in range(nx):
                if not mask[cz, cy, cx]:
                    continue
                total, held = 0.0, 0
                for r in range(len(rows)):
                    z, y, half = cz + rows[r, 0], cy + rows[r, 1], rows[r, 2]
                    if 0 <= z < nz and 0 <= y < ny:
                        first, last = max(0, cx - half), min(nx, cx + half + 1)
                        total += sums[z, y, last] - sums[z, y, first]
                        held += last - first
                mean, value = total / held, image[cz, cy, cx]
                everywhere = max(everywhere, mean)
                if value > highest:
                    highest, local = value, mean
                elif value == highest:
                    local = max(local, mean)
    return np.array([local, everywhere])
