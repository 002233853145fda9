"""The threshold at which a probability becomes a call, chosen on validation data and stored as JSON."""

import math
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics.discrimination import roc_curve
from hounsfield.science.statistics.inputs import binary_truth, finite


class Rule(StrEnum):
    """What the threshold is chosen for."""

    BALANCED_ACCURACY = "balanced_accuracy"
    SENSITIVITY = "sensitivity"
    SPECIFICITY = "specificity"
    DEFAULT = "default"
    """One half, because the validation data lack a class."""


class OperatingPoint(BaseModel):
    """A threshold, why it was chosen, and what it reached on the data that it was chosen on.

    Attributes
    ----------
    threshold : float
        A sample is called positive at ``probability >= threshold``. Above 1 nobody is called.
    rule : Rule
        What it was chosen for.
    wanted : float or None
        The least sensitivity or specificity that was asked for.
    sensitivity, specificity : float or None
        Reached where it was chosen (optimistic for other data); None where undefined.
    positives, negatives : int
        Samples that it was chosen on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float
    rule: Rule
    wanted: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    positives: int
    negatives: int


def fit(truth: AnyArray, probability: AnyArray, *, rule: Rule, wanted: float | None = None) -> OperatingPoint:
    """Choose a threshold halfway between two neighbouring probabilities.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    probability : float array (n,)
        Of the positive class.
    rule : Rule
        `BALANCED_ACCURACY`: the highest, and of equals the one nearest to one half. `SENSITIVITY`: at least `wanted`,
        and of those the highest specificity. `SPECIFICITY`: the reverse.
    wanted : float
        In (0, 1]; needed for the two latter rules only.

    Returns
    -------
    OperatingPoint
        One half with the rule `DEFAULT` where a class is missing.

    Raises
    ------
    InputError
        Where `wanted` is missing, not in (0, 1], or given to a rule that takes none.
    """
    takes_wanted = rule in (Rule.SENSITIVITY, Rule.SPECIFICITY)
    if takes_wanted and (wanted is None or not 0 < wanted <= 1):
        raise InputError(f"The rule {rule.value!r} has the aim {wanted}.", expected="a number above 0 and at most 1")
    if not takes_wanted and wanted is not None:
        raise InputError(f"The rule {rule.value!r} takes no aim, but {wanted} was given.", expected="none")
    positive = binary_truth(truth)
    scores = finite(probability, shape=positive.shape, name="probability")
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if rule is Rule.DEFAULT or not positives or not negatives:
        called = scores >= 0.5
        return OperatingPoint(
            threshold=0.5,
            rule=Rule.DEFAULT,
            sensitivity=float(called[positive].mean()) if positives else None,
            specificity=float((~called[~positive]).mean()) if negatives else None,
            positives=positives,
            negatives=negatives,
        )
    curve = roc_curve(positive.astype(np.int64), scores)
    thresholds = _between(curve.threshold)
    hit, quiet = curve.true_positive_rate, 1 - curve.false_positive_rate
    if rule is Rule.BALANCED_ACCURACY:
        best = _first(-np.round(hit + quiet, 12), np.abs(thresholds - 0.5))
    elif rule is Rule.SENSITIVITY:
        best = _first((hit < float(wanted or 0) - 1e-12).astype(np.float64), -quiet, -hit)
    else:
        best = _first((quiet < float(wanted or 0) - 1e-12).astype(np.float64), -hit, -quiet)
    return OperatingPoint(
        threshold=float(thresholds[best]),
        rule=rule,
        wanted=wanted,
        sensitivity=float(hit[best]),
        specificity=float(quiet[best]),
        positives=positives,
        negatives=negatives,
    )


def apply(point: OperatingPoint, probability: AnyArray) -> BoolArray:
    """Return which samples are called positive.

    Parameters
    ----------
    point : OperatingPoint
        From `fit`.
    probability : float array (n,)
        Of the positive class.
    """
    called: BoolArray = np.asarray(probability, dtype=np.float64) >= point.threshold
    return called


def _between(descending: Float64Array) -> Float64Array:
    # The first threshold calls nobody, each later one everybody down to that score; ends lean toward 1 and 0.
    scores = descending[1:]
    top = math.nextafter(max(1.0, float(scores[0])), math.inf)
    lower = np.append(scores[1:], min(0.0, float(scores[-1])))
    middle = 0.5 * (scores + lower)
    # Neighbouring floats have no number between them.
    middle = np.where(middle > lower, middle, scores)
    middle[-1] = min(middle[-1], scores[-1])
    return np.append(top, middle)


def _first(*keys: Float64Array) -> int:
    return int(np.lexsort(keys[::-1])[0])
