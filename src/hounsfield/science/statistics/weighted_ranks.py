"""Rank metrics as functions of a matrix of sample weights, sorted once for all bootstrap replicates.

A replicate of the bootstrap is a column of whole-number weights: how often each sample was drawn. Weights have the
shape (n r), r replicates side by side, so that cumulated sums run down long columns of contiguous rows.
"""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.statistics.inputs import ratio


@dataclass(frozen=True)
class SortedScores:
    """Positives and negatives in ascending order of score, with each positive's place among both.

    Attributes
    ----------
    positives, negatives : int array
        Row numbers of the samples of each class, by ascending score.
    below, upto : int array
        For each sorted positive: negatives with a smaller score; negatives with a smaller or equal score.
    first : int array
        For each sorted positive: positives with a smaller score (where its group of ties starts).
    """

    positives: IntArray
    negatives: IntArray
    below: IntArray
    upto: IntArray
    first: IntArray


def sort_scores(truth: BoolArray, score: Float64Array) -> SortedScores:
    """Sort the scores of both classes once, for any number of weightings.

    Parameters
    ----------
    truth : bool array (n,)
        True for positives.
    score : float64 array (n,)
        Higher means more likely positive.
    """
    order = np.argsort(score, kind="stable")
    positives, negatives = order[truth[order]], order[~truth[order]]
    high, low = score[positives], score[negatives]
    return SortedScores(
        positives=positives,
        negatives=negatives,
        below=np.searchsorted(low, high, side="left"),
        upto=np.searchsorted(low, high, side="right"),
        first=np.searchsorted(high, high, side="left"),
    )


def ranked_figures(ordered: SortedScores, weights: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return AUROC and average precision of every replicate.

    Parameters
    ----------
    ordered : SortedScores
        From `sort_scores`.
    weights : float64 array (n r)
        Whole-number weight of each sample in each replicate.

    Returns
    -------
    auroc, average_precision : float64 array (r,)
        NaN where a replicate lacks a class (AUROC) or has no positive (average precision).

    Notes
    -----
    With negatives' cumulated weight F before and through the ties of positive i, and likewise P for positives,
    ``AUROC = sum_i w_i (F_before + F_through) / 2 / (W_pos W_neg)`` and
    ``AP = sum_i w_i TP_i / (TP_i + FP_i) / W_pos``, where TP and FP count everything scored at or above i.
    """
    replicates = weights.shape[1]
    gained = weights[ordered.positives]
    passed = np.zeros((len(ordered.negatives) + 1, replicates))
    np.cumsum(weights[ordered.negatives], axis=0, out=passed[1:])
    caught = np.zeros((len(ordered.positives) + 1, replicates))
    np.cumsum(gained, axis=0, out=caught[1:])
    total_positive, total_negative = caught[-1], passed[-1]

    before = passed[ordered.below]
    true = total_positive - caught[ordered.first]
    flagged = true + (total_negative - before)
    precision = np.divide(true, flagged, out=np.zeros_like(true), where=flagged > 0)
    average_precision = ratio(np.einsum("ir,ir->r", gained, precision), total_positive)

    before += passed[ordered.upto]
    wins = 0.5 * np.einsum("ir,ir->r", gained, before)
    return ratio(wins, total_positive * total_negative), average_precision


def weighted_midranks(values: Float64Array, weights: Float64Array) -> Float64Array:
    """Return each sample's mid-rank (1-based, ties averaged) in every replicate, shape (n r)."""
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    cumulated = np.zeros((len(values) + 1, weights.shape[1]))
    np.cumsum(weights[order], axis=0, out=cumulated[1:])
    start = np.searchsorted(ascending, values, side="left")
    end = np.searchsorted(ascending, values, side="right")
    ranks: Float64Array = 0.5 * (cumulated[start] + cumulated[end] + 1.0)
    return ranks


def weighted_spearman(truth: Float64Array, predicted: Float64Array, weights: Float64Array) -> Float64Array:
    """Return Spearman's rank correlation of every replicate; NaN where one side is constant.

    Parameters
    ----------
    truth, predicted : float64 array (n,)
        The numbers to compare.
    weights : float64 array (n r)
        Whole-number weight of each sample in each replicate.

    Returns
    -------
    float64 array (r,)
    """
    total = weights.sum(axis=0)
    centre = 0.5 * (total + 1.0)
    left = weighted_midranks(truth, weights) - centre
    right = weighted_midranks(predicted, weights) - centre
    covariance = np.einsum("nr,nr,nr->r", weights, left, right)
    spread_left = np.einsum("nr,nr,nr->r", weights, left, left)
    spread_right = np.einsum("nr,nr,nr->r", weights, right, right)
    return ratio(covariance, np.sqrt(spread_left * spread_right))
