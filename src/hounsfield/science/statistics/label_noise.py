"""Answers that confident predictions contradict: confident learning."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray


@dataclass(frozen=True)
class Doubted:
    """Samples whose answer is worth a second look, the most doubtful first.

    Parameters
    ----------
    rows : numpy.ndarray
        Places of the samples, int64.
    suggested : numpy.ndarray
        Class that the model is confident of, int64.
    thresholds : numpy.ndarray
        ``k``: mean probability of each class over the samples that are said to be of it.
    """

    rows: IntArray
    suggested: IntArray
    thresholds: Float64Array


def doubted(probabilities: Float64Array, given: IntArray) -> Doubted:
    """Find answers that the model contradicts with confidence.

    Parameters
    ----------
    probabilities : numpy.ndarray
        ``n k``, of models that have not learned from these samples.
    given : numpy.ndarray
        ``n`` class indices as the data say, -1 where missing.

    Notes
    -----
    A class counts as confident where its probability reaches the mean that it has over the samples said to be of it,
    so that an over- or underconfident model does not matter. A sample is doubted where the most probable confident
    class is another than the one given; samples are ordered by the margin between the two. What is found is a
    suspicion: hard cases look the same.

    References
    ----------
    Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021:
    equation 2 and "prune by noise rate" replaced by all off-diagonal counts of the confident joint.
    """
    known = given >= 0
    count = probabilities.shape[1]
    thresholds = np.full(count, np.inf)
    for index in range(count):
        own: BoolArray = known & (given == index)
        if own.any():
            thresholds[index] = float(probabilities[own, index].mean())
    confident = probabilities >= thresholds
    said = np.where(confident, probabilities, -1.0).argmax(axis=1)
    found = np.flatnonzero(known & confident.any(axis=1) & (said != given)).astype(np.int64)
    margin = probabilities[found, said[found]] - probabilities[found, given[found]]
    found, margin = found[margin > 0], margin[margin > 0]
    order = found[np.argsort(-margin, kind="stable")]
    return Doubted(order, said[order].astype(np.int64), thresholds)
