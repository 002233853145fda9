"""Pixel probabilities judged without keeping them: a histogram by truth that is added up case by case."""

import math
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json

BINS = 1 << 14
LOWEST, HIGHEST = -40.0, 18.0
"""Logits at which the scale ends: above, float32 cannot tell probabilities from 1; below, they are 4e-18 and less."""
_BLOCK = 1 << 20


def bin_of(probability: AnyArray) -> IntArray:
    """Return the bin of each probability, 0 to ``BINS - 1``.

    Notes
    -----
    Bins are equal on the logit scale, so that probabilities close to 0 and to 1, where most pixels of a good model
    lie, are told apart as well as those in the middle: a bin is 0.0035 wide in logit, 0.0009 in probability at 0.5.
    """
    value = np.asarray(probability, dtype=np.float64)
    with np.errstate(divide="ignore"):
        logit = np.log(value) - np.log1p(-value)
    place = np.floor((np.clip(logit, LOWEST, HIGHEST) - LOWEST) * (BINS / (HIGHEST - LOWEST)))
    return np.asarray(np.minimum(place, BINS - 1), dtype=np.int64)


def bin_edges() -> Float64Array:
    """Return the probabilities at which bins begin, and 1 at the end: ``BINS + 1``; the first is 0."""
    logit = np.linspace(LOWEST, HIGHEST, BINS + 1)
    edges = np.asarray(1.0 / (1.0 + np.exp(-logit)))
    edges[0], edges[-1] = 0.0, 1.0
    return edges


@dataclass(frozen=True)
class PixelScores:
    """How many pixels of the structure, and of the rest, have a probability in each bin.

    Parameters
    ----------
    inside, outside : numpy.ndarray
        int64, ``BINS``: pixels where the truth is marked, and where it is not.

    Notes
    -----
    Two of them are added with ``+``: any number of cases takes the memory of one. Figures are those of the
    probabilities rounded to their bins; `auroc_error` and `average_precision_bounds` say what that can have changed.
    """

    inside: IntArray = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64), repr=False)
    outside: IntArray = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64), repr=False)

    def __add__(self, other: "PixelScores") -> "PixelScores":
        return PixelScores(self.inside + other.inside, self.outside + other.outside)

    def to_json(self) -> Json:
        """Return bins that are not empty and their two counts."""
        used = np.flatnonzero(self.inside + self.outside)
        return {
            "bins": BINS,
            "used": [int(n) for n in used],
            "inside": [int(n) for n in self.inside[used]],
            "outside": [int(n) for n in self.outside[used]],
        }

    @property
    def positives(self) -> int:
        """Pixels of the structure."""
        return int(self.inside.sum())

    @property
    def negatives(self) -> int:
        """Pixels outside it."""
        return int(self.outside.sum())

    def auroc(self) -> float:
        """Return the share of pairs of a pixel inside and one outside that are ranked right, ties half; NaN if none."""
        return float(auroc_of(self.inside[None], self.outside[None])[0])

    def auroc_error(self) -> float:
        """Return by how much binning can have changed the AUROC at most: half of the pairs that share a bin."""
        pairs = self.positives * self.negatives
        return 0.5 * float(self.inside.astype(np.float64) @ self.outside) / pairs if pairs else math.nan

    def average_precision(self) -> float:
        """Return the sum over bins of the gain in recall times the precision, from the top; NaN if none is inside."""
        return float(average_precision_of(self.inside[None], self.outside[None])[0])

    def average_precision_bounds(self) -> tuple[float, float]:
        """Return between which values the average precision of the probabilities themselves lies."""
        return _precision_bounds(self.inside, self.outside)

    def dice_at(self) -> Float64Array:
        """Return the pooled Dice when every pixel from a bin on is marked, for each bin: ``BINS``."""
        said_right = np.cumsum(self.inside[::-1])[::-1].astype(np.float64)
        said_wrong = np.cumsum(self.outside[::-1])[::-1].astype(np.float64)
        below = 2 * said_right + said_wrong + (self.positives - said_right)
        return np.asarray(np.divide(2 * said_right, below, out=np.ones(BINS), where=below > 0))

    def best_threshold(self) -> tuple[float, float]:
        """Return the probability from which pixels should be marked for the largest pooled Dice, and that Dice.

        Notes
        -----
        Of equally good bins the middle one. Fit it on training or validation pixels, never on those that are judged.
        """
        dice = self.dice_at()
        best = np.flatnonzero(dice >= dice.max() - 1e-12)
        return float(bin_edges()[best[len(best) // 2]]), float(dice.max())


def pixel_scores(probability: AnyArray, truth: AnyArray, *, region: AnyArray | None = None) -> PixelScores:
    """Return the histogram of one structure of one case.

    Parameters
    ----------
    probability : numpy.ndarray
        ``y x`` or ``z y x``, 0 to 1.
    truth : numpy.ndarray
        Of its shape; 0 is outside.
    region : numpy.ndarray or None
        Bool: where to count; everywhere if left out.

    Raises
    ------
    InputError
        If shapes differ, or a probability is not a number from 0 to 1.
    """
    held, true = np.asarray(probability), np.asarray(truth)
    if held.shape != true.shape or (region is not None and np.shape(region) != held.shape):
        raise InputError(
            f"Probabilities of the shape {held.shape} are judged by a mask of the shape {true.shape}.",
            expected="one shape, also of the region",
            next_step="bring the prediction to the grid of the truth",
        )
    inside, outside = np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)
    values, marks = held.ravel(), true.ravel() != 0
    counted = None if region is None else np.asarray(region).ravel() != 0
    for start in range(0, len(values), _BLOCK):
        part, mark = values[start : start + _BLOCK], marks[start : start + _BLOCK]
        if counted is not None:
            use = counted[start : start + _BLOCK]
            part, mark = part[use], mark[use]
        if len(part) and not (float(part.min()) >= 0 and float(part.max()) <= 1):
            raise InputError(
                "A pixel's probability is not a number from 0 to 1.", expected="probabilities", next_step="decode them"
            )
        places = bin_of(part)
        inside += np.bincount(places[mark], minlength=BINS)
        outside += np.bincount(places[~mark], minlength=BINS)
    return PixelScores(inside, outside)


def pixel_scores_from_json(stored: Json) -> PixelScores:
    """Return the histogram that `PixelScores.to_json` stored.

    Raises
    ------
    InputError
        If it was stored with other bins.
    """
    if not isinstance(stored, dict) or stored.get("bins") != BINS:
        raise InputError(
            "A histogram of pixel probabilities has other bins.", expected=f"{BINS} bins", next_step="judge anew"
        )
    used = np.asarray(stored["used"], dtype=np.int64)
    inside, outside = np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)
    inside[used], outside[used] = np.asarray(stored["inside"]), np.asarray(stored["outside"])
    return PixelScores(inside, outside)


def auroc_of(inside: AnyArray, outside: AnyArray) -> Float64Array:
    """Return the AUROC of many histograms, ``r bins`` each, weighted ones too: ``r``; NaN where a side is empty."""
    true: Float64Array = np.asarray(inside, dtype=np.float64)
    rest: Float64Array = np.asarray(outside, dtype=np.float64)
    lower = np.cumsum(rest, axis=1) - rest
    pairs: Float64Array = true.sum(axis=1) * rest.sum(axis=1)
    won = (true * (lower + 0.5 * rest)).sum(axis=1)
    return np.asarray(np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0))


