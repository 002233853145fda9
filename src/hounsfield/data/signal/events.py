"""Long tables of events: record, time, variable, value, one row for each measurement (CSV or Parquet)."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import Float32Array, Float64Array, IntArray
from hounsfield.data.files import ending, inside
from hounsfield.data.signal.columns import clock_s, head_of, moment_s
from hounsfield.data.signal.windows import chosen_leads, damaged, window_of
from hounsfield.data.table import is_missing, parse_number

if TYPE_CHECKING:
    import pyarrow as pa

MAX_BYTES = 4 << 30
MAX_VARIABLES = 10_000
_RECORD = frozenset(
    {
        "record",
        "record id",
        "recordid",
        "patient",
        "patient id",
        "patientid",
        "stay",
        "stay id",
        "case",
        "case id",
        "id",
    }
)
_VARIABLE = frozenset({"variable", "parameter", "name", "item", "label", "channel", "vital", "signal"})
_VALUE = frozenset({"value", "valuenum", "measurement", "result"})
_UNIT = frozenset({"unit", "units", "valueuom"})


class EventsReader:
    """Reads one record (part ``record``) of a long table: its variables are the leads, its times stay irregular."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the four column names of a CSV; a Parquet file by its signature and a name with ``event``."""
        if head[:4] == b"PAR1":
            return ending(name) == ".parquet" and "event" in name.casefold()
        if ending(name) not in (".csv", ".tsv", ".txt") or b"\0" in head:
            return False
        line = head.decode("utf-8-sig", "replace").split("\n")[0].replace(";", ",").replace("\t", ",")
        return event_heads(line.split(",")) is not None

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return the variables of the whole table, and the number of times of the record."""
        path, table = _table(cohort, ref)
        rows = chosen_leads(ref, table.variables)
        times = np.unique(table.times_s[table.rows_of(_record(ref), ref)])
        leads, units = tuple(table.variables[r] for r in rows), tuple(table.units[r] for r in rows)
        kind = "PARQUET" if ending(path.name) == ".parquet" else "CSV"
        return SignalHeader(leads, units, len(times), None, f"{kind} events", path.stat().st_size, table.notes)

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return the record, one column for each time at which anything was measured, NaN where a variable was not.

        Where one variable has two values at one time, the later row counts.
        """
        _, table = _table(cohort, ref)
        rows = table.rows_of(_record(ref), ref)
        times, at = np.unique(table.times_s[rows], return_inverse=True)
        chosen = chosen_leads(ref, table.variables)
        begin, end = window_of(ref, len(times), start, stop)
        array = np.full((len(table.variables), len(times)), np.nan, np.float32)
        array[table.codes[rows], at] = table.values[rows]
        return Signal(
            np.ascontiguousarray(array[chosen, begin:end]),
            tuple(table.variables[r] for r in chosen),
            tuple(table.units[r] for r in chosen),
            times_s=times[begin:end],
            start_s=float(times[begin]),
        )


