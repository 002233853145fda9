"""Texture: the grey levels of a region, laid out so that neighbours are found by adding a number to an index."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.radiomics.discretisation import Int32Array, Levels


@dataclass(frozen=True)
class Texture:
    """The grey levels of one region in its bounding box, with a rim of one empty voxel around it.

    Parameters
    ----------
    ranks : numpy.ndarray
        Flat int32 of the padded box: 0 outside the region, else which of the levels that occur.
    shape : tuple of int
        Of the padded box, ``z y x``.
    voxels : numpy.ndarray
        int32: places of the region's voxels in `ranks`, in the order z y x.
    slices : numpy.ndarray
        int64, one more than there are slices with voxels: where each begins in `voxels`.
    grey : numpy.ndarray
        float64: the grey level of each rank; entry 0 is not used.
    levels : int
        Number of grey levels of the discretisation, those that do not occur included.
    """

    ranks: Int32Array
    shape: tuple[int, int, int]
    voxels: Int32Array
    slices: IntArray
    grey: Float64Array
    levels: int

    @property
    def whole(self) -> IntArray:
        """The region as one group, laid out as `slices` is."""
        return np.array([0, len(self.voxels)], dtype=np.int64)


def texture(mask: BoolArray, levels: Levels) -> Texture:
    """Lay out the levels of a region.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x``, bool: where the region is.
    levels : Levels
        One for each voxel of the region, in the order z y x.

    Raises
    ------
    ReadError
        If the box has more voxels than can be counted.
    """
    if math.prod(n + 2 for n in mask.shape) >= 1 << 31:
        raise ReadError(
            f"The region's box has {math.prod(mask.shape) / 1e9:.1f} thousand million voxels.",
            expected="at most 2.1",
            next_step="choose a larger spacing",
        )
    held = np.bincount(levels.values) > 0
    present, ranks = np.flatnonzero(held), np.cumsum(held, dtype=np.int32)[levels.values]
    shape = tuple(n + 2 for n in mask.shape)
    padded = np.zeros(shape, dtype=np.int32)
    padded[1:-1, 1:-1, 1:-1][mask] = ranks
    flat = padded.reshape(-1)
    voxels = np.flatnonzero(flat).astype(np.int32)
    heights = voxels // (shape[1] * shape[2])
    starts = np.append(0, np.flatnonzero(heights[1:] != heights[:-1]) + 1)
    return Texture(
        ranks=flat,
        shape=(shape[0], shape[1], shape[2]),
        voxels=voxels,
        slices=np.append(starts, len(voxels)).astype(np.int64),
        grey=np.concatenate([[0.0], present]).astype(np.float64),
        levels=levels.number,
    )


@lru_cache(maxsize=256)
def directions(shape: tuple[int, int, int], *, planar: bool) -> IntArray:
    """Return the steps to one of each pair of opposite neighbours: 13, or 4 within a slice.

    Parameters
    ----------
    shape : tuple of int
        Of the padded box.
    planar : bool
        Whether only neighbours within the same slice (y x) count.
    """
    steps = [s for s in product((-1, 0, 1), repeat=3) if s > (0, 0, 0) and not (planar and s[0])]
    return np.array([(s[0] * shape[1] + s[1]) * shape[2] + s[2] for s in steps], dtype=np.int64)


def neighbours(shape: tuple[int, int, int], *, planar: bool) -> IntArray:
    """Return the steps to all neighbours: 26, or 8 within a slice; see `directions`."""
    half = directions(shape, planar=planar)
    return np.concatenate([-half[::-1], half])
