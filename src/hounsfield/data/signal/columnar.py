"""Signals in tables, one column for each lead: CSV and TSV with a head, a column of times where there is one."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import Float64Array
from hounsfield.data.files import ending, inside
from hounsfield.data.signal.columns import Head, clock_s, head_of, moment_s, no_hour, time_column
from hounsfield.data.signal.event_heads import event_heads
from hounsfield.data.signal.numerals import column_numbers
from hounsfield.data.signal.times import NO_HOUR, over_midnight, written_times
from hounsfield.data.signal.windows import chosen_leads, damaged, unlike, window_of
from hounsfield.data.table import Column, parse_number, read_table

ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
REGULAR = 0.02
"""Intervals that differ by less than that share are those of a rate; written times are rounded."""

FEWEST_STEPS = 8
"""So many rising steps are no chance, where only they tell minutes from a least value."""
_AGAIN = re.compile(r"(.+)\.\d+")
_NUMBERING = re.compile(r"|unnamed[:_ ]*\d*|index|idx|#|no\.?|row|samples?( ?(#|no\.?|number|index))?", re.IGNORECASE)


class ColumnarReader:
    """Reads a table with a column for each lead."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by a first line of names one of which is a time; without a time it could be any table."""
        if ending(name) not in ENDINGS or b"\0" in head:
            return False
        heads = head.decode("utf-8-sig", "replace").split("\n")[0].replace(";", ",").replace("\t", ",").split(",")
        return len(heads) > 1 and any(head_of(h).seconds for h in heads) and event_heads(heads) is None

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length; the table is read for it."""
        path = inside(Path(cohort.root), ref.path)
        signal, notes = _signal(path, ref)
        rows = chosen_leads(ref, signal.leads)
        leads, units = tuple(signal.leads[r] for r in rows), tuple(signal.units[r] for r in rows)
        return SignalHeader(leads, units, signal.samples, signal.rate_hz, "CSV", path.stat().st_size, notes)

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return a window; a table is read whole, so that only short records belong in one."""
        signal, _ = _signal(inside(Path(cohort.root), ref.path), ref)
        return cut(signal, ref, start, stop)


def cut(signal: Signal, ref: Ref, start: int, stop: int | None) -> Signal:
    """Return the leads and the window of a whole signal that a ref and a call mean."""
    rows = chosen_leads(ref, signal.leads)
    begin, end = window_of(ref, signal.samples, start, stop)
    times = None if signal.times_s is None else signal.times_s[begin:end]
    skipped = begin / signal.rate_hz if signal.rate_hz else 0.0
    return Signal(
        np.ascontiguousarray(signal.array[rows, begin:end]),
        tuple(signal.leads[r] for r in rows),
        tuple(signal.units[r] for r in rows),
        rate_hz=signal.rate_hz,
        times_s=times,
        start_s=signal.start_s + skipped if times is None else float(times[0]),
    )


