"""Surfaces: the outermost voxels of a mask, and how far one surface lies from another in mm."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hounsfield.core.types import AnyArray, BoolArray, Float64Array


def surface_voxels(mask: AnyArray) -> BoolArray:
    """Return the voxels of a mask that have a neighbour outside it.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``; 0 is outside.

    Returns
    -------
    numpy.ndarray
        Bool, of the mask's shape.

    Notes
    -----
    Neighbours share a face (4 in 2D, 6 in 3D). Beyond the array is outside: a structure that is cut off by the edge of
    the image has a surface there. Along an axis with one voxel there are no neighbours, so that a volume of one slice
    has the outline of the slice and not its whole area.
    """
    inside: BoolArray = np.asarray(np.asarray(mask) != 0, dtype=np.bool_)
    if not inside.any():
        return np.zeros(inside.shape, dtype=np.bool_)
    long = [n for n, length in enumerate(inside.shape) if length > 1]
    if not long:
        return inside
    boxes = ndimage.find_objects(inside.astype(np.uint8))
    box = boxes[0]
    part = inside[box].squeeze(axis=tuple(n for n in range(inside.ndim) if n not in long))
    core = ndimage.binary_erosion(part, ndimage.generate_binary_structure(part.ndim, 1))
    result = np.zeros(inside.shape, dtype=np.bool_)
    result[box] = (part & ~core).reshape(inside[box].shape)
    return result


def surface_points(mask: AnyArray, spacing_mm: Sequence[float]) -> Float64Array:
    """Return the centres of the surface voxels in mm from the first voxel.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``.
    spacing_mm : sequence of float
        In the order of the mask's axes.

    Returns
    -------
    numpy.ndarray
        ``n 2`` or ``n 3``, in the order of the mask's axes.
    """
    return np.argwhere(surface_voxels(mask)).astype(np.float64) * np.asarray(spacing_mm, dtype=np.float64)


def nearest_mm(points: Float64Array, others: Float64Array) -> Float64Array:
    """Return for each point how far the nearest of the others is.

    Parameters
    ----------
    points, others : numpy.ndarray
        ``n d`` and ``m d`` in mm.

    Returns
    -------
    numpy.ndarray
        ``n``; infinite where there are no others.

    Notes
    -----
    By a k-d tree over the points: exact, in memory that grows with the surfaces and not with the image.
    """
    from scipy.spatial import cKDTree

    if not len(points) or not len(others):
        return np.full(len(points), np.inf)
    distance, _ = cKDTree(others).query(points)
    return np.asarray(distance, dtype=np.float64)


def surface_distances(one: AnyArray, other: AnyArray, spacing_mm: Sequence[float]) -> tuple[Float64Array, Float64Array]:
    """Return the distances between two surfaces, both ways.

    Parameters
    ----------
    one, other : numpy.ndarray
        ``y x`` or ``z y x``, of one shape; 0 is outside.
    spacing_mm : sequence of float
        In the order of the axes.

    Returns
    -------
    tuple of numpy.ndarray
        From each surface voxel of the one to the nearest of the other, and back; infinite where the other has none.
    """
    first, second = surface_points(one, spacing_mm), surface_points(other, spacing_mm)
    return nearest_mm(first, second), nearest_mm(second, first)
