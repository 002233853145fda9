"""Thresholds, tidying and the quality estimate: fitted on validation cases, applied to every case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.ndimage import maximum

from hounsfield.core.boxes import Box
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array
from hounsfield.geometry.boxes import boxes_in
from hounsfield.geometry.components import label, largest, without_small
from hounsfield.learn.dense.model import labels_of
from hounsfield.science.statistics.segmentation.box_scores import best_score, box_scores
from hounsfield.science.statistics.segmentation.expected import Quality, fit_quality, quality_features
from hounsfield.science.statistics.segmentation.own_threshold import OwnThreshold, counted_case, fit_own_threshold

STEPS = 200
"""Thresholds that are tried, from 0 to 1."""
FLAT = 0.0005
"""Dice by which the best threshold must be better than others for it, and not the middle of them, to be taken."""
LEAST_GAIN = 0.002
"""Dice that tidying must bring on validation cases to be done at all; a case with nothing counts 1 if left unmarked."""
PRICE = 0.005
"""Mean Dice that tidying may take from the cases that hold the structure."""
PIECES = (0.0005, 0.002, 0.006, 0.015)
"""Sizes of pieces, as shares of the image, that are tried as the least."""
PEAKS = (0.6, 0.7, 0.8, 0.9)
"""Probabilities that are tried as what a piece must reach somewhere."""


class Settled(BaseModel):
    """What is fixed on validation cases for one target.

    Attributes
    ----------
    thresholds : list of float
        One for each class; not used where classes exclude each other.
    own : list of OwnThreshold or None
        For each class how a case's own threshold is found; where there is none, that of all cases holds.
    single : list of bool
        Whether only the largest piece of a class is kept.
    least : list of float
        Pieces of a class below this share of the image are dropped.
    peak : list of float
        Pieces of a class whose probability nowhere reaches this are dropped.
    quality : list of Quality or None
        For each class.
    scores : list of float
        Of boxes: score from which one of each class is handed out; empty where masks are asked for.
    cases : int
        Validation cases behind it.
    dice : float or None
        Mean Dice of these cases, those that hold nothing left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    thresholds: list[float]
    own: list[OwnThreshold | None] = []
    single: list[bool]
    least: list[float]
    peak: list[float]
    quality: list[Quality | None]
    scores: list[float] = []
    cases: int
    dice: float | None = None

    def thresholds_for(self, probabilities: AnyArray) -> list[float]:
        """Return from which probability each class of a case is marked; above 1 where it is not to be marked.

        Parameters
        ----------
        probabilities : numpy.ndarray
            ``k ...``
        """
        own = self.own or [None] * len(self.thresholds)
        return [t if one is None else one.of(p) for t, one, p in zip(self.thresholds, own, probabilities, strict=True)]


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
    boxes : tuple of Box or None
        True boxes, where boxes are asked for.
    """

    probabilities: AnyArray = field(repr=False)
    truth: BoolArray = field(repr=False)
    region: BoolArray | None = field(default=None, repr=False)
    boxes: tuple[Box, ...] | None = None


def settle_on(held: Sequence[Held], structures: Structures, *, rule: str) -> Settled:
    """Fix threshold, tidying and quality estimate of one target.

    Parameters
    ----------
    held : sequence of Held
        Validation cases that the model has not learned from.
    structures : Structures
    rule : str
        ``dice``; ``fixed``: the same threshold for all cases; ``half``.
    """
    plain = unsettled(structures)
    if not held:
        return plain
    if held[0].boxes is not None:
        plain = plain.model_copy(update={"scores": _box_scores(held, len(structures.classes))})
    thresholds, own = plain.thresholds, plain.own
    if structures.layout != "exclusive" and rule != "half":
        classes = range(len(thresholds))
        thresholds = [best_threshold([(h.probabilities[k], h.truth[k], h.region) for h in held]) for k in classes]
        if rule == "dice":
            own = [_own_threshold(held, k, thresholds[k]) for k in classes]
    plain = plain.model_copy(update={"thresholds": thresholds, "own": own})
    cut = [plain.thresholds_for(h.probabilities) for h in held]
    masks = [structures.masks(labels_of(h.probabilities, structures, at)) for h, at in zip(held, cut, strict=True)]
    ways = [_tidying([(m[k], h) for m, h in zip(masks, held, strict=True)], k) for k in range(len(structures.classes))]
    found = plain.model_copy(
        update={
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
    holding = np.array(
        [[bool((t if h.region is None else t & h.region).any()) for t in h.truth] for h in held], dtype=np.bool_
    )
    quality = [
        _quality([(h, m[k], t[k]) for m, h, t in zip(tidy, held, cut, strict=True)], k, scores[:, k])
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
    The middle of the longest run of thresholds that are within `FLAT` of the best: the top of the curve is flat, and
    its highest point among few cases is chance.
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
    runs = np.split(good, np.flatnonzero(np.diff(good) > 1) + 1)
    return float(round(float(max(runs, key=len).mean()) / STEPS, 4))


def _histogram(probability: AnyArray, truth: BoolArray, region: BoolArray | None) -> tuple[Float64Array, Float64Array]:
    place = np.minimum((np.asarray(probability, dtype=np.float32) * STEPS).astype(np.int64), STEPS - 1)
    use: BoolArray = np.ones(place.shape, dtype=np.bool_) if region is None else region
    inside = np.bincount(place[use & truth], minlength=STEPS).astype(np.float64)
    outside = np.bincount(place[use & ~truth], minlength=STEPS).astype(np.float64)
    return inside, outside


def _box_scores(held: Sequence[Held], classes: int) -> list[float]:
    """Return for each class the score from which boxes are handed out: the highest F1 over validation cases."""
    return [
        best_score(
            [
                box_scores(boxes_in(counted(h.probabilities[k], h.region)), own_boxes(h.boxes or (), k), least=0.0)
                for h in held
            ]
        )
        for k in range(classes)
    ]


def counted(probability: AnyArray, region: BoolArray | None) -> Float32Array:
    """Return probabilities with 0 where nothing counts, float32."""
    values = np.asarray(probability, dtype=np.float32)
    return values if region is None else np.where(region, values, np.float32(0.0))


def own_boxes(boxes: Sequence[Box], cls: int) -> list[Box]:
    """Return the boxes of one class."""
    return [b for b in boxes if b.cls == cls]


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
    best, holding = _means(cases, k, Tidying())
    best += LEAST_GAIN
    chosen = Tidying()
    for way in ways:
        after, held = _means(cases, k, way)
        if after > best and held >= holding - PRICE:
            best, chosen = after, way
    return chosen


def _means(cases: Sequence[tuple[BoolArray, Held]], k: int, way: Tidying) -> tuple[float, float]:
    """Return the mean Dice of all cases, and of those that hold the structure."""
    dice = np.array([_dice(_tidy(m, h.probabilities[k], way), h.truth[k], h.region) for m, h in cases])
    holding = np.array([bool(h.truth[k].any()) for _, h in cases])
    return float(dice.mean()), float(dice[holding].mean()) if holding.any() else 0.0


def _own_threshold(held: Sequence[Held], k: int, threshold: float) -> OwnThreshold | None:
    """Return how each case's own threshold is found, where that gains on validation cases."""
    fixed = [
        _dice(np.asarray(h.probabilities[k], dtype=np.float32) >= threshold, h.truth[k], h.region)
        for h in held
        if h.truth[k].any()
    ]
    counted = [counted_case(h.probabilities[k], h.truth[k], h.region) for h in held]
    return fit_own_threshold(counted, fixed=float(np.mean(fixed))) if fixed else None


