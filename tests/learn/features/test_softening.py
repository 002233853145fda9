"""Probabilities from held-out scores."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax
from sklearn.calibration import _SigmoidCalibration

from hounsfield.learn.features.softening import class_cost, class_lines, odds_cost, odds_line


def test_the_line_of_one_question_is_platts() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(300) < 0.3).astype(np.float64)
    scores = 0.7 * (2 * truth - 1) + rng.standard_normal(300)
    factor, offset = odds_line(scores, truth)
    known = _SigmoidCalibration().fit(scores, truth)
    grid = np.linspace(-3, 3, 20)
    np.testing.assert_allclose(expit(factor * grid + offset), known.predict(grid), atol=2e-3)


def test_few_rows_told_right_are_not_certain() -> None:
    truth = np.array([0.0, 0, 0, 1, 1, 1])
    factor, offset = odds_line(2 * truth - 1, truth)
    assert 0.7 < expit(factor + offset) < 0.85  # 4 of 5, as Platt has it
    factor, offsets = class_lines(np.eye(4)[np.arange(8) % 4], np.arange(8) % 4)
    said = np.exp(log_softmax(factor * np.eye(4) + offsets, axis=1)).diagonal()
    np.testing.assert_allclose(said, 0.75, atol=0.02)  # 3 of 4


def test_probabilities_of_classes_come_back() -> None:
    """Scores that are true logits divided by 3 get the factor 3 and offsets of 0."""
    rng = np.random.default_rng(1)
    logits = 2.0 * rng.standard_normal((6000, 3))
    chances = np.exp(log_softmax(logits, axis=1))
    answers = (rng.random((6000, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    factor, offsets = class_lines(logits / 3.0, answers)
    assert factor == pytest.approx(3.0, rel=0.06)
    np.testing.assert_allclose(offsets - offsets.mean(), 0.0, atol=0.1)
    assert class_cost(logits / 3.0, answers) == pytest.approx(
        -np.log(chances[np.arange(6000), answers]).mean(), abs=0.02
    )


def test_scores_against_the_truth_are_not_turned_round() -> None:
    truth = (np.arange(40) % 2).astype(np.float64)
    factor, _ = odds_line(1.0 - 2.0 * truth, truth)
    assert 0 < factor < 0.02
    assert odds_cost(1.0 - 2.0 * truth, truth) == pytest.approx(np.log(2), abs=0.02)


def test_a_class_without_rows_gets_little() -> None:
    factor, offsets = class_lines(np.eye(3)[[0, 1] * 20], np.array([0, 1] * 20))
    said = np.exp(log_softmax(factor * np.array([0.5, 0.4, 0.0]) + offsets))
    assert said[2] < 0.1
