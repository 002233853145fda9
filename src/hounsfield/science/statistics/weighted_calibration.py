"""Calibration metrics as functions of a matrix of sample weights (n r)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.statistics.inputs import expit, logit, ratio, unit_weights

STEP_LIMIT = 2.0
LOG_ODDS_LIMIT = 50.0
POINT_PASSES = 100
REPLICATE_PASSES = 12
# Newton's error is about the square of its last step, so a step of 0.01 leaves about 1e-4: far below the width of any
# interval. The figure itself is taken to 1e-10.
POINT_TOLERANCE, REPLICATE_TOLERANCE = 1e-10, 1e-2
SLOPE_LIMIT = 50.0
BLOCK = 2**15
"""Weights that are added up at a time: what is made of them stays in the processor's cache."""
LEAST_ROWS = 64


@dataclass(frozen=True)
class Recalibration:
    """Logistic recalibration fitted to all samples; the start from which every replicate is refined.

    Attributes
    ----------
    log_odds : float64 array (n,)
        Of the predicted probabilities.
    standard : float64 array (n,)
        The log-odds with mean 0 and standard deviation 1, on which the slope is well conditioned.
    scale : float
        The standard deviation that was divided out.
    truth : bool array (n,)
        True for positives.
    intercept : float
        Of the model ``logit P = intercept + log_odds`` (slope held at 1); NaN where undefined.
    line : tuple of float
        Offset and slope of the model ``logit P = offset + slope * standard``; NaN where undefined.
    """

    log_odds: Float64Array
    standard: Float64Array
    scale: float
    truth: BoolArray
    intercept: float
    line: tuple[float, float]

    @property
    def slope(self) -> float:
        """The calibration slope, on the scale of the log-odds."""
        return self.line[1] / self.scale


def recalibrate(truth: BoolArray, probability: Float64Array) -> Recalibration:
    """Fit calibration intercept and slope to all samples by Newton's method.

    Parameters
    ----------
    truth : bool array (n,)
        True for positives.
    probability : float64 array (n,)
        Predicted probability of the positive class, in [0, 1].
    """
    x, weights = logit(probability), unit_weights(len(truth))
    nothing = (np.nan, np.nan)
    if truth.all() or not truth.any():
        return Recalibration(x, x, 1.0, truth, np.nan, nothing)
    prevalence = logit(np.array([truth.mean()]))
    intercept = float(_intercepts(x, truth, weights, start=prevalence - x.mean(), replicate=False)[0])
    constant = float(np.ptp(x)) <= 1e-12 * max(1.0, float(np.abs(x).max()))
    separable = x[truth].min() >= x[~truth].max() or x[truth].max() <= x[~truth].min()
    if constant or separable:
        return Recalibration(x, x, 1.0, truth, intercept, nothing)
    scale = float(x.std())
    standard = (x - x.mean()) / scale
    return Recalibration(x, standard, scale, truth, intercept, _likeliest_line(standard, truth, float(prevalence[0])))


