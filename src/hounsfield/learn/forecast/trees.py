"""Boosted trees beside the network: how far what comes lies from the line, from summaries of what was."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.preparing import expected
from hounsfield.learn.forecast.spec import ForecastSpec
from hounsfield.learn.series.boosting import Boosting
from hounsfield.learn.series.trees import Trees, grow
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.lookback import Lookback, lookback, summaries
from hounsfield.science.forecasting.outcomes import truths

HELD = 5
"""The last fifth of the training series tells how many rounds."""


def grow_trees(spec: ForecastSpec, courses: Sequence[Course], *, seed: int) -> tuple[Trees, ...]:
    """Grow the trees of each question for the least absolute error.

    Parameters
    ----------
    spec : ForecastSpec
        Its `trees` say how; with 0 rounds there are none.
    courses : sequence of Course
        Training courses, cleaned. The last fifth, in their order, so that neighbours stay together, chooses how many
        rounds are made; then trees are grown on all.
    seed : int
    """
    how = spec.trees
    if not how.rounds or not courses:
        return ()
    rows: list[Float64Array] = []
    wanted: list[Float64Array] = []
    judges: list[int] = []
    for number, course in enumerate(courses):
        steps = course.readings(spec.target)
        if not len(steps):
            continue
        rows.append(summaries(lookback(course, spec.target)))
        truth = truths(course, spec.target, spec.asked)[steps]
        wanted.append((truth - expected(course, spec)[steps]) / np.array(spec.scale))
        judges += [number * HELD >= len(courses) * (HELD - 1)] * len(steps)
    every, answers, held = np.concatenate(rows), np.concatenate(wanted), np.array(judges)
    return tuple(_grown(every, column, held, how=how.boosting(), most=how.rows, seed=seed) for column in answers.T)


def _grown(
    rows: Float64Array, answers: Float64Array, held: "np.ndarray[tuple[int], np.dtype[np.bool_]]", *,
    how: Boosting, most: int, seed: int,
) -> Trees:  # fmt: skip
    known = np.flatnonzero(np.isfinite(answers))
    known = known[:: max(1, -(-len(known) // most))]
    learned, judged = known[~held[known]], known[held[known]]
    rounds = 0
    if len(learned) >= 2 * how.least and len(judged):
        tried = grow(rows[learned], answers[learned], how, loss="absolute", rounds=how.rounds, seed=seed)
        errors = np.abs(answers[judged][None] - tried.staged(rows[judged])[..., 0]).mean(axis=1)
        rounds = int(np.argmin(errors))
    return grow(rows[known], answers[known], how, loss="absolute", rounds=rounds, seed=seed)


def grown_of(trees: Sequence[Trees], behind: Lookback) -> Float64Array:
    """Return what trees say at ``m`` questions, ``m k``, in units of the line's usual error."""
    rows = summaries(behind)
    return np.concatenate([one(rows) for one in trees], axis=1)


def grown_at(trees: Sequence[Trees], course: Course, spec: ForecastSpec) -> Float64Array:
    """Return what trees say at each step of a cleaned course, ``t k``; 0 where the target was not measured."""
    found = np.zeros((len(course.times_h), len(spec.asked)))
    steps = course.readings(spec.target)
    if len(steps):
        found[steps] = grown_of(trees, lookback(course, spec.target))
    return found
