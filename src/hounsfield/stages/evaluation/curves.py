"""Points of the curves that a report draws."""

import numpy as np

from hounsfield.core.report import Curve
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics.calibration import reliability_table
from hounsfield.science.statistics.decision_curve import decision_curve
from hounsfield.science.statistics.discrimination import roc_curve
from hounsfield.science.statistics.intervals import patient_weights
from hounsfield.stages.evaluation.samples import JudgeOptions, Rows

POINTS = 200
BAND_REPLICATES = 400
SCATTER_POINTS = 1500


def curves(rows: Rows, uncalibrated: Float64Array | None, options: JudgeOptions) -> dict[str, Curve]:
    """Return the curves that fit the kind of a target.

    Parameters
    ----------
    rows : Rows
        Truth beside calibrated answers.
    uncalibrated : float64 array (n k) or None
        Answers before temperature scaling.
    options : JudgeOptions
        Seed and replicates of the ROC's band.
    """
    if rows.target.kind == "number":
        return {"scatter": scatter(rows, options)} if len(rows) else {}
    if rows.target.kind not in ("categorical", "multilabel") or not rows.present():
        return {}
    marks = rows.truth if rows.truth.ndim == 2 else np.eye(len(rows.target.classes))[rows.truth.astype(np.int64)]
    drawn: dict[str, Curve] = {}
    if rows.two_classes:
        truth, score = marks[:, rows.positive] > 0, rows.answers[:, rows.positive]
        drawn["roc"] = roc_with_band(truth, score, rows.units, options)
        decision = decision_curve(truth, score)
        drawn["decision"] = _curve(decision.threshold, decision.model)
        drawn["decision_all"] = _curve(decision.threshold, decision.treat_all)
        columns: slice | list[int] = [rows.positive]
    else:
        columns = slice(None)
        for index, name in enumerate(rows.target.classes):
            truth = marks[:, index] > 0
            if truth.any() and not truth.all():
                points = roc_curve(truth, rows.answers[:, index])
                keep = _thinned(len(points.threshold))
                drawn[f"roc:{name}"] = _curve(points.false_positive_rate[keep], points.true_positive_rate[keep])
    # With more than two classes the bins hold every class against the rest, pooled.
    drawn["reliability"] = reliability(marks[:, columns].ravel(), rows.answers[:, columns].ravel())
    if uncalibrated is not None:
        drawn["reliability_uncalibrated"] = reliability(marks[:, columns].ravel(), uncalibrated[:, columns].ravel())
    return drawn


def roc_with_band(truth: BoolArray, score: Float64Array, units: AnyArray, options: JudgeOptions) -> Curve:
    """Return a ROC curve with the pointwise 95 % patient-level bootstrap band of its true positive rate.

    Parameters
    ----------
    truth : bool array (n,)
    score : float64 array (n,)
    units : array (n,)
        What is drawn with replacement.
    options : JudgeOptions
        Seed and replicates; at most 400 are used.
    """
    points = roc_curve(truth, score)
    keep = _thinned(len(points.threshold))
    x, y = points.false_positive_rate[keep], points.true_positive_rate[keep]
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    found = []
    rng = stream(options.seed, "roc band")
    for weights in patient_weights(units, replicates=min(options.replicates, BAND_REPLICATES), rng=rng):
        drawn = weights[order]
        true = np.cumsum(drawn * truth[order][:, None], axis=0)[last]
        false = np.cumsum(drawn * ~truth[order][:, None], axis=0)[last]
        for column in range(weights.shape[1]):
            if true[-1, column] > 0 and false[-1, column] > 0:
                tpr = np.append(0.0, true[:, column] / true[-1, column])
                fpr = np.append(0.0, false[:, column] / false[-1, column])
                found.append(np.interp(x, fpr, tpr))
    if len(found) < BAND_REPLICATES // 4:
        return _curve(x, y)
    low, high = np.quantile(np.stack(found), [0.025, 0.975], axis=0)
    return Curve(x=_rounded(x), y=_rounded(y), low=_rounded(low), high=_rounded(high))


def reliability(truth: AnyArray, probability: Float64Array) -> Curve:
    """Return mean prediction against observed share in ten bins of equal mass, with Wilson intervals."""
    table = reliability_table(truth, probability)
    return Curve(
        x=_rounded(table.predicted),
        y=_rounded(table.observed),
        low=_rounded(table.low),
        high=_rounded(table.high),
        count=tuple(int(number) for number in table.count),
    )


def scatter(rows: Rows, options: JudgeOptions) -> Curve:
    """Return truth (x) against prediction (y), at most 1500 points drawn at random."""
    keep = np.arange(len(rows))
    if len(rows) > SCATTER_POINTS:
        keep = np.sort(stream(options.seed, "scatter").choice(len(rows), SCATTER_POINTS, replace=False))
    return Curve(x=tuple(map(float, rows.truth[keep])), y=tuple(map(float, rows.answers[keep])))


def _thinned(count: int) -> AnyArray:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(np.int64))


def _curve(x: Float64Array, y: Float64Array) -> Curve:
    return Curve(x=_rounded(x), y=_rounded(y))


def _rounded(values: Float64Array) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(values, 5))
