"""Whether probabilities mean what they say, and temperature scaling that makes them mean it more.

Intervals of all metrics here are percentile intervals over patient-level bootstrap replicates (`intervals`); that of
the calibration error is shifted, see `calibration_error`.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.science.statistics.inputs import binary_truth, class_truth, expit, finite, unit_weights
from hounsfield.science.statistics.intervals import wilson
from hounsfield.science.statistics.weighted_calibration import calibration_terms, equal_mass_bins, recalibrate

BINS = 10
TEMPERATURE_BOUNDS = (0.05, 20.0)


class Link(StrEnum):
    """How logits become probabilities."""

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"


@dataclass(frozen=True)
class ReliabilityTable:
    """Predicted probability against observed frequency, in bins of about equal size.

    Attributes
    ----------
    predicted, observed : float64 array (b,)
        Mean probability and share of positives of each bin, in [0, 1]; b counts bins here.
    low, high : float64 array (b,)
        Wilson 95 % interval of the share; samples count as independent, so it is too narrow for repeated patients.
    count : int array (b,)
        Samples of each bin.
    """

    predicted: Float64Array
    observed: Float64Array
    low: Float64Array
    high: Float64Array
    count: IntArray


def brier(truth: AnyArray, probability: AnyArray) -> float:
    """Estimate the mean squared distance of probabilities from what happened.

    Parameters
    ----------
    truth : array (n,)
        0 or 1; for several classes the class index.
    probability : float array (n,) or (n k)
        Of the positive class; or of each class.

    Returns
    -------
    float
        Lower is better; in [0, 1] for (n,), in [0, 2] for (n k), summed over classes as Brier did. NaN without samples.

    Notes
    -----
    Mixes calibration and discrimination; prevalence p as a constant forecast gives ``p (1 - p)`` for (n,).

    References
    ----------
    Brier GW. Monthly Weather Review 1950;78:1-3.
    """
    forecast = np.asarray(probability, dtype=np.float64)
    if forecast.ndim == 1:
        positive = binary_truth(truth)
        distance = (finite(forecast, shape=positive.shape, name="probability") - positive) ** 2
    else:
        index = class_truth(truth, forecast.shape[1])
        forecast = finite(forecast, shape=(len(index), forecast.shape[1]), name="probability")
        distance = (((forecast - np.eye(forecast.shape[1])[index]) ** 2).sum(axis=1))[index >= 0]
    return float(distance.mean()) if len(distance) else float("nan")


def calibration_slope(truth: AnyArray, probability: AnyArray) -> float:
    """Estimate the slope of the truth on the predicted log-odds: 1 is best, below 1 is too extreme, above 1 too timid.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    probability : float array (n,)
        Of the positive class, in [0, 1]; moved into [1e-7, 1 - 1e-7].

    Returns
    -------
    float
        NaN where a class is missing, the probability is constant, or it separates the classes perfectly.

    Notes
    -----
    Maximum likelihood of ``logit P(y = 1) = a + b logit(p)`` by Newton's method.

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B et al. BMC Medicine 2019;17:230.
    """
    positive = binary_truth(truth)
    return recalibrate(positive, finite(probability, shape=positive.shape, name="probability")).slope


def calibration_intercept(truth: AnyArray, probability: AnyArray) -> float:
    """Estimate calibration in the large: 0 is best, below 0 the probabilities are too high overall, above too low.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    probability : float array (n,)
        Of the positive class, in [0, 1]; moved into [1e-7, 1 - 1e-7].

    Returns
    -------
    float
        In log-odds. NaN where a class is missing.

    Notes
    -----
    Maximum likelihood of ``logit P(y = 1) = a + logit(p)``, the slope held at 1.

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B et al. BMC Medicine 2019;17:230.
    """
    positive = binary_truth(truth)
    return recalibrate(positive, finite(probability, shape=positive.shape, name="probability")).intercept


def calibration_error(truth: AnyArray, probability: AnyArray, *, bins: int = BINS) -> float:
    """Estimate the root mean squared distance between predicted probability and observed frequency, without its bias.

    Parameters
    ----------
    truth : array (n,)
        0 or 1; for several classes the class index.
    probability : float array (n,) or (n k)
        Of the positive class; or of each class: the squares are averaged over classes (marginal calibration error).
    bins : int
        Bins of equal mass; fewer where there are under two samples for each.

    Returns
    -------
    float
        In [0, 1]; lower is better. NaN without samples.

    Notes
    -----
    Chance alone makes the binned error positive; ``mean_y (1 - mean_y) / (n_b - 1)`` is subtracted in each bin, and the
    rest is cut at 0 before the root. Bins hide deviations that cancel within one. Samples count as independent.
    Bootstrap replicates carry the noise a second time, so their squares are moved by what the correction took from
    the figure before the percentiles are read.

    References
    ----------
    Kumar A, Liang P, Ma T. Verified uncertainty calibration. NeurIPS 2019. Bröcker J. Climate Dynamics 2012;39:655-667.
    """
    forecast = np.asarray(probability, dtype=np.float64)
    if forecast.ndim == 1:
        positive = binary_truth(truth)
        pairs = [(positive, finite(forecast, shape=positive.shape, name="probability"))]
    else:
        index = class_truth(truth, forecast.shape[1])
        forecast = finite(forecast, shape=(len(index), forecast.shape[1]), name="probability")[index >= 0]
        pairs = [(index[index >= 0] == c, forecast[:, c]) for c in range(forecast.shape[1])]
    squares = [calibration_terms(right, p, equal_mass_bins(p, bins), unit_weights(len(p)))[1][0] for right, p in pairs]
    return float(np.sqrt(np.maximum(np.mean(squares), 0.0)))


def reliability_table(truth: AnyArray, probability: AnyArray, *, bins: int = BINS) -> ReliabilityTable:
    """Return the points of a reliability diagram.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    probability : float array (n,)
        Of the positive class, in [0, 1].
    bins : int
        Bins of equal mass.
    """
    positive = binary_truth(truth)
    forecast = finite(probability, shape=positive.shape, name="probability")
    index = equal_mass_bins(forecast, bins)
    count = np.bincount(index)
    hits = np.bincount(index, weights=positive)
    shares = [wilson(int(hit), int(total)) for hit, total in zip(hits, count, strict=True)]
    return ReliabilityTable(
        predicted=np.bincount(index, weights=forecast) / count,
        observed=hits / count,
        low=np.array([share.low for share in shares], dtype=np.float64),
        high=np.array([share.high for share in shares], dtype=np.float64),
        count=count.astype(np.int64),
    )


def fit_temperature(logits: AnyArray, truth: AnyArray) -> float:
    """Find the temperature that makes known answers most likely; the shapes say which kind it is.

    Parameters
    ----------
    logits : float array
        (n,) for a binary target, (n k) for classes that exclude each other or for several labels.
    truth : array
        (n,) 0/1 beside logits (n,); (n,) class index beside (n k); (n k) 0/1 beside (n k). -1 or NaN is missing.

    Returns
    -------
    float
        Within [0.05, 20]; 1 where no answer is known. At the lower bound the answers were separated perfectly.

    Notes
    -----
    The negative log-likelihood is convex in 1/T, so its derivative is bisected in log T. The order of the samples,
    and with it AUROC of a binary target, never changes.

    References
    ----------
    Guo C et al. On calibration of modern neural networks. ICML 2017.
    """
    scores = np.asarray(logits, dtype=np.float64)
    scores = finite(scores, shape=scores.shape, name="logits")
    answers = np.asarray(truth, dtype=np.float64)
    if scores.ndim == 2 and answers.ndim == 1 and len(answers) == len(scores):
        index = class_truth(answers, scores.shape[1])
        known_scores, known = scores[index >= 0], index[index >= 0]
        target = known_scores[np.arange(len(known)), known].sum()
    elif scores.shape == answers.shape:
        present = (answers == 0) | (answers == 1)
        known_scores = scores[present]
        target = (known_scores * answers[present]).sum()
    else:
        raise InputError(
            f"Logits of the shape {scores.shape} stand beside answers of the shape {answers.shape}.",
            expected="(n,) beside (n,), (n k) beside (n,), or (n k) beside (n k)",
        )
    if not len(known_scores):
        return 1.0
    return _bisect_temperature(known_scores, float(target))


def apply_temperature(logits: AnyArray, temperature: float, *, link: Link) -> Float64Array:
    """Return the probabilities of logits divided by a temperature.

    Parameters
    ----------
    logits : float array (n,) or (n k)
        As the network gives them; logarithms of probabilities serve for the softmax.
    temperature : float
        From `fit_temperature`; 1 changes nothing.
    link : Link
        Sigmoid for a binary target or several labels, softmax for classes that exclude each other.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    return softmax(scaled) if link is Link.SOFTMAX else expit(scaled)


def softmax(logits: Float64Array) -> Float64Array:
    """Return exp(x) / sum exp(x) over the last axis, without overflow."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares: Float64Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def _bisect_temperature(scores: Float64Array, target: float) -> float:
    # d NLL / d(1/T) = sum of expected scores - sum of the true answers' scores; it rises with 1/T.
    def excess(log_temperature: float) -> float:
        scaled = scores * np.exp(-log_temperature)
        weight = softmax(scaled) if scores.ndim == 2 else expit(scaled)
        return float((weight * scores).sum()) - target

    low, high = float(np.log(TEMPERATURE_BOUNDS[0])), float(np.log(TEMPERATURE_BOUNDS[1]))
    if not np.any(scores != (scores[..., :1] if scores.ndim == 2 else 0.0)):
        return 1.0
    if excess(low) <= 0:
        return TEMPERATURE_BOUNDS[0]
    if excess(high) >= 0:
        return TEMPERATURE_BOUNDS[1]
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return float(np.exp(0.5 * (low + high)))
