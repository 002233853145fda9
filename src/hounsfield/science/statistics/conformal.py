"""Split-conformal prediction sets: every answer that the calibration cases do not rule out."""

import math
from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray

LEVEL = 0.9


def fewest(level: float = LEVEL) -> int:
    """Return how many calibration cases of a class a limit needs: with fewer the class is in every set.

    Parameters
    ----------
    level : float
        Wanted coverage, 0 to 1.
    """
    return math.ceil(1 / (1 - level) - 1e-9) - 1


def rank(cases: int, level: float = LEVEL) -> int:
    """Return which of the sorted scores is the limit, counted from 1; more than `cases` means that there is none."""
    return math.ceil((cases + 1) * level - 1e-9)


def limit(scores: Float64Array, level: float = LEVEL) -> float | None:
    """Return the score up to which an answer is kept.

    Parameters
    ----------
    scores : numpy.ndarray
        ``n`` scores of the true answers of calibration cases: higher is stranger.
    level : float
        Wanted coverage, 0 to 1.

    Returns
    -------
    float or None
        The ``ceil((n + 1) level)``-th smallest score; None where there are too few cases to rule anything out.

    Notes
    -----
    Covers a new case with a probability of at least `level` if it and the calibration cases are exchangeable.
    Several images of one patient are not: then the coverage holds in the mean but varies more than the exact
    intervals say.

    References
    ----------
    Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005. Angelopoulos, Bates, "Conformal
    prediction: a gentle introduction", Foundations and Trends in Machine Learning 16(4), 2023, section 1.
    """
    place = rank(len(scores), level)
    return None if place > len(scores) else float(np.sort(scores)[place - 1])


def class_limits(scores: Float64Array, truth: IntArray, level: float = LEVEL) -> list[float | None]:
    """Return a limit of each class, from its own cases only (Mondrian: each class is covered by itself).

    Parameters
    ----------
    scores : numpy.ndarray
        ``n k``: how strange each class would be, from `class_scores` or `level_scores`.
    truth : numpy.ndarray
        ``n`` class indices, -1 where missing.
    level : float
        Wanted coverage of each class.

    References
    ----------
    Vovk, "Conditional validity of inductive conformal predictors", ACML 2012.
    """
    return [limit(scores[truth == index, index], level) for index in range(scores.shape[1])]


def class_scores(probabilities: Float64Array) -> Float64Array:
    """Return how strange each class would be, ``n k``: one less its probability."""
    return 1.0 - probabilities


def level_scores(probabilities: Float64Array) -> Float64Array:
    """Return how strange each level would be, ``n k``.

    Notes
    -----
    The range of levels grows from the most probable one, each time by its likelier neighbour; the score of a level is
    the probability that the range holds before the level joins, and half of its own.
    """
    count, width = probabilities.shape
    scores = np.zeros((count, width))
    for row in range(count):
        shares = probabilities[row]
        low = high = int(shares.argmax())
        inside = float(shares[low])
        scores[row, low] = inside / 2
        while high - low + 1 < width:
            up = shares[high + 1] if high + 1 < width else -1.0
            down = shares[low - 1] if low else -1.0
            place = high + 1 if up > down else low - 1
            low, high = min(low, place), max(high, place)
            scores[row, place] = inside + float(shares[place]) / 2
            inside += float(shares[place])
    return scores


def kept(scores: Float64Array, limits: Sequence[float | None]) -> BoolArray:
    """Return which classes are in the set, ``n k``; one without a limit always is.

    Parameters
    ----------
    scores : numpy.ndarray
        ``n k``.
    limits : sequence of float or None
        Length k, from `class_limits`.
    """
    up_to = np.array([math.inf if value is None else value for value in limits])
    inside: BoolArray = scores <= up_to
    return inside


def filled(inside: BoolArray) -> BoolArray:
    """Return sets of levels without gaps, ``n k``: whatever lies between two levels of the set joins it."""
    seen: BoolArray = np.logical_or.accumulate(inside, axis=1)
    coming: BoolArray = np.logical_or.accumulate(inside[:, ::-1], axis=1)[:, ::-1]
    return seen & coming


def coverage_interval(cases: int, level: float = LEVEL, *, mass: float = 0.95) -> tuple[float, float]:
    """Return where the true coverage of a limit lies, over the draw of its calibration cases.

    Parameters
    ----------
    cases : int
        Calibration cases.
    level : float
        Wanted coverage.
    mass : float
        Probability of the central interval.

    Notes
    -----
    Exactly Beta(r, n + 1 - r) with ``r = ceil((n + 1) level)`` for exchangeable cases and scores without ties
    (Vovk 2012; Angelopoulos, Bates 2023, section 3.2).
    """
    place = rank(cases, level)
    if place > cases:
        return 1.0, 1.0
    from scipy.stats import beta

    low, high = beta.ppf([(1 - mass) / 2, (1 + mass) / 2], place, cases + 1 - place)
    return float(low), float(high)


def observed_interval(cases: int, seen: int, level: float = LEVEL, *, mass: float = 0.95) -> tuple[float, float]:
    """Return where the coverage observed on so many new cases lies: beta-binomial, the new cases' chance included.

    Parameters
    ----------
    cases, seen : int
        Calibration cases, and new cases.
    level : float
        Wanted coverage.
    mass : float
        Probability of the central interval, at least.
    """
    place = rank(cases, level)
    if place > cases or not seen:
        return 1.0, 1.0
    from scipy.stats import betabinom

    low, high = betabinom.ppf([(1 - mass) / 2, (1 + mass) / 2], seen, place, cases + 1 - place)
    return float(low) / seen, float(high) / seen
