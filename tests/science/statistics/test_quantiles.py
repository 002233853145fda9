"""Quantiles: scored as defined, calibrated as promised, read as a distribution."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.statistics.quantiles import covered, pinball, share_below, shifted, shifts

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def test_pinball_is_that_of_scikit_learn() -> None:
    rng = stream(0, "pinball")
    truth, said = rng.normal(0, 1, 50), np.sort(rng.normal(0, 1, (50, 5)), axis=1)
    expected = np.mean([mean_pinball_loss(truth, said[:, j], alpha=v) for j, v in enumerate(LEVELS)])
    assert pinball(truth, said, LEVELS).mean() == pytest.approx(expected)
    assert np.isnan(pinball(np.array([np.nan]), said[:1], LEVELS)).all()


def test_shifts_cover_each_level_and_both_tails() -> None:
    below = []
    for seed in range(60):
        rng = stream(seed, "shifts")
        truth = rng.gamma(2.0, 3.0, 800)  # lopsided, and forecast as if it were not
        said = np.tile(6 + 2 * norm.ppf(LEVELS), (800, 1))
        moved = shifted(said[:400], shifts(truth[400:], said[400:], LEVELS))
        below.append([(truth[:400] <= moved[:, j]).mean() for j in range(5)])
    np.testing.assert_allclose(np.mean(below, axis=0), LEVELS, atol=0.01)


def test_shifts_are_finite_sample_ranks() -> None:
    truth = np.arange(1.0, 20.0)
    found = shifts(truth, np.zeros((19, 3)), (0.1, 0.5, 0.9))
    np.testing.assert_array_equal(found, [2.0, 10.0, 18.0])  # of 20 places: the 2nd, the 10th, the 18th
    with pytest.raises(InputError, match="too few"):
        shifts(truth[:8], np.zeros((8, 3)), (0.1, 0.5, 0.9))
    with pytest.raises(InputError, match="too few"):
        shifts(np.full(30, np.nan), np.zeros((30, 3)), (0.1, 0.5, 0.9))


def test_coverage_counts_both_ends_and_leaves_unknown_out() -> None:
    said = np.array([[1.0, 2.0, 3.0]] * 4)
    np.testing.assert_array_equal(covered(np.array([1.0, 3.0, 3.5, np.nan]), said, (0, 2)), [1, 1, 0, np.nan])


def test_share_below_is_a_distribution() -> None:
    said = norm.ppf(LEVELS)[None] * 10 + 80
    for level, value in zip(LEVELS, said[0], strict=True):
        assert share_below(said, LEVELS, value)[0] == pytest.approx(level)
    values = np.linspace(20, 140, 200)
    shares = np.array([share_below(said, LEVELS, v)[0] for v in values])
    assert (np.diff(shares) > 0).all()
    assert shares[0] > 0
    assert shares[-1] < 1
    np.testing.assert_allclose(shares, norm.cdf(values, 80, 10), atol=0.04)


def test_share_below_of_a_point_and_of_nothing() -> None:
    point = np.full((1, 5), 70.0)
    assert share_below(point, LEVELS, 60.0)[0] == pytest.approx(0.0, abs=1e-6)
    assert share_below(point, LEVELS, 80.0)[0] == pytest.approx(1.0, abs=1e-6)
    assert np.isnan(share_below(np.full((1, 5), np.nan), LEVELS, 65.0)[0])
