import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from hounsfield.science.statistics import regression


def test_metrics_equal_scikit_learn_and_scipy_with_ties() -> None:
    rng = np.random.default_rng(3)
    truth = np.round(rng.normal(20, 5, 60))
    predicted = np.round(truth + rng.normal(0, 4, 60))
    assert regression.mae(truth, predicted) == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert regression.rmse(truth, predicted) == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert regression.r2(truth, predicted) == pytest.approx(metrics.r2_score(truth, predicted))
    assert regression.spearman(truth, predicted) == pytest.approx(stats.spearmanr(truth, predicted).statistic)


def test_r2_keeps_its_digits_far_from_zero() -> None:
    rng = np.random.default_rng(3)
    truth = 1e8 + rng.normal(size=40)
    predicted = truth + rng.normal(size=40)
    assert regression.r2(truth, predicted) == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-9)


def test_one_sample_has_errors_but_no_spread() -> None:
    one = np.array([2.0])
    assert regression.mae(one, one + 3) == 3.0
    assert regression.rmse(one, one - 3) == 3.0
    assert math.isnan(regression.r2(one, one))
    assert math.isnan(regression.spearman(one, one))


def test_nothing_is_defined_without_samples() -> None:
    none = np.zeros(0)
    for metric in (regression.mae, regression.rmse, regression.r2, regression.spearman):
        assert math.isnan(metric(none, none))


def test_constant_sides_are_undefined() -> None:
    rising, constant = np.arange(5.0), np.full(5, 0.1)
    assert math.isnan(regression.spearman(rising, constant))
    assert math.isnan(regression.r2(constant, rising))
