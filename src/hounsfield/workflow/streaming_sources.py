"""Where a live series comes from: a record, read by windows, or lines of samples as they arrive."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import InputError
from hounsfield.core.leads import place_of
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.data.signal.readers import read_signal, signal_header
from hounsfield.learn.prepare.signal import SignalPreparation

READ_STEPS = 4096
"""Steps of an irregular series in one window."""
LARGEST = 1e30
"""Larger values, and infinite ones, are none that anything measured."""
TIME_NAMES = ("time", "time_s", "seconds", "s", "t")


@dataclass(frozen=True)
class Piece:
    """The next prepared steps of a series.

    Parameters
    ----------
    steps : numpy.ndarray
        ``c t``.
    begins : bool
        Whether a series begins with it.
    time_s : float or None
        When in the record its last step was, or ended where the rate is known; None where no time is known.
    whole : Signal or None
        Where a series ends with it that was read in one window: all of it as recorded, for the guard.
    """

    steps: Float32Array = field(repr=False)
    begins: bool
    time_s: float | None
    whole: Signal | None = field(default=None, repr=False)


def per_answer(spec: SignalPreparation, frame: int, every_s: float | None) -> int:
    """Return after how many prepared steps an answer is given: a step of the network, or as many as fit in a time."""
    if every_s is None or spec.rate_hz is None:
        return frame
    return max(1, round(every_s * spec.rate_hz / frame)) * frame


def from_record(cohort: Cohort, ref: Ref, spec: SignalPreparation, *, per: int) -> Iterator[Piece]:
    """Yield a record piece by piece, of which one window at a time is read.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
    spec : SignalPreparation
        Its `steps` are the longest series that the model has learned from: at a fixed rate a new one begins behind it.
    per : int
        Prepared steps in a piece.

    Raises
    ------
    ReadError, PlanError
        If a window cannot be read or prepared.
    """
    told = signal_header(cohort, ref)
    if spec.times:
        yield from _irregular(cohort, ref, spec, samples=told.samples, per=per)
        return
    ratio = 1.0 if spec.rate_hz is None or told.rate_hz is None else told.rate_hz / spec.rate_hz
    size = max(2, round(spec.steps * ratio))
    for start in range(0, told.samples, size):
        signal = read_signal(cohort, ref, start=start, stop=min(told.samples, start + size))
        steps = spec.stretch(signal)[:, : spec.steps]
        count = steps.shape[1]
        for first in range(0, count, per):
            last = min(first + per, count)
            time = None if spec.rate_hz is None else signal.start_s + last / spec.rate_hz
            yield Piece(steps[:, first:last], first == 0, time, signal if last == count else None)


def _irregular(cohort: Cohort, ref: Ref, spec: SignalPreparation, *, samples: int, per: int) -> Iterator[Piece]:
    for start in range(0, samples, READ_STEPS):
        signal = read_signal(cohort, ref, start=start, stop=min(samples, start + READ_STEPS))
        steps = spec.stretch(signal)
        times: Float64Array = np.asarray(signal.times_s, np.float64)
        for first in range(0, steps.shape[1], per):
            last = min(first + per, steps.shape[1])
            whole = signal if last == samples else None
            yield Piece(steps[:, first:last], start + first == 0, float(times[last - 1]), whole)


def from_lines(lines: Iterable[str], spec: SignalPreparation, *, per: int) -> Iterator[Piece]:
    """Yield samples as their lines arrive: CSV, the first line names the leads.

    Parameters
    ----------
    lines : iterable of str
        One sample each, in the plan's units and at its rate; an empty cell, or ``nan``, is missing. A first column of
        seconds may tell the times, and must where the plan has irregular ones.
    spec : SignalPreparation
    per : int
        Prepared steps in a piece.

    Raises
    ------
    InputError
        If the first line names no leads, a cell is no number, or times run backwards or do not fit the plan's rate; the
        message tells which line or sample.
    PlanError
        If a lead is missing.
    """
    rows = _rows(lines)
    head = [name.strip() for name in next(rows, [])]
    timed = bool(head) and head[0].casefold() in TIME_NAMES
    leads = tuple(head[1:] if timed else head)
    if not leads or all(_number(name) is not None for name in leads) or (spec.times and not timed):
        raise InputError(
            "The first line does not name the leads" + (" behind a column of times." if spec.times else "."),
            expected=",".join([*(["time_s"] if spec.times else []), *spec.leads[:12]]),
            next_step="write the names first, then one line for each sample",
        )
    units = tuple(_unit(spec, lead, alone=len(leads) == 1) for lead in leads)
    held: list[list[float]] = []
    begins, count, latest = True, 0, -np.inf
    for values in _samples(rows, width=len(head)):
        held.append(values)
        count += 1
        if timed:
            latest = _later(values[0], latest, count, rate_hz=None if spec.times else spec.rate_hz)
        full = not spec.times and count % spec.steps == 0
        if len(held) == per or full:
            yield _piece(held, Columns(leads, units, timed=timed), spec, begins=begins, at=count)
            held, begins = [], full
    if held:
        yield _piece(held, Columns(leads, units, timed=timed), spec, begins=begins, at=count)


@dataclass(frozen=True)
class Columns:
    """What the columns of lines are: leads with their units, perhaps behind one of times."""

    leads: tuple[str, ...]
    units: tuple[str, ...]
    timed: bool


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"What comes is no text of comma-separated values: {error}.",
            expected="lines of numbers separated by commas",
            next_step="correct what writes them",
        ) from error


def _later(time: float, latest: float, count: int, *, rate_hz: float | None) -> float:
    """Return the time of a sample, which must not lie before the latest, and at a fixed rate one step behind it."""
    if not time >= latest:
        raise InputError(
            f"The time of sample {count} is missing or lies before that of the one before.",
            expected="times that never fall",
            next_step="send the samples in their order",
        )
    if rate_hz is not None and count > 1 and not 0.5 < (time - latest) * rate_hz < 1.5:
        raise InputError(
            f"Sample {count} lies {time - latest:g} s behind the one before.",
            expected=f"{1 / rate_hz:g} s: the plan is for {rate_hz:g} samples per second",
            next_step="send samples at this rate, with empty cells where nothing was measured",
        )
    return time


def _piece(rows: list[list[float]], columns: Columns, spec: SignalPreparation, *, begins: bool, at: int) -> Piece:
    table = np.array(rows, dtype=np.float64).T
    values = np.ascontiguousarray(table[1:] if columns.timed else table, dtype=np.float32)
    if spec.times:
        signal = Signal(values, columns.leads, columns.units, times_s=table[0])
        return Piece(spec.stretch(signal), begins, float(table[0, -1]))
    signal = Signal(values, columns.leads, columns.units, rate_hz=spec.rate_hz)
    if spec.rate_hz is None:
        return Piece(spec.stretch(signal), begins, None)
    end = float(table[0, -1]) + 1 / spec.rate_hz if columns.timed else at / spec.rate_hz
    return Piece(spec.stretch(signal), begins, end)


def _samples(rows: Iterable[list[str]], *, width: int) -> Iterator[list[float]]:
    for number, row in enumerate(rows, start=2):
        if not row:
            continue
        values = [_number(cell) for cell in row]
        known = [v for v in values if v is not None]
        if len(row) != width or len(known) != len(row):
            raise InputError(
                f"Line {number} has {len(row)} cells, {len(known)} of them numbers.",
                expected=f"{width} numbers separated by commas, empty where nothing was measured",
                next_step="correct the line, or what writes it",
            )
        yield known


def _number(cell: str) -> float | None:
    text = cell.strip()
    if not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < LARGEST else float("nan")


def _unit(spec: SignalPreparation, lead: str, *, alone: bool) -> str:
    """Return the plan's unit of a lead: lines of samples tell none."""
    at = 0 if alone and len(spec.leads) == 1 else place_of(lead, spec.leads)
    return "" if at is None else spec.units[at]
