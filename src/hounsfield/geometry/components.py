"""Components: the separate pieces of a mask, by a named connectivity."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import ndimage

from hounsfield.core.types import AnyArray, BoolArray, IntArray

Connectivity: TypeAlias = Literal["face", "edge", "corner"]
"""What two voxels must share to belong together: 6, 18, 26 neighbours in 3D; 4, 8, 8 in 2D."""
CONNECTIVITY: Connectivity = "corner"
"""The usual one for lesions: a vessel or crack one voxel wide that runs diagonally stays in one piece."""
_RANK = {"face": 1, "edge": 2, "corner": 3}


@dataclass(frozen=True)
class Component:
    """One piece of a mask.

    Parameters
    ----------
    number : int
        Its label, from 1.
    box : tuple of slice
        The smallest box that holds it, one slice for each axis.
    inside : numpy.ndarray
        Bool, of the box's size: the voxels of this piece.
    """

    number: int
    box: tuple[slice, ...]
    inside: BoolArray

    @property
    def voxels(self) -> int:
        """How many voxels it has."""
        return int(np.count_nonzero(self.inside))


def label(mask: AnyArray, *, connectivity: Connectivity = CONNECTIVITY) -> tuple[AnyArray, int]:
    """Give the pieces of a mask numbers.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``; 0 is outside.
    connectivity : {"face", "edge", "corner"}
        What two voxels must share.

    Returns
    -------
    tuple of (numpy.ndarray, int)
        int32 of the mask's shape, 0 outside and 1 to n inside in the order in which a scan along the rows meets
        them; and n.

    Raises
    ------
    KeyError
        If the connectivity is another one.
    """
    inside = np.asarray(mask) != 0
    shape = ndimage.generate_binary_structure(inside.ndim, min(_RANK[connectivity], inside.ndim))
    numbers: AnyArray = np.zeros(inside.shape, dtype=np.int32)
    count = ndimage.label(inside, structure=shape, output=numbers)
    return numbers, int(count)


def components(mask: AnyArray, *, connectivity: Connectivity = CONNECTIVITY) -> tuple[Component, ...]:
    """Return the pieces of a mask, the first in scan order first.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``; 0 is outside.
    connectivity : {"face", "edge", "corner"}
    """
    numbers, _ = label(mask, connectivity=connectivity)
    boxes = ndimage.find_objects(numbers)
    return tuple(Component(n, box, numbers[box] == n) for n, box in enumerate(boxes, start=1))


def sizes(numbers: AnyArray, count: int) -> IntArray:
    """Return how many voxels each of `count` labels from 1 on has."""
    return np.bincount(numbers.ravel(), minlength=count + 1)[1:].astype(np.int64)


def largest(mask: AnyArray, *, connectivity: Connectivity = CONNECTIVITY) -> BoolArray:
    """Return the largest piece of a mask; of equal ones the first in scan order; nothing of an empty mask."""
    numbers, count = label(mask, connectivity=connectivity)
    if not count:
        return np.zeros(numbers.shape, dtype=np.bool_)
    return np.asarray(numbers == 1 + int(np.argmax(sizes(numbers, count))))


def without_small(mask: AnyArray, least: int, *, connectivity: Connectivity = CONNECTIVITY) -> BoolArray:
    """Return a mask without the pieces of fewer than `least` voxels."""
    numbers, count = label(mask, connectivity=connectivity)
    kept = np.concatenate([[False], sizes(numbers, count) >= least])
    return np.asarray(kept[numbers], dtype=np.bool_)
