"""Tails drawn in, gaps filled."""

import numpy as np

from hounsfield.learn.features.tails import drawn_in, fit_tails


def test_tails_are_quantiles_and_the_mean_is_that_of_what_is_within() -> None:
    values = np.exp(3 * np.random.default_rng(0).standard_normal((1000, 2)))
    values[::7, 1] = np.nan
    low, high, mean = fit_tails(values)
    np.testing.assert_allclose(low, np.nanquantile(values, 0.01, axis=0))
    np.testing.assert_allclose(high, np.nanquantile(values, 0.99, axis=0))
    found = drawn_in(values, fit_tails(values))
    assert found.max(axis=0).tolist() == high.astype(np.float32).tolist()
    np.testing.assert_allclose(found[0, 1], mean[1], rtol=1e-6)
    seen = np.isfinite(values[:, 1])
    np.testing.assert_allclose(found[seen, 1], np.clip(values[seen, 1], low[1], high[1]), rtol=1e-6)
    np.testing.assert_allclose(found[:, 1].mean(), mean[1], rtol=1e-5)


def test_what_nobody_has_is_0() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.inf]])
    np.testing.assert_array_equal(drawn_in(values, fit_tails(values))[:, 1], 0)
    np.testing.assert_allclose(drawn_in(np.array([[np.nan, 5.0]]), fit_tails(values)), [[2.0, 0.0]])
