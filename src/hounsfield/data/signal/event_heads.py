"""Which tables are long tables of events (record, time, variable, value), told by their heads."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from hounsfield.data.files import ending
from hounsfield.data.signal.columns import Head, head_of, time_column
from hounsfield.data.words import group_strength

ENDINGS = (".csv", ".tsv", ".txt")
_RECORD = (
    "stay id", "stay", "record id", "recordid", "record", "case id", "case", "patient id", "patientid", "patient", "id",
)  # fmt: skip
"""Heads of what a series is of, the closest first: a patient may have several stays, and a row an id of its own."""
_VARIABLE = ("variable", "parameter", "item", "vital", "signal", "channel", "label", "name", "itemid", "item id")
"""Heads of what was measured, the plainest first: a label may be an answer and a name a person's; numbers of a list
come last."""
_VALUE = ("valuenum", "value", "measurement", "result")
_UNIT = frozenset({"unit", "units", "valueuom"})


def event_heads(heads: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Return the columns of record, time, variable and value, or None where a table is no table of events."""
    plain = [re.sub(r"[_\s]+", " ", h.strip().strip("'\"").casefold()).strip() for h in heads]
    record, variable, value = (_first(plain, words) for words in (_RECORD, _VARIABLE, _VALUE))
    time = time_column([time_head(h) for h in heads])
    if record is None or variable is None or value is None or time is None:
        return None
    return record, time, variable, value


def _first(plain: Sequence[str], words: Sequence[str]) -> int | None:
    """Return the column of the first of some words that is a head."""
    return next((plain.index(word) for word in words if word in plain), None)


def patient_column(heads: Sequence[str]) -> int | None:
    """Return the column that says whose the records are; None without one, or where a record is a patient."""
    known = event_heads(heads)
    named = (i for i, h in enumerate(heads) if group_strength(h.strip().strip("'\"")) == 2)
    return next((i for i in named if known is not None and i not in known), None)


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
