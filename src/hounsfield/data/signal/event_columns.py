"""The columns of a long table of events as numbers, times and coded names, whatever they are written as."""

import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.cohort import Ref
from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.data.files import ending
from hounsfield.data.signal.columns import Head
from hounsfield.data.signal.event_heads import delimiter_in, event_heads, heads_in, patient_column, unit_column
from hounsfield.data.signal.numerals import column_numbers
from hounsfield.data.signal.times import NO_HOUR, WrittenTimes, shape_of, written_times
from hounsfield.data.signal.windows import damaged
from hounsfield.data.table import decode, is_missing

if TYPE_CHECKING:
    import pyarrow as pa

Coded = tuple[tuple[str, ...], IntArray]
"""Names, and for each row which of them it has; -1 where it has none."""


def event_columns(path: Path, ref: Ref) -> tuple[list[str], list["pa.ChunkedArray"]]:
    """Return heads and columns of a table; of a CSV its names, times and units are text.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path) if ending(path.name) == ".parquet" else _csv(path)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise damaged(ref, f"the table cannot be read ({type(error).__name__}).", "CSV or Parquet") from error
    return [str(n) for n in table.column_names], [table.column(i) for i in range(table.num_columns)]


def _csv(path: Path) -> "pa.Table":
    """Read a CSV with its names, times and units as text; one in another encoding than UTF-8 is decoded first."""
    import pyarrow as pa
    import pyarrow.csv as pc

    with path.open("rb") as stream:
        line = stream.readline(1 << 16).decode("utf-8-sig", "replace")
    try:
        return pc.read_csv(path, **_options(line))
    except pa.ArrowInvalid:
        data = path.read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            text = decode(data)
            return pc.read_csv(io.BytesIO(text.encode("utf-8")), **_options(text.split("\n", 1)[0]))
        raise


def _options(line: str) -> "dict[str, pa.csv.ParseOptions | pa.csv.ConvertOptions]":
    import pyarrow as pa
    import pyarrow.csv as pc

    heads = heads_in(line)
    known, others = event_heads(heads), (unit_column(heads), patient_column(heads))
    texts = {h: pa.string() for i, h in enumerate(heads) if known and i in (*known[:3], *others)}
    return {
        "parse_options": pc.ParseOptions(delimiter=delimiter_in(line)),
        "convert_options": pc.ConvertOptions(column_types=texts),
    }


def _plain(column: "pa.ChunkedArray") -> "pa.Array":
    """Return a column in one piece and without a dictionary."""
    import pyarrow as pa
    import pyarrow.compute as cp

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):  # nothing to combine, or too long for one piece
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return cp.cast(whole, whole.type.value_type) if pa.types.is_dictionary(whole.type) else whole


def coded(column: "pa.ChunkedArray") -> Coded:
    """Return the names in a column and which of them each row has; an empty cell is none."""
    import pyarrow as pa
    import pyarrow.compute as cp

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = whole if isinstance(whole, pa.DictionaryArray) else cp.dictionary_encode(whole)
    names = [_name(v) for v in found.dictionary.to_pylist()]
    codes = cp.fill_null(found.indices, len(names)) if found.indices.null_count else found.indices
    return used((*names, ""), codes.to_numpy(zero_copy_only=False).astype(np.int64))


def _name(value: object) -> str:
    """Return a cell as a name: numbers that were whole before a gap made them fractions are whole again."""
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    return "" if value is None else str(value).strip()


def used(names: Sequence[str], codes: IntArray) -> Coded:
    """Return the names that rows have, each once, with the rows' codes; a table cut out of a larger one keeps more."""
    had = [names[i] for i in np.unique(codes).tolist() if i >= 0]
    unique = {n: i for i, n in enumerate(n for n in dict.fromkeys(had) if n)}
    return tuple(unique), np.array([*(unique.get(n, -1) for n in names), -1], np.int64)[codes]


