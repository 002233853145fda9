"""What the benchmark of stays asks of figures, and how it lays out events."""

import numpy as np
import pytest
from benchmarks.accuracy.signals.kernels import interval
from benchmarks.accuracy.signals.sets import _at_the_door, _by_time
from benchmarks.accuracy.signals.stays import best_threshold, event_1


def test_events_become_one_column_for_each_time() -> None:
    found = _by_time(
        {
            "record_id": np.array([5, 6, 7]),
            "var_names": np.array(["HR", "MAP"]),
            "rec": np.array([0, 2, 0, 0], np.uint16),
            "minute": np.array([60, 30, 0, 60], np.uint16),
            "var": np.array([0, 1, 0, 1], np.uint8),
            "value": np.array([70, 80, 71, 81], np.float32),
        }
    )
    nan = np.nan
    np.testing.assert_array_equal(found[0], [[0, 1], [71, 70], [nan, 81]])
    assert np.isnan(found[1]).all()
    np.testing.assert_array_equal(found[2], [[0.5, nan], [nan, nan], [80, nan]])


def test_what_is_not_known_at_the_door_is_missing() -> None:
    found = _at_the_door(np.array([[54, 0, -1, 4, -1], [-1, 1, 175.3, 2, 5.0]]))
    np.testing.assert_array_equal(np.isnan(found[:, :4]), [[0, 0, 1, 1], [1, 0, 0, 1]])
    np.testing.assert_array_equal(found[:, 4:], [[0, 0, 0, 1], [0, 1, 0, 0]])


def test_the_first_event_is_the_smaller_of_two_shares() -> None:
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    score = np.array([9.0, 8, 2, 7, 3, 1, 0, -1])
    assert event_1(score, truth, 7.5) == pytest.approx(2 / 3)  # 2 of 3 found, 2 of 2 right
    assert event_1(score, truth, 5.0) == pytest.approx(2 / 3)  # 2 of 3 found, 2 of 3 right
    assert event_1(score, truth, 10.0) == 0.0
    assert event_1(score, truth, best_threshold(score, truth)) == pytest.approx(2 / 3)


def test_the_interval_is_wilsons() -> None:
    np.testing.assert_allclose(interval(0.9, 100), [0.8256, 0.9448], atol=1e-3)
