"""Losses and decoders, each as its formula."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]


# --8<-- [start:mean]
def weighted_mean(values: Array, weight: Array, labelled: npt.NDArray[np.bool_]) -> float:
    """Average over labelled values, (b,) or (b k); 0 where nothing is labelled."""
    factor = weight.reshape(-1, *[1] * (values.ndim - 1)) * labelled
    return float((factor * np.where(labelled, values, 0.0)).sum() / factor.sum()) if factor.sum() > 0 else 0.0


# --8<-- [end:mean]


# --8<-- [start:softmax]
def softmax(logits: Array) -> Array:
    """Logits (b k) -> probabilities (b k); subtracting the largest changes nothing and avoids overflow."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(
    logits: Array, target: Classes, weight: Array, *, class_weight: Array | None = None, smoothing: float = 0.0
) -> float:
    """Logits (b k), target (b,) with -1 for missing."""
    classes = logits.shape[1]
    hot = np.eye(classes)[np.maximum(target, 0)]
    wanted = (1.0 - smoothing) * hot + smoothing / classes
    factor = np.ones(classes) if class_weight is None else class_weight
    values = -(factor * wanted * np.log(softmax(logits))).sum(axis=1)
    return weighted_mean(values, weight, target >= 0)


# --8<-- [end:softmax]


# --8<-- [start:binary]
def logistic(values: Array) -> Array:
    """1 / (1 + exp(-v))."""
    return np.asarray(1.0 / (1.0 + np.exp(-values)))


def binary_cross_entropy(
    logits: Array, target: Array, weight: Array, *, positive_weight: Array | None = None, smoothing: float = 0.0
) -> float:
    """Logits (b k), target (b k) in 0..1 with NaN for missing."""
    labelled = ~np.isnan(target)
    wanted = (1.0 - smoothing) * np.where(labelled, target, 0.0) + smoothing / 2
    factor = np.ones(logits.shape[1]) if positive_weight is None else positive_weight
    p = logistic(logits)
    return weighted_mean(-factor * wanted * np.log(p) - (1.0 - wanted) * np.log(1.0 - p), weight, labelled)


# --8<-- [end:binary]


# --8<-- [start:ordinal]
def softplus(values: Array) -> Array:
    """log(1 + exp(v)), always positive."""
    return np.asarray(np.log1p(np.exp(values)))


def above(raw: Array) -> Array:
    """Raw head output (b k-1) -> log-odds of "the level is above j", falling along each row."""
    score, gaps = raw[:, :1], softplus(raw[:, 1:])
    return np.hstack([score, score - np.cumsum(gaps, axis=1)])


def ordinal_cross_entropy(raw: Array, target: Classes, weight: Array) -> float:
    """Raw head output (b k-1), level (b,) with -1 for missing."""
    p = logistic(above(raw))
    is_above = target[:, None] > np.arange(raw.shape[1])
    values = -np.where(is_above, np.log(p), np.log(1.0 - p)).mean(axis=1)
    return weighted_mean(values, weight, target >= 0)


def level_probabilities(raw: Array) -> Array:
    """Raw head output (b k-1) -> probability of each level (b k)."""
    p = logistic(above(raw))
    one, zero = np.ones((len(raw), 1)), np.zeros((len(raw), 1))
    return -np.diff(np.hstack([one, p, zero]), axis=1)


# --8<-- [end:ordinal]


# --8<-- [start:huber]
def huber(predicted: Array, target: Array, weight: Array, *, delta: float = 1.0) -> float:
    """Predicted and true value in standard deviations, (b,), NaN for missing."""
    error = np.abs(predicted - target)
    values = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))
    return weighted_mean(values, weight, ~np.isnan(target))


# --8<-- [end:huber]
