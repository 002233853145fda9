import math

import numpy as np
import pytest
from scipy import optimize
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from hounsfield.core.errors import InputError
from hounsfield.science.statistics import calibration as c
from hounsfield.science.statistics.weighted_calibration import calibration_terms, equal_mass_bins

RNG = np.random.default_rng(11)
LOGITS = RNG.normal(0, 2, 400)
TRUTH = (RNG.random(400) < 1 / (1 + np.exp(-(0.5 * LOGITS - 0.4)))).astype(np.int64)
P = 1 / (1 + np.exp(-LOGITS))


def test_brier_equals_scikit_learn() -> None:
    assert c.brier(TRUTH, P) == pytest.approx(metrics.brier_score_loss(TRUTH, P))
    shares = RNG.dirichlet(np.ones(3), 50)
    index = RNG.integers(0, 3, 50)
    expected = np.mean(((shares - np.eye(3)[index]) ** 2).sum(axis=1))
    assert c.brier(index, shares) == pytest.approx(expected)
    assert c.brier(np.array([1]), np.array([0.25])) == pytest.approx(0.5625)


def test_slope_and_intercept_equal_unpenalised_logistic_regression() -> None:
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(LOGITS[:, None], TRUTH)
    assert c.calibration_slope(TRUTH, P) == pytest.approx(fit.coef_[0, 0], abs=1e-5)
    root = optimize.brentq(lambda a: float((1 / (1 + np.exp(-(a + LOGITS))) - TRUTH).sum()), -5, 5)
    assert c.calibration_intercept(TRUTH, P) == pytest.approx(root, abs=1e-8)


def test_slope_is_right_where_the_probabilities_hardly_differ() -> None:
    narrow = 0.5 + (P - 0.5) * 1e-3
    x = np.log(narrow / (1 - narrow))
    fit = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(x[:, None] * 1e3, TRUTH)
    assert c.calibration_slope(TRUTH, narrow) == pytest.approx(fit.coef_[0, 0] * 1e3, rel=1e-4)


def test_slope_stays_finite_with_saturated_probabilities() -> None:
    truth, probability = np.array([0, 0, 1, 1, 0, 1]), np.array([0.0, 0.0, 1.0, 1.0, 1.0, 0.0])
    assert np.isfinite(c.calibration_slope(truth, probability))
    assert np.isfinite(c.calibration_intercept(truth, probability))


@pytest.mark.parametrize(
    ("truth", "probability"),
    [
        ([1, 1], [0.2, 0.7]),
        ([0, 1], [0.4, 0.4]),
        ([0, 0, 1], [0.1, 0.2, 0.9]),
        ([1], [0.3]),
        ([0, 0, 1], [0.8, 0.9, 0.1]),
    ],
)
def test_slope_is_undefined(truth: list[int], probability: list[float]) -> None:
    assert math.isnan(c.calibration_slope(np.array(truth), np.array(probability)))


def test_debiased_error_by_hand() -> None:
    # Two bins of four: shares 1/4 and 3/4 against .2 and .9; var/(n-1) is (3/16)/3 in both.
    probability = np.array([0.2] * 4 + [0.9] * 4)
    truth = np.array([1, 0, 0, 0, 1, 1, 1, 0])
    square = 0.5 * (0.05**2 + 0.15**2) - 3 / 16 / 3
    assert square < 0
    assert c.calibration_error(truth, probability, bins=2) == 0.0
    far = np.array([0.6] * 4 + [0.9] * 4)
    square = 0.5 * (0.35**2 + 0.15**2) - 3 / 16 / 3
    assert c.calibration_error(truth, far, bins=2) == pytest.approx(math.sqrt(square))


