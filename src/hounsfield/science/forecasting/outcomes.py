"""What is asked of the future, at each reading of a variable: its next reading, its mean or lowest within some time."""

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.forecasting.course import Course

OutcomeKind = Literal["next", "at", "mean", "lowest"]
NEAR = 0.02
"""How far from the asked time a reading may be to count as ``at`` it, as a share of the horizon."""


class Outcome(BaseModel):
    """One question about the future of a variable, asked at each of its readings.

    Attributes
    ----------
    kind : str
        ``next``: its next reading, whenever that is; ``at``: its reading after `hours`; ``mean``, ``lowest``: of its
        readings after the present one and within `hours`.
    hours : float
        How far ahead; of no meaning for ``next``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: OutcomeKind
    hours: float = Field(default=0.0, ge=0.0, le=24 * 365, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_a_horizon(self) -> "Outcome":
        if (self.kind == "next") != (self.hours == 0):
            raise ValueError(f"{self.kind} with a horizon of {self.hours:g} h: only next has none")
        return self

    @property
    def name(self) -> str:
        """Return a name for tables, such as ``lowest within 1 h``."""
        if self.kind == "next":
            return "next reading"
        return f"{'value after' if self.kind == 'at' else f'{self.kind} within'} {span(self.hours)}"


def span(hours: float) -> str:
    """Return a time for a reader: ``3 h``, ``30 min``, ``0.5 s``."""
    for unit, factor in (("h", 1.0), ("min", 60.0)):
        if hours * factor >= 1 - 1e-9:
            return f"{hours * factor:.4g} {unit}"
    return f"{hours * 3600:.4g} s"


def truths(course: Course, row: int, asked: tuple[Outcome, ...]) -> Float64Array:
    """Return what came, for each step and question.

    Parameters
    ----------
    course : Course
    row : int
        The variable.
    asked : tuple of Outcome
        k questions.

    Returns
    -------
    numpy.ndarray
        ``t k`` float64, in the variable's unit; NaN at steps at which the variable was not measured (nothing is asked
        there), and where the answer is not known: no reading came, or the series was not watched to the horizon's end.
    """
    steps = course.readings(row)
    answers = np.full((len(course.times_h), len(asked)), np.nan)
    times, values = course.times_h[steps], course.values[row, steps]
    for place, outcome in enumerate(asked):
        answers[steps, place] = _answers(times, values, outcome, course.end_h)
    return answers


def _answers(times: Float64Array, values: Float64Array, outcome: Outcome, end_h: float) -> Float64Array:
    count = len(times)
    if outcome.kind == "next":
        return np.concatenate([values[1:], np.full(min(count, 1), np.nan)])
    if outcome.kind == "at":
        return _at(times, values, outcome.hours)
    after = np.arange(1, count + 1)
    upto = np.searchsorted(times, times + outcome.hours + 1e-9, "right")
    known = (upto > after) & (times + outcome.hours <= end_h + 1e-9)
    found = np.full(count, np.nan)
    if outcome.kind == "mean":
        sums = np.r_[0.0, np.cumsum(values)]
        found[known] = ((sums[upto] - sums[np.minimum(after, count)]) / np.maximum(upto - after, 1))[known]
    else:
        found[known] = [values[a:b].min() for a, b in zip(after[known], upto[known], strict=True)]
    return found


def _at(times: Float64Array, values: Float64Array, hours: float) -> Float64Array:
    found = np.full(len(times), np.nan)
    if not len(times):
        return found
    wanted = times + hours
    right = np.searchsorted(times, wanted).clip(0, len(times) - 1)
    left = (right - 1).clip(0)
    nearer = np.where(np.abs(times[left] - wanted) < np.abs(times[right] - wanted), left, right)
    known = np.abs(times[nearer] - wanted) <= NEAR * hours
    found[known] = values[nearer[known]]
    return found


def windows(past: Float64Array, lags: int) -> Float64Array:
    """Return what a forecast may look back at: the last readings before each question.

    Parameters
    ----------
    past : numpy.ndarray
        ``m`` readings of one series, in order.
    lags : int
        How many, at least 1.

    Returns
    -------
    numpy.ndarray
        ``m lags`` float64: column 0 is the present reading, column j the one j readings before; before the first
        reading of the series the first is repeated.
    """
    place: IntArray = (np.arange(len(past))[:, None] - np.arange(lags)[None]).clip(0).astype(np.int64)
    return past[place].reshape(len(past), lags).astype(np.float64)
