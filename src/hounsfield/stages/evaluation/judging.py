"""How well one target was answered on one part."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import Figure, PartFigures
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.discrimination import confusion
from hounsfield.science.statistics.figures import Resampled
from hounsfield.science.statistics.figures_of_values import median_level
from hounsfield.science.statistics.logit_adjustment import called
from hounsfield.stages.evaluation.curves import curves
from hounsfield.stages.evaluation.pooling import pool_patients
from hounsfield.stages.evaluation.preparing import (
    CALIBRATION,
    Points,
    class_factors,
    class_threshold,
    figures_of,
    finite_or_none,
    prepared,
    resampled,
    with_intervals,
)
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, Rows, gather, known
from hounsfield.stages.evaluation.subgroups import subgroups

DEFAULT = JudgeOptions()
LEAST_PATIENTS = 5


def judge(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    answers: Float64Array,
    *,
    uncalibrated: Float64Array | None = None,
    operating_point: Points = None,
    options: JudgeOptions = DEFAULT,
    drawn: Resampled | None = None,
) -> PartFigures:
    """Judge predictions of one target on one part.

    Parameters
    ----------
    target : TargetSpec
        What was asked.
    samples : sequence of JudgedSample
        Length n; those without a truth count nowhere.
    answers : float64 array (n k) or (n,)
        Calibrated probabilities in the order of the target's classes, or predicted numbers in its unit.
    uncalibrated : float64 array (n k) or None
        Probabilities before temperature scaling, for the calibration figures before it.
    operating_point : OperatingPoint, PerSample, ClassFactors, mapping of str to OperatingPoint, or None
        Threshold of a two-class target, by sample, or by label, one half where absent; factors of more classes.
    options : JudgeOptions
        Seed, replicates, prevalence of use, flagged samples, folds.
    drawn : Resampled or None
        What `hounsfield.stages.evaluation.preparing.resampled` made of the same, where that was needed before.

    Returns
    -------
    PartFigures
        Every figure with its 95 % patient-level bootstrap interval.

    Raises
    ------
    InputError
        If shapes disagree or a truth is none of the target's classes.
    """
    rows = gather(target, samples, answers)
    before = None if uncalibrated is None else np.asarray(uncalibrated, dtype=np.float64)[known(samples)]
    found = drawn or resampled(rows, operating_point, options)
    pooled = pool_patients(rows)
    whole = pooled.rows if pooled and len(pooled.rows) >= LEAST_PATIENTS else None
    return PartFigures(
        samples=len(rows),
        patients=len(np.unique(rows.patients)),
        metrics=figures_of(found),
        patient_metrics={} if whole is None else _of(whole, operating_point, options, "patients"),
        uncalibrated=_calibration(rows, before, options),
        confusion=_confusion(rows, operating_point),
        curves=curves(rows, before, options),
        subgroups=subgroups(rows, operating_point, options),
        folds=_folds(rows, operating_point, options),
        without_faulty=_without_faulty(rows, operating_point, options),
        patients_judged=0 if whole is None else len(whole),
        patients_skipped=pooled.skipped if pooled else 0,
        classes=class_counts(rows),
    )


def class_counts(rows: Rows) -> dict[str, int]:
    """Return the samples of each class, label or level; empty for a number."""
    if rows.target.kind == "number":
        return {}
    if rows.truth.ndim == 2:
        return {name: int(rows.truth[:, index].sum()) for index, name in enumerate(rows.target.classes)}
    return {name: int((rows.truth == index).sum()) for index, name in enumerate(rows.target.classes)}


def said_classes(rows: Rows, points: Points) -> IntArray:
    """Return the class index that is said of each row.

    Notes
    -----
    Two classes: by the threshold. Levels with an order: the median one. Else the class whose probability, times its
    factor where there are factors, is largest.
    """
    if rows.target.kind == "ordinal":
        return median_level(rows.answers)
    if rows.two_classes:
        ill = rows.answers[:, rows.positive] >= class_threshold(rows, points)
        return np.where(ill, rows.positive, 1 - rows.positive).astype(np.int64)
    return called(rows.answers, class_factors(rows, points))


def _of(rows: Rows, points: Points, options: JudgeOptions, purpose: str) -> dict[str, Figure]:
    figures = prepared(rows, points, prevalence=options.prevalence)
    return with_intervals(figures, rows, options, purpose=purpose)


def _calibration(rows: Rows, before: Float64Array | None, options: JudgeOptions) -> dict[str, Figure]:
    if before is None or rows.target.kind not in ("categorical", "multilabel"):
        return {}
    # The same purpose draws the same patients, so that before and after can be compared by eye.
    figures = with_intervals(prepared(rows.answered(before)), rows, options, purpose="samples")
    return {name: figures[name] for name in CALIBRATION if name in figures}


def _confusion(rows: Rows, points: Points) -> tuple[tuple[int, ...], ...]:
    if rows.target.kind not in ("categorical", "ordinal") or not len(rows):
        return ()
    table = confusion(rows.truth, said_classes(rows, points), classes=len(rows.target.classes))
    return tuple(tuple(int(count) for count in row) for row in table)


def _folds(rows: Rows, points: Points, options: JudgeOptions) -> tuple[dict[str, float | None], ...]:
    if not options.folds:
        return ()
    fold = np.array([options.folds.get(sample.id, -1) for sample in rows.samples])
    found = []
    for number in sorted(set(fold.tolist()) - {-1}):
        values = prepared(rows.take(fold == number), points).values
        found.append({name: finite_or_none(value) for name, value in values.items()})
    return tuple(found)


def _without_faulty(rows: Rows, points: Points, options: JudgeOptions) -> dict[str, Figure]:
    sound = np.array([sample.id not in options.faulty for sample in rows.samples], dtype=np.bool_)
    if sound.all() or not sound.any():
        return {}
    return _of(rows.take(sound), points, options, "without faulty")
