"""A cheap forecast with intervals: fitted to training series, its quantiles those of its errors on held-out ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting import FORECAST_BASELINES
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import Outcome, truths
from hounsfield.science.forecasting.protocol import Baseline
from hounsfield.science.statistics.quantiles import shifts


@dataclass(frozen=True)
class Cheap:
    """A baseline and the quantiles of its errors.

    Parameters
    ----------
    name : str
    baseline : Baseline
    shifts : numpy.ndarray
        ``k q``, in the variable's unit.
    """

    name: str
    baseline: Baseline
    shifts: Float64Array

    def quantiles(self, past: Float64Array) -> Float64Array:
        """Return quantiles at each of the ``m`` readings of one series, ``m k q``."""
        return self.baseline.apply(past)[..., None] + self.shifts


@dataclass(frozen=True)
class Question:
    """What is asked of which variable.

    Parameters
    ----------
    row : int
        The variable's row in every course.
    asked : tuple of Outcome
        k questions.
    levels : tuple of float
        q levels, rising.
    lags : int
        How many readings may be looked back at.
    """

    row: int
    asked: tuple[Outcome, ...]
    levels: tuple[float, ...]
    lags: int


def fit_cheap(name: str, train: Sequence[Course], calibrate: Sequence[Course], question: Question) -> Cheap:
    """Fit one of `hounsfield.science.forecasting.FORECAST_BASELINES`.

    Parameters
    ----------
    name : str
    train, calibrate : sequence of Course
        Cleaned, of different patients.
    question : Question

    Raises
    ------
    InputError
        If a question has no answer in the training series, or too few in the others.
    """
    kind = cast("type[Baseline]", FORECAST_BASELINES.resolve(name))
    past, came = histories(train, question)
    fitted = kind.fit(past, came, lags=question.lags)
    held, truth = histories(calibrate, question)
    said = np.concatenate([fitted.apply(series) for series in held]) if held else np.zeros((0, len(question.asked)))
    every = np.concatenate(truth) if truth else said
    found = [
        shifts(every[:, k], np.repeat(said[:, k : k + 1], len(question.levels), axis=1), question.levels)
        for k in range(len(question.asked))
    ]
    return Cheap(name, fitted, np.stack(found))


def histories(courses: Sequence[Course], question: Question) -> tuple[list[Float64Array], list[Float64Array]]:
    """Return the readings of each course that has any, ``m``, and what came after them, ``m k``."""
    past: list[Float64Array] = []
    came: list[Float64Array] = []
    for course in courses:
        steps = course.readings(question.row)
        if len(steps):
            past.append(course.values[question.row, steps])
            came.append(truths(course, question.row, question.asked)[steps])
    return past, came
