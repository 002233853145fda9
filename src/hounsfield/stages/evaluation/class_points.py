"""Each class against the rest: a threshold that validation samples fix, and what it reaches on other samples.

One class is called for each sample by another rule. These thresholds say something else: how many of the studies with a
finding are pointed out, and at how many false alarms. A study may be pointed out for several classes, or for none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.report import Figure
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics.figures import Figures, Replicates, plain_values
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule, fit
from hounsfield.science.statistics.weighted_sums import decided_figures
from hounsfield.stages.evaluation.preparing import with_intervals
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, gather, known

SHOWN = ("sensitivity", "specificity", "ppv", "npv")


@dataclass(frozen=True)
class JudgedPoint:
    """What one class's threshold reaches.

    Parameters
    ----------
    cases : int
        Judged samples of the class.
    metrics : dict of str to Figure
        `SHOWN`, each with a 95 % patient-level bootstrap interval.
    """

    cases: int
    metrics: dict[str, Figure]


def has_class_points(target: TargetSpec) -> bool:
    """Return whether classes of a target have thresholds of their own: labels, and more than two classes."""
    return target.kind == "multilabel" or (target.kind == "categorical" and len(target.classes) > 2)


def fit_class_points(
    target: TargetSpec, probability: Float64Array, truth: AnyArray, *, rule: Rule, wanted: float | None = None
) -> dict[str, OperatingPoint]:
    """Choose a threshold for each class against the rest.

    Parameters
    ----------
    target : TargetSpec
    probability : float64 array (n k)
        Calibrated, of validation samples, in the order of the target's classes.
    truth : array
        Class index (n,), -1 where missing; or 0 and 1 for each label (n k), NaN where missing.
    rule : Rule
    wanted : float or None
        As `operating_point.fit` takes them.

    Returns
    -------
    dict of str to OperatingPoint
        One for each class, one half where validation lacks the class or all others; empty for targets without.
    """
    if not has_class_points(target):
        return {}
    marks = _marks(np.asarray(truth, dtype=np.float64), len(target.classes))
    found = {}
    for place, name in enumerate(target.classes):
        has = ~np.isnan(marks[:, place])
        found[name] = fit(marks[has, place].astype(np.int64), probability[has, place], rule=rule, wanted=wanted)
    return found


def judge_class_points(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    answers: Float64Array,
    *,
    thresholds: Float64Array,
    options: JudgeOptions,
) -> dict[str, JudgedPoint]:
    """Judge each class against the rest at its own threshold.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n; those without a truth count nowhere.
    answers : float64 array (n k)
        Calibrated probabilities.
    thresholds : float64 array (n k)
        Of each class, for each sample that of the model that predicted it.
    options : JudgeOptions
        Seed and replicates.

    Raises
    ------
    InputError
        If the target has no thresholds by class, or shapes disagree.
    """
    if not has_class_points(target) or thresholds.shape != answers.shape:
        raise InputError(
            f"Thresholds by class have the shape {thresholds.shape} for target {target.name!r}.",
            expected=f"more than two classes, or labels, and the shape {answers.shape} of the answers",
        )
    rows = gather(target, samples, answers)
    marks = _marks(rows.truth, len(target.classes)) > 0
    called = rows.answers >= thresholds[known(samples)]
    figures = _figures(target.classes, marks, called)
    judged = with_intervals(figures, rows, options, purpose="class points")
    return {
        name: JudgedPoint(int(marks[:, place].sum()), {each: judged[f"{each}:{name}"] for each in SHOWN})
        for place, name in enumerate(target.classes)
    }


def _figures(classes: Sequence[str], marks: BoolArray, called: BoolArray) -> Figures:
    def evaluate(weights: Float64Array) -> Replicates:
        found: Replicates = {}
        for place, name in enumerate(classes):
            decided = decided_figures(marks[:, place], called[:, place], weights)
            found |= {f"{each}:{name}": decided[each] for each in SHOWN}
        return found

    trials: dict[str, BoolArray] = {}
    for place, name in enumerate(classes):
        among = (marks[:, place], ~marks[:, place], called[:, place], ~called[:, place])
        trials |= {f"{each}:{name}": rows for each, rows in zip(SHOWN, among, strict=True)}
    return Figures(len(marks), plain_values(evaluate, len(marks)), evaluate, trials)


def _marks(truth: Float64Array, classes: int) -> Float64Array:
    """Return 0 and 1 for each class, NaN where the answer is missing, shape (n k)."""
    if truth.ndim == 2:
        return truth
    marks: Float64Array = (truth[:, None] == np.arange(classes)).astype(np.float64)
    marks[~(truth >= 0)] = np.nan
    return marks
