"""Metrics of predicted numbers; intervals of all of them come from the patient-level bootstrap (`intervals`)."""

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.statistics.inputs import finite, unit_weights
from hounsfield.science.statistics.weighted_ranks import weighted_spearman
from hounsfield.science.statistics.weighted_sums import number_figures


def mae(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate the mean absolute error in the target's unit; lower is better, NaN without samples.

    Parameters
    ----------
    truth, predicted : array (n,)
        Numbers in the target's unit.
    """
    return _number(truth, predicted, "mae")


def rmse(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate the root mean squared error in the target's unit; lower is better, NaN without samples.

    Parameters
    ----------
    truth, predicted : array (n,)
        Numbers in the target's unit. Few large errors weigh more than in `mae`.
    """
    return _number(truth, predicted, "rmse")


def r2(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate the share of the truth's variance that the prediction explains.

    Parameters
    ----------
    truth, predicted : array (n,)
        Numbers in the target's unit.

    Returns
    -------
    float
        At most 1; higher is better, 0 is as good as the mean of these truths, below 0 worse. NaN where the truth does
        not vary, as with one sample.
    """
    return _number(truth, predicted, "r2")


def spearman(truth: AnyArray, predicted: AnyArray) -> float:
    """Estimate how well the order of the predictions follows that of the truths (correlation of mid-ranks).

    Parameters
    ----------
    truth, predicted : array (n,)
        Numbers; any monotone scale.

    Returns
    -------
    float
        In [-1, 1]; higher is better, 0 is no relation. NaN where one side is constant.

    References
    ----------
    Spearman C. American Journal of Psychology 1904;15:72-101.
    """
    left, right = _pair(truth, predicted)
    return float(weighted_spearman(left, right, unit_weights(len(left)))[0])


def _pair(truth: AnyArray, predicted: AnyArray) -> tuple[Float64Array, Float64Array]:
    shape = truth.shape
    return finite(truth, shape=shape, name="truth"), finite(predicted, shape=shape, name="prediction")


def _number(truth: AnyArray, predicted: AnyArray, name: str) -> float:
    left, right = _pair(truth, predicted)
    return float(number_figures(left, right, unit_weights(len(left)))[name][0])
