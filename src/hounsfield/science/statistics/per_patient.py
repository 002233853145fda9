"""Means over all questions of all patients, with patients drawn again: sums by patient are enough for it."""

from dataclasses import dataclass, replace

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.statistics.intervals import Difference, Interval, bootstrap, paired_bootstrap


@dataclass(frozen=True)
class Sums:
    """Sums of a figure by patient.

    Parameters
    ----------
    total, count : numpy.ndarray
        ``p`` float64: sum over a patient's known questions, and how many they are.
    """

    total: Float64Array
    count: Float64Array

    def mean(self, weights: Float64Array) -> Float64Array:
        """Return the mean over all questions, ``r``, where patients count ``p r`` times; NaN where there are none."""
        with np.errstate(invalid="ignore"):
            return np.asarray((self.total @ weights) / (self.count @ weights), np.float64)

    def interval(self, rng: np.random.Generator, *, name: str = "") -> Interval:
        """Return the mean with its patient-level bootstrap interval."""
        return bootstrap(self.mean, np.arange(len(self.total)), rng=rng, name=name)

    def less(self, other: "Sums", rng: np.random.Generator, *, name: str = "") -> Difference:
        """Return by how much the mean is above another one of the same patients, both drawn together."""
        return paired_bootstrap(self.mean, other.mean, np.arange(len(self.total)), rng=rng, name=name)

    def share_saved(self, other: "Sums", rng: np.random.Generator, *, name: str = "") -> Interval:
        """Return which share of another mean is saved: ``1 - mean / other mean``; above 0 is better than the other.

        Undefined where the other mean is 0: there is nothing to save, as of a series that does not move.
        """

        def saved(weights: Float64Array) -> Float64Array:
            theirs = other.mean(weights)
            return np.asarray(1.0 - self.mean(weights) / np.where(theirs > 0, theirs, np.nan), np.float64)

        found = bootstrap(saved, np.arange(len(self.total)), rng=rng, name=name)
        nothing = np.isnan(found.value) and other.count.sum() > 0
        return replace(found, reason="the other one makes no error: there is nothing to save") if nothing else found


def by_patient(figures: Float64Array, patients: AnyArray) -> Sums:
    """Return the sums of a figure by patient.

    Parameters
    ----------
    figures : numpy.ndarray
        ``n`` float64, one for each question; NaN where it is not known.
    patients : numpy.ndarray
        ``n``: what names the patient of each. A patient without a known question counts too, with sums of 0, so that
        two figures of the same patients can be compared.
    """
    names, code = np.unique(np.asarray(patients), return_inverse=True)
    known = np.isfinite(figures)
    total = np.bincount(code[known], weights=figures[known], minlength=len(names)).astype(np.float64)
    count = np.bincount(code[known], minlength=len(names)).astype(np.float64)
    return Sums(total, count)
