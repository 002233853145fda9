"""Horizons as written, causal filters, long series in pieces."""

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.horizons import hours_ahead
from hounsfield.science.forecasting.thinning import factor, pieces, thinned


def test_horizons_are_read_as_people_write_them() -> None:
    for text, hours in (("next", 0.0), ("30 min", 0.5), ("3h", 3.0), (" 1.5 H ", 1.5), ("36 s", 0.01), ("2 d", 48.0)):
        assert hours_ahead(text) == pytest.approx(hours)
    for text in ("", "soon", "3", "0 h", "-1 h", "3 parsec", "9999999 h"):
        with pytest.raises(InputError, match="--ahead"):
            hours_ahead(text)


def test_a_thinned_series_knows_nothing_later() -> None:
    values = stream(0, "thinned").normal(80, 5, (2, 1000))
    values[0, 300:340] = np.nan
    whole = thinned(values, 250.0, 50.0)
    assert whole.shape == (2, 200)
    assert np.isnan(whole[0, 60:68]).all()
    assert np.isfinite(whole[1]).all()
    changed = values.copy()
    changed[:, 501:] = -1000.0
    np.testing.assert_array_equal(thinned(changed, 250.0, 50.0)[:, :101], whole[:, :101])


def test_thinning_keeps_what_is_slow_and_not_what_would_fold() -> None:
    t = np.arange(5000) / 250.0
    slow, fast = np.sin(2 * np.pi * 1.0 * t), np.sin(2 * np.pi * 49.0 * t)  # 49 Hz would fold to 1 Hz
    lowered = thinned(np.stack([slow, fast]), 250.0, 50.0)
    assert np.abs(lowered[0, 200:]).max() == pytest.approx(1.0, abs=0.05)
    assert np.abs(lowered[1, 200:]).max() < 0.05
    assert factor(125.0, 50.0) == 3
    assert factor(30.0, 50.0) == 1
    np.testing.assert_array_equal(thinned(lowered, 30.0, 50.0), lowered)


def test_pieces_hold_every_step_once() -> None:
    course = Course(np.arange(10.0), np.arange(10.0)[None], 12.0)
    found = pieces(course, 4)
    assert [len(p.times_h) for p in found] == [4, 4, 2]
    assert [p.end_h for p in found] == [3.0, 7.0, 12.0]
    np.testing.assert_array_equal(np.concatenate([p.values[0] for p in found]), course.values[0])
    assert pieces(course, 10) == [course]