def recalibrated(model: Recalibration, weights: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return calibration intercept and slope of every replicate.

    Parameters
    ----------
    model : Recalibration
        The fit to all samples.
    weights : float64 array (n r)
        Whole-number weight of each sample in each replicate.

    Returns
    -------
    intercept, slope : float64 array (r,)
        NaN where a replicate lacks a class or does not converge (its classes are separated).
    """
    replicates = weights.shape[1]
    intercept, slope = np.full(replicates, np.nan), np.full(replicates, np.nan)
    positive = model.truth.astype(np.float64) @ weights
    both = (positive > 0) & (positive < weights.sum(axis=0))
    if not both.any() or np.isnan(model.intercept):
        return intercept, slope
    drawn = weights if both.all() else weights[:, both]
    count = drawn.shape[1]
    start = np.full(count, model.intercept)
    intercept[both] = _intercepts(model.log_odds, model.truth, drawn, start=start, replicate=True)
    if not np.isnan(model.slope):
        pair = np.repeat(np.array(model.line)[:, None], count, axis=1)
        slope[both] = _lines(model.standard, model.truth, drawn, start=pair)[1] / model.scale
    return intercept, slope


def _intercepts(
    x: Float64Array, truth: BoolArray, weights: Float64Array, *, start: Float64Array, replicate: bool
) -> Float64Array:
    tolerance = REPLICATE_TOLERANCE if replicate else POINT_TOLERANCE
    a = np.array(start, dtype=np.float64)
    positive = truth.astype(np.float64) @ weights
    enough = 1e-12 * weights.sum(axis=0)
    low, high = np.full(a.shape, -LOG_ODDS_LIMIT), np.full(a.shape, LOG_ODDS_LIMIT)
    done = np.zeros(a.shape, dtype=np.bool_)
    for number in range(POINT_PASSES):
        if replicate and number == 0:
            # At the common start the fitted probabilities are one column: the first step costs two products.
            p = expit(x + a[0])
            expected, information = p @ weights, (p * (1 - p)) @ weights
        else:
            expected, _, information, _, _ = _moments(x, weights, a, np.ones_like(a))
        gradient = positive - expected
        step = np.clip(gradient / np.maximum(information, 1e-12), -STEP_LIMIT, STEP_LIMIT)
        done = (np.abs(step) < tolerance) | (np.abs(gradient) <= enough)
        # Saturated probabilities leave plateaus between which Newton's steps can swing for ever; halving ends that.
        low, high = np.where(gradient > 0, a, low), np.where(gradient < 0, a, high)
        target = a + step
        inside = done | ((target > low) & (target < high))
        a = np.where(inside, target, 0.5 * (low + high))
        if done.all():
            break
    return np.where(done, a, np.nan)


def _likeliest_line(x: Float64Array, truth: BoolArray, offset: float) -> tuple[float, float]:
    def loss(pair: Float64Array) -> float:
        z = pair[0] + pair[1] * x
        return float((np.logaddexp(0.0, z) - truth * z).sum())

    basis = np.stack([np.ones_like(x), x])
    line, lowest = np.array([offset, 0.0]), loss(np.array([offset, 0.0]))
    for _ in range(POINT_PASSES):
        p = expit(line @ basis)
        information = (basis * (p * (1 - p))) @ basis.T + 1e-12 * np.eye(2)
        step = np.linalg.solve(information, basis @ (truth - p))
        # Far outliers can throw Newton's step too far; the loss is convex, so halving always finds a way down.
        while loss(line + step) > lowest + 1e-12 * abs(lowest) and np.abs(step).max() > POINT_TOLERANCE:
            step = 0.5 * step
        line = line + step
        lowest = loss(line)
        if np.abs(step).max() < POINT_TOLERANCE * max(1.0, float(np.abs(line).max())):
            return float(line[0]), float(line[1])
    return np.nan, np.nan


def _lines(x: Float64Array, truth: BoolArray, weights: Float64Array, *, start: Float64Array) -> Float64Array:
    a, b = np.array(start, dtype=np.float64)
    observed = _products(x, truth.astype(np.float64), weights)[:2]
    converged = np.zeros(a.shape, dtype=np.bool_)
    for number in range(REPLICATE_PASSES):
        if number == 0:
            p = expit(a[0] + b[0] * x)
            expected, information = _products(x, p, weights)[:2], _products(x, p * (1 - p), weights)
        else:
            found = _moments(x, weights, a, b)
            expected, information = found[:2], found[2:]
        gradient = observed - expected
        determinant = information[0] * information[2] - information[1] ** 2
        safe = np.maximum(determinant, 1e-12)
        step_a = (information[2] * gradient[0] - information[1] * gradient[1]) / safe
        step_b = (information[0] * gradient[1] - information[1] * gradient[0]) / safe
        size = np.maximum(np.abs(step_a), np.abs(step_b))
        damping = np.minimum(1.0, STEP_LIMIT / np.maximum(size, 1e-300))
        a, b = a + damping * step_a, b + damping * step_b
        relative = size / np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
        converged = (relative < REPLICATE_TOLERANCE) & (determinant > 1e-12) & (np.abs(b) < SLOPE_LIMIT)
        if converged.all():
            break
    return np.where(converged, np.stack([a, b]), np.nan)


def _products(x: Float64Array, values: Float64Array, weights: Float64Array) -> Float64Array:
    """Return the sums over rows of ``w v``, ``w v x`` and ``w v x^2`` in every replicate, shape (3 r)."""
    found: Float64Array = np.stack([values, values * x, values * x * x]) @ weights
    return found


def _moments(x: Float64Array, weights: Float64Array, a: Float64Array, b: Float64Array) -> Float64Array:
    """Return the sums over rows of ``w p``, ``w p x``, ``w p q``, ``w p q x`` and ``w p q x^2``, shape (5 r).

    With p = expit(a + b x), which is another one in every replicate, and q = 1 - p.
    """
    found = np.zeros((5, weights.shape[1]))
    for rows in _blocks(weights):
        some = x[rows]
        powers = np.stack([np.ones_like(some), some, some * some])
        p = expit(a + some[:, None] * b)
        weighted = weights[rows] * p
        found[:2] += powers[:2] @ weighted
        weighted *= 1 - p
        found[2:] += powers @ weighted
    return found


def _blocks(weights: Float64Array) -> Iterator[slice]:
    rows, replicates = weights.shape
    step = max(LEAST_ROWS, BLOCK // max(1, replicates))
    return (slice(first, first + step) for first in range(0, rows, step))


def equal_mass_bins(probability: Float64Array, bins: int) -> IntArray:
    """Assign samples to bins of about equal size; equal probabilities always share a bin.

    Parameters
    ----------
    probability : float64 array (n,)
        In [0, 1].
    bins : int
        How many bins at most; fewer where there are under two samples for each, or many ties.

    Returns
    -------
    int array (n,)
        Bin index, from 0 without gaps, ascending with probability.
    """
    if not len(probability):
        return np.zeros(0, dtype=np.int64)
    count = max(1, min(bins, len(probability) // 2))
    edges = np.quantile(probability, np.arange(1, count) / count)
    index: IntArray = np.unique(np.searchsorted(edges, probability, side="left"), return_inverse=True)[1]
    return index.astype(np.int64)


def calibration_terms(
    truth: BoolArray, probability: Float64Array, bins: IntArray, weights: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return the squared calibration error of every replicate, plain and debiased.

    Parameters
    ----------
    truth : bool array (n,)
        True for positives.
    probability : float64 array (n,)
        Predicted probability of the positive class.
    bins : int array (n,)
        From `equal_mass_bins`, fixed over replicates.
    weights : float64 array (n r)
        Whole-number weight of each sample in each replicate.

    Returns
    -------
    plain, debiased : float64 array (r,)
        ``sum_b n_b/n (mean y - mean p)^2``, and that less ``sum_b n_b/n var(y) / (n_b - 1)``; may be negative.
    """
    count = int(bins.max()) + 1 if len(bins) else 0
    found = np.zeros((3, count, weights.shape[1]))
    for rows in _blocks(weights):
        member = (bins[None, rows] == np.arange(count)[:, None]).astype(np.float64)
        found += np.stack([member, member * truth[rows], member * probability[rows]]) @ weights[rows]
    size, observed, predicted = found[0], ratio(found[1], found[0]), ratio(found[2], found[0])
    total = size.sum(axis=0)
    share = ratio(size, np.broadcast_to(total, size.shape))
    plain = np.nansum(share * (observed - predicted) ** 2, axis=0)
    noise = np.where(size > 1, ratio(observed * (1 - observed), size - 1), 0.0)
    debiased = plain - np.nansum(share * noise, axis=0)
    empty = total == 0
    return np.where(empty, np.nan, plain), np.where(empty, np.nan, debiased)
