import math

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from hounsfield.science.statistics.figures import bootstrap_figures
from hounsfield.science.statistics.figures_of_values import figures_number, figures_ordinal, number, ordinal
from hounsfield.science.statistics.intervals import patient_weights

RNG = np.random.default_rng(13)


def test_ordinal_equals_scikit_learn() -> None:
    truth = RNG.integers(0, 4, 80)
    shares = RNG.dirichlet(np.ones(4), 80) + 0.4 * np.eye(4)[truth]
    said = shares.argmax(axis=1)
    result = figures_ordinal(truth, shares)
    assert list(result) == ["quadratic_kappa", "mae", "accuracy", "balanced_accuracy"]
    assert result["quadratic_kappa"] == pytest.approx(metrics.cohen_kappa_score(truth, said, weights="quadratic"))
    assert result["mae"] == pytest.approx(metrics.mean_absolute_error(truth, said))
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert result["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    other = figures_ordinal(truth, shares, predicted=truth)
    assert (other["mae"], other["quadratic_kappa"]) == (0.0, 1.0)
    holes = np.where(np.arange(80) < 9, -1, truth)
    assert figures_ordinal(holes, shares) == pytest.approx(figures_ordinal(truth[9:], shares[9:]))
    inside = bootstrap_figures(ordinal(truth, shares), np.arange(80), rng=np.random.default_rng(0), replicates=200)
    assert all(i.low < i.value < i.high for i in inside.values())


def test_every_replicate_of_number_equals_scipy_and_scikit_learn() -> None:
    truth = np.round(RNG.normal(10, 3, 50))
    guess = np.round(truth + RNG.normal(0, 2, 50))
    weights = next(patient_weights(np.arange(50), replicates=10, rng=np.random.default_rng(0)))
    replicates = number(truth, guess).evaluate(weights)
    for r in range(10):
        rows = np.repeat(np.arange(50), weights[:, r].astype(np.int64))
        expected = {
            "mae": metrics.mean_absolute_error(truth[rows], guess[rows]),
            "rmse": metrics.root_mean_squared_error(truth[rows], guess[rows]),
            "r2": metrics.r2_score(truth[rows], guess[rows]),
            "spearman": stats.spearmanr(truth[rows], guess[rows]).statistic,
        }
        assert {name: value[r] for name, value in replicates.items()} == pytest.approx(expected)


def test_missing_numbers_and_a_single_one() -> None:
    truth, guess = np.array([1.0, np.nan, 3.0]), np.array([2.0, 9.0, 3.0])
    assert figures_number(truth, guess)["mae"] == 0.5
    single = figures_number(np.array([4.0]), np.array([6.0]))
    assert single["mae"] == single["rmse"] == 2.0
    assert math.isnan(single["r2"])
    inside = bootstrap_figures(number(truth[:1], guess[:1]), np.zeros(1), rng=np.random.default_rng(0), replicates=20)
    assert inside["r2"].reason == "the truth does not vary"
    assert inside["mae"].reason == "one patient gives no interval"


def test_replicates_of_one_number_drop_out_of_r2() -> None:
    values = np.array([0.1, 0.1, 0.7])
    inside = bootstrap_figures(number(values, values + 0.1), np.arange(3), rng=np.random.default_rng(0), replicates=300)
    # All three draws among the two equal truths, or all the third: 8/27 + 1/27.
    assert inside["r2"].dropped == pytest.approx(300 / 3, abs=30)
