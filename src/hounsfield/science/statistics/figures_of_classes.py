"""Figures of targets that are classes: categorical (one of them holds) and multi-label (any of them may)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.statistics.calibration import BINS
from hounsfield.science.statistics.figures import Figures, Replicates, mean_of_rows, names_or_indices, plain_values
from hounsfield.science.statistics.inputs import class_truth, finite, ratio, unit_weights
from hounsfield.science.statistics.logit_adjustment import called
from hounsfield.science.statistics.weighted_calibration import (
    Recalibration,
    calibration_terms,
    equal_mass_bins,
    recalibrate,
    recalibrated,
)
from hounsfield.science.statistics.weighted_ranks import SortedScores, ranked_figures, sort_scores
from hounsfield.science.statistics.weighted_sums import class_figures, decided_figures, predictive_values, sums

_HALF = 0.5


def categorical(
    truth: AnyArray,
    probability: AnyArray,
    *,
    classes: Sequence[str] | None = None,
    positive: int = 1,
    threshold: float | Float64Array = 0.5,
    factors: Float64Array | None = None,
    prevalence: float | None = None,
) -> Figures:
    """Prepare the figures of a target whose classes exclude each other.

    Parameters
    ----------
    truth : array (n,)
        Class index; -1 or NaN where the answer is missing.
    probability : float array (n k)
        Probability of each class, rows adding up to 1.
    classes : sequence of str
        Names, for figures per class; the indices when left out.
    positive : int
        With two classes: the index of the positive one.
    threshold : float or array (n,)
        With two classes: the operating point, on the positive class's probability; or one for each sample.
    factors : float array (k,) or (n k), optional
        With more: the operating point, by what each class's probability is multiplied before the largest is called; or
        that of each sample.
    prevalence : float, optional
        With two classes: where both predictive values are wanted too (``ppv_at_prevalence``, ``npv_at_prevalence``).

    Returns
    -------
    Figures
        Two classes: `accuracy` at the larger probability; sensitivity, specificity, PPV, NPV, F1, balanced accuracy,
        recall and `accuracy_at_operating_point` at the threshold. More: the same, the latter ones at the largest
        probability times factor, as macro averages over the classes for which a figure is defined. ``auroc:<class>``
        and ``recall:<class>`` in both.
    """
    shares = np.asarray(probability, dtype=np.float64)
    if shares.ndim != 2 or shares.shape[1] < 2:
        raise InputError(f"Class probabilities have the shape {shares.shape}.", expected="(n, k) with k of 2 or more")
    count = shares.shape[1]
    index = class_truth(truth, count)
    shares = finite(shares, shape=(len(index), count), name="probability")
    names = names_or_indices(classes, count)
    if count > 2:
        return _several_classes(index, shares, names=names, factors=factors)
    score = shares[:, positive]
    calls = _Calls(at_half=shares.argmax(axis=1) == positive, at_point=score >= threshold)
    answers = np.where(index < 0, -1, index == positive).astype(np.int64)
    return _with_classes(_two_classes(answers, score, calls, prevalence=prevalence), names=names, positive=positive)


def multilabel(
    truth: AnyArray,
    probability: AnyArray,
    *,
    labels: Sequence[str] | None = None,
    thresholds: Sequence[float] | None = None,
) -> Figures:
    """Prepare the figures of a target with several labels that may occur together.

    Parameters
    ----------
    truth : array (n k)
        0 or 1; -1 or NaN where the answer is missing.
    probability : float array (n k)
        Of each label.
    labels : sequence of str
        Names; the indices when left out.
    thresholds : sequence of float (k,)
        The operating point of each label; one half when left out.

    Returns
    -------
    Figures
        ``<figure>:<label>`` for every label, as for two classes (`accuracy` at one half), and `<figure>` as the mean
        over the labels for which it is defined. ``recall:<label>`` is the label's sensitivity.
    """
    answers = np.asarray(truth, dtype=np.float64)
    if answers.ndim != 2:
        raise InputError(f"Answers for several labels have the shape {answers.shape}.", expected="(n, k)")
    answers = np.where(np.isnan(answers), -1.0, answers)
    shares = finite(probability, shape=answers.shape, name="probability")
    names = names_or_indices(labels, answers.shape[1])
    points = [_HALF] * len(names) if thresholds is None else list(thresholds)
    if len(points) != len(names):
        raise InputError(f"There are {len(points)} thresholds for {len(names)} labels.", expected="one for each")
    calls = [_Calls(shares[:, c] >= _HALF, shares[:, c] >= points[c]) for c in range(len(names))]
    parts = {name: _two_classes(class_truth(answers[:, c], 2), shares[:, c], calls[c]) for c, name in enumerate(names)}
    values = {f"{figure}:{name}": value for name, part in parts.items() for figure, value in part.values.items()}
    values |= {f"recall:{name}": part.values["sensitivity"] for name, part in parts.items()}
    trials = {f"{figure}:{name}": rows for name, part in parts.items() for figure, rows in part.trials.items()}
    trials |= {f"recall:{name}": part.trials["sensitivity"] for name, part in parts.items()}
    figures = list(next(iter(parts.values())).values) if parts else []
    defined = {f: [n for n in names if not math.isnan(parts[n].values[f])] for f in figures}
    macro = {f: float(np.mean([parts[n].values[f] for n in defined[f]])) if defined[f] else math.nan for f in figures}

    def evaluate(weights: Float64Array) -> Replicates:
        each = {name: part.evaluate(weights) for name, part in parts.items()}
        result = {f"{figure}:{name}": value for name, part in each.items() for figure, value in part.items()}
        result |= {f"recall:{name}": part["sensitivity"] for name, part in each.items()}
        return result | {f: mean_of_rows([each[n][f] for n in defined[f]], weights) for f in figures}

    return Figures(len(answers), macro | values, evaluate, trials)


def figures_categorical(
    truth: AnyArray,
    probability: AnyArray,
    *,
    classes: Sequence[str] | None = None,
    positive: int = 1,
    threshold: float = 0.5,
    prevalence: float | None = None,
) -> dict[str, float]:
    """Return the values of `categorical`, whose parameters it takes."""
    prepared = categorical(
        truth, probability, classes=classes, positive=positive, threshold=threshold, prevalence=prevalence
    )
    return dict(prepared.values)


def figures_multilabel(
    truth: AnyArray,
    probability: AnyArray,
    *,
    labels: Sequence[str] | None = None,
    thresholds: Sequence[float] | None = None,
) -> dict[str, float]:
    """Return the values of `multilabel`, whose parameters it takes."""
    return dict(multilabel(truth, probability, labels=labels, thresholds=thresholds).values)


@dataclass(frozen=True)
class _Marginal:
    """One class against the rest, prepared once: ranks, recalibration and bins do not depend on the weights."""

    truth: BoolArray
    probability: Float64Array
    ordered: SortedScores
    model: Recalibration
    bins: IntArray
    square: float
    """Debiased squared calibration error of all samples."""
    noise: float
    """What the correction took from it; replicates carry it twice."""


def _marginal(truth: BoolArray, probability: Float64Array) -> _Marginal:
    bins = equal_mass_bins(probability, BINS)
    plain, debiased = calibration_terms(truth, probability, bins, unit_weights(len(truth)))
    return _Marginal(
        truth=truth,
        probability=probability,
        ordered=sort_scores(truth, probability),
        model=recalibrate(truth, probability),
        bins=bins,
        square=float(debiased[0]),
        noise=float(plain[0] - debiased[0]),
    )


def _marginal_figures(part: _Marginal, weights: Float64Array) -> Replicates:
    auroc, average_precision = ranked_figures(part.ordered, weights)
    intercept, slope = recalibrated(part.model, weights)
    debiased = calibration_terms(part.truth, part.probability, part.bins, weights)[1]
    return {
        "auroc": auroc,
        "average_precision": average_precision,
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "calibration_square": debiased - part.noise,
    }


def _root(square: Float64Array) -> Float64Array:
    root: Float64Array = np.sqrt(np.maximum(square, 0.0))
    return root


@dataclass(frozen=True)
class _Calls:
    """Which samples are called positive: at the larger probability, and at the operating point."""

    at_half: BoolArray
    at_point: BoolArray


def _two_classes(
    truth: IntArray, probability: Float64Array, calls: _Calls, *, prevalence: float | None = None
) -> Figures:
    # truth: 1 positive, 0 negative, -1 unknown.
    known = truth >= 0
    positive = truth[known] == 1
    part = _marginal(positive, probability[known])
    at_half, at_point = calls.at_half[known], calls.at_point[known]
    distance = (part.probability - positive) ** 2

    def evaluate(weights: Float64Array) -> Replicates:
        drawn = weights if known.all() else weights[known]
        ranked = _marginal_figures(part, drawn)
        decided = decided_figures(positive, at_point, drawn)
        total, right, squared = sums([np.ones(len(positive)), at_half == positive, distance], drawn)
        square = ranked.pop("calibration_square")
        result = {
            **ranked,
            **decided,
            "accuracy": ratio(right, total),
            "accuracy_at_operating_point": decided["accuracy"],
            "brier": ratio(squared, total),
            "calibration_error": _root(square),
        }
        if prevalence is not None:
            result["ppv_at_prevalence"], result["npv_at_prevalence"] = predictive_values(
                decided["sensitivity"], decided["specificity"], prevalence
            )
        return result

    values = plain_values(evaluate, len(truth))
    values["calibration_error"] = float(_root(np.array(part.square)))
    trials = {
        "accuracy": known,
        "accuracy_at_operating_point": known,
        "sensitivity": truth == 1,
        "specificity": truth == 0,
        "ppv": known & calls.at_point,
        "npv": known & ~calls.at_point,
    }
    return Figures(len(truth), values, evaluate, trials)


def _with_classes(figures: Figures, *, names: Sequence[str], positive: int) -> Figures:
    # One AUROC serves both classes: ranking by 1 - p is ranking by p backwards.
    said = {f"auroc:{name}": "auroc" for name in names}
    said |= {f"recall:{name}": "sensitivity" if c == positive else "specificity" for c, name in enumerate(names)}

    def evaluate(weights: Float64Array) -> Replicates:
        result = figures.evaluate(weights)
        return result | {name: result[source] for name, source in said.items()}

    values = dict(figures.values) | {name: figures.values[source] for name, source in said.items()}
    trials = dict(figures.trials)
    trials |= {name: trials[source] for name, source in said.items() if source in trials}
    return Figures(figures.samples, values, evaluate, trials)


def _several_classes(
    truth: IntArray, shares: Float64Array, *, names: Sequence[str], factors: Float64Array | None
) -> Figures:
    known, count = truth >= 0, shares.shape[1]
    index, likely, said = truth[known], called(shares[known]), called(shares, factors)[known]
    parts = [_marginal(index == c, shares[known, c]) for c in range(count)]
    distance = ((shares[known] - np.eye(count)[index]) ** 2).sum(axis=1)

    def each(weights: Float64Array) -> dict[str, list[Float64Array]]:
        ranked = [_marginal_figures(part, weights) for part in parts]
        decided = class_figures(index, said, weights, classes=count)
        return {name: [one[name] for one in ranked] for name in ranked[0]} | {
            name: list(value) for name, value in decided.items()
        }

    whole = {name: [float(one[0]) for one in value] for name, value in each(unit_weights(len(index))).items()}
    defined = {name: [c for c, value in enumerate(values) if not math.isnan(value)] for name, values in whole.items()}

    def evaluate(weights: Float64Array) -> Replicates:
        drawn = weights if known.all() else weights[known]
        each_sample = [np.ones(len(index)), likely == index, said == index, distance]
        total, right, right_at_point, squared = sums(each_sample, drawn)
        per_class = each(drawn)
        result = {name: mean_of_rows([value[c] for c in defined[name]], drawn) for name, value in per_class.items()}
        result["calibration_error"] = _root(result.pop("calibration_square"))
        result["accuracy"] = ratio(right, total)
        result["accuracy_at_operating_point"] = ratio(right_at_point, total)
        result["balanced_accuracy"] = result["sensitivity"]
        result["brier"] = ratio(squared, total)
        result |= {f"auroc:{name}": per_class["auroc"][c] for c, name in enumerate(names)}
        return result | {f"recall:{name}": per_class["sensitivity"][c] for c, name in enumerate(names)}

    values = plain_values(evaluate, len(truth))
    values["calibration_error"] = float(_root(np.array([part.square for part in parts]).mean(keepdims=True))[0])
    trials = {"accuracy": known, "accuracy_at_operating_point": known}
    trials |= {f"recall:{name}": truth == c for c, name in enumerate(names)}
    return Figures(len(truth), values, evaluate, trials)
