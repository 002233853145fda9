"""Samples as courses: read, ordered as the plan has the variables, at the plan's rate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import Cohort, Sample, SetAside
from hounsfield.core.errors import HounsfieldError, ReadError, case_id
from hounsfield.core.leads import place_of
from hounsfield.core.progress import Progress
from hounsfield.core.signal import Signal
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.core.units import change
from hounsfield.data.kinds.signals import anchor_of
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.thinning import factor, pieces, thinned
from hounsfield.workflow.record_blocks import kind_of
from hounsfield.workflow.survey import latest

ALIKE = 0.05
"""Rates that differ by less are one rate: clocks drift, and a record at 50.02 Hz is not one of 25."""
SLOWEST = 0.49
"""Share of the rate under which a series is of another kind: thinning by a whole number gives at least half of it."""


@dataclass(frozen=True)
class Shape:
    """How a sample becomes a course.

    Parameters
    ----------
    variables : tuple of str
        In the order of the rows.
    target : str
        The one that must be there.
    unit : str
        Its unit; ``""`` where not known.
    rate_hz : float or None
        The rate: series that are faster by more than `ALIKE` are thinned to it, those under `SLOWEST` of it are not
        taken. None where times are irregular.
    most_steps : int
        Longer courses come in pieces.
    units : tuple of str
        Of each variable, ``""`` where not known; none where no unit is known but the target's.
    """

    variables: tuple[str, ...]
    target: str
    unit: str = ""
    rate_hz: float | None = None
    most_steps: int = 1_000_000
    units: tuple[str, ...] = ()

    def unit_of(self, row: int) -> str:
        """Return the unit of a variable, `unit` of the target; ``""`` where not known."""
        if self.variables[row] == self.target:
            return self.unit
        return self.units[row] if self.units else ""


@dataclass(frozen=True)
class Courses:
    """Courses with what they are of.

    Parameters
    ----------
    courses : tuple of Course
        A long series comes in several.
    samples, patients : tuple of str
        Sample id, and the unit that is drawn again, of each.
    aside : tuple of SetAside
        Samples that cannot be used.
    """

    courses: tuple[Course, ...]
    samples: tuple[str, ...]
    patients: tuple[str, ...]
    aside: tuple[SetAside, ...] = ()


def read_courses(
    cohort: Cohort, samples: Sequence[Sample], shape: Shape, *, groups: dict[str, str], progress: Progress
) -> Courses:
    """Read samples as courses; one that cannot be used is set aside.

    Parameters
    ----------
    cohort : Cohort
    samples : sequence of Sample
    shape : Shape
    groups : dict of str to str
        Sample id to the unit of the split.
    progress : Progress
    """
    courses: list[Course] = []
    ids: list[str] = []
    aside: list[SetAside] = []
    with progress.step("Reading series", float(len(samples))) as shown:
        for sample in samples:
            try:
                found = pieces(course_of(cohort, sample, shape), shape.most_steps)
            except HounsfieldError as error:
                found = []
                aside.append(SetAside(sample=sample.id, reason=error.line()))
            courses += found
            ids += [sample.id] * len(found)
            shown.advance()
    patients = {s.id: groups.get(s.id, s.patient) for s in samples}
    return Courses(tuple(courses), tuple(ids), tuple(patients[i] for i in ids), tuple(aside))


def course_of(cohort: Cohort, sample: Sample, shape: Shape) -> Course:
    """Return one sample as a course.

    Parameters
    ----------
    cohort : Cohort
    sample : Sample
    shape : Shape

    Raises
    ------
    ReadError
        If it cannot be read, lacks the forecast variable, holds values in a unit that cannot be converted, or nothing
        tells its times.
    """
    name = next((n for n in sample.inputs if kind_of(cohort, n) == "signal"), None)
    if name is None or anchor_of(sample.inputs[name][-1].ref) is not None:
        raise ReadError(f"Case {case_id(sample.id)} is no whole series.", expected="a series over time")
    content = latest(cohort, sample, name)
    if not isinstance(content, Signal):
        raise ReadError(f"Case {case_id(sample.id)} is no series.", expected="a series over time")
    rows = [place_of(lead, content.leads) for lead in shape.variables]
    target = rows[shape.variables.index(shape.target)]
    if target is None:
        raise ReadError(
            f"Case {case_id(sample.id)}: there is no {shape.target} to forecast.",
            expected="a series with the variable that the model forecasts",
            next_step="leave the case out",
        )
    values = np.full((len(rows), content.samples), np.nan)
    for place, row in enumerate(rows):
        if row is not None:
            values[place] = _in_unit(content, row, sample, (shape.variables[place], shape.unit_of(place)))
    values = np.where(np.isfinite(values), values, np.nan)
    return _timed(content, values, sample, shape)


def _in_unit(signal: Signal, row: int, sample: Sample, wanted: tuple[str, str]) -> Float64Array:
    """Return a variable ``t`` in the wanted unit; where it holds no value its unit does not matter."""
    name, unit = wanted
    values: Float64Array = signal.array[row].astype(np.float64)
    how = change(name, signal.units[row], unit)
    if how is None and not np.isfinite(values).any():
        return values
    if how is None:
        raise ReadError(
            f"Case {case_id(sample.id)}: {name} is in {signal.units[row][:20]}, the model has it in {unit}.",
            expected=f"{name} in {unit}, or in a unit that can be converted to it",
            next_step="convert the values, correct the unit, or leave the case out",
        )
    return values * how.times + how.plus


def _timed(signal: Signal, values: Float64Array, sample: Sample, shape: Shape) -> Course:
    if signal.times_s is not None:
        if shape.rate_hz is not None:
            raise _other_rate(sample, "irregular times", shape.rate_hz)
        times = signal.times_s / 3600
        last = np.r_[np.diff(times) > 0, True]
        return _joined(times, values, last)
    if signal.rate_hz is None:
        raise ReadError(
            f"Case {case_id(sample.id)}: nothing tells when its values were taken.",
            expected="times, or a rate",
            next_step="add a column of times, or leave the case out",
        )
    rate = signal.rate_hz
    if shape.rate_hz is not None:
        most = shape.rate_hz * (1 + ALIKE)
        values, rate = thinned(values, rate, most), rate / factor(rate, most)
    if shape.rate_hz is not None and rate < SLOWEST * shape.rate_hz:
        raise _other_rate(sample, f"{signal.rate_hz:g} Hz", shape.rate_hz)
    times = signal.start_s / 3600 + np.arange(values.shape[1]) / rate / 3600
    return Course(times, values, float(times[-1]))


def _other_rate(sample: Sample, found: str, rate_hz: float) -> ReadError:
    return ReadError(
        f"Case {case_id(sample.id)} has {found}, and the model reads series at {rate_hz:.4g} Hz.",
        expected=f"a series at {rate_hz:.4g} Hz or more",
        next_step="resample it, or leave the case out",
    )


def _joined(times: Float64Array, values: Float64Array, last: BoolArray) -> Course:
    """Join what was measured at one time: of two values of a variable the later row counts."""
    if last.all():
        return Course(times, values, float(times[-1]))
    group = np.r_[0, np.cumsum(last[:-1])]
    found = np.full((len(values), int(group[-1]) + 1), np.nan)
    for row, one in enumerate(values):
        known = np.isfinite(one)
        found[row, group[known]] = one[known]
    return Course(times[last], found, float(times[-1]))
