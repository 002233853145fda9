"""Resampling: the values of an array on another grid."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.affines import inverse

ORDERS = (0, 1, 3)
_TRUNCATE = 4.0
"""Deviations at which a Gaussian is cut off."""
_TOUCH = 0.5 + 1e-6
"""A voxel reaches half a step from its centre; the rest is rounding."""


def resample(
    array: AnyArray,
    affine: Float64Array,
    to_affine: Float64Array,
    to_size: Sequence[int],
    *,
    order: int = 1,
    outside: float = 0.0,
) -> AnyArray:
    """Return an array's values at the voxel centres of another grid.

    Parameters
    ----------
    array : numpy.ndarray
        ``z y x`` or ``c z y x``.
    affine, to_affine : numpy.ndarray
        4 x 4 RAS of the array and of the grid wanted.
    to_size : sequence of int
        ``z y x`` wanted.
    order : int
        0 nearest (labels and masks), 1 linear, 3 cubic spline.
    outside : float
        Value where the array has no voxel: for CT in HU, -1024 or so.

    Returns
    -------
    numpy.ndarray
        Of the array's dtype for order 0, float32 otherwise.

    Raises
    ------
    ValueError
        If the order is another, an affine is flat, or the array has not three or four axes.

    Notes
    -----
    Where the new grid is coarser, values are first smoothed along each axis of the array with a Gaussian of standard
    deviation (factor - 1) / 2 voxels, so that what lies between the new voxels is averaged and not skipped; labels
    (order 0) are never averaged. A voxel is taken to reach half a step from its centre: beyond that there is `outside`,
    and between the last centre and the edge the last value. A cubic spline may overshoot beside sharp edges.
    """
    from scipy import ndimage

    if order not in ORDERS:
        raise ValueError(f"order {order} is not one of {ORDERS}")
    if array.ndim == 4:
        parts = [resample(a, affine, to_affine, to_size, order=order, outside=outside) for a in array]
        return np.stack(parts)
    if array.ndim != 3:
        raise ValueError("an array of z y x or c z y x is resampled")
    # from the indices wanted to indices of the array, both z y x
    change = (inverse(affine) @ np.asarray(to_affine, dtype=np.float64))[:3]
    matrix, shift = change[::-1, 2::-1], change[::-1, 3]
    size = tuple(int(n) for n in to_size)
    if order == 0:
        values: AnyArray = array.astype(np.uint8) if array.dtype == np.bool_ else array
    else:
        # a spline depends on all voxels, a linear value on its neighbours: the rest need not be looked at
        box = _reached(matrix, shift, array.shape, size) if order == 1 else tuple(slice(0, n) for n in array.shape)
        values = _smoothed(array[box].astype(np.float32, copy=False), matrix)
        shift = shift - [part.start for part in box]
    moved: AnyArray = ndimage.affine_transform(values, matrix, shift, size, order=order, mode="nearest")
    result = np.asarray(moved).astype(array.dtype if order == 0 else np.float32, copy=False)
    result[_beyond(matrix, change[::-1, 3], array.shape, size)] = outside
    return result


def _smoothed(values: AnyArray, matrix: Float64Array) -> AnyArray:
    sigma = [s if n > 1 else 0.0 for s, n in zip(_sigma(matrix), values.shape, strict=True)]
    if not any(sigma):
        return values
    from scipy import ndimage

    smooth: AnyArray = ndimage.gaussian_filter(values, sigma, truncate=_TRUNCATE, mode="nearest")
    return smooth


def _sigma(matrix: Float64Array) -> list[float]:
    sigma = [max(0.0, (float(s) - 1.0) / 2.0) for s in np.linalg.norm(matrix, axis=1)]
    # a step of barely more than one voxel, from rounding in a header, is no shrinking
    return [s if s > 0.005 else 0.0 for s in sigma]


def _reached(matrix: Float64Array, shift: Float64Array, held: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """Return the box of voxels, at least one, that linear values of the new grid depend on."""
    box = []
    for row, start, length, sigma in zip(matrix, shift, held, _sigma(matrix), strict=True):
        ends = [(0.0, step * (n - 1)) for step, n in zip(row, size, strict=True)]
        margin = 2 + int(_TRUNCATE * sigma + 0.5)
        low = int(np.floor(start + sum(min(e) for e in ends))) - margin
        high = int(np.ceil(start + sum(max(e) for e in ends))) + margin + 1
        low = min(max(0, low), length - 1)
        box.append(slice(low, max(low + 1, min(length, high))))
    return tuple(box)


def _beyond(matrix: Float64Array, shift: Float64Array, held: Sequence[int], size: Sequence[int]) -> AnyArray:
    """Return where the new grid has voxel centres that lie in no voxel of the array."""
    axes = np.ogrid[tuple(slice(0, n) for n in size)]
    out = np.zeros(size, dtype=np.bool_)
    for axis, length in enumerate(held):
        place = sum(matrix[axis, n] * axes[n] for n in range(3)) + shift[axis]
        out |= (place < -_TOUCH) | (place > length - 1 + _TOUCH)
    return out
