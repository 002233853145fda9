"""Mesh: volume and area of the surface that marching cubes lays around a region (IBSI manual, section 3.1)."""

from functools import cache, lru_cache

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.compiled import compiled
from hounsfield.science.radiomics._generated.triangles import TRIANGLES


def volume_and_area(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> tuple[float, float]:
    """Return the volume within a region's mesh in mm³ and the mesh's area in mm².

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, bool: a box with the region.
    spacing_mm : tuple of float
        Along z, y, x.

    Notes
    -----
    The mesh passes midway between voxels inside and outside (Lorensen and Cline, 1987). As it depends on nothing but
    the eight voxels of each cell, it need not be built: cells of each of the 256 kinds are counted, and the area and
    the flux of the height through each kind are known. The volume is the whole flux, by the divergence theorem.
    """
    padded = np.zeros(tuple(n + 2 for n in mask.shape), dtype=np.uint8)
    padded[1:-1, 1:-1, 1:-1] = mask
    cells = _count(padded)
    area, upward, flux = _kinds(spacing_mm)
    heights = np.arange(len(cells)) * spacing_mm[0]
    total = cells.sum(axis=0)
    return float(abs(heights @ (cells @ upward) + total @ flux)), float(total @ area)


@lru_cache(maxsize=1024)
def _kinds(spacing_mm: tuple[float, float, float]) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return of each kind of cell the area, the upward area, and the flux of the height within the cell."""
    case, corners = _triangles()
    scaled = corners * np.asarray(spacing_mm)
    normal = np.cross(scaled[:, 1] - scaled[:, 0], scaled[:, 2] - scaled[:, 0]) / 2.0
    each = (np.linalg.norm(normal, axis=1), normal[:, 0], normal[:, 0] * scaled[:, :, 0].mean(axis=1))
    area, upward, flux = (np.bincount(case, e, 256).astype(np.float64) for e in each)
    return area, upward, flux


@cache
def _triangles() -> tuple[IntArray, Float64Array]:
    """Return the case of each triangle, and its corners ``n 3 3`` (z y x) in voxels."""
    digits = [np.array([int(c) for c in row], dtype=np.float64).reshape(-1, 3, 3) / 2.0 for row in TRIANGLES]
    return np.repeat(np.arange(256), [len(d) for d in digits]), np.concatenate(digits)


@compiled
def _count(padded: "np.typing.NDArray[np.uint8]") -> IntArray:
    """Return how many cells of each kind lie at each height: ``z 256``."""
    nz, ny, nx = padded.shape
    cells = np.zeros((nz - 1, 256), np.int64)
    for z in range(nz - 1):
        for y in range(ny - 1):
            # bits 0, 2, 4, 6 are the corners at x, bits 1, 3, 5, 7 those at x + 1
            here = np.int64(0)
            for x in range(nx - 1):
                there = (
                    np.int64(padded[z, y, x + 1]) << 1
                    | np.int64(padded[z, y + 1, x + 1]) << 3
                    | np.int64(padded[z + 1, y, x + 1]) << 5
                    | np.int64(padded[z + 1, y + 1, x + 1]) << 7
                )
                cells[z, here | there] += 1
                here = there >> 1
    return cells
