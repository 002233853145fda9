"""Prediction sets cover what they promise, and the exact intervals are exact."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.conformal import (
    class_limits,
    class_scores,
    coverage_interval,
    fewest,
    filled,
    kept,
    level_scores,
    limit,
    observed_interval,
    rank,
)


def drawn(count: int, *, seed: int, share: float = 0.15) -> tuple[Float64Array, IntArray]:
    """Return probabilities ``n 3`` of an imperfect model and classes, one of them rare."""
    rng = stream(seed, "conformal")
    truth = rng.choice(3, count, p=[0.6, 0.4 - share, share])
    logits = rng.standard_normal((count, 3)) + 1.5 * np.eye(3)[truth]
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True), truth.astype(np.int64)


def test_limit_is_the_finite_sample_quantile() -> None:
    scores = np.arange(1.0, 20.0)
    assert limit(scores, 0.9) == 18.0  # ceil(20 * 0.9)
    assert limit(np.arange(1.0, 10.0), 0.9) == 9.0
    assert limit(np.arange(1.0, 9.0), 0.9) is None
    assert fewest(0.9) == 9
    assert fewest(0.95) == 19
    assert rank(9, 0.9) == 9


def test_each_class_is_covered_by_itself() -> None:
    found = []
    for seed in range(40):
        probabilities, truth = drawn(600, seed=seed)
        limits = class_limits(class_scores(probabilities[:300]), truth[:300])
        inside = kept(class_scores(probabilities[300:]), limits)
        new = truth[300:]
        found.append([inside[new == k, k].mean() for k in range(3)])
    np.testing.assert_allclose(np.mean(found, axis=0), 0.9, atol=0.03)


def test_coverage_over_calibration_draws_is_beta() -> None:
    """The true coverage for uniform scores is the limit itself."""
    rng = stream(0, "beta")
    coverages = [limit(rng.random(59), 0.9) or 1.0 for _ in range(4000)]
    low, high = coverage_interval(59)
    assert np.quantile(coverages, 0.025) == pytest.approx(low, abs=0.01)
    assert np.quantile(coverages, 0.975) == pytest.approx(high, abs=0.01)


def test_observed_coverage_is_beta_binomial() -> None:
    rng = stream(1, "beta binomial")
    seen = []
    for _ in range(4000):
        up_to = limit(rng.random(40), 0.9) or 1.0
        seen.append((rng.random(30) <= up_to).mean())
    low, high = observed_interval(40, 30)
    assert np.mean([low - 1e-9 <= value <= high + 1e-9 for value in seen]) >= 0.945
    inner = coverage_interval(40)
    assert low < inner[0]
    assert high >= inner[1]


def test_too_few_cases_rule_nothing_out() -> None:
    probabilities, truth = drawn(300, seed=3)
    few = np.flatnonzero(truth == 2)[:8]
    rows = np.concatenate([np.flatnonzero(truth != 2), few])
    limits = class_limits(class_scores(probabilities[rows]), truth[rows])
    assert limits[2] is None
    assert limits[0] is not None
    assert kept(class_scores(probabilities), limits)[:, 2].all()
    assert coverage_interval(8) == (1.0, 1.0)


def test_levels_form_a_range() -> None:
    probabilities = np.array([[0.1, 0.6, 0.25, 0.05], [0.0, 0.0, 0.3, 0.7]])
    scores = level_scores(probabilities)
    np.testing.assert_allclose(scores[0], [0.9, 0.3, 0.725, 0.975])
    np.testing.assert_array_equal(scores[1].argsort(kind="stable")[:2], [3, 2])
    gap = np.array([[True, False, True, False], [False, True, False, False], [False] * 4])
    np.testing.assert_array_equal(filled(gap), [[True, True, True, False], [False, True, False, False], [False] * 4])
