"""Ranks among quantiles of the training part."""

import numpy as np

from hounsfield.learn.features.ranking import KNOTS, fit_knots, ranked


def test_ranks_are_even_whatever_the_tail() -> None:
    values = np.exp(3 * np.random.default_rng(0).standard_normal((4000, 2)))
    found = ranked(values, fit_knots(values))
    order = values[:, 0].argsort().argsort() / 4000 * 2 - 1
    np.testing.assert_allclose(found[:, 0], order, atol=1.5 / KNOTS)


def test_missing_is_the_middle_and_nothing_known_is_too() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    found = ranked(values, fit_knots(values))
    np.testing.assert_array_equal(found[3], 0)
    np.testing.assert_array_equal(found[:, 1], 0)
    np.testing.assert_allclose(ranked(np.array([[-9.0, 5.0], [99.0, -5.0]]), fit_knots(values))[:, 0], [-1, 1])


def test_equal_values_share_the_middle_of_their_ranks() -> None:
    values = np.concatenate([np.zeros(50), np.ones(50)])[:, None]
    found = ranked(values, fit_knots(values))
    np.testing.assert_allclose(found[[0, 99], 0], [-0.5, 0.5], atol=1.5 / KNOTS)
