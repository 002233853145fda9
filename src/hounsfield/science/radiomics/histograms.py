"""Histograms: of grey levels, and of the volume above an intensity (IBSI manual, sections 3.4 and 3.5)."""

from collections.abc import Collection

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics.discretisation import Levels, discretise
from hounsfield.science.radiomics.intensities import NAMES as STATISTICS
from hounsfield.science.radiomics.intensities import statistics
from hounsfield.science.radiomics.settings import Discretisation, Resegmentation

NAMES = (
    *(n for n in STATISTICS if n not in ("energy", "rms")),
    "mode", "entropy", "uniformity", "max_grad", "max_grad_g", "min_grad", "min_grad_g",
)  # fmt: skip
VOLUME_NAMES = ("v10", "v90", "i10", "i90", "diff_v10_v90", "diff_i10_i90", "auc")


_OF_SHARES = frozenset({"entropy", "uniformity"})


def histogram(levels: Levels, names: Collection[str] = NAMES) -> Float64Array:
    """Return the features of the histogram of grey levels.

    Parameters
    ----------
    levels : Levels
        Of a region.
    names : collection of str
        What is wanted of `NAMES`; the others may be NaN.

    Returns
    -------
    numpy.ndarray
        ``23``, float64, as `NAMES`.

    Notes
    -----
    Of several most frequent levels the mode is the one nearest to the mean, the lower of two as near. The gradient is
    the central difference of the counts of levels 1 to the number of levels, one-sided at both ends; it is undefined
    where there is one level.
    """
    counts = np.bincount(levels.values, minlength=levels.number + 1)[1:].astype(np.float64)
    shares = counts[counts > 0] / len(levels.values)
    entropy, uniformity = -np.sum(shares * np.log2(shares)), np.sum(shares**2)
    if _OF_SHARES.issuperset(names):
        return np.array([*[np.nan] * 17, entropy, uniformity, *[np.nan] * 4])
    first = statistics(np.sort(levels.values).astype(np.float64))
    tops = np.flatnonzero(counts == counts.max()) + 1
    mode = tops[np.argmin(np.abs(tops - first[0]))]
    gradient = _gradient(counts)
    up, down = int(np.argmax(gradient)), int(np.argmin(gradient))
    places = [np.nan, np.nan] if len(counts) == 1 else [up + 1.0, down + 1.0]
    return np.array([*first[:16], mode, entropy, uniformity, gradient[up], places[0], gradient[down], places[1]])


def _gradient(counts: Float64Array) -> Float64Array:
    """Return central differences, one-sided at both ends."""
    found = np.full(len(counts), np.nan)
    if len(counts) > 1:
        found[0], found[-1] = counts[1] - counts[0], counts[-1] - counts[-2]
        found[1:-1] = (counts[2:] - counts[:-2]) / 2.0
    return found


def volume_histogram(intensities: Float64Array, how: Discretisation, kept: Resegmentation) -> Float64Array:
    """Return the features of the intensity-volume histogram.

    Parameters
    ----------
    intensities : numpy.ndarray
        ``n``, float64, sorted.
    how : Discretisation
        ``none`` takes the intensities that occur as they are.
    kept : Resegmentation
        The range to which the region was re-segmented.

    Returns
    -------
    numpy.ndarray
        ``7``, float64, as `VOLUME_NAMES`.
    """
    low, high = float(intensities[0]), float(intensities[-1])
    if how.method == "width":
        lowest = kept.lowest if kept.lowest is not None else low
        levels = discretise(intensities, how, lowest=lowest)
        values = lowest + (levels.values - 0.5) * how.width
        low, high = lowest, kept.highest if kept.highest is not None else high
    elif how.method == "none":
        values = intensities
    else:
        levels = discretise(intensities, how)
        values, low, high = levels.values.astype(np.float64), 1.0, float(levels.number)
    occurring, counts = np.unique(values, return_counts=True)
    # the share of the volume that has at least each intensity
    share = np.cumsum(counts[::-1])[::-1] / len(values)
    fraction = (occurring - low) / (high - low) if high > low else np.full(len(occurring), np.nan)
    v10, v90 = (float(share[fraction >= f].max(initial=0.0)) if high > low else np.nan for f in (0.10, 0.90))
    step = how.width if how.method == "width" else 1.0
    if how.method == "none" and not np.array_equal(occurring, np.rint(occurring)):
        # between intensities that occur there are others: the next one is as near as the data tell
        step = 0.0
    i10, i90 = (_least_above(occurring, share, f, step) for f in (0.10, 0.90))
    area = float(np.sum(np.diff(fraction) * (share[1:] + share[:-1]) / 2.0)) if high > low else np.nan
    return np.array([v10, v90, i10, i90, v10 - v90, i10 - i90, area])


def _least_above(occurring: Float64Array, share: Float64Array, wanted: float, step: float) -> float:
    """Return the least intensity, in steps, that at most the wanted share of the volume has or exceeds.

    A step of 0 takes the next intensity that occurs; beyond the last, the last.
    """
    few = np.flatnonzero(share <= wanted)
    at = int(few[0]) if len(few) else len(occurring)
    if step == 0.0:
        return float(occurring[min(at, len(occurring) - 1)])
    # the first step above the last intensity that too many voxels have
    return float(occurring[max(at, 1) - 1] + step)
