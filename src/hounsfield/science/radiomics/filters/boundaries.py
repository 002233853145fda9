"""What is taken to lie beyond the edge of a volume (IBSI 2, section on boundary conditions)."""

from enum import StrEnum
from typing import TypeVar, cast

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, IntArray

Held = TypeVar("Held", bound=AnyArray)
OUTSIDE = -1
"""Stands in a list of positions for a value of 0."""


class Boundary(StrEnum):
    """How a volume goes on beyond its edge; the last voxel is ``d``.

    Notes
    -----
    =========  ========================  ====  ==========================
    name       goes on as                IBSI  NumPy's name for padding
    =========  ========================  ====  ==========================
    zero       ``a b c d | 0 0 0 0``     Z3VE  ``constant``
    nearest    ``a b c d | d d d d``     SIJG  ``edge``
    periodic   ``a b c d | a b c d``     Z7YO  ``wrap``
    mirror     ``a b c d | d c b a``     ZDTV  ``symmetric``
    =========  ========================  ====  ==========================
    """

    ZERO = "zero"
    NEAREST = "nearest"
    PERIODIC = "periodic"
    MIRROR = "mirror"


def positions(size: int, before: int, after: int, boundary: Boundary) -> IntArray:
    """Return which voxel of an axis stands at each place of the extended axis.

    Parameters
    ----------
    size : int
        Voxels along the axis.
    before, after : int
        How far it is extended; more than its size is no hindrance.
    boundary : Boundary

    Returns
    -------
    numpy.ndarray
        int64 of ``before + size + after``: an index, or -1 for a value of 0.
    """
    places = np.arange(-before, size + after)
    match boundary:
        case Boundary.ZERO:
            return np.where((places >= 0) & (places < size), places, OUTSIDE)
        case Boundary.NEAREST:
            return np.clip(places, 0, size - 1)
        case Boundary.PERIODIC:
            return places % size
        case Boundary.MIRROR:
            folded = places % (2 * size)
            return np.minimum(folded, 2 * size - 1 - folded)


def extended(values: Held, axis: int, at: IntArray) -> Held:
    """Return an array of numbers, real or complex, with one axis extended to `positions`."""
    taken = cast("Held", values.take(np.maximum(at, 0), axis=axis))
    if (at < 0).any():
        shape = [1] * values.ndim
        shape[axis] = at.size
        np.multiply(taken, (at >= 0).reshape(shape), out=taken)
    return taken


def matrix(kernel: AnyArray | Float64Array, size: int, boundary: Boundary) -> Float64Array:
    """Return the convolution with a kernel along an axis, boundary and all, as a matrix.

    Parameters
    ----------
    kernel : numpy.ndarray
        ``t``, an odd number of values; the middle one falls on the voxel itself.
    size : int
        Voxels along the axis.
    boundary : Boundary

    Returns
    -------
    numpy.ndarray
        ``size size`` float64 A with ``(A v)[i] = sum over t of kernel[t] v[i + c - t]``, c the middle.
    """
    taps = np.asarray(kernel, dtype=np.float64)
    middle = taps.size // 2
    at = positions(size, middle, middle, boundary)
    made = np.zeros((size, size))
    rows = np.arange(size)
    for tap, value in enumerate(taps):
        columns = at[rows + 2 * middle - tap]
        inside = columns >= 0
        made[rows[inside], columns[inside]] += value
    return made
