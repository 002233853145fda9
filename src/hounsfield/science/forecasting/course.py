"""One series as a forecast sees it: variables at times, and until when it was watched."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import Float64Array, IntArray


@dataclass(frozen=True)
class Course:
    """A series of one patient.

    Parameters
    ----------
    times_h : numpy.ndarray
        ``t`` hours, finite, rising.
    values : numpy.ndarray
        ``c t``, NaN where a variable was not measured.
    end_h : float
        Until when the series was watched, at least the last time: what lies beyond is not known to be quiet.

    Raises
    ------
    ReadError
        If the times do not rise or are not finite, or shapes do not fit.
    """

    times_h: Float64Array
    values: Float64Array
    end_h: float

    def __post_init__(self) -> None:
        times = self.times_h
        if times.ndim != 1 or self.values.ndim != 2 or self.values.shape[1] != len(times):
            raise ReadError(
                f"A series has times of shape {times.shape} and values of shape {self.values.shape}.",
                expected="t times and c t values",
            )
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise ReadError(
                "The times of a series do not rise.",
                expected="one column for each time, in order, each time known",
                next_step="sort the series and join what was measured at one time",
            )
        if not (len(times) == 0 or self.end_h >= times[-1]):
            raise ReadError("A series ends before its last time.", expected="end_h at or after it")

    def readings(self, row: int) -> IntArray:
        """Return the steps at which a variable was measured, ``m`` int64."""
        return np.flatnonzero(np.isfinite(self.values[row])).astype(np.int64)

    def until(self, step: int) -> "Course":
        """Return what was known at a step: everything up to and with it."""
        end = float(self.times_h[step])
        return Course(self.times_h[: step + 1], self.values[:, : step + 1], end)


def plausible(values: Float64Array, low: float, high: float) -> Float64Array:
    """Return readings with those outside of a range as not measured (NaN).

    Parameters
    ----------
    values : numpy.ndarray
        Any shape.
    low, high : float
        The least and the largest value that a living patient can have, such as 20 and 200 mmHg of a mean pressure.

    Notes
    -----
    A zeroed or flushed line gives 0 or 300 mmHg: such a reading is neither a truth nor an input.
    """
    return np.where((values >= low) & (values <= high), values, np.nan)


def between(values: Float64Array, low: Float64Array, high: Float64Array, *, slack: float = 0.0) -> Float64Array:
    """Return readings with those outside of two others of the same time as not measured (NaN).

    Parameters
    ----------
    values : numpy.ndarray
        ``t`` readings, such as a mean pressure.
    low, high : numpy.ndarray
        ``t``: what it cannot be under and over, such as the diastolic and the systolic pressure; NaN where not
        measured.
    slack : float
        How far outside it may be, since readings are rounded.

    Notes
    -----
    A mean lies between the smallest and the largest of what it is the mean of. Where it does not, the three are not of
    one pressure: a line that was flushed or drawn from in between, or a typing error. Nothing is said where one of the
    two is missing or not above 0, or they are the wrong way round: then it is not this reading that is in doubt.
    """
    with np.errstate(invalid="ignore"):
        told = (low > 0) & (high > low)
        outside = told & ((values < low - slack) | (values > high + slack))
    return np.where(outside, np.nan, values)


def carried(values: Float64Array) -> Float64Array:
    """Return what was last seen of each variable, ``c t``; NaN where nothing was.

    Parameters
    ----------
    values : numpy.ndarray
        ``c t``, NaN where not measured.
    """
    known = np.isfinite(values)
    place = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), -1), axis=1)
    return np.where(place >= 0, np.take_along_axis(values, np.maximum(place, 0), axis=1), np.nan)
