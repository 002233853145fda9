"""Summaries of irregular series against NumPy, value by value."""

import numpy as np
import pytest

from hounsfield.core.types import Float64Array
from hounsfield.learn.series.summaries import STATISTICS, STRETCHES, summaries, width
from tests.learn.series.toys import stays


def plainly(time: Float64Array, values: Float64Array, begin: float, end: float) -> list[float]:
    found = []
    for stretch in range(4):
        low, high = (begin, end) if stretch == 0 else (begin + (end - begin) * np.array([stretch - 1, stretch]) / 3.0)
        inside = np.isfinite(values) & (time >= low) & ((time < high) | ((time == high) & (stretch in (0, 3))))
        t, v = time[inside], values[inside]
        if not len(v):
            found += [np.nan] * 7 + [0.0, np.nan, 1.0]
            continue
        slope = np.polyfit(t, v, 1)[0] if len(v) > 1 else 0.0
        found += [v[0], v[-1], v.min(), v.max(), v.mean(), v.std(), slope, np.log1p(len(v)), high - t[-1], 0.0]
    return found


def test_numbers_are_those_of_numpy() -> None:
    series = stays(15)
    found = summaries(series, times=True)
    assert found.shape == (15, width(4, times=True)) == (15, 3 * len(STRETCHES) * len(STATISTICS))
    for row in range(15):
        time = series[row, 0].astype(np.float64)
        seen = np.isfinite(series[row, 1:]).any(axis=0)
        begin, end = time[seen][0], time[seen][-1]
        wanted = [n for c in range(1, 4) for n in plainly(time, series[row, c].astype(np.float64), begin, end)]
        np.testing.assert_allclose(found[row], wanted, rtol=1e-6, atol=1e-7)


def test_without_times_steps_are_counted() -> None:
    found = summaries(np.array([[[2.0, 4.0, np.nan, 8.0, 10.0, np.nan]]], dtype=np.float32), times=False)
    whole = dict(zip(STATISTICS, found[0, :10], strict=True))
    assert whole["slope"] == pytest.approx(2.0)
    assert (whole["first"], whole["last"], whole["since"], whole["missing"]) == (2.0, 10.0, 0.0, 0.0)


@pytest.mark.parametrize("times", [True, False])
def test_nothing_at_all_one_value_and_damaged_times(*, times: bool) -> None:
    nothing = np.full((1, 3, 6), np.nan, dtype=np.float32)
    found = summaries(nothing, times=times).reshape(-1, 10)
    assert np.isnan(found[:, :7]).all()
    assert (found[:, 9] == 1.0).all()
    one = nothing.copy()
    one[0, :, 2] = 3.0
    whole = summaries(one, times=times).reshape(-1, 4, 10)[:, 0]
    np.testing.assert_allclose(whole[:, [0, 1, 2, 3, 4, 5, 6, 8, 9]], [[3, 3, 3, 3, 3, 0, 0, 0, 0]] * len(whole))
    lost = stays(1)
    lost[0, 0, 4] = np.nan
    assert np.isfinite(summaries(lost, times=True).reshape(-1, 10)[:, 7]).all()


def test_large_levels_lose_no_digits() -> None:
    rng = np.random.default_rng(0)
    values = (100_000 + rng.standard_normal((1, 1, 500))).astype(np.float32)
    found = summaries(values, times=False)[0, :10]
    assert found[5] == pytest.approx(values.astype(np.float64).std(), rel=1e-9)