def event_records(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the records of a table of events, in the order of their first row.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        Its path; a record in its part does not matter.
    """
    return _table(cohort, ref)[1].records


def event_variables(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the variables of a table of events, as `event_records` its records."""
    return _table(cohort, ref)[1].variables


def event_notes(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return what was remarkable about a table of events, such as rows that were set aside."""
    return _table(cohort, ref)[1].notes


def table_heads(path: Path) -> list[str]:
    """Return the heads of a CSV or Parquet table without reading it; none where it is another file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if ending(path.name) == ".parquet":
            return [str(n) for n in pq.read_schema(path).names]
        if ending(path.name) not in (".csv", ".tsv", ".txt"):
            return []
        with path.open("rb") as stream:
            line = stream.readline(1 << 16)
    except (OSError, pa.ArrowException):
        return []
    text = "" if b"\0" in line else line.decode("utf-8-sig", "replace").rstrip("\r\n")
    return text.split(max(",;\t", key=text.count)) if text else []


def is_event_table(path: Path) -> bool:
    """Tell by its heads whether a file is a long table of events."""
    return event_heads(table_heads(path)) is not None


def event_heads(heads: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Return the columns of record, time, variable and value, or None where a table is no table of events."""
    plain = [re.sub(r"[_\s]+", " ", h.strip().strip("'\"").casefold()).strip() for h in heads]
    record = [i for i, h in enumerate(plain) if h in _RECORD]
    variable = [i for i, h in enumerate(plain) if h in _VARIABLE]
    value = [i for i, h in enumerate(plain) if h in _VALUE]
    time = [i for i, h in enumerate(heads) if head_of(h).seconds is not None]
    if not (record and variable and value and time):
        return None
    return record[0], time[0], variable[0], value[0]


@dataclass(frozen=True)
class _Events:
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

    def rows_of(self, record: str, ref: Ref) -> IntArray:
        """Return the rows of a record, in the table's order."""
        if record not in self.place:
            raise damaged(ref, "the table has no such record.", "a record of the table", "correct the cohort")
        at = self.place[record]
        return self.order[self.starts[at] : self.starts[at + 1]]


def _record(ref: Ref) -> str:
    parts = dict(ref.part)
    if "record" not in parts:
        raise damaged(ref, "the ref does not say which record.", "a part record=...", "correct the cohort")
    return str(parts["record"])


def _table(cohort: Cohort, ref: Ref) -> tuple[Path, _Events]:
    path = inside(Path(cohort.root), ref.path)
    try:
        stat = path.stat()
    except OSError as error:
        raise damaged(ref, f"the table cannot be opened ({error.strerror}).", "a readable file") from error
    if stat.st_size > MAX_BYTES:
        raise damaged(ref, "the table is too large.", f"at most {MAX_BYTES >> 30} GiB", "divide it")
    return path, _loaded(path, Ref(ref.reader, ref.path), (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=2)
def _loaded(path: Path, ref: Ref, _stamp: tuple[int, int]) -> _Events:
    heads, columns = _columns(path, ref)
    found = event_heads(heads)
    if found is None:
        raise damaged(ref, "the table is no table of events.", "columns record, time, variable and value")
    columns, notes = _numeric(columns, found, ref)
    records, record_codes = _coded(columns[found[0]], "record", ref)
    variables, codes = _coded(columns[found[2]], "variable", ref)
    if len(variables) > MAX_VARIABLES:
        raise damaged(ref, f"the table has {len(variables)} variables.", f"at most {MAX_VARIABLES}")
    if not records:
        raise damaged(ref, "the table of events is empty.", "a row for each measurement")
    head = head_of(heads[found[1]])
    times = _event_times(columns[found[1]], head.seconds or 1.0, ref)
    if not head.told and not _is_text(columns[found[1]]):
        notes.append("the table does not tell the unit of its times: seconds")
    values = _values(columns[found[3]], "value", ref).astype(np.float32)
    if _is_text(columns[found[1]]):
        times = times - _least(times, record_codes, len(records))[record_codes]
    order = np.argsort(record_codes, kind="stable").astype(np.int64)
    starts = np.searchsorted(record_codes[order], np.arange(len(records) + 1)).astype(np.int64)
    units = _units(heads, columns, codes, len(variables))
    triple = (record_codes * len(variables) + codes).astype(np.float64)
    doubled = len(times) - len(np.unique(triple + 1j * times))
    if doubled:
        notes.append(f"{doubled} values have the same record, variable and time as an earlier row: the later counts")
    place = {name: i for i, name in enumerate(records)}
    return _Events(records, variables, units, order, starts, codes, times, values, tuple(notes), place)


def _numeric(
    columns: "list[pa.ChunkedArray]", found: tuple[int, int, int, int], ref: Ref
) -> "tuple[list[pa.ChunkedArray], list[str]]":
    """Return the columns without the rows whose value is text, and how many those are of which variables."""
    import pyarrow as pa
    import pyarrow.compute as cp

    values = columns[found[3]]
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return columns, []
    coded = cp.dictionary_encode(values.combine_chunks())
    texts = [str(v).strip() for v in coded.dictionary.to_pylist()]
    numbers = pa.array([parse_number(t) for t in texts], pa.float64())
    missing = cp.is_null(values).combine_chunks()
    told = cp.or_(
        missing, cp.take(pa.array([is_missing(t) or parse_number(t) is not None for t in texts]), coded.indices)
    )
    told = cp.fill_null(told, True)
    apart = len(told) - (cp.sum(told).as_py() or 0)
    if apart == len(told):
        raise damaged(
            ref,
            "the column of values holds text where a number belongs.",
            "numbers, and nothing where a value is missing",
            "correct the table",
        )
    whole = [c if i != found[3] else pa.chunked_array([cp.take(numbers, coded.indices)]) for i, c in enumerate(columns)]
    if not apart:
        return whole, []
    counts = Counter(str(v) for v in columns[found[2]].filter(cp.invert(told)).to_pylist())
    named = ", ".join(f"{name} {n}" for name, n in counts.most_common(5)) + (", ..." if len(counts) > 5 else "")
    note = f"{apart} rows hold text where a number belongs and are set aside ({named})"
    return [c.filter(told) for c in whole], [note]


def _columns(path: Path, ref: Ref) -> tuple[list[str], list["pa.ChunkedArray"]]:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    try:
        if ending(path.name) == ".parquet":
            table = pq.read_table(path)
        else:
            with path.open("rb") as stream:
                line = stream.readline(1 << 16).decode("utf-8-sig", "replace")
            mark = max(",;\t", key=line.count)
            heads = [h.strip().strip('"') for h in line.rstrip("\r\n").split(mark)]
            known = event_heads(heads)
            texts = {h: pa.string() for i, h in enumerate(heads) if known and i in (known[0], known[2])}
            table = pc.read_csv(
                path,
                parse_options=pc.ParseOptions(delimiter=mark),
                convert_options=pc.ConvertOptions(column_types=texts),
            )
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise damaged(ref, f"the table cannot be read ({type(error).__name__}).", "CSV or Parquet") from error
    return [str(n) for n in table.column_names], [table.column(i) for i in range(table.num_columns)]


def _coded(column: "pa.ChunkedArray", what: str, ref: Ref) -> tuple[tuple[str, ...], IntArray]:
    import pyarrow as pa
    import pyarrow.compute as cp

    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if column.null_count:
        raise damaged(ref, f"{column.null_count} rows of the table have no {what}.", f"a {what} in each row")
    coded = column if isinstance(column, pa.DictionaryArray) else cp.dictionary_encode(column)
    names = [str(v).strip() for v in coded.dictionary.to_pylist()]
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    used = np.unique(codes)  # a table cut out of a larger one keeps categories that no row has
    unique = {name: i for i, name in enumerate(dict.fromkeys(names[int(i)] for i in used))}
    return tuple(unique), np.array([unique.get(n, 0) for n in names], np.int64)[codes] if names else codes


def _is_text(column: "pa.ChunkedArray") -> bool:
    import pyarrow as pa

    kind = column.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_timestamp(kind))


def _values(column: "pa.ChunkedArray", what: str, ref: Ref) -> Float64Array:
    import pyarrow as pa
    import pyarrow.compute as cp

    kind = column.type
    if pa.types.is_boolean(kind):
        column = cp.cast(column, pa.int8())
    try:
        numbers = cp.cast(column, pa.float64())
    except pa.ArrowException as error:
        raise damaged(
            ref,
            f"the column of {what}s holds text where a number belongs.",
            "numbers, and nothing where a value is missing",
            "correct the table",
        ) from error
    return np.asarray(numbers.to_numpy(), np.float64)


def _number_s(cell: str, seconds: float) -> float | None:
    """Return the seconds of a cell that holds a number of the table's unit, or a moment; None where it is neither."""
    try:
        return float(cell) * seconds
    except ValueError:
        return moment_s(cell)


def _event_times(column: "pa.ChunkedArray", seconds: float, ref: Ref) -> Float64Array:
    if not _is_text(column):
        times = _values(column, "time", ref) * seconds
    else:
        cells = [str(v) for v in column.to_pylist()]
        found = [_number_s(t, seconds) if (c := clock_s(t)) is None else c for t in cells]
        times = np.array([np.nan if f is None else f for f in found])
    if not np.isfinite(times).all():
        raise damaged(ref, f"{int((~np.isfinite(times)).sum())} times of the table are none.", "a time in each row")
    return np.asarray(times, np.float64)


def _least(times: Float64Array, codes: IntArray, records: int) -> Float64Array:
    least = np.full(records, np.inf)
    np.minimum.at(least, codes, times)
    return least


def _units(
    heads: Sequence[str], columns: "Sequence[pa.ChunkedArray]", codes: IntArray, variables: int
) -> tuple[str, ...]:
    at = [i for i, h in enumerate(heads) if h.strip().casefold() in _UNIT]
    if not at:
        return ("",) * variables
    found, first = np.unique(codes, return_index=True)
    units = [""] * variables
    for code, row in zip(found.tolist(), first.tolist(), strict=True):
        units[code] = str(columns[at[0]][row].as_py() or "")
    return tuple(units)
