"""A long table of events in memory: its columns as numbers and codes, what cannot be used set aside and counted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Ref
from hounsfield.core.types import BoolArray, Float32Array, Float64Array, IntArray
from hounsfield.core.units import change, plain_unit
from hounsfield.data.signal.event_columns import Coded, coded, event_columns, event_times, numbers, used
from hounsfield.data.signal.event_heads import event_heads, patient_column, time_head, unit_column
from hounsfield.data.signal.times import records_over_midnight
from hounsfield.data.signal.windows import damaged

MAX_VARIABLES = 10_000


@dataclass(frozen=True)
class EventTable:
    """A table of events.

    Parameters
    ----------
    records, variables, units : tuple of str
        Names of the records; names and units of the variables.
    order, starts : numpy.ndarray
        Rows sorted by record, and where each record begins among them.
    codes : numpy.ndarray
        ``n``, which variable a row is of.
    times_s : numpy.ndarray
        ``n``, float64, seconds.
    values : numpy.ndarray
        ``n``, float32, NaN where none was told.
    notes : tuple of str
    place : dict of str to int
        Record to its number.
    patients : mapping of str to str
        Record to whose it is, where the table says it.
    """

    records: tuple[str, ...]
    variables: tuple[str, ...]
    units: tuple[str, ...]
    order: IntArray
    starts: IntArray
    codes: IntArray
    times_s: Float64Array
    values: Float32Array
    notes: tuple[str, ...]
    place: dict[str, int]
    patients: Mapping[str, str] = field(default_factory=dict, repr=False)

    def rows_of(self, record: str, ref: Ref) -> IntArray:
        """Return the rows of a record, in the table's order."""
        if record not in self.place:
            raise damaged(ref, "the table has no such record.", "a record of the table", "correct the cohort")
        at = self.place[record]
        return self.order[self.starts[at] : self.starts[at + 1]]


@lru_cache(maxsize=2)
def load(path: Path, ref: Ref, _stamp: tuple[int, int]) -> EventTable:
    """Read a table of events whole.

    Parameters
    ----------
    path : pathlib.Path
    ref : Ref
        For messages.
    _stamp : tuple of int
        When it was written and its size: a table that changed is read again.

    Raises
    ------
    ReadError
        If it is no table of events, or none of its rows can be used.
    """
    heads, columns = event_columns(path, ref)
    found = event_heads(heads)
    if found is None:
        raise damaged(ref, "the table is no table of events.", "columns record, time, variable and value")
    if not len(columns[found[0]]):
        raise damaged(ref, "the table of events is empty.", "a row for each measurement")
    head = time_head(heads[found[1]])
    times = event_times(columns[found[1]], head, ref)
    values, texts = numbers(columns[found[3]], ref)
    units, whose = unit_column(heads), patient_column(heads)
    rows = _Rows(
        coded(columns[found[0]]),
        coded(columns[found[2]]),
        times.seconds,
        values,
        coded(columns[units]) if units is not None else None,
        (),
        coded(columns[whose]) if whose is not None else None,
    )
    rows = _usable(rows, texts, ref)
    notes = [*rows.notes, *times.notes]
    if not head.told and times.form == "number":
        notes.append("the table does not tell the unit of its times: seconds")
    if times.daily:
        rows, said = _with_days(rows)
        notes += said
    if times.form != "number":
        rows = rows.from_zero()
    rows, names, said = _in_one_unit(rows)
    return _finished(rows, names, (*notes, *said), ref)


def _finished(rows: "_Rows", units: tuple[str, ...], notes: tuple[str, ...], ref: Ref) -> EventTable:
    (records, record_codes), (variables, codes) = rows.record, rows.variable
    if len(variables) > MAX_VARIABLES:
        raise damaged(ref, f"the table has {len(variables)} variables.", f"at most {MAX_VARIABLES}")
    order = np.argsort(record_codes, kind="stable").astype(np.int64)
    starts = np.searchsorted(record_codes[order], np.arange(len(records) + 1)).astype(np.int64)
    triple = (record_codes * len(variables) + codes).astype(np.float64)
    doubled = len(rows.times) - len(np.unique(triple + 1j * rows.times))
    if doubled:
        said = f"{doubled} values have the same record, variable and time as an earlier row: the later counts"
        notes = (*notes, said)
    place = {name: i for i, name in enumerate(records)}
    values = rows.values.astype(np.float32)
    patients, contradicted = _patients(rows)
    if contradicted:
        notes = (*notes, f"the rows of {contradicted} records are of several patients: whose they are is not known")
    return EventTable(records, variables, units, order, starts, codes, rows.times, values, notes, place, patients)


def _patients(rows: "_Rows") -> tuple[dict[str, str], int]:
    """Return whose each record is, and how many records have rows of several patients."""
    if rows.patient is None:
        return {}, 0
    (records, codes), (patients, whose) = rows.record, rows.patient
    pairs = np.unique(np.stack([codes, whose], axis=1)[whose >= 0], axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(records))
    found = {records[r]: patients[p] for r, p in pairs.tolist() if counts[r] == 1}
    return found, int((counts > 1).sum())


