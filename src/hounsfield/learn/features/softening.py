"""Probabilities from scores that were held out: a line for one question, a line for each class.

Platt's targets keep the probabilities of few rows away from 0 and 1, even where every row is told right.
"""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray

LEAST, MOST = np.log(1e-2), np.log(1e2)
"""Bounds of the logarithm of a factor on scores."""
PRIOR = 1.0
"""Weight of the squared offset of a class: classes of few rows keep the one of the scores."""


def odds_line(scores: Float64Array, truth: Float64Array) -> tuple[float, float]:
    """Return factor and offset with which scores become log-odds.

    Parameters
    ----------
    scores : numpy.ndarray
        ``n``, held out.
    truth : numpy.ndarray
        ``n``, 0 or 1.

    Returns
    -------
    tuple of float
        ``log odds = factor * score + offset``; the factor is positive.

    References
    ----------
    Platt: "Probabilistic outputs for support vector machines", 1999.
    """
    from scipy.optimize import minimize

    positive = truth.sum()
    wanted = np.where(truth > 0.5, (positive + 1.0) / (positive + 2.0), 1.0 / (len(truth) - positive + 2.0))

    def cost(x: Float64Array) -> tuple[float, Float64Array]:
        factor = np.exp(x[0])
        odds = factor * scores + x[1]
        slope = 1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0))) - wanted
        price = float((np.logaddexp(0.0, odds) - wanted * odds).sum())
        return price, np.array([factor * (slope @ scores), slope.sum()])

    share = float(np.clip(wanted.mean(), 1e-6, 1.0 - 1e-6))
    start = np.array([np.log(4.0), np.log(share) - np.log1p(-share)])
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=[(LEAST, MOST), (None, None)])
    return float(np.exp(found.x[0])), float(found.x[1])


def class_lines(scores: Float64Array, answers: IntArray) -> tuple[float, Float64Array]:
    """Return one factor and an offset for each class with which scores become the logits of a softmax.

    Parameters
    ----------
    scores : numpy.ndarray
        ``n k``, held out.
    answers : numpy.ndarray
        ``n`` int64, 0 to k - 1.

    Returns
    -------
    tuple
        The factor, positive, and offsets ``k``.
    """
    from scipy.optimize import minimize

    classes = scores.shape[1]
    wanted = _softened(answers, classes)

    def cost(x: Float64Array) -> tuple[float, Float64Array]:
        factor, offsets = np.exp(x[0]), x[1:]
        logits = factor * scores + offsets
        logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        slope = np.exp(logits) - wanted
        price = -float((wanted * logits).sum()) + 0.5 * PRIOR * float(offsets @ offsets)
        return price, np.concatenate([[factor * (slope * scores).sum()], slope.sum(axis=0) + PRIOR * offsets])

    start = np.concatenate([[np.log(4.0)], np.zeros(classes)])
    bounds = [(LEAST, MOST), *([(None, None)] * classes)]
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(found.x[0])), np.asarray(found.x[1:], dtype=np.float64)


def class_cost(scores: Float64Array, answers: IntArray) -> float:
    """Return the mean log loss of held-out scores ``n k`` once they are softened."""
    factor, offsets = class_lines(scores, answers)
    logits = factor * scores + offsets
    logits = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    return -float((_softened(answers, scores.shape[1]) * logits).sum()) / len(answers)


def odds_cost(scores: Float64Array, truth: Float64Array) -> float:
    """Return the mean log loss of held-out scores ``n`` once they are softened."""
    factor, offset = odds_line(scores, truth)
    return float(np.logaddexp(0.0, (1.0 - 2.0 * truth) * (factor * scores + offset)).mean())


def _softened(answers: IntArray, classes: int) -> Float64Array:
    """Return wanted probabilities ``n k``: the more rows a class has, the nearer to 1."""
    sizes = np.bincount(answers, minlength=classes)[answers]
    right = (sizes + 1.0) / (sizes + 2.0)
    wanted = np.repeat(((1.0 - right) / max(classes - 1, 1))[:, None], classes, axis=1)
    wanted[np.arange(len(answers)), answers] = right
    return wanted
