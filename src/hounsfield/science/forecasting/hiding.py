"""A series with stretches of it hidden: what a forecast would be had they not been, or had nothing moved in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.science.forecasting.course import Course

BACKS = (0, 1, 3, 6, 12, 24, 48)
"""Where stretches begin, in readings of the forecast variable before the present one: the nearer, the finer, and a
chart and a waveform are divided alike."""


@dataclass(frozen=True)
class Stretch:
    """Some steps of one variable.

    Parameters
    ----------
    row : int
        The variable.
    start, stop : int
        Steps, the last one exclusive.
    """

    row: int
    start: int
    stop: int

    def readings(self, course: Course) -> int:
        """Return how many readings of its variable lie in it."""
        return int(np.isfinite(course.values[self.row, self.start : self.stop]).sum())


def spans(course: Course, target: int) -> tuple[tuple[int, int], ...]:
    """Divide a series, from its present reading backwards.

    Parameters
    ----------
    course : Course
        Its last step is a reading of the target: the present one.
    target : int
        The variable that is forecast.

    Returns
    -------
    tuple of (int, int)
        Steps from and to (exclusive), newest first; together they are all steps.
    """
    steps = course.readings(target)
    found: list[tuple[int, int]] = []
    stop = len(course.times_h)
    for back in (*BACKS[1:], len(steps)):
        start = int(steps[-1 - back]) + 1 if back < len(steps) else 0
        found.append((start, stop))
        stop = start
        if not start:
            break
    return tuple(found)


def whole(course: Course, row: int, target: int) -> Stretch:
    """Return all of a variable that can be hidden: of the forecast one everything before the present reading."""
    last = len(course.times_h)
    return Stretch(row, 0, last - 1 if row == target else last)


def without(course: Course, target: int, hidden: Sequence[Stretch], *, usual: float) -> Course:
    """Return a series with stretches of it hidden.

    Parameters
    ----------
    course : Course
        Cleaned.
    target : int
        The variable that is forecast.
    hidden : sequence of Stretch
    usual : float
        What the target is where all of its readings are hidden.

    Notes
    -----
    Of other variables the readings are as not measured: what was seen before stays what was last seen. A forecast is
    asked at readings of the target, so these stay where they are and lose what they say: they lie on a straight line
    between the readings on both sides of the stretch, and stand still at the nearest one where there is one side only.
    "Had the pressure not moved in the last hour" is a series that the forecaster knows the like of; a hole filled with
    an average is not.
    """
    values = course.values.copy()
    known = np.isfinite(course.values[target])
    away = np.zeros(len(course.times_h), np.bool_)
    for one in hidden:
        if one.row == target:
            away[one.start : one.stop] = True
        else:
            values[one.row, one.start : one.stop] = np.nan
    values[target] = _straight(course.times_h, course.values[target], known & ~away, at=known & away, usual=usual)
    return Course(course.times_h, values, course.end_h)


def _straight(
    times: Float64Array, values: Float64Array, kept: BoolArray, *, at: BoolArray, usual: float
) -> Float64Array:
    found = values.copy()
    found[at] = np.interp(times[at], times[kept], values[kept]) if kept.any() else usual
    return found