@dataclass(frozen=True)
class _Rows:
    record: Coded
    variable: Coded
    times: Float64Array
    values: Float64Array
    unit: Coded | None
    notes: tuple[str, ...]
    patient: Coded | None = None

    def only(self, keep: BoolArray) -> "_Rows":
        """Return some of the rows, without the names that none of them has."""
        return replace(
            self,
            record=used(self.record[0], self.record[1][keep]),
            variable=used(self.variable[0], self.variable[1][keep]),
            times=self.times[keep],
            values=self.values[keep],
            unit=None if self.unit is None else (self.unit[0], self.unit[1][keep]),
            patient=None if self.patient is None else (self.patient[0], self.patient[1][keep]),
        )

    def from_zero(self) -> "_Rows":
        """Return the rows with times that begin at 0 in each record."""
        least = np.full(len(self.record[0]), np.inf)
        np.minimum.at(least, self.record[1], self.times)
        return replace(self, times=self.times - least[self.record[1]])


def _usable(rows: _Rows, texts: BoolArray, ref: Ref) -> _Rows:
    """Return the rows that have a record, a variable, a time, and no text as their value; tell how many have not."""
    if texts.all():
        raise damaged(
            ref,
            "the column of values holds text where a number belongs.",
            "numbers, and nothing where a value is missing",
            "correct the table",
        )
    nameless = (rows.record[1] < 0) | (rows.variable[1] < 0)
    timeless = ~np.isfinite(rows.times) & ~nameless
    wrong = texts & ~nameless & ~timeless
    keep = ~(nameless | timeless | wrong)
    if keep.all():
        return rows
    if not keep.any():
        raise damaged(ref, "no row of the table has a record, a time, a variable and a number.", "rows with all four")
    notes: list[str] = []
    if wrong.any():
        counts = Counter(rows.variable[0][i] for i in rows.variable[1][wrong].tolist())
        named = ", ".join(f"{name} {n}" for name, n in counts.most_common(5)) + (", ..." if len(counts) > 5 else "")
        notes.append(f"{int(wrong.sum())} rows hold text where a number belongs and are set aside ({named})")
    for what, mask in (("no time that can be read", timeless), ("no record or no variable", nameless)):
        count = int(mask.sum())
        if count:
            notes.append(f"{count} row{'s have' if count > 1 else ' has'} {what} and {_are(count)} set aside")
    return replace(rows.only(keep), notes=tuple(notes))


def _are(count: int) -> str:
    return "are" if count > 1 else "is"


def _with_days(rows: _Rows) -> tuple[_Rows, list[str]]:
    times, moved, disorder = records_over_midnight(rows.times, rows.record[1], rows.variable[1])
    notes = []
    if moved:
        notes.append(f"the clock passes midnight in {moved} records: it goes on with the next day")
    if disorder:
        notes.append(f"in {disorder} records the clock times are in no order: they are taken as of one day")
    return replace(rows, times=times), notes


def _in_one_unit(rows: _Rows) -> tuple[_Rows, tuple[str, ...], list[str]]:
    """Return the rows with each variable in one unit, the one that most of its rows have, and these units.

    A unit that cannot be converted sets its rows aside; a row without a unit is taken to be in that of the others.
    """
    variables, codes = rows.variable
    if rows.unit is None:
        return rows, ("",) * len(variables), []
    spelled, own = rows.unit
    plain = {u: i for i, u in enumerate(dict.fromkeys(plain_unit(u) for u in spelled))}
    alike = np.array([*(plain[plain_unit(u)] for u in spelled), -1], np.int64)[own]
    width = len(plain) + 1
    pairs, first, counts = np.unique(codes * width + alike + 1, return_index=True, return_counts=True)
    found: dict[int, list[tuple[int, int, int]]] = {}
    for pair, row, count in zip(pairs.tolist(), first.tolist(), counts.tolist(), strict=True):
        found.setdefault(pair // width, []).append((pair % width - 1, row, count))
    units, notes = [""] * len(variables), []
    values, keep = rows.values.copy(), np.ones(len(codes), bool)
    for code, kinds in found.items():
        told = sorted((k for k in kinds if k[0] >= 0), key=lambda k: (-k[2], k[1]))
        if not told:
            continue
        name, wanted = variables[code], spelled[own[told[0][1]]]
        units[code] = wanted
        for unit, row, count in told[1:]:
            have = spelled[own[row]]
            place = (codes == code) & (alike == unit)
            how = change(name, have, wanted)
            if how is None:
                keep &= ~place
                notes.append(f"{count} rows of {name} are in {have}, not in {wanted}, and {_are(count)} set aside")
            else:
                values[place] = values[place] * how.times + how.plus
                notes.append(f"{count} rows of {name} were converted from {have} to {wanted}")
        bare = sum(k[2] for k in kinds if k[0] < 0)
        if bare:
            notes.append(f"{bare} rows of {name} tell no unit and are taken to be in {wanted}")
    rows = replace(rows, values=values)
    return (rows if keep.all() else rows.only(keep)), tuple(units), notes