def test_debiased_square_is_unbiased_where_the_plain_one_is_not() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(200)
    bins = equal_mass_bins(p, 10)
    pairs = []
    for _ in range(400):
        plain, debiased = calibration_terms(rng.random(200) < p, p, bins, np.ones((200, 1)))
        pairs.append((plain[0], debiased[0]))
    plain_mean, debiased_mean = np.mean(pairs, axis=0)
    assert plain_mean > 0.005
    assert abs(debiased_mean) < 0.001


def test_calibration_error_with_few_samples() -> None:
    assert c.calibration_error(np.array([1]), np.array([0.7])) == pytest.approx(0.3)
    assert math.isnan(c.calibration_error(np.zeros(0), np.zeros(0)))


def test_reliability_table_counts_every_sample_once() -> None:
    table = c.reliability_table(TRUTH, P)
    assert table.count.tolist() == [40] * 10
    assert np.all(np.diff(table.predicted) > 0)
    assert (table.observed * table.count).sum() == TRUTH.sum()
    assert np.all((table.low <= table.observed) & (table.observed <= table.high))
    assert c.reliability_table(TRUTH, np.full(400, 0.3)).count.tolist() == [400]


def _nll(beta: float, logits: np.ndarray, truth: np.ndarray) -> float:
    z = logits * beta
    return float((np.logaddexp.reduce(z, axis=1) - z[np.arange(len(truth)), truth]).sum())


def test_temperature_is_the_likeliest() -> None:
    logits = RNG.normal(0, 3, (300, 4))
    truth = (logits / 2.5 + RNG.gumbel(size=(300, 4))).argmax(axis=1)
    best = optimize.minimize_scalar(
        _nll, args=(logits, truth), bounds=(0.01, 10), method="bounded", options={"xatol": 1e-9}
    )
    assert c.fit_temperature(logits, truth) == pytest.approx(1 / best.x, rel=1e-5)
    two = np.stack([np.zeros(400), LOGITS], axis=1)
    assert c.fit_temperature(LOGITS, TRUTH) == pytest.approx(c.fit_temperature(two, TRUTH), rel=1e-9)


def test_temperature_of_labels_leaves_missing_answers_out() -> None:
    logits, truth = LOGITS.reshape(-1, 2), TRUTH.reshape(-1, 2).astype(np.float64)
    assert c.fit_temperature(logits, truth) == pytest.approx(c.fit_temperature(LOGITS, TRUTH), rel=1e-9)
    holes = truth.copy()
    holes[:50] = -1
    holes[50:60, 0] = np.nan
    known = holes >= 0
    expected = c.fit_temperature(logits[known], truth[known])
    assert c.fit_temperature(logits, holes) == pytest.approx(expected, rel=1e-12)


def test_temperature_stays_within_bounds() -> None:
    assert c.fit_temperature(np.array([-1.0, 1.0]), np.array([0, 1])) == 0.05
    assert c.fit_temperature(np.array([-1.0, 1.0]), np.array([1, 0])) == 20.0
    assert c.fit_temperature(np.zeros((3, 2)), np.array([0, 1, 1])) == 1.0
    assert c.fit_temperature(np.array([2.0]), np.array([-1])) == 1.0


def test_temperature_keeps_row_constants_of_a_softmax() -> None:
    logits = RNG.normal(size=(30, 3))
    truth = RNG.integers(0, 3, 30)
    moved = logits + RNG.normal(0, 50, (30, 1))
    assert c.fit_temperature(moved, truth) == pytest.approx(c.fit_temperature(logits, truth), rel=1e-6)


def test_apply_temperature() -> None:
    np.testing.assert_allclose(c.apply_temperature(LOGITS, 1.0, link=c.Link.SIGMOID), P)
    shares = c.apply_temperature(np.array([[1000.0, 0.0], [2.0, 2.0]]), 2.0, link=c.Link.SOFTMAX)
    np.testing.assert_allclose(shares, np.array([[1.0, 0.0], [0.5, 0.5]]), atol=1e-12)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        c.fit_temperature(np.zeros((3, 2)), np.zeros((2, 2)))
