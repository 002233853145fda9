"""From rows to figures that can be resampled, and from intervals to what a report holds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from hounsfield.core.report import Figure
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.figures import Figures, Replicates, Resampled, intervals_of, resample
from hounsfield.science.statistics.figures_of_classes import categorical, multilabel
from hounsfield.science.statistics.figures_of_values import median_level, number, ordinal
from hounsfield.science.statistics.inputs import ratio
from hounsfield.science.statistics.intervals import Difference, Interval
from hounsfield.science.statistics.operating_point import OperatingPoint
from hounsfield.stages.evaluation.samples import JudgeOptions, Rows


@dataclass(frozen=True)
class PerSample:
    """Thresholds of a two-class target where each sample was predicted by another model, as in folds.

    Parameters
    ----------
    thresholds : mapping of str to float
        Sample id to the threshold of the model that predicted it; one half where absent.
    """

    thresholds: Mapping[str, float]


@dataclass(frozen=True)
class ClassFactors:
    """What the class that is called goes by where there are more than two.

    Parameters
    ----------
    factors : mapping of str to float
        Class to what its probability is multiplied by; 1 where absent.
    own : mapping of str to mapping of str to float
        The same by sample id, where another model predicted it, as in folds.
    """

    factors: Mapping[str, float]
    own: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


Points = OperatingPoint | PerSample | ClassFactors | Mapping[str, OperatingPoint] | None
"""The threshold of a two-class target, one for each sample, factors of more classes, a threshold for each label, or
none: one half, the most probable class."""

CALIBRATION = ("brier", "calibration_slope", "calibration_intercept", "calibration_error")


def prepared(rows: Rows, points: Points = None, *, prevalence: float | None = None) -> Figures:
    """Prepare the figures of a target's kind.

    Parameters
    ----------
    rows : Rows
        Truth beside answers.
    points : OperatingPoint, PerSample, ClassFactors, mapping or None
        Of a two-class target, by sample, of more classes, or by label.
    prevalence : float or None
        Where the model will be used; two classes only.
    """
    target = rows.target
    if target.kind == "number":
        return number(rows.truth, rows.answers)
    if target.kind == "ordinal":
        said = median_level(rows.answers)
        return _with_recall(ordinal(rows.truth, rows.answers, predicted=said), rows, said)
    if target.kind == "multilabel":
        return multilabel(rows.truth, rows.answers, labels=target.classes, thresholds=label_thresholds(rows, points))
    return categorical(
        rows.truth,
        rows.answers,
        classes=target.classes,
        positive=rows.positive,
        threshold=class_threshold(rows, points),
        factors=class_factors(rows, points),
        prevalence=prevalence if rows.two_classes else None,
    )


def class_threshold(rows: Rows, points: Points) -> float | Float64Array:
    """Return the threshold of a two-class target, or of each of its rows (n,)."""
    if isinstance(points, PerSample):
        return np.array([points.thresholds.get(sample.id, 0.5) for sample in rows.samples], dtype=np.float64)
    return points.threshold if isinstance(points, OperatingPoint) else 0.5


def class_factors(rows: Rows, points: Points) -> Float64Array | None:
    """Return the factors of more than two classes, of each row (n k); None where the most probable class is called."""
    if not isinstance(points, ClassFactors):
        return None
    each = [points.own.get(sample.id, points.factors) for sample in rows.samples]
    found = [[factors.get(name, 1.0) for name in rows.target.classes] for factors in each]
    return np.array(found, dtype=np.float64).reshape(len(rows), len(rows.target.classes))


def label_thresholds(rows: Rows, points: Points) -> list[float]:
    """Return the threshold of each label."""
    if not isinstance(points, Mapping):
        return [0.5] * len(rows.target.classes)
    return [points[name].threshold if name in points else 0.5 for name in rows.target.classes]


def with_intervals(figures: Figures, rows: Rows, options: JudgeOptions, *, purpose: str) -> dict[str, Figure]:
    """Return all figures with 95 % patient-level bootstrap intervals.

    Parameters
    ----------
    figures : Figures
        Prepared from the rows.
    rows : Rows
        Their units are drawn: patients, or what joins several of them.
    options : JudgeOptions
        Seed and number of replicates.
    purpose : str
        Addresses the randomness.
    """
    rng = stream(options.seed, f"bootstrap:{rows.target.name}:{purpose}")
    return figures_of(resample(figures, rows.units, rng=rng, replicates=options.replicates))


def figures_of(found: Resampled) -> dict[str, Figure]:
    """Return all figures with 95 % intervals, of replicates that were drawn before."""
    return {name: as_figure(value) for name, value in intervals_of(found).items()}


def resampled(rows: Rows, points: Points, options: JudgeOptions) -> Resampled:
    """Return all figures of the samples in every replicate; two models on the same samples have the same draws.

    Parameters
    ----------
    rows : Rows
    points : OperatingPoint, PerSample, ClassFactors, mapping or None
        As `prepared` takes them.
    options : JudgeOptions
        Seed, replicates and prevalence of use.
    """
    rng = stream(options.seed, f"bootstrap:{rows.target.name}:samples")
    figures = prepared(rows, points, prevalence=options.prevalence)
    return resample(figures, rows.units, rng=rng, replicates=options.replicates)


def as_figure(interval: Interval) -> Figure:
    """Return an interval as a report holds it: None for what is undefined, the reason as a note."""
    notes = [interval.reason] if interval.reason else []
    if interval.dropped and not interval.reason:
        notes.append(f"undefined in {interval.dropped} replicates, left out")
    if isinstance(interval, Difference) and math.isfinite(interval.p):
        notes.append(f"p = {interval.p:.3g}")
    return Figure(
        value=finite_or_none(interval.value),
        low=finite_or_none(interval.low),
        high=finite_or_none(interval.high),
        note="; ".join(notes),
    )


def finite_or_none(value: float) -> float | None:
    """Return a number, or None for NaN and infinity."""
    return float(value) if math.isfinite(value) else None


def _with_recall(figures: Figures, rows: Rows, said: IntArray) -> Figures:
    truth = rows.truth.astype(np.int64)
    right = (truth == said).astype(np.float64)
    members = {f"recall:{name}": truth == index for index, name in enumerate(rows.target.classes)}

    def recalls(weights: Float64Array) -> Replicates:
        return {name: ratio((right * inside) @ weights, inside @ weights) for name, inside in members.items()}

    def evaluate(weights: Float64Array) -> Replicates:
        return figures.evaluate(weights) | recalls(weights)

    values = {name: float(value[0]) for name, value in recalls(np.ones((len(rows), 1))).items()}
    return replace(
        figures,
        values=dict(figures.values) | values,
        evaluate=evaluate,
        trials=dict(figures.trials) | members,
    )