def _dice(said: BoolArray, truth: BoolArray, region: BoolArray | None) -> float:
    if region is not None:
        said, truth = said & region, truth & region
    total = int(said.sum()) + int(truth.sum())
    return 1.0 if not total else 2.0 * int((said & truth).sum()) / total


def _quality(cases: Sequence[tuple[Held, BoolArray, float]], k: int, scores: Float64Array) -> Quality | None:
    """Fit the Dice to what the probability maps say, on cases in which something is marked."""
    marked = [n for n, (_, mask, _) in enumerate(cases) if mask.any()]
    features = [quality_features(h.probabilities[k], m, threshold=t) for h, m, t in (cases[n] for n in marked)]
    return fit_quality(features, scores[marked])


def expected_dice_of(
    quality: Quality | None, probability: AnyArray, mask: BoolArray, *, threshold: float
) -> float | None:
    """Return the Dice to be expected of a mask; None where nothing is marked, or the estimate could not be learned.

    Parameters
    ----------
    quality : Quality or None
    probability : numpy.ndarray
        ``...`` of one class.
    mask : numpy.ndarray
        Bool, ``...``, tidied.
    threshold : float
    """
    if quality is None or not mask.any():
        return None
    return quality.of(quality_features(probability, mask, threshold=threshold))


def settled_json(found: Mapping[str, Settled]) -> dict[str, object]:
    """Return what is settled of all targets as JSON values."""
    return {name: one.model_dump(mode="json") for name, one in found.items()}
