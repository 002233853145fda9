"""Metrics of telling classes apart: from scores (AUROC, average precision) and from decisions.

A metric that is undefined is NaN; `intervals.why_undefined` says why. Intervals of all of them are percentile intervals
over patient-level bootstrap replicates (`intervals`), which evaluate the same formulas on weights.
"""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.science.statistics.inputs import binary_truth, class_truth, finite, unit_weights
from hounsfield.science.statistics.weighted_ranks import ranked_figures, sort_scores
from hounsfield.science.statistics.weighted_sums import decided_figures, predictive_values, weighted_kappa


@dataclass(frozen=True)
class RocCurve:
    """The points of a ROC curve, from "nobody is called" to "everybody is called".

    Attributes
    ----------
    false_positive_rate, true_positive_rate : float64 array (m,)
        Ascending; NaN where the class that a rate counts is missing.
    threshold : float64 array (m,)
        Descending; a sample is called positive at ``score >= threshold``. The first is infinite.
    """

    false_positive_rate: Float64Array
    true_positive_rate: Float64Array
    threshold: Float64Array


def auroc(truth: AnyArray, score: AnyArray) -> float:
    """Estimate the probability that a random positive scores higher than a random negative, ties counting half.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    score : float array (n,)
        Higher means more likely positive; any monotone scale.

    Returns
    -------
    float
        In [0, 1]; higher is better, 0.5 is chance. NaN where a class is missing.

    Notes
    -----
    The Mann-Whitney statistic. It does not see calibration and does not change with prevalence.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
    """
    positive = binary_truth(truth)
    ordered = sort_scores(positive, finite(score, shape=positive.shape, name="score"))
    return float(ranked_figures(ordered, unit_weights(len(positive)))[0][0])


def auroc_per_class(truth: AnyArray, probability: AnyArray) -> Float64Array:
    """Estimate the AUROC of every class against the rest.

    Parameters
    ----------
    truth : array (n,)
        Class index.
    probability : float array (n k)
        Probability of every class.

    Returns
    -------
    float64 array (k,)
        In [0, 1]; higher is better. NaN for a class that is missing or is the only one.
    """
    scores = np.asarray(probability, dtype=np.float64)
    index = class_truth(truth, scores.shape[1])
    return np.array([auroc(index[index >= 0] == c, scores[index >= 0, c]) for c in range(scores.shape[1])])


def auroc_macro(truth: AnyArray, probability: AnyArray) -> float:
    """Average the one-versus-rest AUROC over the classes that occur, each counting the same.

    Parameters
    ----------
    truth : array (n,)
        Class index.
    probability : float array (n k)
        Probability of every class.

    Returns
    -------
    float
        In [0, 1]; higher is better. NaN where fewer than two classes occur.
    """
    return mean_of_defined(auroc_per_class(truth, probability))


def mean_of_defined(values: Float64Array) -> float:
    """Return the mean over values that are defined, or NaN where none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def average_precision(truth: AnyArray, score: AnyArray) -> float:
    """Estimate the mean precision over the positives, in falling order of score (area under precision-recall steps).

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    score : float array (n,)
        Higher means more likely positive.

    Returns
    -------
    float
        In [0, 1]; higher is better, the prevalence is chance. NaN where no positive exists.

    Notes
    -----
    ``sum_t (recall_t - recall_{t-1}) precision_t`` over distinct thresholds, without interpolation. It depends on the
    prevalence, so values of cohorts with other prevalences cannot be compared.

    References
    ----------
    Boyd K, Eng KH, Page CD. ECML PKDD 2013, LNCS 8190:451-466.
    """
    positive = binary_truth(truth)
    ordered = sort_scores(positive, finite(score, shape=positive.shape, name="score"))
    return float(ranked_figures(ordered, unit_weights(len(positive)))[1][0])


def roc_curve(truth: AnyArray, score: AnyArray) -> RocCurve:
    """Return false and true positive rate at every distinct score.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    score : float array (n,)
        Higher means more likely positive.
    """
    positive = binary_truth(truth)
    values = finite(score, shape=positive.shape, name="score")
    order = np.argsort(-values, kind="stable")
    descending = values[order]
    last = np.append(descending[1:] != descending[:-1], True)[: len(values)]
    true, false = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    with np.errstate(invalid="ignore", divide="ignore"):
        return RocCurve(
            false_positive_rate=np.append(0, false) / np.float64((~positive).sum()),
            true_positive_rate=np.append(0, true) / np.float64(positive.sum()),
            threshold=np.append(np.inf, descending[last]),
        )


def confusion(truth: AnyArray, predicted: AnyArray, *, classes: int) -> IntArray:
    """Count samples by true class (rows) and predicted class (columns).

    Parameters
    ----------
    truth, predicted : array (n,)
        Class indices in [0, classes); samples without a truth (-1) are left out.
    classes : int
        The number of classes k.

    Returns
    -------
    int array (k k)
    """
    row, column = class_truth(truth, classes), class_truth(predicted, classes)
    known = (row >= 0) & (column >= 0)
    table: IntArray = np.bincount(row[known] * classes + column[known], minlength=classes**2).astype(np.int64)
    return table.reshape(classes, classes)


def accuracy(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate the share of samples whose class is right.

    Parameters
    ----------
    truth, predicted : array (n,)
        Class indices, or 0 and 1.

    Returns
    -------
    float
        In [0, 1]; higher is better. NaN without samples. With unequal classes, guessing the largest already looks good.
    """
    right = np.asarray(truth) == np.asarray(predicted)
    return float(right.mean()) if right.size else float("nan")


