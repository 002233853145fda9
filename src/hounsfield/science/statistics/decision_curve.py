"""Decision curve: what acting on the model is worth, against calling everybody and calling nobody."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.statistics.inputs import binary_truth, finite


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit at each threshold probability; calling nobody is 0 everywhere.

    Attributes
    ----------
    threshold : float64 array (m,)
        In (0, 1): the probability from which on the reader would act.
    model, treat_all : float64 array (m,)
        Net benefit per sample: acting on the model; acting on everybody. At most the prevalence.
    """

    threshold: Float64Array
    model: Float64Array
    treat_all: Float64Array


def decision_curve(truth: AnyArray, probability: AnyArray, *, thresholds: AnyArray | None = None) -> DecisionCurve:
    """Estimate the net benefit of acting on a probability, at every threshold that a reader may hold.

    Parameters
    ----------
    truth : array (n,)
        0 or 1.
    probability : float array (n,)
        Of the positive class, in [0, 1]; must be calibrated to be read as a probability.
    thresholds : float array (m,), optional
        In (0, 1); 0.01 to 0.99 by 0.01 when left out.

    Returns
    -------
    DecisionCurve
        Higher is better; NaN without samples.

    Notes
    -----
    ``TP/n - FP/n * t/(1 - t)``, a sample being called at ``probability >= t``. Assumes that the threshold expresses the
    harm of a false call against that of a miss, and this cohort's prevalence. Its interval, where one is wanted, is the
    patient-level bootstrap of the value at one threshold.

    References
    ----------
    Vickers AJ, Elkin EB. Medical Decision Making 2006;26:565-574.
    """
    positive = binary_truth(truth)
    forecast = finite(probability, shape=positive.shape, name="probability")
    grid = np.arange(1, 100) / 100 if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if not len(positive):
        return DecisionCurve(grid, np.full(grid.shape, np.nan), np.full(grid.shape, np.nan))
    price = grid / (1 - grid)
    count, prevalence = len(positive), float(positive.mean())
    hits = (positive.sum() - np.searchsorted(np.sort(forecast[positive]), grid, side="left")) / count
    alarms = ((~positive).sum() - np.searchsorted(np.sort(forecast[~positive]), grid, side="left")) / count
    return DecisionCurve(grid, hits - alarms * price, prevalence - (1 - prevalence) * price)
