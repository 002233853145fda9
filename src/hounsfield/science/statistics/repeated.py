"""How sure a mean over repeated cross-validation is: its folds share patients, and do not count as so many trials."""

import math

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics.intervals import LEVEL, Interval


def corrected_interval(
    values: Float64Array, *, ratio: float, level: float = LEVEL, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Interval:
    """Return the mean of a figure over the folds of a repeated cross-validation, with Nadeau and Bengio's interval.

    ``mean +- t sqrt((1 / j + n_test / n_train) s^2)``, t Student's with j - 1 degrees of freedom, s^2 the variance over
    the j folds. Without the second term more repeats would make the interval as narrow as one likes, though no patient
    is added.

    Parameters
    ----------
    values : numpy.ndarray
        ``j`` float64: the figure, or the difference of two models' figures, in each fold of each repeat; NaN where it
        is undefined, left out and counted.
    ratio : float
        Held-out patients over training patients of a fold, above 0.
    level : float
        In (0, 1).
    bounds : pair of float
        Range of the figure, at which the interval is cut.

    Returns
    -------
    Interval
        Bounds are NaN with fewer than two folds, or where fewer than half of them are defined.

    Raises
    ------
    InputError
        If the ratio is not above 0.

    Notes
    -----
    The correction assumes that two folds' errors are correlated as their test parts overlap on average; it is known to
    be a little too wide rather than too narrow. That the model of all patients would do somewhat better than those of
    the folds is not in it.

    References
    ----------
    Nadeau C, Bengio Y. Inference for the generalization error. Machine Learning 2003;52:239-281.
    """
    from scipy import stats

    if not ratio > 0:
        raise InputError(
            f"The ratio of test to training patients is {ratio}.", expected="above 0", next_step="give their numbers"
        )
    known = values[np.isfinite(values)]
    dropped = len(values) - len(known)
    if len(known) < 2 or len(known) < 0.5 * len(values):
        mean = float(known.mean()) if len(known) else math.nan
        return Interval(mean, math.nan, math.nan, f"undefined in {dropped} of {len(values)} folds", dropped)
    mean = float(known.mean())
    deviation = math.sqrt((1.0 / len(known) + ratio) * float(known.var(ddof=1)))
    half = float(stats.t.ppf(0.5 * (1 + level), len(known) - 1)) * deviation
    return Interval(mean, max(bounds[0], mean - half), min(bounds[1], mean + half), None, dropped)
