"""Cheap forecasts against their formulas, and never with a look at what comes."""

from typing import cast

import numpy as np
import pytest
from scipy.optimize import linprog

from hounsfield.core.errors import BundleError, InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting import FORECAST_BASELINES
from hounsfield.science.forecasting.autoregression import least_absolute
from hounsfield.science.forecasting.cheap import Question, fit_cheap
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.last_value import LastValue
from hounsfield.science.forecasting.outcomes import Outcome, truths
from hounsfield.science.forecasting.protocol import Baseline
from hounsfield.science.forecasting.smoothing import ALPHAS, Smoothing, smoothed

ASKED = (Outcome(kind="next"), Outcome(kind="lowest", hours=2.0))


def drifting(count: int, seed: int) -> list[Course]:
    """Return walks that are read with noise."""
    found = []
    for n in range(count):
        rng = stream(seed, "baselines", 0, n)
        level = 80 + np.cumsum(rng.normal(0, 1, 80))
        found.append(Course(np.arange(80.0) / 2, (level + rng.normal(0, 3, 80))[None], 40.0))
    return found


def pairs(courses: list[Course]) -> tuple[list[Float64Array], list[Float64Array]]:
    return [c.values[0] for c in courses], [truths(c, 0, ASKED) for c in courses]


@pytest.mark.parametrize("name", list(FORECAST_BASELINES))
def test_the_future_changes_nothing(name: str) -> None:
    past, came = pairs(drifting(6, 0))
    kind = cast("type[Baseline]", FORECAST_BASELINES.resolve(name))
    fitted = kind.fit(past, came, lags=5)
    series = past[0]
    said = fitted.apply(series)
    for step in (0, 1, 17, 78):
        changed = series.copy()
        changed[step + 1 :] = stream(step, "other future").normal(300, 50, len(series) - step - 1)
        np.testing.assert_array_equal(fitted.apply(changed)[: step + 1], said[: step + 1])
        np.testing.assert_allclose(fitted.apply(series[: step + 1]), said[: step + 1], rtol=1e-12)
    again = kind.from_json(fitted.to_json())
    np.testing.assert_array_equal(again.apply(series), said)
    assert said.shape == (80, 2)


def test_smoothing_is_its_recursion_and_takes_the_best_alpha() -> None:
    readings = stream(0, "smoothing").normal(80, 5, 30)
    level, expected = readings[0], []
    for x in readings:
        level = level + 0.3 * (x - level)
        expected.append(level)
    np.testing.assert_allclose(smoothed(readings, 0.3), expected)
    past, came = pairs(drifting(20, 1))
    fitted = Smoothing.fit(past, came, lags=1)
    errors = []
    truth = np.concatenate([c[:, 0] for c in came])
    for alpha in ALPHAS:
        off = truth - np.concatenate([smoothed(p, alpha) for p in past])
        errors.append(np.nanmean(np.abs(off - np.nanmedian(off))))
    assert fitted.alpha[0] == ALPHAS[int(np.argmin(errors))]
    assert 0.15 <= fitted.alpha[0] <= 0.5  # a walk of deviation 1 under noise of 3: the Kalman gain is .28


def test_the_last_value_is_shifted_by_the_median() -> None:
    past, came = pairs(drifting(4, 2))
    fitted = LastValue.fit(past, came, lags=1)
    below = np.concatenate([c[:, 1] - p for c, p in zip(came, past, strict=True)])
    assert fitted.shift[1] == pytest.approx(np.nanmedian(below))
    assert fitted.shift[1] < -1


def test_least_absolute_errors_are_those_of_a_linear_programme() -> None:
    rng = stream(0, "least absolute")
    x = rng.normal(0, 1, (120, 3))
    y = x @ [1.0, -0.5, 0.2] + 3 + rng.standard_t(1.5, 120)
    weights, constant = least_absolute(x, y)
    n, p = x.shape
    cost = np.r_[np.zeros(p + 1), np.ones(n)]
    rows = np.column_stack([x, np.ones(n)])
    bounds = [(None, None)] * (p + 1) + [(0, None)] * n
    limits = np.block([[rows, -np.eye(n)], [-rows, -np.eye(n)]])
    best = linprog(cost, A_ub=limits, b_ub=np.r_[y, -y], bounds=bounds).fun
    assert np.abs(y - x @ weights - constant).sum() == pytest.approx(best, rel=2e-3)


def test_an_autoregression_finds_the_process_that_made_the_series() -> None:
    past = []
    for n in range(30):
        rng = stream(3, "process", 0, n)
        x = np.zeros(200)
        for t in range(2, 200):
            x[t] = 1.2 * x[t - 1] - 0.5 * x[t - 2] + rng.normal()
        past.append(x[10:] + 80)
    came = [np.r_[x[1:], np.nan][:, None] for x in past]
    kind = cast("type[Baseline]", FORECAST_BASELINES.resolve("autoregression"))
    stored = kind.fit(past, came, lags=3).to_json()
    assert isinstance(stored, dict)
    np.testing.assert_allclose(np.ravel(np.array(stored["weights"])), [1.2, -0.5, 0.0], atol=0.05)


def test_intervals_of_a_cheap_forecast_cover() -> None:
    levels = (0.05, 0.5, 0.95)
    question = Question(0, ASKED, levels, 4)
    cheap = fit_cheap("autoregression", drifting(20, 4), drifting(40, 5), question)
    fresh = drifting(40, 6)
    inside = []
    for one in fresh:
        said, truth = cheap.quantiles(one.values[0])[:, 0], truths(one, 0, ASKED)[:, 0]
        known = np.isfinite(truth)
        inside.append(((truth >= said[:, 0]) & (truth <= said[:, 2]))[known])
    assert np.concatenate(inside).mean() == pytest.approx(0.9, abs=0.02)


def test_a_question_without_answers_and_a_damaged_store_are_errors() -> None:
    short = [Course(np.arange(2.0), np.array([[70.0, 71.0]]), 1.0)]
    for name in FORECAST_BASELINES:
        kind = cast("type[Baseline]", FORECAST_BASELINES.resolve(name))
        with pytest.raises(InputError, match="no known answer"):
            kind.fit(*pairs(short), lags=2)
        with pytest.raises(BundleError):
            kind.from_json({"shift": "x"})
        with pytest.raises(BundleError):
            kind.from_json(None)
