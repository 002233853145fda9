"""Courses as arrays: what a network reads, what the line says, what came."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float32Array, Float64Array, IntArray
from hounsfield.learn.forecast.spec import EchoOptions, ForecastSpec, Scaling
from hounsfield.science.forecasting.autoregression import Autoregression
from hounsfield.science.forecasting.course import Course, between, carried, plausible
from hounsfield.science.forecasting.echo import echoes
from hounsfield.science.forecasting.outcomes import Outcome, truths

SLACK = 1.0
"""How far outside of the two others a reading may be, in its unit: all three are rounded."""


@dataclass(frozen=True)
class Arrays:
    """Prepared series, padded at their ends.

    Parameters
    ----------
    series : numpy.ndarray
        ``n c t`` float32, standardised; with times channel 0 is hours since the series began. NaN where not measured.
    said : numpy.ndarray
        ``n t k`` float32: what the line says less the present reading, in units of its usual error; 0 where
        the target was not measured.
    truth : numpy.ndarray
        ``n t k`` float32: what came less what the line says, in the same unit; NaN where not known.
    lengths : numpy.ndarray
        ``n`` int64.
    """

    series: Float32Array
    said: Float32Array
    truth: Float32Array
    lengths: IntArray

    def __len__(self) -> int:
        return len(self.lengths)


def clean(course: Course, spec: ForecastSpec) -> Course:
    """Return the course with impossible readings of the target as not measured."""
    return believed(course, spec.target, (spec.low, spec.high), spec.between)


def believed(course: Course, target: int, limits: tuple[float, float], others: tuple[int, int] | None) -> Course:
    """Return the course with readings of a variable that cannot be as not measured.

    Parameters
    ----------
    course : Course
    target : int
    limits : (float, float)
        See `hounsfield.science.forecasting.course.plausible`.
    others : (int, int) or None
        Rows of the two variables that it lies between.
    """
    values = course.values.copy()
    values[target] = plausible(values[target], *limits)
    if others is not None:
        values[target] = between(values[target], values[others[0]], values[others[1]], slack=SLACK)
    return Course(course.times_h, values, course.end_h)


def fit_scaling(courses: Sequence[Course]) -> Scaling:
    """Return middle and spread of each variable over all readings of training courses.

    Parameters
    ----------
    courses : sequence of Course
        At least one, cleaned.
    """
    middle: list[float] = []
    spread: list[float] = []
    for row in range(len(courses[0].values)):
        every = np.concatenate([c.values[row][np.isfinite(c.values[row])] for c in courses])
        low, centre, high = np.quantile(every, [0.16, 0.5, 0.84]) if len(every) else (-1.0, 0.0, 1.0)
        wide = float(high - low) / 2
        if wide <= 0:
            wide = float(every.std()) if len(every) else 1.0
        middle.append(float(centre))
        spread.append(wide if wide > 1e-9 else 1.0)
    return Scaling(middle=tuple(middle), spread=tuple(spread))


def standardised(values: Float64Array, scaling: Scaling) -> Float32Array:
    """Return ``c t`` values as the network reads them."""
    middle, spread = np.array(scaling.middle)[:, None], np.array(scaling.spread)[:, None]
    found = np.clip((values - middle) / spread, -scaling.clip, scaling.clip)
    return np.asarray(found, np.float32)


def heard(values: Float64Array, target: int, scaling: Scaling) -> Float64Array:
    """Return what was last seen of each variable as the line hears it, ``t c``: standardised, 0 where nothing was.

    Parameters
    ----------
    values : numpy.ndarray
        ``c t``, cleaned.
    target : int
        Its column is 0: its readings have weights of their own.
    scaling : Scaling
    """
    found = np.nan_to_num(standardised(carried(values), scaling).astype(np.float64))
    found[target] = 0.0
    return found.T


def echoed(course: Course, target: int, asked: tuple[Outcome, ...], echo: EchoOptions) -> Float64Array:
    """Return what followed places of the past that looked alike, at each reading of the target, ``m k``."""
    steps = course.readings(target)
    answers = truths(course, target, asked)[steps]
    return echoes(course.times_h[steps], course.values[target, steps], answers, asked, echo.how())


def towards(line: Float64Array, echo: Float64Array, share: Sequence[float]) -> Float64Array:
    """Return a line ``m k`` moved towards an echo ``m k`` by a share of each question; as it is where there is none."""
    return np.asarray(line + np.array(share) * np.nan_to_num(echo - line), np.float64)


def expected(course: Course, spec: ForecastSpec) -> Float64Array:
    """Return what the line says at each step, ``t k``; NaN where the target was not measured."""
    steps = course.readings(spec.target)
    found = np.full((len(course.times_h), len(spec.asked)), np.nan)
    if len(steps):
        line = Autoregression(np.array(spec.weights), np.array(spec.constant))
        found[steps] = line.apply(course.values[spec.target, steps])
        if spec.company:
            found[steps] += heard(course.values, spec.target, spec.scaling)[steps] @ np.array(spec.company)
        if any(spec.echo_share):
            found[steps] = towards(found[steps], echoed(course, spec.target, spec.asked, spec.echo), spec.echo_share)
    return found


def prepare(courses: Sequence[Course], spec: ForecastSpec) -> Arrays:
    """Return courses as arrays.

    Parameters
    ----------
    courses : sequence of Course
        Cleaned; a course without any step has one of nothing.
    spec : ForecastSpec
    """
    lengths = np.array([max(1, len(c.times_h)) for c in courses], dtype=np.int64)
    longest = int(lengths.max(initial=1))
    extra, count, asked = int(spec.times), len(courses), len(spec.asked)
    series = np.full((count, extra + len(spec.variables), longest), np.nan, np.float32)
    said = np.zeros((count, longest, asked), np.float32)
    truth = np.full((count, longest, asked), np.nan, np.float32)
    scale = np.array(spec.scale)
    for row, course in enumerate(courses):
        size = len(course.times_h)
        if not size:
            continue
        if extra:
            series[row, 0, :size] = course.times_h - course.times_h[0]
        series[row, extra:, :size] = standardised(course.values, spec.scaling)
        line = expected(course, spec)
        now = course.values[spec.target][:, None]
        said[row, :size] = np.nan_to_num((line - now) / scale)
        truth[row, :size] = (truths(course, spec.target, spec.asked) - line) / scale
    return Arrays(series, said, truth, lengths)
