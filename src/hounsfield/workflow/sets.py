"""Prediction sets of every kind of target: fitted on validation answers, made, written and judged."""

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.prediction import SetRule
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics import conformal

NO = ":no"
UNSURE = "?"
NUMBER = ""
DIGITS = 6


def set_rule(target: TargetSpec, decoded: Float64Array, truth: AnyArray, level: float = conformal.LEVEL) -> SetRule:
    """Fit the limits of a target's prediction sets.

    Parameters
    ----------
    target : TargetSpec
    decoded : numpy.ndarray
        Calibrated probabilities ``n k``, or numbers ``n 1``, of calibration cases.
    truth : numpy.ndarray
        Their encoded answers.
    level : float
        Wanted coverage.

    Notes
    -----
    Temperature and checkpoint were chosen on the same validation cases. The temperature of two classes keeps the order
    of scores within a class, so the limits do not know of it; with more classes it is one number for all cases, and
    the limits are tight by no more than that lets them be.
    """
    scores, answers = _scores(target, decoded), np.asarray(truth, dtype=np.float64)
    if target.kind == "number":
        number = answers.reshape(len(answers))
        known = np.isfinite(number)
        residual = np.abs(decoded[known, 0] - number[known])
        return SetRule(level=level, limits={NUMBER: conformal.limit(residual, level)}, cases={NUMBER: len(residual)})
    names = _names(target)
    limits: dict[str, float | None] = {}
    cases: dict[str, int] = {}
    for index, name in enumerate(names):
        own = _members(target, answers, len(names))[:, index]
        limits[name], cases[name] = conformal.limit(scores[own, index], level), int(own.sum())
    return SetRule(level=level, limits=limits, cases=cases)


def members(target: TargetSpec, decoded: Float64Array, rule: SetRule) -> BoolArray:
    """Return what each set holds: ``n k`` for classes and levels, ``n 2k`` (there, not there) for labels.

    Parameters
    ----------
    target : TargetSpec
        Not a number.
    decoded : numpy.ndarray
        ``n k``.
    rule : SetRule
    """
    inside = conformal.kept(_scores(target, decoded), [rule.limits.get(name) for name in _names(target)])
    return conformal.filled(inside) if target.kind == "ordinal" else inside


def written_sets(target: TargetSpec, decoded: Float64Array, rule: SetRule) -> list[str]:
    """Return the sets as a table holds them; see `hounsfield.core.prediction.TargetPrediction`."""
    if target.kind == "number":
        half = rule.limits.get(NUMBER)
        if half is None:
            return ["-inf..inf"] * len(decoded)
        return [f"{value - half:.{DIGITS}g}..{value + half:.{DIGITS}g}" for value in decoded[:, 0]]
    inside = members(target, decoded, rule)
    if target.kind != "multilabel":
        return ["|".join(c for c, kept in zip(target.classes, row, strict=True) if kept) for row in inside]
    count = len(target.classes)
    found = []
    for row in inside:
        said = zip(target.classes, row[:count], row[count:], strict=True)
        # Both or neither: nothing can be said of the label.
        found.append(
            "|".join(c + (UNSURE if there == absent else "") for c, there, absent in said if there or not absent)
        )
    return found


def _names(target: TargetSpec) -> list[str]:
    own = list(target.classes)
    return own + [name + NO for name in own] if target.kind == "multilabel" else own


def _scores(target: TargetSpec, decoded: Float64Array) -> Float64Array:
    if target.kind == "ordinal":
        return conformal.level_scores(decoded)
    if target.kind == "multilabel":
        return conformal.class_scores(np.hstack([decoded, 1.0 - decoded]))
    return conformal.class_scores(decoded)


def _members(target: TargetSpec, answers: Float64Array, count: int) -> BoolArray:
    """Return which cases are of which class, ``n k``, or have, and have not, which label, ``n 2k``."""
    if target.kind == "multilabel":
        found: BoolArray = np.hstack([answers == 1, answers == 0])
        return found
    own: BoolArray = answers[:, None] == np.arange(count)[None]
    return own
