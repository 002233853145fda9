"""Which forecasts are explained: the furthest off and some right ones of the test part, or the last of each series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import HounsfieldError, InputError, ReadError, case_id
from hounsfield.core.kinds import AS_IT_IS
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.preparing import clean
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import truths
from hounsfield.science.forecasting.thinning import pieces
from hounsfield.stages.explaining.result import LeftOut
from hounsfield.workflow.forecast.asking import asked_of, is_own
from hounsfield.workflow.forecast.cohorts import asked_cohort
from hounsfield.workflow.forecast.courses import Shape, course_of
from hounsfield.workflow.forecast.predicting import known_until
from hounsfield.workflow.forecast.sections import forecast_of, shape_of
from hounsfield.workflow.study import with_roles
from hounsfield.workflow.wishes import Wishes

LOOKED_AT = 200
"""Series of the test part among which the furthest-off forecasts are sought; of more as many are drawn."""
RIGHT = 0.25
"""A forecast is called right where it was off by less than this share of half its outermost interval."""


@dataclass(frozen=True)
class Moment:
    """A forecast to explain.

    Parameters
    ----------
    sample : Sample
    known : Course
        Clean; ends with the reading from which on it is forecast.
    readings : int
        Of the variable up to then, those before `known` too.
    came : numpy.ndarray
        ``k``: what came, NaN where not known.
    why : str
        ``last`` (the series ends there), ``miss`` or ``hit``.
    """

    sample: Sample
    known: Course
    readings: int
    came: Float64Array
    why: Literal["last", "miss", "hit"]


Chosen = tuple[tuple[Moment, ...], tuple[LeftOut, ...], int]
"""What is explained, what cannot be, and among how many series it was sought."""
Cases = Sequence[tuple[Cohort, Sample]]


def own_part(
    contents: BundleContents, inputs: Sequence[str | Path], wishes: Wishes, progress: Progress
) -> Cohort | None:
    """Return the test part of what a bundle was trained on, if that is the input; else None."""
    if len(inputs) != 1:
        return None
    plan = contents.plan
    try:
        variable = forecast_of(plan).variable
        cohort = asked_cohort(inputs[0], replace(with_roles(wishes, plan.roles), target=(variable,)))
    except HounsfieldError:
        return None  # loose series, whose reader says what is wrong with them
    return asked_of(plan, cohort, progress=progress)[0].cohort if is_own(plan, cohort) else None


def loose_series(contents: BundleContents, inputs: Sequence[str | Path], wishes: Wishes) -> Cases:
    """Return every series among files and folders, each with the cohort that reads it.

    Raises
    ------
    InputError
        If there is none.
    """
    plan = contents.plan
    roles = with_roles(wishes, {k: v for k, v in plan.roles.items() if k != "target"}).disk_roles
    cohorts = content_reader("signal").loose(inputs, roles, dict.fromkeys(contents.fingerprint.inputs, AS_IT_IS))
    found = [(cohort, sample) for cohort in cohorts for sample in cohort.samples]
    if not found:
        raise InputError("There is no series among the inputs.", expected="files or folders that hold some")
    return found


def last_moments(plan: Plan, forecaster: Forecaster, cases: Cases, number: int) -> Chosen:
    """Return the last reading of each series; of many, twice `number` drawn at random, in their order."""
    drawn = stream(plan.seed, "explain forecasts").permutation(len(cases)).tolist()
    missing = np.full(len(forecaster.spec.asked), np.nan)
    shape = shape_of(plan)
    found: dict[int, Moment] = {}
    left: dict[int, LeftOut] = {}
    for place in drawn:
        if len(found) == 2 * number:
            break
        cohort, sample = cases[place]
        try:
            course = usable(forecaster, cohort, sample, shape)
        except HounsfieldError as error:
            left[place] = LeftOut(sample=sample.id, reason=error.found)
            continue
        steps = course.readings(forecaster.spec.target)
        found[place] = Moment(sample, known_until(course, int(steps[-1]), shape), len(steps), missing, "last")
    chosen, out = tuple(found[k] for k in sorted(found)), tuple(left[k] for k in sorted(left))
    return chosen, out, len(found) + len(left)


def usable(forecaster: Forecaster, cohort: Cohort, sample: Sample, shape: Shape) -> Course:
    """Return a sample as a clean course.

    Raises
    ------
    ReadError
        If it cannot be read as one, or the variable was never measured.
    """
    course = clean(course_of(cohort, sample, shape), forecaster.spec)
    if not len(course.readings(forecaster.spec.target)):
        raise ReadError(f"Case {case_id(sample.id)}: {shape.target} was never measured.", expected="readings of it")
    return course


def judged_moments(plan: Plan, forecaster: Forecaster, cases: Cases, number: int) -> Chosen:
    """Return forecasts of series whose future is known: the furthest off, and some that were right, one of each series.

    Parameters
    ----------
    plan : Plan
    forecaster : Forecaster
    cases : sequence of (Cohort, Sample)
    number : int
        Of each kind.

    Notes
    -----
    How far off is counted in halves of the outermost interval of the first question; the others do not count.
    """
    shape, draws = shape_of(plan), stream(plan.seed, "explain forecasts")
    left: list[LeftOut] = []
    misses: list[tuple[float, Moment]] = []
    hits: list[Moment] = []
    sought = sorted(draws.permutation(len(cases))[:LOOKED_AT].tolist())
    for place in sought:
        cohort, sample = cases[place]
        try:
            course = usable(forecaster, cohort, sample, shape)
        except HounsfieldError as error:
            left.append(LeftOut(sample=sample.id, reason=error.found))
            continue
        told = _told(forecaster, sample, course, most=shape.most_steps)
        if not told:
            left.append(LeftOut(sample=sample.id, reason="Nothing is known of what came."))
            continue
        misses.append(max(told, key=lambda one: one[0]))
        right = [moment for off, moment in told if off <= RIGHT]
        if right:
            hits.append(replace(right[int(draws.integers(len(right)))], why="hit"))
    misses.sort(key=lambda one: (-one[0], one[1].sample.id))
    furthest = tuple(moment for _, moment in misses[:number])
    taken = {moment.sample.id for moment in furthest}
    others = [m for m in hits if m.sample.id not in taken] or hits
    drawn = sorted(draws.permutation(len(others))[:number].tolist())
    return (*furthest, *(others[k] for k in drawn)), tuple(left), len(sought)


def _told(forecaster: Forecaster, sample: Sample, course: Course, *, most: int) -> list[tuple[float, Moment]]:
    """Return every forecast of a series whose first answer is known, with how far it was off.

    A long series is forecast in the same pieces as in the report.
    """
    spec = forecaster.spec
    found: list[tuple[float, Moment]] = []
    before = 0
    for piece in pieces(course, most):
        quantiles = forecaster.of_clean([piece])[0][:, 0]
        came = truths(piece, spec.target, spec.asked)
        half = np.maximum((quantiles[:, -1] - quantiles[:, 0]) / 2, 1e-9)
        off = np.abs(came[:, 0] - quantiles[:, spec.middle]) / half
        count = np.isfinite(piece.values[spec.target]).cumsum()
        for step in np.flatnonzero(np.isfinite(off)).tolist():
            moment = Moment(sample, piece.until(step), before + int(count[step]), came[step], "miss")
            found.append((float(off[step]), moment))
        before += int(count[-1]) if len(count) else 0
    return found
