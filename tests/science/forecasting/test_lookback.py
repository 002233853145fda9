"""What trees look at: numbers by hand, and never anything later."""

import numpy as np

from hounsfield.core.streams import stream
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.lookback import BACK, EACH, MEDIANS, SPANS, features, lookback, summaries


def course(steps: int, seed: int = 0) -> Course:
    """Return three variables with gaps."""
    rng = stream(seed, "lookback")
    values = rng.normal(80, 10, (3, steps))
    values[rng.random((3, steps)) < 0.3] = np.nan
    return Course(np.cumsum(rng.choice([0.25, 0.5, 1.0], steps)), values, 1000.0)


def test_the_future_changes_nothing() -> None:
    one = course(120)
    said = summaries(lookback(one, 1))
    steps = one.readings(1)
    assert said.shape == (len(steps), features(3))
    for cut in (0, 5, 60, 118):
        values, times = one.values.copy(), one.times_h.copy()
        values[:, cut + 1 :] = stream(cut, "other").normal(300, 50, values[:, cut + 1 :].shape)
        times[cut + 1 :] += 77.0
        upto = int((steps <= cut).sum())
        np.testing.assert_array_equal(summaries(lookback(Course(times, values, 2000.0), 1))[:upto], said[:upto])
        np.testing.assert_array_equal(summaries(lookback(one.until(cut), 1)), said[:upto])


def test_numbers_are_what_they_say() -> None:
    one = course(120, seed=3)
    steps = one.readings(1)
    x, t = one.values[1, steps], one.times_h[steps]
    said = summaries(lookback(one, 1))
    for m in (0, 1, 4, 30, len(x) - 1):
        last = x[max(0, m - BACK + 1) : m + 1][::-1]
        row = said[m]
        assert row[0] == x[m]
        lags = [last[j] - x[m] if j < len(last) else np.nan for j in range(1, EACH + 1)]
        np.testing.assert_allclose(row[1 : EACH + 1], lags)
        at = EACH + 1
        for span in SPANS:
            np.testing.assert_allclose(row[at : at + 2], [last[:span].mean() - x[m], last[:span].std()], atol=1e-6)
            at += 2
        np.testing.assert_allclose(row[at : at + 3], [np.median(last[:n]) - x[m] for n in MEDIANS])
        at += 3
        np.testing.assert_allclose(row[at : at + 2], [last[:12].min() - x[m], last[:12].max() - x[m]])
        at += 4
        step = np.abs(np.diff(last[:13])).mean() if len(last) > 1 else np.nan
        np.testing.assert_allclose(row[at], step)
        newer_less_older = last[:3].mean() - last[3:6].mean() if len(last) > 3 else np.nan
        np.testing.assert_allclose(row[at + 1], newer_less_older, atol=1e-6)
        assert row[at + 3] == len(last)
        np.testing.assert_allclose(row[at + 4], t[m] - t[m - 1] if m else np.nan, atol=1e-6)
        for place, other in enumerate((0, 2)):
            known = np.flatnonzero(np.isfinite(one.values[other, : steps[m] + 1]))
            seen = one.values[other, known[-1]] if len(known) else np.nan
            age = t[m] - one.times_h[known[-1]] if len(known) else np.nan
            np.testing.assert_allclose(row[[-6 + place, -4 + place]], [seen, age], atol=1e-6)


def test_a_series_of_nothing_and_of_one_reading() -> None:
    nothing = Course(np.arange(3.0), np.full((2, 3), np.nan), 3.0)
    assert summaries(lookback(nothing, 0)).shape == (0, features(2))
    single = Course(np.array([1.0]), np.array([[80.0]]), 1.0)
    row = summaries(lookback(single, 0))
    assert row.shape == (1, features(1))
    assert row[0, 0] == 80.0
