"""Overlap of two masks, from counts of voxels."""

import math
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray


@dataclass(frozen=True)
class Counts:
    """Voxels of one structure by what is said and what is true; those of several cases may be added.

    Parameters
    ----------
    tp, fp, fn, tn : int
        Marked by both, by the prediction only, by the truth only, by none.
    """

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)


def count(predicted: BoolArray, truth: BoolArray, *, region: BoolArray | None = None) -> Counts:
    """Count the voxels of two masks.

    Parameters
    ----------
    predicted, truth : numpy.ndarray
        Bool, of one shape.
    region : numpy.ndarray or None
        Bool: where to count; everywhere if left out.
    """
    held = predicted.size if region is None else int(np.count_nonzero(region))
    said = predicted if region is None else predicted & region
    true = truth if region is None else truth & region
    both, said_voxels, true_voxels = (int(np.count_nonzero(m)) for m in (said & true, said, true))
    return Counts(both, said_voxels - both, true_voxels - both, held - said_voxels - true_voxels + both)


def dice(counts: Counts) -> float:
    """Return 2 tp / (2 tp + fp + fn): the shared part; 1 where both are empty. Of summed counts the pooled Dice."""
    below = 2 * counts.tp + counts.fp + counts.fn
    return 2 * counts.tp / below if below else 1.0


def iou(counts: Counts) -> float:
    """Return tp / (tp + fp + fn), intersection over union; 1 where both are empty."""
    below = counts.tp + counts.fp + counts.fn
    return counts.tp / below if below else 1.0


def sensitivity(counts: Counts) -> float:
    """Return tp / (tp + fn), the share of the structure that is marked; NaN where there is no structure."""
    below = counts.tp + counts.fn
    return counts.tp / below if below else math.nan


def precision(counts: Counts) -> float:
    """Return tp / (tp + fp), the share of what is marked that is right; NaN where nothing is marked."""
    below = counts.tp + counts.fp
    return counts.tp / below if below else math.nan


def specificity(counts: Counts) -> float:
    """Return tn / (tn + fp), the share of the rest that is left unmarked; NaN where there is no rest."""
    below = counts.tn + counts.fp
    return counts.tn / below if below else math.nan