def average_precision_of(inside: AnyArray, outside: AnyArray) -> Float64Array:
    """Return the average precision of many histograms, ``r bins`` each: ``r``; NaN where nothing is inside."""
    true: Float64Array = np.asarray(inside, dtype=np.float64)[:, ::-1]
    rest: Float64Array = np.asarray(outside, dtype=np.float64)[:, ::-1]
    right = np.cumsum(true, axis=1)
    said = right + np.cumsum(rest, axis=1)
    share = np.divide(right, said, out=np.zeros_like(right), where=said > 0)
    total: Float64Array = true.sum(axis=1)
    return np.asarray(np.divide((true * share).sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0))


def _precision_bounds(inside: IntArray, outside: IntArray) -> tuple[float, float]:
    """Bound what any order inside the bins could give, ties between any of the pixels included.

    With TP and FP pixels before a bin of p inside and n outside: at worst all n come first and the k-th of the p has
    the precision (TP + k) / (TP + k + FP + n), a harmonic sum with a closed form in digamma; at best the p are tied
    with each other before all n, and each has the precision (TP + p) / (TP + p + FP) of the end of the tie.
    """
    from scipy.special import digamma

    p, n = inside[::-1].astype(np.float64), outside[::-1].astype(np.float64)
    total = float(p.sum())
    if not total:
        return math.nan, math.nan
    tp, fp = np.cumsum(p) - p, np.cumsum(n) - n

    def summed(wrong: Float64Array) -> Float64Array:
        """Return the sum over k = 1..p of (tp + k) / (tp + k + wrong)."""
        return np.asarray(p - wrong * (digamma(tp + p + wrong + 1) - digamma(tp + wrong + 1)))

    best = p * (tp + p) / np.maximum(tp + p + fp, 1)
    return float(summed(fp + n).sum() / total), float(best.sum() / total)
