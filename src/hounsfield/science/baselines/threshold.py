"""A band of intensities for each class, fitted on the training images."""

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.science.baselines.cases import Cases, Fitted, as_probabilities, finite, none_seen

_BINS = 256


def fit(cases: Cases, *, rng: np.random.Generator) -> Fitted:
    """Find for each class the band of intensities with the largest Dice over the pixels of all training images.

    Parameters
    ----------
    cases : Cases
        Gone through twice: for the range of intensities, then for their histograms in 256 bins.
    rng : numpy.random.Generator
        Not needed.
    """
    ends = [(float(v.min()), float(v.max())) for v in (finite(case.image) for case in cases())]
    if not ends:
        raise none_seen("threshold")
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    high = high if high > low else low + 1.0
    whole: Float64Array = np.zeros(_BINS)
    inside: Float64Array | None = None
    for case in cases():
        place = _bins(case.image, low, high)
        whole += np.bincount(place.ravel(), minlength=_BINS)
        found = np.stack([np.bincount(place[mask], minlength=_BINS) for mask in case.masks]).astype(np.float64)
        inside = found if inside is None else inside + found
    edges = np.linspace(low, high, _BINS + 1)
    bands = [] if inside is None else [_band(one, whole) for one in inside]
    return Fitted({"bands": [[float(edges[first]), float(edges[last + 1])] for first, last in bands]})


def apply(fitted: Fitted, image: AnyArray) -> Float32Array:
    """Return what lies in the band of each class, as probabilities 0 and 1: ``k y x`` or ``k z y x``."""
    values = finite(image)
    bands = np.asarray(fitted.json["bands"], dtype=np.float64)
    return as_probabilities((values >= low) & (values <= high) for low, high in bands)


def _bins(image: AnyArray, low: float, high: float) -> AnyArray:
    place = np.floor((finite(image) - low) * (_BINS / (high - low)))
    return np.asarray(np.clip(place, 0, _BINS - 1), dtype=np.int64)


def _band(inside: Float64Array, whole: Float64Array) -> tuple[int, int]:
    """Return the first and last bin of the band with the largest Dice, among all pairs of bins."""
    right = np.concatenate([[0.0], np.cumsum(inside)])
    said = np.concatenate([[0.0], np.cumsum(whole)])
    first, last = np.triu_indices(_BINS)
    dice = 2 * (right[last + 1] - right[first]) / np.maximum(said[last + 1] - said[first] + right[-1], 1)
    best = int(np.argmax(dice))
    return int(first[best]), int(last[best])
