"""Times as a column writes them: numbers of a unit, hours by the clock, dates. A whole column is read in one form."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.data.signal.columns import Head, clock_fields, clock_s, moment_s, no_hour, without_half
from hounsfield.data.table import is_missing, parse_number

Form = Literal["number", "clock", "date"]
DAY_S = 86400.0
HALF_DAY_S = DAY_S / 2
"""A clock that falls by more than half a day passed midnight; by less, its rows are in no order."""
_OF_DAY = frozenset({"timestamp", "datetime", "date time", "charttime", "uhrzeit"})
"""Heads under which two fields are never minutes and seconds."""
HOURS = "times of two fields are read as hours and minutes ('time (mm:ss)' as head: minutes and seconds)"
NO_HOUR = "AM or PM stands beside no time from 1:00 to 12:59: such times cannot be read"
MINUTES = "times of two fields are read as minutes and seconds, as others have three ('time (hh:mm)' as head: hours)"


@dataclass(frozen=True)
class WrittenTimes:
    """Times of the cells of a column.

    Parameters
    ----------
    seconds : numpy.ndarray
        One for each cell, NaN where it is none: from the zero of the column's numbers, from midnight, or since 1970.
    form : str
        What most cells are: ``number``, ``clock`` or ``date``; the others are no times.
    daily : bool
        Whether they are of a clock that begins again at midnight.
    notes : tuple of str
    """

    seconds: Float64Array
    form: Form
    daily: bool = False
    notes: tuple[str, ...] = ()


def written_times(cells: Sequence[str | None], head: Head) -> WrittenTimes:
    """Read the cells of a column of times.

    Parameters
    ----------
    cells : sequence of (str or None)
        Cells of the column, or its different cells once each.
    head : Head
        Of the column; a unit such as ``hh:mm`` or ``mm:ss`` says what two fields are.

    Returns
    -------
    WrittenTimes

    Notes
    -----
    Two fields (``07:30``) are minutes and seconds where any of them has a decimal part or others of the column have
    three fields; else hours and minutes, as charts are kept, and so they are where others have AM or PM. Clock times
    of 24 hours and more count from a start, so that no midnight is looked for in them.
    """
    texts = ["" if c is None or is_missing(c) else c.strip().strip("'\"[]").strip() for c in cells]
    numbers = [parse_number(t) for t in texts]
    fields = [clock_fields(t) if n is None and t else (0, False) for t, n in zip(texts, numbers, strict=True)]
    dates = [
        moment_s(t) if t and n is None and not f else None for t, n, (f, _) in zip(texts, numbers, fields, strict=True)
    ]
    counts: dict[Form, int] = {
        "number": sum(n is not None for n in numbers),
        "clock": sum(f > 0 for f, _ in fields),
        "date": sum(d is not None for d in dates),
    }
    form = max(counts, key=lambda k: counts[k])
    wrong = (NO_HOUR,) if any(map(no_hour, texts)) else ()
    if form == "number":
        unit = head.seconds or 1.0
        return WrittenTimes(_array([None if n is None else n * unit for n in numbers]), form, notes=wrong)
    if form == "date":
        return WrittenTimes(_array(dates), form, notes=wrong)
    first_s, notes = _two_fields(fields, head)
    if any(without_half(t)[1] for t in texts):
        first_s, notes = 3600.0, wrong
    seconds = _array([clock_s(t, first_s=first_s) if f else None for t, (f, _) in zip(texts, fields, strict=True)])
    known = seconds[np.isfinite(seconds)]
    return WrittenTimes(seconds, form, bool(len(known)) and float(known.max()) < DAY_S, notes)


def _two_fields(fields: Sequence[tuple[int, bool]], head: Head) -> tuple[float, tuple[str, ...]]:
    """Return what the first of two fields counts in seconds, and what to tell of it."""
    if not any(f == 2 for f, _ in fields):
        return 60.0, ()
    unit = head.unit.casefold()
    if re.match(r"m{1,2}:s", unit):
        return 60.0, ()
    if re.fullmatch(r"h{1,2}:m{1,2}", unit):
        return 3600.0, ()
    if any(decimal for f, decimal in fields if f == 2):
        return 60.0, ()
    of_day = re.sub(r"[_\s]+", " ", head.name.casefold()).strip() in _OF_DAY
    if any(f == 3 for f, _ in fields) and not of_day:
        return 60.0, (MINUTES,)
    return 3600.0, (HOURS,)


def _array(found: Sequence[float | None]) -> Float64Array:
    return np.array([np.nan if f is None else f for f in found], np.float64)


def shape_of(texts: Sequence[str]) -> str:
    """Return how most cells are written, digits as 9 and letters as x, so that a message shows no date of a person."""
    shapes = Counter(re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", t.strip()))[:30] for t in texts if t.strip())
    return shapes.most_common(1)[0][0] if shapes else ""


def over_midnight(seconds: Float64Array) -> tuple[Float64Array, int]:
    """Return the times of a clock, in the order of the series, as one course of time, and the midnights they pass.

    Parameters
    ----------
    seconds : numpy.ndarray
        ``t``, since midnight.
    """
    passed = np.concatenate([[0], np.cumsum(np.diff(seconds) < -HALF_DAY_S)]) if len(seconds) else np.zeros(0)
    return np.asarray(seconds + DAY_S * passed, np.float64), int(passed[-1]) if len(passed) else 0


def records_over_midnight(
    seconds: Float64Array, records: IntArray, variables: IntArray
) -> tuple[Float64Array, int, int]:
    """Return clock times of many records as one course of time each, with the midnights that their rows pass.

    Parameters
    ----------
    seconds : numpy.ndarray
        ``n``, since midnight, in the order of the table.
    records, variables : numpy.ndarray
        ``n``, codes from 0.

    Returns
    -------
    tuple of (numpy.ndarray, int, int)
        Times; how many records pass a midnight; how many are in no order and are taken as of one day.

    Notes
    -----
    The rows of a record may be sorted by time, or by variable and then by time. Both are tried; where both are in
    order, the one that makes the shorter course counts. A variable that begins half a day before the first row of the
    record, by the clock, begins on the next day.
    """
    if not len(seconds):
        return seconds, 0, 0
    count = int(records.max()) + 1
    by_time, disorder_t = _next_days(seconds, records)
    if not disorder_t.any() and (by_time == seconds).all():
        return seconds, 0, 0
    groups = (records * (int(variables.max()) + 1) + variables).astype(np.int64)
    by_variable, disorder_v = _next_days(seconds, groups)
    first_of_record = _firsts(seconds, records)
    first_of_group = _firsts(seconds, groups)
    by_variable = by_variable + DAY_S * (first_of_group < first_of_record - HALF_DAY_S)
    clean_t, clean_v = (~np.bincount(records[d], minlength=count).astype(bool) for d in (disorder_t, disorder_v))
    shorter = _spans(by_time, records, count) <= _spans(by_variable, records, count)
    timed = clean_t & (shorter | ~clean_v)
    listed = clean_v & ~timed
    made = np.where(timed[records], by_time, np.where(listed[records], by_variable, seconds))
    moved = len(np.unique(records[made != seconds]))
    return np.asarray(made, np.float64), moved, int((~(clean_t | clean_v)).sum())


def _next_days(seconds: Float64Array, groups: IntArray) -> tuple[Float64Array, BoolArray]:
    """Return times with the days that passed in their group, and the rows that fall without a midnight."""
    order = np.argsort(groups, kind="stable")
    own, times = groups[order], seconds[order]
    same = np.concatenate([[False], own[1:] == own[:-1]])
    step = np.where(same, np.diff(times, prepend=times[0]), 0.0)
    days = np.cumsum(step < -HALF_DAY_S)
    starts = np.maximum.accumulate(np.where(same, 0, np.arange(len(own))))
    made, disorder = np.empty_like(seconds), np.empty(len(seconds), bool)
    made[order] = times + DAY_S * (days - days[starts])
    disorder[order] = (step < 0) & (step >= -HALF_DAY_S)
    return made, disorder


def _firsts(seconds: Float64Array, groups: IntArray) -> Float64Array:
    """Return for each row the time of the first row of its group."""
    _, first, codes = np.unique(groups, return_index=True, return_inverse=True)
    return np.asarray(seconds[first][codes], np.float64)


def _spans(seconds: Float64Array, records: IntArray, count: int) -> Float64Array:
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, records, seconds)
    np.maximum.at(high, records, seconds)
    return np.asarray(high - low, np.float64)
