"""Otsu's threshold: the two brightest-apart halves of each image, and which of them the structure is."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.science.baselines.cases import Cases, Fitted, as_probabilities, finite, none_seen

_BINS = 256


def threshold(image: AnyArray) -> float:
    """Return the value that splits an image into the two parts with the largest variance between them.

    Parameters
    ----------
    image : numpy.ndarray
        Any shape.

    Returns
    -------
    float
        The centre of the last of 256 bins that belongs to the darker part; the value itself of a constant image.

    References
    ----------
    Otsu N. A threshold selection method from gray-level histograms. IEEE Trans Syst Man Cybern 1979;9:62-66.
    """
    values = finite(image)
    low, high = float(values.min()), float(values.max())
    if low == high:
        return low
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    centres = 0.5 * (edges[:-1] + edges[1:])
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    darker = np.cumsum(counts * centres) / np.maximum(below, 1)
    brighter = (np.cumsum((counts * centres)[::-1]) / np.maximum(above[::-1], 1))[::-1]
    between = below[:-1].astype(np.float64) * above[1:] * (darker[:-1] - brighter[1:]) ** 2
    return float(centres[int(np.argmax(between))])


def fit(cases: Cases, *, rng: np.random.Generator) -> Fitted:
    """Find out whether each class is the brighter or the darker part: the one with the larger pooled Dice.

    Parameters
    ----------
    cases : Cases
    rng : numpy.random.Generator
        Not needed.
    """
    sums: Float64Array | None = None
    for case in cases():
        bright = finite(case.image) > threshold(case.image)
        found = np.array([[_counts(part, mask) for part in (bright, ~bright)] for mask in case.masks])
        sums = found if sums is None else sums + found
    if sums is None:
        raise none_seen("otsu")
    dice = 2 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1)
    return Fitted({"brighter": [bool(bright >= dark) for bright, dark in dice]})


def apply(fitted: Fitted, image: AnyArray) -> Float32Array:
    """Return the part of an image that each class is, as probabilities 0 and 1: ``k y x`` or ``k z y x``."""
    bright = finite(image) > threshold(image)
    parts = fitted.json["brighter"]
    return as_probabilities(bright if part else ~bright for part in (parts if isinstance(parts, list) else []))


def _counts(part: AnyArray, mask: AnyArray) -> tuple[float, float, float]:
    said, true = np.asarray(part, dtype=np.bool_), np.asarray(mask, dtype=np.bool_)
    return float((said & true).sum()), float(said.sum()), float(true.sum())
