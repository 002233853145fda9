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
        log_odds = np.log(above) - np.log1p(-above)
        gaps = np.maximum(log_odds[:, :-1] - log_odds[:, 1:], FLOOR)
        return np.hstack([log_odds[:, :1], gaps + np.log(-np.expm1(-gaps))])
    raise PlanError(f"Baselines do not know the loss {loss!r}.", expected="categorical, multilabel, ordinal or number")
