"""Linear and logistic models with a ridge penalty, for few rows of many features.

Rows are first written in the basis of their own principal directions, which loses nothing: a ridge model's weights lie
in the span of its rows. Newton's method then solves systems as large as there are rows, whatever the number of
features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float32Array, Float64Array, IntArray

PENALTIES = tuple(10.0 ** (exponent / 2) for exponent in range(3, -8, -1))
"""Ridge penalties tried, strongest first; features have mean 0 and a sum of squares of 1 on average over rows."""
INNER_FOLDS = 4
MOST_REPEATS = 5
ROWS_JUDGED = 1500
"""Held-out rows wanted for the choice of a penalty: few rows are divided several times. With one division of 265
chest X-rays the choice varied threefold with its seed, and the AUC by .007."""
MOST_BASIS_ROWS = 1500
"""Rows that principal directions are found from at most."""
MOST_DIRECTIONS = 600
"""Principal directions kept at most."""
CLIP = 6.0
"""Standardised features are cut here: one odd feature of a foreign image shall not decide alone."""


@dataclass(frozen=True)
class Scaler:
    """Standardisation of features.

    Parameters
    ----------
    mean, scale : numpy.ndarray
        ``f``, float32; scale is 0 for a feature that does not vary, which is then left out.
    share : numpy.ndarray
        ``f``, float32, length 1: how much each standardised feature counts.
    """

    mean: Float32Array
    scale: Float32Array
    share: Float32Array

    def __call__(self, features: Float32Array) -> Float32Array:
        """Return features ``n f``, float32; the squared length of a fitted row is about 1."""
        standardised: Float32Array = np.clip((features - self.mean) * self.scale, -CLIP, CLIP)
        return standardised * self.share


def fit_scaler(features: Float32Array, emphasis: Float64Array) -> Scaler:
    """Return the scaler of rows ``n f`` whose features count as ``f`` says."""
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    live = deviation > 1e-6 * (1.0 + np.abs(mean))
    scale = np.where(live, 1.0 / np.where(live, deviation, 1.0), 0.0)
    share = emphasis / np.linalg.norm(emphasis)
    return Scaler(mean.astype(np.float32), scale.astype(np.float32), share.astype(np.float32))


def principal(rows: Float32Array, *, most: int | None = None) -> Float64Array:
    """Return principal directions of scaled rows.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f``, float32, scaled.
    most : int or None
        Directions kept at most; None keeps all that carry anything.

    Returns
    -------
    numpy.ndarray
        ``f r``, float64, orthonormal columns, strongest first.
    """
    values = rows.astype(np.float64)
    wide = values.shape[1] > values.shape[0]
    powers, vectors = np.linalg.eigh(values @ values.T if wide else values.T @ values)
    order = np.argsort(powers)[::-1]
    kept = order[powers[order] > powers[order[0]] * 1e-7][:most] if powers.size and powers[order[0]] > 0 else order[:1]
    if not wide:
        return np.asarray(vectors[:, kept], dtype=np.float64)
    return np.asarray((values.T @ vectors[:, kept]) / np.sqrt(np.maximum(powers[kept], 1e-30)), dtype=np.float64)


@dataclass(frozen=True)
class Fitted:
    """A model of one question in the basis.

    Parameters
    ----------
    weights : numpy.ndarray
        ``r``.
    bias : float
    penalty : float
        The one chosen.
    held_out : numpy.ndarray
        ``n``: what models of the other inner folds said of each row, the mean over divisions.
    """

    weights: Float64Array
    bias: float
    penalty: float
    held_out: Float64Array


Folds = Sequence[tuple[IntArray, IntArray]]
"""Rows inside and outside of each inner fold; every row is outside of one fold in each division."""


def inner_folds(labels: IntArray, groups: IntArray, *, seed: int) -> Folds:
    """Return inner folds that keep groups together and, where there are enough, the shares of labels.

    Notes
    -----
    Fewer than `ROWS_JUDGED` rows are divided several times, if they can be divided in a random way.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    count = min(INNER_FOLDS, len(np.unique(groups)))
    if count < 2:
        return []
    blank = np.zeros(len(labels))
    rarest = np.bincount(np.unique(labels, return_inverse=True)[1]).min()
    if len(np.unique(labels)) < 2 or rarest < count:
        return list(GroupKFold(count).split(blank, labels, groups))
    repeats = min(MOST_REPEATS, max(1, ROWS_JUDGED // len(labels)))
    divided = [
        StratifiedGroupKFold(count, shuffle=True, random_state=(seed + place) % 2**31).split(blank, labels, groups)
        for place in range(repeats)
    ]
    return [fold for division in divided for fold in division]


def fit_logistic(rows: Float64Array, truth: Float64Array, folds: Folds) -> Fitted:
    """Fit logistic regression of one yes-no question.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n r``, in the basis.
    truth : numpy.ndarray
        ``n``, 0 or 1.
    folds : sequence of pairs of rows
        The penalty with the least log loss outside of them is taken; from strong to weak, until it rises.

    Returns
    -------
    Fitted
        Weights that minimise ``sum log(1 + exp(-t (w x + b))) + penalty |w|^2 / 2``, t = +-1.
    """
    best: tuple[float, float, Float64Array] | None = None
    begun: list[Float64Array | None] = [None] * len(folds)
    times = _times(folds, len(rows))
    for penalty in PENALTIES if folds else (1.0,):
        held_out, cost = np.zeros(len(rows)), 0.0
        for place, (inside, outside) in enumerate(folds):
            weights = newton(rows[inside], truth[inside], penalty=penalty, start=begun[place])
            begun[place] = weights
            said = rows[outside] @ weights[:-1] + weights[-1]
            cost += float(np.logaddexp(0.0, (1.0 - 2.0 * truth[outside]) * said).sum())
            held_out[outside] += said / times[outside]
        if best is not None and cost >= best[0]:
            break
        best = (cost, penalty, held_out)
    _, penalty, held_out = best if best is not None else (0.0, 1.0, np.zeros(len(rows)))
    weights = newton(rows, truth, penalty=penalty, start=None)
    return Fitted(weights[:-1], float(weights[-1]), penalty, held_out)


def fit_linear(rows: Float64Array, values: Float64Array, folds: Folds) -> Fitted:
    """Fit ridge regression of one number; the penalty with the least squared error outside the folds is taken.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n r``, in the basis.
    values : numpy.ndarray
        ``n``, standardised.
    folds : sequence of pairs of rows
    """
    times = _times(folds, len(rows))
    systems = [(inside, outside, _decomposed(rows[inside], values[inside])) for inside, outside in folds]
    best: tuple[float, float, Float64Array] | None = None
    for penalty in PENALTIES if folds else (1.0,):
        held_out, cost = np.zeros(len(rows)), 0.0
        for _, outside, system in systems:
            weights, bias = system(penalty)
            said = rows[outside] @ weights + bias
            cost += float(((values[outside] - said) ** 2).sum())
            held_out[outside] += said / times[outside]
        if best is None or cost < best[0]:
            best = (cost, penalty, held_out)
    _, penalty, held_out = best if best is not None else (0.0, 1.0, np.zeros(len(rows)))
    weights, bias = _decomposed(rows, values)(penalty)
    return Fitted(weights, bias, penalty, held_out)


def _times(folds: Folds, count: int) -> Float64Array:
    """Return how often each row is outside."""
    times = np.zeros(count)
    for _, outside in folds:
        times[outside] += 1.0
    return times


def newton(rows: Float64Array, truth: Float64Array, *, penalty: float, start: Float64Array | None) -> Float64Array:
    """Return weights and, last, the bias, ``r + 1``, of penalised logistic regression."""
    from scipy.linalg import solve

    design = np.hstack([rows, np.ones((len(rows), 1))])
    ridge = np.full(design.shape[1], penalty)
    # The bias is all but free; a class that is not there would send it to infinity without this.
    ridge[-1] = 1e-3
    weights = np.zeros(design.shape[1]) if start is None else start.copy()
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -40.0, 40.0)))
        gradient = design.T @ (chance - truth) + ridge * weights
        curvature = (design.T * np.maximum(chance * (1.0 - chance), 1e-6)) @ design
        curvature[np.diag_indices(len(ridge))] += ridge
        step = solve(curvature, gradient, assume_a="pos")
        largest = float(np.abs(design @ step).max())
        weights -= min(1.0, 8.0 / max(largest, 1e-12)) * step
        if largest < 1e-3:
            break
    return weights


def _decomposed(rows: Float64Array, values: Float64Array) -> Callable[[float], tuple[Float64Array, float]]:
    """Return a function from a penalty to the weights and bias of ridge regression."""
    centre, level = rows.mean(axis=0), float(values.mean())
    left, powers, right = np.linalg.svd(rows - centre, full_matrices=False)
    seen = left.T @ (values - level)

    def solved(penalty: float) -> tuple[Float64Array, float]:
        weights = right.T @ (powers / (powers**2 + penalty) * seen)
        return weights, level - float(centre @ weights)

    return solved
