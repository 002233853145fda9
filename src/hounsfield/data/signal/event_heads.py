"""Which tables are long tables of events (record, time, variable, value), told by their heads."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from hounsfield.data.files import ending
from hounsfield.data.signal.columns import Head, head_of, time_column

ENDINGS = (".csv", ".tsv", ".txt")
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
_NUMBERED = frozenset({"itemid", "item id"})
"""Heads of variables that are numbers of a list: one that holds names counts before them."""
_VALUE = frozenset({"value", "valuenum", "measurement", "result"})
_UNIT = frozenset({"unit", "units", "valueuom"})


def event_heads(heads: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Return the columns of record, time, variable and value, or None where a table is no table of events."""
    plain = [re.sub(r"[_\s]+", " ", h.strip().strip("'\"").casefold()).strip() for h in heads]
    record = [i for i, h in enumerate(plain) if h in _RECORD]
    variable = [i for i, h in enumerate(plain) if h in _VARIABLE] or [i for i, h in enumerate(plain) if h in _NUMBERED]
    value = [i for i, h in enumerate(plain) if h == "valuenum"] or [i for i, h in enumerate(plain) if h in _VALUE]
    time = time_column([time_head(h) for h in heads])
    if not (record and variable and value and time is not None):
        return None
    return record[0], time, variable[0], value[0]


def time_head(head: str) -> Head:
    """Return what the head of a column of an event table says of time; ``min`` and ``hr`` are units there."""
    return head_of(head, alone=True)


def unit_column(heads: Sequence[str]) -> int | None:
    """Return the column of units, or None."""
    return next((i for i, h in enumerate(heads) if h.strip().strip("'\"").casefold() in _UNIT), None)


def delimiter_in(line: str) -> str:
    """Return what parts the fields of a line of heads."""
    return max(",;\t", key=line.count)


def heads_in(line: str) -> list[str]:
    """Return the fields of a line of heads, without the quotes around them."""
    line = line.rstrip("\r\n")
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter_in(line)), [])
    except csv.Error:
        return []


def table_heads(path: Path) -> list[str]:
    """Return the heads of a CSV or Parquet table without reading it; none where it is another file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if ending(path.name) == ".parquet":
            return [str(n) for n in pq.read_schema(path).names]
        if ending(path.name) not in ENDINGS:
            return []
        with path.open("rb") as stream:
            line = stream.readline(1 << 16)
    except (OSError, pa.ArrowException):
        return []
    return [] if b"\0" in line else heads_in(line.decode("utf-8-sig", "replace"))


def is_event_table(path: Path) -> bool:
    """Tell by its heads whether a file is a long table of events."""
    return event_heads(table_heads(path)) is not None
