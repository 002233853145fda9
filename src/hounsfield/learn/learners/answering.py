"""Heads that are no network's: which yes-no questions a target asks, and how their log-odds become a head's output."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float32Array, Float64Array, IntArray
from hounsfield.learn.features.leaveout import LeftOut, fit_left_out
from hounsfield.learn.features.softening import class_cost, class_lines, odds_cost, odds_line
from hounsfield.learn.learners.prevalence import share
from hounsfield.learn.learners.protocol import HeadSpec
from hounsfield.learn.learners.raw import ordinal_raw

SMALLEST_GAP = 1e-3
"""Least distance of two ordinal log-odds."""


@dataclass(frozen=True)
class LinearHead:
    """A linear head and how it fares.

    Parameters
    ----------
    weights, bias : numpy.ndarray
        ``q f`` and ``q`` float64; `raw_answers` takes ``weights @ row + bias``.
    cost : float
        Log loss (mean squared error of a number) of what was held out, summed over questions.
    """

    weights: Float64Array
    bias: Float64Array
    cost: float = 0.0


def several(head: HeadSpec) -> bool:
    """Whether a head chooses one of more than two classes."""
    return head.loss == "categorical" and len(head.target.classes) != 2


def class_answers(values: AnyArray) -> IntArray:
    """Return class or level of each row, ``n`` int64, -1 where it is not known."""
    return np.asarray(values, dtype=np.int64).reshape(len(values))


def questions(values: AnyArray, head: HeadSpec) -> Float64Array:
    """Return the answers to a head's yes-no questions.

    Parameters
    ----------
    values : numpy.ndarray
        Encoded answers, as a feed has them.
    head : HeadSpec
        Of two classes, of labels, or of levels.

    Returns
    -------
    numpy.ndarray
        ``n q``: 0, 1, or NaN where it is not known: the second class, each label, or above each level but the last.
    """
    if head.loss == "multilabel":
        return np.asarray(values, dtype=np.float64)
    answers = class_answers(values)
    levels = range(1) if head.loss == "categorical" else range(len(head.target.classes) - 1)
    return np.stack([np.where(answers >= 0, answers > level, np.nan) for level in levels], axis=1).astype(np.float64)


def raw_answers(scores: Float64Array, head: HeadSpec) -> Float64Array:
    """Return a head's raw output ``n w``.

    Parameters
    ----------
    scores : numpy.ndarray
        Log-odds ``n q`` of the questions; logits ``n k`` of several classes; a standardised number ``n 1``.
    head : HeadSpec
    """
    if head.loss == "ordinal":
        return ordinal_raw(scores, least=SMALLEST_GAP)
    if head.loss == "categorical" and not several(head):
        return np.hstack([-scores, scores]) / 2.0
    return scores


def guesses(head: HeadSpec) -> Float64Array:
    """Return the probability of each question ``q`` where nothing is known: all levels alike, else one half."""
    if head.loss == "multilabel":
        return np.full(head.width, 0.5)
    levels = 2 if head.loss == "categorical" else len(head.target.classes)
    return 1.0 - np.arange(1, levels) / levels


def chance(truth: Float64Array, guess: float) -> float:
    """Return the log-odds of answers 0 / 1 to a question that cannot be learned; the guess counts as one answer."""
    level = (truth.sum() + guess) / (len(truth) + 1.0)
    return float(np.log(level) - np.log1p(-level))


def ridge_head(rows: Float32Array, values: AnyArray, head: HeadSpec, *, groups: IntArray) -> LinearHead:
    """Fit a head by ridge regression, its penalty and its probabilities by leaving out each group.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f`` float32, scaled.
    values : numpy.ndarray
        Encoded answers of the rows.
    head : HeadSpec
    groups : numpy.ndarray
        ``n`` int64.

    """
    if head.loss == "number":
        return _number(rows, np.asarray(values, dtype=np.float64).reshape(len(values), -1)[:, 0], head, groups)
    if several(head):
        return _classes(rows, class_answers(values), groups, len(head.target.classes))
    asked = questions(values, head)
    known = np.isfinite(asked)
    if (known == known[:, :1]).all():
        return _yes_no(rows[known[:, 0]], asked[known[:, 0]], groups[known[:, 0]], guesses(head))
    found = [_yes_no(rows[k], asked[k, q : q + 1], groups[k], guesses(head)[q : q + 1]) for q, k in enumerate(known.T)]
    weights, bias = np.concatenate([f.weights for f in found]), np.concatenate([f.bias for f in found])
    return LinearHead(weights, bias, sum(f.cost for f in found))


def _yes_no(rows: Float32Array, truth: Float64Array, groups: IntArray, guess: Float64Array) -> LinearHead:
    """Fit questions ``n q`` that all rows answer; the base rate where all answer alike."""
    weights = np.zeros((truth.shape[1], rows.shape[1]))
    bias = np.array([chance(column, own) for column, own in zip(truth.T, guess, strict=True)])
    open_ = [q for q, column in enumerate(truth.T) if len(column) > 1 and column.min() < column.max()]
    if not open_:
        return LinearHead(weights, bias)
    asked = truth[:, open_]

    def cost(held_out: Float64Array) -> float:
        return sum(odds_cost(held_out[:, q], asked[:, q]) for q in range(len(open_)))

    model = fit_left_out(rows, 2.0 * asked - 1.0, groups, cost=cost)
    for place, question in enumerate(open_):
        factor, offset = odds_line(model.held_out[:, place], asked[:, place])
        weights[question] = factor * model.weights[place]
        bias[question] = factor * model.bias[place] + offset
    return LinearHead(weights, bias, model.cost)


def _classes(rows: Float32Array, answers: IntArray, groups: IntArray, classes: int) -> LinearHead:
    """Fit one of several classes; a class that no row has keeps the odds of one that was not seen."""
    known = answers >= 0
    rows, answers, groups = rows[known], answers[known], groups[known]
    weights, bias = np.zeros((classes, rows.shape[1])), np.full(classes, -np.log(2.0 * len(rows) + 1.0))
    present, own = np.unique(answers, return_inverse=True)
    if len(present) < 2:
        bias[present] = 0.0
        return LinearHead(weights, bias)
    wanted = 2.0 * np.eye(len(present))[own] - 1.0
    model: LeftOut = fit_left_out(rows, wanted, groups, cost=lambda held_out: class_cost(held_out, own))
    factor, offsets = class_lines(model.held_out, own)
    weights[present], bias[present] = factor * model.weights, factor * model.bias + offsets
    return LinearHead(weights, bias, model.cost)


def _number(rows: Float32Array, values: Float64Array, head: HeadSpec, groups: IntArray) -> LinearHead:
    known = np.isfinite(values)
    if known.sum() < 2:
        return LinearHead(np.zeros((1, rows.shape[1])), share(values[:, None], head))
    wanted = ((values[known] - head.mean) / head.std)[:, None]

    def cost(held_out: Float64Array) -> float:
        return float(((held_out - wanted) ** 2).mean())

    model = fit_left_out(rows[known], wanted, groups[known], cost=cost)
    return LinearHead(model.weights, model.bias, model.cost)
