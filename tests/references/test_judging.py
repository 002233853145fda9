"""Figures are what the explanation pages say."""

import numpy as np
import pytest

from hounsfield.science.statistics import calibration, discrimination
from tests.references import judging

RNG = np.random.default_rng(0)
SCORE = np.round(RNG.random(200), 2)
TRUTH = RNG.random(200) < SCORE


def test_auroc_with_ties() -> None:
    assert len(np.unique(SCORE)) < len(SCORE)
    assert discrimination.auroc(TRUTH, SCORE) == pytest.approx(judging.auroc(TRUTH, SCORE))


def test_average_precision() -> None:
    score = np.random.default_rng(1).permutation(200) / 200.0
    expected = judging.average_precision(TRUTH, score)
    assert discrimination.average_precision(TRUTH, score) == pytest.approx(expected)


def test_quadratic_kappa() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, size=100)
    predicted = np.clip(truth + rng.integers(-1, 2, size=100), 0, 3)
    expected = judging.quadratic_kappa(truth, predicted, levels=4)
    assert discrimination.quadratic_kappa(truth, predicted) == pytest.approx(expected)


def test_calibration_error() -> None:
    rng = np.random.default_rng(3)
    probability = rng.permutation(400) / 400.0
    truth = rng.random(400) < probability**2
    expected = judging.calibration_error(truth, probability)
    assert expected > 0.1
    assert calibration.calibration_error(truth, probability) == pytest.approx(expected)


def test_fitted_temperature_is_the_minimum() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0.0, 3.0, size=(300, 3))
    odds = np.exp(logits / 2.0)
    truth = np.array([rng.choice(3, p=row / row.sum()) for row in odds])
    best = calibration.fit_temperature(logits, truth)
    at_best = judging.negative_log_likelihood(logits, truth, best)
    assert best == pytest.approx(2.0, abs=0.5)
    assert all(judging.negative_log_likelihood(logits, truth, best * f) > at_best for f in (0.98, 1.02))


def test_bootstrap_draws_whole_patients() -> None:
    patients = np.array([7, 7, 3, 3, 3, 9])
    draws = np.array([judging.bootstrap_weights(patients, np.random.default_rng(seed)) for seed in range(200)])
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, 2] == draws[:, 4]).all()
    assert (draws[:, [0, 2, 5]].sum(axis=1) == 3).all()
