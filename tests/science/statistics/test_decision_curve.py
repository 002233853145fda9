import numpy as np
import pytest

from hounsfield.science.statistics.decision_curve import decision_curve


def test_net_benefit_equals_its_definition() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 70)
    p = np.round(rng.random(70), 2)
    curve = decision_curve(truth, p)
    for t, benefit, everybody in zip(curve.threshold, curve.model, curve.treat_all, strict=True):
        called, price = p >= t, t / (1 - t)
        assert benefit == pytest.approx((called & (truth == 1)).mean() - (called & (truth == 0)).mean() * price)
        assert everybody == pytest.approx(truth.mean() - (1 - truth.mean()) * price)


def test_perfect_and_constant_forecasts() -> None:
    truth = np.array([0, 1, 1, 0])
    curve = decision_curve(truth, truth.astype(np.float64), thresholds=np.array([0.1, 0.5, 0.9]))
    np.testing.assert_allclose(curve.model, 0.5)
    constant = decision_curve(truth, np.full(4, 0.5), thresholds=np.array([0.2, 0.8]))
    np.testing.assert_allclose(constant.model, [constant.treat_all[0], 0.0])


def test_no_samples_are_nan() -> None:
    assert np.isnan(decision_curve(np.zeros(0), np.zeros(0)).model).all()
