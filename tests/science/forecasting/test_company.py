"""What the other variables say: heard where it helps, never from what comes."""

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.autoregression import Autoregression, least_absolute
from hounsfield.science.forecasting.company import fit_line
from hounsfield.science.forecasting.course import between, carried

Series = list[Float64Array]


def told(count: int, weight: float, seed: int = 0) -> tuple[Series, Series, Series]:
    """Return readings whose next one is the other variable's, so far as a weight says."""
    past, beside, came = [], [], []
    for n in range(count):
        rng = stream(seed, "company", 0, n)
        other = rng.normal(0, 1, 60)
        x = np.zeros(60)
        for t in range(1, 60):
            x[t] = 0.6 * x[t - 1] + weight * other[t - 1] + rng.normal()
        past.append(80 + x)
        beside.append(np.column_stack([np.zeros(60), other]))
        came.append(np.r_[80 + x[1:], np.nan][:, None])
    return past, beside, came


def test_the_others_are_heard_where_they_help() -> None:
    past, beside, came = told(30, 2.0)
    alone = Autoregression.fit(past, came, lags=3)
    line = fit_line(alone, past, beside, came)
    np.testing.assert_allclose(line.company[:, 0], [0.0, 2.0], atol=0.1)
    np.testing.assert_allclose(line.weights[:, 0], [0.6, 0.0, 0.0], atol=0.1)


def test_chance_is_not_heard() -> None:
    past, beside, came = told(30, 0.0)
    alone = Autoregression.fit(past, came, lags=3)
    line = fit_line(alone, past, beside, came)
    np.testing.assert_array_equal(line.company, 0.0)
    np.testing.assert_array_equal(line.weights, alone.weights)
    few = fit_line(alone, past[:1], beside[:1], came[:1])
    np.testing.assert_array_equal(few.company, 0.0)


def test_a_ridge_of_each_weight_holds_back_that_one_alone() -> None:
    rng = stream(1, "ridge")
    x = rng.normal(0, 1, (400, 2))
    y = x @ np.array([1.0, 1.0]) + rng.laplace(0, 0.1, 400)
    free, _ = least_absolute(x, y)
    held, _ = least_absolute(x, y, ridge=np.array([0.0, 1e4]))
    np.testing.assert_allclose(free, 1.0, atol=0.05)
    np.testing.assert_allclose(held, [1.0, 0.0], atol=0.2)


def test_what_was_last_seen_is_never_of_later() -> None:
    nan = np.nan
    values = np.array([[nan, 1.0, nan, 3.0, nan], [nan] * 5])
    np.testing.assert_array_equal(carried(values), [[nan, 1.0, 1.0, 3.0, 3.0], [nan] * 5])
    assert carried(np.zeros((2, 0))).shape == (2, 0)


def test_a_mean_lies_between_what_it_is_the_mean_of() -> None:
    nan = np.nan
    mean = np.array([80.0, 130.0, 50.0, 120.6, 130.0, 130.0, 130.0, 130.0, nan])
    low = np.array([60.0, 60.0, 60.0, 60.0, nan, 0.0, 120.0, 60.0, 60.0])
    high = np.array([120.0, 120.0, 120.0, 120.0, 120.0, 120.0, 110.0, nan, 120.0])
    found = between(mean, low, high, slack=1.0)
    np.testing.assert_array_equal(found, [80.0, nan, nan, 120.6, 130.0, 130.0, 130.0, 130.0, nan])