def _signal(path: Path, ref: Ref) -> tuple[Signal, tuple[str, ...]]:
    try:
        stat = path.stat()
    except OSError as error:
        raise damaged(ref, f"the file cannot be opened ({error.strerror}).", "a readable file") from error
    return _parsed(path, Ref(ref.reader, ref.path), (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=4)
def _parsed(path: Path, ref: Ref, _stamp: tuple[int, int]) -> tuple[Signal, tuple[str, ...]]:
    try:
        sheet = read_table(path, "of the record")
    except CohortError as error:
        raise ReadError(error.found, expected=error.expected, next_step=error.next_step) from error
    notes = list(sheet.notes)
    heads = [head_of(h) for h in _as_written(list(sheet.columns))]
    columns = list(sheet.columns.values())
    heads, columns = _with_unit_row(heads, columns)
    heads, columns = _without_numbering(heads, columns, notes)
    timed = time_column(heads)
    values = [i for i in range(len(heads)) if i != timed]
    if not values:
        raise damaged(ref, "the table has no lead.", "a column for each lead")
    array = np.stack([_numbers(columns[i], heads[i].name, ref) for i in values]).astype(np.float32)
    times = None if timed is None else _times(columns[timed], heads[timed], ref, notes)
    rate = None if times is None else regular_rate_hz(times)
    return (
        Signal(
            array,
            unlike([heads[i].name or f"column {i + 1}" for i in values]),
            tuple(heads[i].unit for i in values),
            rate_hz=rate,
            times_s=None if rate is not None else times,
            start_s=0.0,
        ),
        tuple(notes),
    )


def _as_written(heads: Sequence[str]) -> list[str]:
    """Return heads without the number that one that comes again was given: ``ECG (mV).2`` has a unit, too."""
    again = (_AGAIN.fullmatch(h) for h in heads)
    return [form[1] if form and form[1] in heads else h for h, form in zip(heads, again, strict=True)]


def _with_unit_row(heads: Sequence[Head], columns: Sequence[Column]) -> tuple[list[Head], list[Column]]:
    """Take a second line that holds units (as PhysioNet's programs write it) for what it is."""
    first = [(c[0] or "").strip("'\"[]() ") if c else "" for c in columns]
    first = ["" if w == "-" else w for w in first]
    words = [w for w in first if w]
    if not words or any(column_numbers([w])[0] is not None or clock_s(w) is not None or moment_s(w) for w in words):
        return list(heads), list(columns)
    units = [w if w and len(w) <= 20 else h.unit for w, h in zip(first, heads, strict=True)]
    timed = [
        head_of(f"{h.name} ({u})") if h.seconds is not None and u else h for h, u in zip(heads, units, strict=True)
    ]
    named = [t if t.seconds is not None else Head(t.name, u) for t, u in zip(timed, units, strict=True)]
    return named, [c[1:] for c in columns]


def _without_numbering(
    heads: Sequence[Head], columns: Sequence[Column], notes: list[str]
) -> tuple[list[Head], list[Column]]:
    """Leave out a first column that numbers the rows; one that says ``min`` and rises as a time does is the time."""
    steps = _steps(columns[0]) if columns else None
    if steps is None:
        return list(heads), list(columns)
    alone = head_of(heads[0].name, alone=True)
    if time_column(heads) is None and not heads[0].unit and alone.seconds is not None:
        rises = len(steps) >= FEWEST_STEPS and bool((steps > 0).all())
        return [alone if rises else heads[0], *heads[1:]], list(columns)
    numbers = len(heads) - (time_column(heads) is not None) > 1 and bool(_NUMBERING.fullmatch(heads[0].name.strip()))
    if not (numbers and heads[0].seconds is None and len(steps) and bool((steps == 1).all())):
        return list(heads), list(columns)
    notes.append("its first column numbers the rows and is left out")
    return list(heads[1:]), list(columns[1:])


def _steps(column: Column) -> Float64Array | None:
    """Return the differences of a column of numbers; None where a cell is none."""
    numbers = [parse_number(c) for c in column]
    known = [n for n in numbers if n is not None]
    return np.diff(np.array(known)) if known and len(known) == len(numbers) else None


def _numbers(column: Column, name: str, ref: Ref) -> Float64Array:
    values = np.full(len(column), np.nan)
    for i, (cell, value) in enumerate(zip(column, column_numbers(column), strict=True)):
        if cell is None or cell == "-":
            continue
        if value is None:
            raise damaged(
                ref,
                f"row {i + 1} of the lead {name[:40]!r} holds text where a number belongs.",
                "numbers, and nothing where a value is missing",
                "correct the table or leave the record out",
            )
        values[i] = value
    return values


def _times(column: Column, head: Head, ref: Ref, notes: list[str]) -> Float64Array:
    if not column:
        raise damaged(ref, "the table has no rows.", "a row for each time")
    found = written_times(column, head)
    lost = np.flatnonzero(~np.isfinite(found.seconds))
    if len(lost):
        why = f": {NO_HOUR}" if no_hour(column[int(lost[0])] or "") else ""
        raise damaged(
            ref,
            f"row {lost[0] + 1} of the times is not one{why}.",
            "seconds, a clock time (14:15, 2:15 PM) or an ISO date",
            "correct the table or leave the record out",
        )
    notes += found.notes
    if found.form == "number" and not head.told:
        notes.append("the table does not tell the unit of its times: seconds")
    times, midnights = over_midnight(found.seconds) if found.daily else (found.seconds, 0)
    if midnights:
        notes.append("its clock passes midnight: it goes on with the next day")
    backwards = int((np.diff(times) < 0).sum())
    if backwards:
        raise damaged(ref, f"its time stamps run backwards {backwards} times.", "rising times", "sort the table")
    if bool((np.diff(times) == 0).any()):
        notes.append("rows have the same time as those before them")
    return np.asarray(times - times[0], np.float64)


def regular_rate_hz(times: Float64Array) -> float | None:
    """Return the rate that times have, or None where they are irregular.

    Parameters
    ----------
    times : numpy.ndarray
        ``t``, seconds, never falling.

    Notes
    -----
    Written times are rounded, so that single intervals may be off; the times must all lie within half an interval of
    an even grid, and the intervals be alike within 2% or one digit of rounding.
    """
    if len(times) < 3 or not times[-1] > times[0]:
        return None
    step = float(times[-1] - times[0]) / (len(times) - 1)
    off = np.abs(times - times[0] - step * np.arange(len(times)))
    wide = np.abs(np.diff(times) - step)
    decimals = np.abs(np.round(times, 3) - times).max() < 1e-9 and step < 0.1  # rounded to milliseconds
    allowed = max(REGULAR * step, 0.0011 if decimals else 0.0)
    if off.max() > 0.5 * step or wide.max() > allowed:
        return None
    rate = 1 / step
    return float(round(rate)) if abs(rate - round(rate)) < 0.005 * rate / len(times) ** 0.5 and rate > 1 else rate
