"""Raw outputs of a head from probabilities, for baselines that give probabilities."""

import numpy as np

from hounsfield.core.errors import PlanError
from hounsfield.core.types import Float64Array

FLOOR = 1e-6
"""Least probability a baseline may give: a certain zero would make one error infinitely costly."""


def raw_outputs(loss: str, probability: Float64Array) -> Float64Array:
    """Return what a head would have put out for these probabilities.

    Parameters
    ----------
    loss : str
        ``categorical`` (n k), ``multilabel`` (n k), ``ordinal`` (n k), ``number`` (n 1, standardised).
    probability : numpy.ndarray
        Probabilities, or standardised numbers.

    Returns
    -------
    numpy.ndarray
        ``n k``, ``n k``, ``n k-1`` (score and raw gaps) or ``n 1``.
    """
    if loss == "number":
        return probability
    inside = np.clip(probability, FLOOR, 1.0 - FLOOR)
    if loss == "categorical":
        return np.log(inside)
    if loss == "multilabel":
        return np.log(inside) - np.log1p(-inside)
    if loss == "ordinal":
        above = np.clip(1.0 - np.cumsum(probability, axis=1)[:, :-1], FLOOR, 1.0 - FLOOR)
        return ordinal_raw(np.log(above) - np.log1p(-above))
    raise PlanError(f"Baselines do not know the loss {loss!r}.", expected="categorical, multilabel, ordinal or number")


def ordinal_raw(log_odds: Float64Array, *, least: float = FLOOR) -> Float64Array:
    """Return what an ordinal head would have put out: a score and raw gaps.

    Parameters
    ----------
    log_odds : numpy.ndarray
        ``n k-1``: that the level is above each but the last.
    least : float
        Least distance of two: questions that were answered apart may contradict each other.
    """
    gaps = np.maximum(log_odds[:, :-1] - log_odds[:, 1:], least)
    # The inverse of softplus: what becomes the gap when `losses.ordinal.cumulative_logits` has gone over it.
    return np.hstack([log_odds[:, :1], gaps + np.log(-np.expm1(-gaps))])
