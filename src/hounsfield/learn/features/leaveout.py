"""Ridge regression of several questions at once; the penalty is judged by leaving out each group, in closed form.

One decomposition serves all penalties and all questions, so that tens of thousands of features cost little: the way of
choice for random kernels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float32Array, Float64Array, IntArray

PENALTIES = tuple(10.0 ** (exponent / 2) for exponent in range(2, -13, -1))
"""Penalties tried, strongest first; a row has a squared length of about 1."""
COLUMNS_AT_A_TIME = 4096


@dataclass(frozen=True)
class LeftOut:
    """A ridge model of several questions.

    Parameters
    ----------
    weights : numpy.ndarray
        ``k f`` float64.
    bias : numpy.ndarray
        ``k`` float64.
    penalty : float
        The one chosen.
    cost : float
        Of what is held out, at this penalty.
    held_out : numpy.ndarray
        ``n k`` float64: what the model without a row's group says of the row.
    """

    weights: Float64Array
    bias: Float64Array
    penalty: float
    cost: float
    held_out: Float64Array


def fit_left_out(
    rows: Float32Array, answers: Float64Array, groups: IntArray, *, cost: Callable[[Float64Array], float]
) -> LeftOut:
    """Fit ridge regression whose penalty is the one with the least cost of what is held out.

    Parameters
    ----------
    rows : numpy.ndarray
        ``n f`` float32, scaled.
    answers : numpy.ndarray
        ``n k`` float64.
    groups : numpy.ndarray
        ``n`` int64; whole groups are left out. Where there is one group alone, single rows are.
    cost : callable
        ``cost(held_out) -> float`` of ``n k``; the stronger penalty is taken where two cost the same.

    Returns
    -------
    LeftOut
        Weights that minimise ``sum (y - w x - b)^2 + penalty |w|^2``; the bias is free.

    Notes
    -----
    With the hat matrix H of the centred rows, the residuals of a group G without itself are
    ``(I - H_GG)^-1 (y - H y)_G``, exactly.

    References
    ----------
    Cook, Weisberg: "Residuals and influence in regression", 1982, section 3.4, for several rows at once.
    """
    level = answers.mean(axis=0)
    centre = rows.mean(axis=0, dtype=np.float64)
    left, powers, back = _decomposed(rows, centre)
    seen = left.T @ (answers - level)
    divided = _divided(groups)
    best: tuple[float, float, Float64Array] | None = None
    for penalty in PENALTIES:
        held_out = answers - _residuals(left, powers / (powers + penalty), answers - level, divided)
        price = cost(held_out)
        if best is None or price < best[0]:
            best = (price, penalty, held_out)
    least, penalty, held_out = best if best is not None else (0.0, 1.0, answers)
    weights = back((np.sqrt(powers) / (powers + penalty))[:, None] * seen)
    return LeftOut(weights, level - weights @ centre, penalty, least, held_out)


def _decomposed(
    rows: Float32Array, centre: Float64Array
) -> tuple[Float64Array, Float64Array, Callable[[Float64Array], Float64Array]]:
    """Return left vectors ``n r``, squared singular values ``r``, and a function from ``r k`` to weights ``k f``."""
    count, features = rows.shape
    blocks = [slice(at, at + COLUMNS_AT_A_TIME) for at in range(0, features, COLUMNS_AT_A_TIME)]
    if features > count:
        products = np.zeros((count, count))
        for block in blocks:
            part = rows[:, block] - centre[block]
            products += part @ part.T
        powers, left = _kept(products)

        def back(values: Float64Array) -> Float64Array:
            turned = left @ (values / np.sqrt(powers)[:, None])
            return np.concatenate([(rows[:, b] - centre[b]).T @ turned for b in blocks]).T

        return left, powers, back
    centred = rows - centre
    powers, right = _kept(centred.T @ centred)
    return centred @ right / np.sqrt(powers), powers, lambda values: (right @ values).T


def _kept(products: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return eigenvalues, largest first, that carry anything, and their vectors."""
    powers, vectors = np.linalg.eigh(products)
    kept = np.flatnonzero(powers > max(powers[-1], 1e-30) * 1e-10)[::-1]
    return powers[kept], vectors[:, kept]


def _divided(groups: IntArray) -> Sequence[IntArray]:
    """Return the rows of each group; single rows where there is one group alone."""
    order = np.argsort(groups, kind="stable")
    _, starts = np.unique(groups[order], return_index=True)
    return np.split(order, starts[1:]) if len(starts) > 1 else [np.array([n]) for n in range(len(groups))]


def _residuals(
    left: Float64Array, share: Float64Array, answers: Float64Array, divided: Sequence[IntArray]
) -> Float64Array:
    """Return answers less what a model without the row's group says, ``n k``, for centred answers."""
    count = len(answers)
    residual = answers - left @ (share[:, None] * (left.T @ answers))
    own = 1.0 / count + (left**2) @ share
    found = residual / np.maximum(1.0 - own, 1e-9)[:, None]
    for group in divided:
        if len(group) == 1:
            continue
        part = left[group]
        within = np.eye(len(group)) - 1.0 / count - (part * share) @ part.T
        within[np.diag_indices(len(group))] += 1e-9
        found[group] = np.linalg.solve(within, residual[group])
    return found
