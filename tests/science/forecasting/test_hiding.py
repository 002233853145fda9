"""Hidden stretches: which they are, and what a series is without them."""

from itertools import pairwise

import numpy as np
import pytest

from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.hiding import Stretch, spans, whole, without

USUAL = 80.0


def course(count: int = 8) -> Course:
    values = np.stack([np.arange(count) ** 2 + 60.0, np.arange(count) * 10.0])
    values[0, 1] = np.nan
    return Course(np.cumsum(np.arange(1.0, count + 1)) / 4, values, 30.0)


def test_spans_are_all_steps_newest_first() -> None:
    # readings of the target: steps 0, 2, 3, ..., 7; so many back: 7 is 0, 6 is 1, 4 is 3, 0 is 6
    assert spans(course(), 0) == ((7, 8), (5, 7), (1, 5), (0, 1))
    assert spans(Course(np.arange(1.0), np.zeros((1, 1)), 0.0), 0) == ((0, 1),)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 30, 200])
def test_spans_meet(count: int) -> None:
    found = spans(Course(np.arange(float(count)), np.zeros((1, count)), float(count)), 0)
    assert found[0][1] == count
    assert found[-1][0] == 0
    assert all(older[1] == newer[0] for newer, older in pairwise(found))
    assert all(start < stop for start, stop in found)


def test_another_variable_is_as_not_measured() -> None:
    before = course()
    found = without(before, 0, [Stretch(1, 2, 5)], usual=USUAL)
    assert np.isnan(found.values[1, 2:5]).all()
    np.testing.assert_array_equal(np.delete(found.values[1], [2, 3, 4]), np.delete(before.values[1], [2, 3, 4]))
    np.testing.assert_array_equal(found.values[0], before.values[0])
    assert np.isfinite(before.values[1]).all()  # the series itself is left alone


def test_the_target_goes_straight_between_its_neighbours() -> None:
    before = course()
    found = without(before, 0, [Stretch(0, 3, 6)], usual=USUAL).values[0]
    slope = (before.values[0, 6] - before.values[0, 2]) / (before.times_h[6] - before.times_h[2])
    wanted = before.values[0, 2] + slope * (before.times_h[3:6] - before.times_h[2])
    np.testing.assert_allclose(found[3:6], wanted)
    np.testing.assert_array_equal(np.delete(found, [3, 4, 5]), np.delete(before.values[0], [3, 4, 5]))
    assert np.isnan(found[1])  # what was not measured stays so


def test_at_its_ends_the_target_stands_still() -> None:
    before = course()
    newest = without(before, 0, [Stretch(0, 7, 8)], usual=USUAL).values[0]
    assert newest[7] == before.values[0, 6]
    rest = without(before, 0, [whole(before, 0, 0)], usual=USUAL).values[0]
    assert set(rest[np.isfinite(rest)].tolist()) == {before.values[0, 7]}
    nothing = without(before, 0, [Stretch(0, 0, 8)], usual=USUAL).values[0]
    assert set(nothing[np.isfinite(nothing)].tolist()) == {USUAL}


def test_several_stretches_are_hidden_as_one() -> None:
    before = course()
    apart = without(before, 0, [Stretch(0, 3, 5), Stretch(1, 0, 2), Stretch(0, 5, 6)], usual=USUAL)
    one = without(before, 0, [Stretch(0, 3, 6), Stretch(1, 0, 2)], usual=USUAL)
    np.testing.assert_array_equal(apart.values, one.values)


def test_readings_are_those_of_the_variable() -> None:
    before = course()
    assert Stretch(0, 0, 3).readings(before) == 2
    assert whole(before, 0, 0).readings(before) == 6
    assert whole(before, 1, 0).readings(before) == 8