def recall_per_class(truth: AnyArray, predicted: AnyArray, *, classes: int) -> Float64Array:
    """Estimate, for every class, the share of its samples that are found; higher is better.

    Parameters
    ----------
    truth, predicted : array (n,)
        Class indices in [0, classes).
    classes : int
        The number of classes k.

    Returns
    -------
    float64 array (k,)
        In [0, 1]; NaN for a class that does not occur.
    """
    table = confusion(truth, predicted, classes=classes)
    with np.errstate(invalid="ignore"):
        recall: Float64Array = np.diag(table) / table.sum(axis=1).astype(np.float64)
    return recall


def balanced_accuracy(truth: AnyArray, predicted: AnyArray, *, classes: int = 2) -> float:
    """Average recall over the classes that occur, so that each counts the same.

    Parameters
    ----------
    truth, predicted : array (n,)
        Class indices in [0, classes).
    classes : int
        The number of classes k.

    Returns
    -------
    float
        In [0, 1]; higher is better, 1/k is chance. NaN without samples.

    References
    ----------
    Brodersen KH et al. ICPR 2010:3121-3124.
    """
    return mean_of_defined(recall_per_class(truth, predicted, classes=classes))


def f1(truth: AnyArray, called: AnyArray) -> float:
    """Estimate the harmonic mean of sensitivity and positive predictive value.

    Parameters
    ----------
    truth, called : array (n,)
        0 or 1.

    Returns
    -------
    float
        In [0, 1]; higher is better. NaN where there is neither a positive nor a call. Depends on the prevalence.
    """
    return _decided(truth, called, "f1")


def f1_macro(truth: AnyArray, predicted: AnyArray, *, classes: int) -> float:
    """Average F1 over the classes that occur or are predicted; higher is better, NaN without samples.

    Parameters
    ----------
    truth, predicted : array (n,)
        Class indices in [0, classes).
    classes : int
        The number of classes k.
    """
    row, column = class_truth(truth, classes), class_truth(predicted, classes)
    return mean_of_defined(np.array([f1(row == c, column == c) for c in range(classes)]))


def sensitivity(truth: AnyArray, called: AnyArray) -> float:
    """Estimate the share of positives that are called; higher is better, NaN where no positive exists.

    Parameters
    ----------
    truth, called : array (n,)
        0 or 1.
    """
    return _decided(truth, called, "sensitivity")


def specificity(truth: AnyArray, called: AnyArray) -> float:
    """Estimate the share of negatives that are not called; higher is better, NaN where no negative exists.

    Parameters
    ----------
    truth, called : array (n,)
        0 or 1.
    """
    return _decided(truth, called, "specificity")


def ppv(truth: AnyArray, called: AnyArray) -> float:
    """Estimate the share of calls that are right, at this cohort's prevalence; higher is better.

    Parameters
    ----------
    truth, called : array (n,)
        0 or 1.

    Returns
    -------
    float
        In [0, 1]; NaN where nothing is called.
    """
    return _decided(truth, called, "ppv")


def npv(truth: AnyArray, called: AnyArray) -> float:
    """Estimate the share of rejections that are right, at this cohort's prevalence; higher is better.

    Parameters
    ----------
    truth, called : array (n,)
        0 or 1.

    Returns
    -------
    float
        In [0, 1]; NaN where everything is called.
    """
    return _decided(truth, called, "npv")


def ppv_npv_at_prevalence(sensitivity: float, specificity: float, *, prevalence: float) -> tuple[float, float]:
    """Estimate both predictive values where another share of people has the disease.

    Parameters
    ----------
    sensitivity, specificity : float
        Of the decision, in [0, 1].
    prevalence : float
        Share of positives where the decision will be used, in [0, 1].

    Returns
    -------
    ppv, npv : float
        In [0, 1]; higher is better. NaN where nothing, or everything, would be called.

    Notes
    -----
    Bayes' theorem; assumes that sensitivity and specificity carry over, which a change of spectrum breaks.

    References
    ----------
    Altman DG, Bland JM. BMJ 1994;309:102.
    """
    values = predictive_values(np.array([sensitivity]), np.array([specificity]), prevalence)
    return float(values[0][0]), float(values[1][0])


def quadratic_kappa(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate agreement of grades beyond chance, a miss counting by its squared distance.

    Parameters
    ----------
    truth, predicted : array (n,)
        Grades as whole numbers.

    Returns
    -------
    float
        In [-1, 1]; higher is better, 0 is chance. NaN where truths and predictions are all one grade.

    References
    ----------
    Cohen J. Psychological Bulletin 1968;70:213-220.
    """
    grades = np.asarray(truth, dtype=np.float64)
    guesses = finite(predicted, shape=grades.shape, name="prediction")
    return float(weighted_kappa(grades, guesses, unit_weights(len(grades)))[0])


def _decided(truth: AnyArray, called: AnyArray, name: str) -> float:
    positive, flagged = binary_truth(truth), binary_truth(called)
    return float(decided_figures(positive, flagged, unit_weights(len(positive)))[name][0])
