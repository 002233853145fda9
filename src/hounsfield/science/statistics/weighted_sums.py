"""Metrics that are ratios of sums, as functions of a matrix of sample weights (n r): one product for all replicates."""

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.statistics.inputs import ratio


def sums(columns: list[AnyArray], weights: Float64Array) -> list[Float64Array]:
    """Return the weighted sum of each column in every replicate.

    Parameters
    ----------
    columns : list of array (n,)
        What to add up.
    weights : float64 array (n r)
        Weight of each sample in each replicate.

    Returns
    -------
    list of float64 array (r,)
    """
    if not columns:
        return []
    stacked = np.stack([np.asarray(column, dtype=np.float64) for column in columns])
    return list(stacked @ weights)


def decided_figures(truth: BoolArray, called: BoolArray, weights: Float64Array) -> dict[str, Float64Array]:
    """Return the figures of a yes/no decision in every replicate.

    Parameters
    ----------
    truth, called : bool array (n,)
        What is so; what was said.
    weights : float64 array (n r)
        Weight of each sample in each replicate.

    Returns
    -------
    dict of float64 array (r,)
        accuracy, balanced_accuracy, f1, sensitivity, specificity, ppv, npv; NaN where a denominator is empty.

    Notes
    -----
    Balanced accuracy is the mean recall of the classes that occur, so it is defined with one class only; F1 is 0 where
    positives exist and none is found, and NaN where there is neither a positive nor a call.
    """
    hits, positives, calls, total = sums([truth & called, truth, called, np.ones(len(truth))], weights)
    negatives, rejected = total - positives, total - calls
    quiet = total - positives - calls + hits
    sensitivity, specificity = ratio(hits, positives), ratio(quiet, negatives)
    present = (positives > 0).astype(np.float64) + (negatives > 0)
    return {
        "accuracy": ratio(hits + quiet, total),
        "balanced_accuracy": ratio(np.nan_to_num(sensitivity) + np.nan_to_num(specificity), present),
        "f1": ratio(2 * hits, positives + calls),
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": ratio(hits, calls),
        "npv": ratio(quiet, rejected),
    }


def predictive_values(
    sensitivity: Float64Array, specificity: Float64Array, prevalence: float
) -> tuple[Float64Array, Float64Array]:
    """Return positive and negative predictive value at another prevalence, by Bayes' theorem.

    Parameters
    ----------
    sensitivity, specificity : float64 array (r,)
        Of the decision, in [0, 1].
    prevalence : float
        Share of positives where the decision will be used, in [0, 1].
    """
    hit, alarm = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    quiet, miss = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return ratio(hit, hit + alarm), ratio(quiet, quiet + miss)


def class_figures(
    truth: IntArray, predicted: IntArray, weights: Float64Array, *, classes: int
) -> dict[str, Float64Array]:
    """Return per-class figures of a choice among k classes in every replicate.

    Parameters
    ----------
    truth, predicted : int array (n,)
        Class indices in [0, classes).
    weights : float64 array (n r)
        Weight of each sample in each replicate.
    classes : int
        The number of classes k.

    Returns
    -------
    dict of float64 array (k r)
        f1, sensitivity (recall), specificity, ppv, npv of every class against the rest.
    """
    per_class = [decided_figures(truth == c, predicted == c, weights) for c in range(classes)]
    return {
        name: np.stack([figures[name] for figures in per_class])
        for name in ("f1", "sensitivity", "specificity", "ppv", "npv")
    }


def weighted_kappa(truth: Float64Array, predicted: Float64Array, weights: Float64Array) -> Float64Array:
    """Return the quadratic weighted kappa of every replicate; NaN where all truths and predictions are one grade.

    Notes
    -----
    With quadratic weights the observed and the expected disagreement need no table:
    ``kappa = 1 - N sum w (i - j)^2 / (N sum w i^2 + N sum w j^2 - 2 sum w i sum w j)``.
    """
    total, first, second, first2, second2, apart = sums(
        [np.ones(len(truth)), truth, predicted, truth**2, predicted**2, (truth - predicted) ** 2], weights
    )
    chance = total * (first2 + second2) - 2 * first * second
    return 1.0 - ratio(total * apart, chance)


def number_figures(truth: Float64Array, predicted: Float64Array, weights: Float64Array) -> dict[str, Float64Array]:
    """Return mae, rmse and r2 of every replicate; r2 is NaN where the truth does not vary.

    Parameters
    ----------
    truth, predicted : float64 array (n,)
        Numbers in the target's unit.
    weights : float64 array (n r)
        Weight of each sample in each replicate.
    """
    centred = truth - truth.mean() if len(truth) else truth
    error = predicted - truth
    total, absolute, squared, first, second = sums(
        [np.ones(len(truth)), np.abs(error), error**2, centred, centred**2], weights
    )
    spread = second - ratio(first**2, total)
    # The two terms cancel to rounding noise, not to zero, where a replicate drew one value only.
    spread = np.where(spread > 1e-12 * np.maximum(second, np.finfo(np.float64).tiny), spread, 0.0)
    return {
        "mae": ratio(absolute, total),
        "rmse": np.sqrt(ratio(squared, total)),
        "r2": 1.0 - ratio(squared, spread),
    }
