"""Thresholds, tidying and the quality estimate: fitted on validation cases, applied to every case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.ndimage import maximum

from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.geometry.components import label, largest, without_small
from hounsfield.learn.dense.model import labels_of, quality_features

STEPS = 200
"""Thresholds that are tried, from 0 to 1."""
FLAT = 0.0005
"""Dice by which the best threshold must be better than others for it, and not the middle of them, to be taken."""
LEAST_GAIN = 0.002
"""Dice that tidying must bring on validation cases to be done at all."""
LEAST_CASES = 10
"""Validation cases from which a quality estimate is fitted."""
PIECES = (0.0005, 0.002, 0.006, 0.015)
"""Sizes of pieces, as shares of the image, that are tried as the least."""
PEAKS = (0.6, 0.7, 0.8, 0.9)
"""Probabilities that are tried as what a piece must reach somewhere."""
RIDGE = 1.0


class Quality(BaseModel):
    """A linear estimate of the Dice from `hounsfield.learn.dense.model.quality_features`.

    Attributes
    ----------
    mean, scale, weights : list of float
        The features are centred, scaled, weighted and summed.
    bias : float
    low, high : float
        Estimates are cut to what was seen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float
    low: float = 0.0
    high: float = 1.0

    def of(self, features: Float64Array) -> float:
        """Return the Dice to be expected, 0 to 1."""
        scaled = (features - np.array(self.mean)) / np.array(self.scale)
        return float(np.clip(scaled @ np.array(self.weights) + self.bias, self.low, self.high))