def numbers(column: "pa.ChunkedArray", ref: Ref) -> tuple[Float64Array, BoolArray]:
    """Return values, NaN where none is told, and which rows hold text or no finite number instead.

    Raises
    ------
    ReadError
        If the column is of a type that holds no numbers.
    """
    import pyarrow as pa
    import pyarrow.compute as cp

    whole = _plain(column)
    if pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type):
        texts, codes = _texts(whole)
        read = column_numbers(texts)
        wrong = np.array([n is None and not is_missing(t) for t, n in zip(texts, read, strict=True)], bool)
        values = np.array([np.nan if n is None else n for n in read], np.float64)
        return values[codes], wrong[codes]
    if pa.types.is_boolean(whole.type):
        whole = cp.cast(whole, pa.int8())
    try:
        values = np.asarray(cp.cast(whole, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowException as error:
        raise damaged(
            ref,
            "the column of values holds text where a number belongs.",
            "numbers, and nothing where a value is missing",
            "correct the table",
        ) from error
    return values, np.isinf(values)


def _texts(column: "pa.Array") -> tuple[list[str], IntArray]:
    """Return the different texts of a column, stripped, the last one empty, and which of them each row has."""
    import pyarrow.compute as cp

    found = cp.dictionary_encode(column)
    texts = [str(v).strip() for v in found.dictionary.to_pylist()]
    codes = cp.fill_null(found.indices, len(texts)) if found.indices.null_count else found.indices
    return [*texts, ""], codes.to_numpy(zero_copy_only=False).astype(np.int64)


def event_times(column: "pa.ChunkedArray", head: Head, ref: Ref) -> WrittenTimes:
    """Return the time of each row, NaN where there is none.

    Raises
    ------
    ReadError
        If most of them are in a form that is not known.
    """
    import pyarrow as pa
    import pyarrow.compute as cp

    whole = _plain(column)
    kind = whole.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _written(whole, head, ref)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return WrittenTimes(_counted(cp.cast(whole, pa.timestamp("us"), safe=False), 1e6), "date")
    if pa.types.is_time(kind):
        return WrittenTimes(_counted(cp.cast(whole, pa.time64("us"), safe=False), 1e6), "clock", daily=True)
    if pa.types.is_duration(kind):
        return WrittenTimes(_counted(cp.cast(whole, pa.duration("us"), safe=False), 1e6), "clock")
    try:
        found = cp.cast(whole, pa.float64())
    except pa.ArrowException as error:
        raise damaged(ref, "the column of times holds neither numbers nor times.", "a time in each row") from error
    values = np.asarray(found.to_numpy(zero_copy_only=False), np.float64)
    return WrittenTimes(values * (head.seconds or 1.0), "number")


def _counted(column: "pa.Array", unit: float) -> Float64Array:
    """Return a column of moments or lengths as numbers of seconds, NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as cp

    found = cp.cast(column, pa.int64())
    empty = np.asarray(cp.is_null(found).to_numpy(zero_copy_only=False), bool)
    whole = np.asarray(cp.fill_null(found, 0).to_numpy(zero_copy_only=False), np.int64)
    return np.where(empty, np.nan, whole / unit)


def _written(column: "pa.Array", head: Head, ref: Ref) -> WrittenTimes:
    """Read times that are text, each different text once.

    Raises
    ------
    ReadError
        If more rows hold what is no time than hold one: they are written in a form that is not known.
    """
    import pyarrow as pa
    import pyarrow.compute as cp

    try:  # a million different numbers, read at once
        bare = cp.utf8_trim_whitespace(column)
        read = cp.cast(cp.if_else(cp.equal(bare, ""), pa.scalar(None, bare.type), bare), pa.float64())
        values = np.asarray(read.to_numpy(zero_copy_only=False), np.float64)
        return WrittenTimes(values * (head.seconds or 1.0), "number")
    except pa.ArrowInvalid:
        texts, codes = _texts(column)
    found = written_times(texts, head)
    seconds = found.seconds[codes]
    unread = ~np.isfinite(seconds) & ~np.array([is_missing(t) for t in texts], bool)[codes]
    if 2 * int(unread.sum()) > len(codes):
        shape = shape_of([texts[i] for i in np.unique(codes[unread]).tolist()])
        why = f": {NO_HOUR}" if NO_HOUR in found.notes else ""
        raise damaged(
            ref,
            f"{int(unread.sum())} times of the table cannot be read, most written as {shape!r}{why}.",
            "numbers, clock times such as 07:30 or 7:30 AM, or dates such as 2026-01-31 07:30",
            "write them in one of these forms",
        )
    return replace(found, seconds=seconds)
