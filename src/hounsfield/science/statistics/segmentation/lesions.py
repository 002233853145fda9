"""Lesions counted as lesions: which pieces of the truth were found, and which pieces of the prediction are right."""

import math
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.geometry.components import CONNECTIVITY, Connectivity, label, sizes


@dataclass(frozen=True)
class LesionCounts:
    """Pieces of one structure; those of several cases may be added.

    Parameters
    ----------
    true, found : int
        Pieces of the truth, and how many of them are found.
    said, right : int
        Pieces of the prediction, and how many of them are right.
    """

    true: int
    found: int
    said: int
    right: int

    def __add__(self, other: "LesionCounts") -> "LesionCounts":
        return LesionCounts(
            self.true + other.true, self.found + other.found, self.said + other.said, self.right + other.right
        )

    @property
    def sensitivity(self) -> float:
        """Share of the true pieces that are found; NaN where there are none."""
        return self.found / self.true if self.true else math.nan

    @property
    def precision(self) -> float:
        """Share of the predicted pieces that are right; NaN where there are none."""
        return self.right / self.said if self.said else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 1 where there are no pieces at all, 0 where none match."""
        if not self.true and not self.said:
            return 1.0
        if not self.found or not self.right:
            return 0.0
        return 2 * self.sensitivity * self.precision / (self.sensitivity + self.precision)


def count_lesions(
    predicted: AnyArray, truth: AnyArray, *, least_iou: float = 0.0, connectivity: Connectivity = CONNECTIVITY
) -> LesionCounts:
    """Match the pieces of a prediction with those of the truth.

    Parameters
    ----------
    predicted, truth : numpy.ndarray
        Bool, ``y x`` or ``z y x``, of one shape.
    least_iou : float
        0: a piece of the truth is found if any voxel of it is marked, a piece of the prediction is right if it
        touches the truth anywhere; one blob over two lesions finds both, and two specks in one lesion are both right.
        Above 0, up to 1: pieces are paired one to one, largest intersection over union first, and only pairs of at
        least this count.
    connectivity : {"face", "edge", "corner"}
        What makes voxels one piece.

    Raises
    ------
    InputError
        If `least_iou` is not from 0 to 1.
    """
    if not 0 <= least_iou <= 1:
        raise InputError(f"The least overlap of a found lesion is {least_iou}.", expected="0 to 1")
    said, said_count = label(predicted, connectivity=connectivity)
    true, true_count = label(truth, connectivity=connectivity)
    shared = (said != 0) & (true != 0)
    both = said[shared].astype(np.int64) * (true_count + 1) + true[shared]
    met, voxels = np.unique(both, return_counts=True)
    pairs = np.stack([met // (true_count + 1), met % (true_count + 1)])
    if least_iou == 0:
        found, right = len(np.unique(pairs[1])), len(np.unique(pairs[0]))
    else:
        joined = sizes(said, said_count)[pairs[0] - 1] + sizes(true, true_count)[pairs[1] - 1] - voxels
        found = right = _paired(pairs, voxels / joined, least_iou)
    return LesionCounts(true_count, found, said_count, right)


def _paired(pairs: IntArray, overlap: Float64Array, least: float) -> int:
    """Return how many pairs there are, each piece in one at most, the best first and by number where equal."""
    taken: tuple[set[int], set[int]] = (set(), set())
    for place in np.lexsort((pairs[1], pairs[0], -overlap)):
        one, other = (int(n) for n in pairs[:, place])
        if overlap[place] >= least and one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
    return len(taken[0])