class Settled(BaseModel):
    """What is fixed on validation cases for one target.

    Attributes
    ----------
    thresholds : list of float
        One for each class; not used where classes exclude each other.
    single : list of bool
        Whether only the largest piece of a class is kept.
    least : list of float
        Pieces of a class below this share of the image are dropped.
    peak : list of float
        Pieces of a class whose probability nowhere reaches this are dropped.
    quality : list of Quality or None
        For each class.
    cases : int
        Validation cases behind it.
    dice : float or None
        Mean Dice of these cases, those that hold nothing left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    thresholds: list[float]
    single: list[bool]
    least: list[float]
    peak: list[float]
    quality: list[Quality | None]
    cases: int
    dice: float | None = None


def unsettled(structures: Structures) -> Settled:
    """Return what holds without any validation case: one half, nothing tidied."""
    count = len(structures.classes)
    return Settled(
        thresholds=[0.5] * count,
        single=[False] * count,
        least=[0.0] * count,
        peak=[0.0] * count,
        quality=[None] * count,
        cases=0,
    )


@dataclass(frozen=True)
class Held:
    """One validation case and target.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``k ...``, float16 or float32.
    truth : numpy.ndarray
        Bool, ``k ...``.
    region : numpy.ndarray or None
        Bool, ``...``.
    """

    probabilities: AnyArray = field(repr=False)
    truth: BoolArray = field(repr=False)
    region: BoolArray | None = field(default=None, repr=False)


def settle_on(held: Sequence[Held], structures: Structures, *, rule: str) -> Settled:
    """Fix threshold, tidying and quality estimate of one target.

    Parameters
    ----------
    held : sequence of Held
        Validation cases that the model has not learned from.
    structures : Structures
    rule : str
        ``dice`` or ``half``.
    """
    plain = unsettled(structures)
    if not held:
        return plain
    thresholds = plain.thresholds
    if structures.layout != "exclusive" and rule == "dice":
        thresholds = [
            best_threshold([(h.probabilities[k], h.truth[k], h.region) for h in held]) for k in range(len(thresholds))
        ]
    masks = [structures.masks(labels_of(h.probabilities, structures, thresholds)) for h in held]
    ways = [_tidying([(m[k], h) for m, h in zip(masks, held, strict=True)], k) for k in range(len(structures.classes))]
    found = plain.model_copy(
        update={
            "thresholds": thresholds,
            "single": [way.single for way in ways],
            "least": [way.least for way in ways],
            "peak": [way.peak for way in ways],
            "cases": len(held),
        }
    )
    tidy = [tidied(m, h.probabilities, found) for m, h in zip(masks, held, strict=True)]
    scores = np.array(
        [[_dice(m[k], h.truth[k], h.region) for k in range(len(m))] for m, h in zip(tidy, held, strict=True)]
    )
    holding = np.array([[bool(h.truth[k].any()) for k in range(len(h.truth))] for h in held])
    quality = [
        _quality([(h.probabilities[k], m[k]) for m, h in zip(tidy, held, strict=True)], scores[:, k])
        for k in range(len(structures.classes))
    ]
    mean = float(scores[holding].mean()) if holding.any() else None
    return found.model_copy(update={"quality": quality, "dice": mean})


def best_threshold(cases: Sequence[tuple[AnyArray, BoolArray, BoolArray | None]]) -> float:
    """Return the probability from which marking gives the highest mean Dice.

    Parameters
    ----------
    cases : sequence of (probabilities, truth, region)
        ``...`` each; those without the structure say nothing of Dice and are left out.

    Notes
    -----
    The middle of all thresholds that are within `FLAT` of the best: the top of the curve is flat, and its highest point
    among few cases is chance.
    """
    curves = []
    for probability, truth, region in cases:
        inside, outside = _histogram(probability, truth, region)
        if not inside.sum():
            continue
        right = np.cumsum(inside[::-1])[::-1]
        wrong = np.cumsum(outside[::-1])[::-1]
        curves.append(2.0 * right / (right + wrong + inside.sum()))
    if not curves:
        return 0.5
    mean = np.mean(curves, axis=0)
    good = np.flatnonzero(mean >= mean.max() - FLAT)
    return float(round((float(good.mean())) / STEPS, 4))


def _histogram(probability: AnyArray, truth: BoolArray, region: BoolArray | None) -> tuple[Float64Array, Float64Array]:
    place = np.minimum((np.asarray(probability, dtype=np.float32) * STEPS).astype(np.int64), STEPS - 1)
    use: BoolArray = np.ones(place.shape, dtype=np.bool_) if region is None else region
    inside = np.bincount(place[use & truth], minlength=STEPS).astype(np.float64)
    outside = np.bincount(place[use & ~truth], minlength=STEPS).astype(np.float64)
    return inside, outside


@dataclass(frozen=True)
class Tidying:
    """Which pieces of a mask are kept; see `Settled`."""

    single: bool = False
    least: float = 0.0
    peak: float = 0.0


def tidied(masks: BoolArray, probabilities: AnyArray, settled: Settled) -> BoolArray:
    """Return masks without the pieces that are not to be kept.

    Parameters
    ----------
    masks : numpy.ndarray
        Bool, ``k ...``.
    probabilities : numpy.ndarray
        ``k ...``, what they were cut from.
    settled : Settled
    """
    ways = [Tidying(*way) for way in zip(settled.single, settled.least, settled.peak, strict=True)]
    if all(way == Tidying() for way in ways):
        return masks
    return np.stack([_tidy(m, p, way) for m, p, way in zip(masks, probabilities, ways, strict=True)])


def _tidy(mask: BoolArray, probability: AnyArray, way: Tidying) -> BoolArray:
    kept = mask
    if way.single:
        kept = largest(kept)
    if way.least > 0 and kept.any():
        kept = without_small(kept, max(1, round(way.least * kept.size)))
    if way.peak > 0 and kept.any():
        numbers, count = label(kept)
        tops = maximum(np.asarray(probability, dtype=np.float32), numbers, index=np.arange(1, count + 1))
        kept = np.concatenate([[False], np.asarray(tops) >= way.peak])[numbers]
    return np.asarray(kept, dtype=np.bool_)


def _tidying(cases: Sequence[tuple[BoolArray, Held]], k: int) -> Tidying:
    """Return which pieces are kept, where that gains on validation cases; the simplest way among equals."""
    ways = [Tidying(single=True), *(Tidying(least=p) for p in PIECES), *(Tidying(peak=p) for p in PEAKS)]
    best = float(np.mean([_dice(m, h.truth[k], h.region) for m, h in cases])) + LEAST_GAIN
    chosen = Tidying()
    for way in ways:
        after = float(np.mean([_dice(_tidy(m, h.probabilities[k], way), h.truth[k], h.region) for m, h in cases]))
        if after > best:
            best, chosen = after, way
    return chosen


def _dice(said: BoolArray, truth: BoolArray, region: BoolArray | None) -> float:
    if region is not None:
        said, truth = said & region, truth & region
    total = int(said.sum()) + int(truth.sum())
    return 1.0 if not total else 2.0 * int((said & truth).sum()) / total


def _quality(cases: Sequence[tuple[AnyArray, BoolArray]], scores: Float64Array) -> Quality | None:
    """Fit a ridge regression of the Dice on what the probability maps say."""
    if len(cases) < LEAST_CASES:
        return None
    features = np.stack([quality_features(p, m) for p, m in cases])
    mean, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    scaled = (features - mean) / scale
    centred = scores - scores.mean()
    weights = np.linalg.solve(scaled.T @ scaled + RIDGE * np.eye(scaled.shape[1]), scaled.T @ centred)
    return Quality(
        mean=[round(float(v), 8) for v in mean],
        scale=[round(float(v), 8) for v in scale],
        weights=[round(float(v), 8) for v in weights],
        bias=round(float(scores.mean()), 8),
        low=round(float(scores.min()), 8),
        high=round(float(scores.max()), 8),
    )


def settled_json(found: Mapping[str, Settled]) -> dict[str, object]:
    """Return what is settled of all targets as JSON values."""
    return {name: one.model_dump(mode="json") for name, one in found.items()}
