"""Tables of measured values as files: Parquet, CSV and what lies beside them."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import InputError, RunExistsError

if TYPE_CHECKING:
    import pyarrow
    from pydantic import BaseModel

_MOST_TEXT = (1 << 31) - 1
"""Bytes that a column of text holds."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_out(out: Path) -> None:
    """Raise InputError or RunExistsError where a table cannot be written under this name."""
    if out.suffix != ".parquet":
        raise InputError(
            f"{out.name} does not end in .parquet.",
            expected="a name such as features.parquet; a CSV of the same name is written beside it",
            next_step="correct --out",
        )
    if out.exists():
        raise RunExistsError(
            f"{out.name} exists already.", expected="a new name", next_step="choose another --out, or remove the file"
        )


def beside(out: Path) -> tuple[Path, Path, Path]:
    """Return the names of the CSV, the record and the list of what was set aside, beside a Parquet file."""
    return out.with_suffix(".csv"), out.with_suffix(".json"), out.with_name(f"{out.stem}_apart.csv")


def reasons_text(missing: Mapping[str, str]) -> str:
    """Return why features have no value as a JSON object: each reason with its tags; ``""`` where there is none."""
    grouped: dict[str, list[str]] = {}
    for tag, reason in missing.items():
        grouped.setdefault(reason, []).append(tag)
    return json.dumps(grouped, ensure_ascii=False) if grouped else ""


def text_column(values: "Sequence[str]") -> "pyarrow.Array":
    """Return a column of text.

    Notes
    -----
    Columns are laid out here and handed over: `pyarrow.array` imports pandas to see whether it was given something of
    its, which takes longer than to measure a region.
    """
    import pyarrow as pa

    encoded = [v.encode() for v in values]
    ends = np.cumsum([0, *(len(v) for v in encoded)])
    if ends[-1] > _MOST_TEXT:
        return pa.array(values, pa.string())
    held = (pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(encoded)))
    return pa.Array.from_buffers(pa.string(), len(encoded), [None, *held])


def number_column(values: "Sequence[float]") -> "pyarrow.Array":
    """Return a column of numbers, float64, null where they are NaN; see `text_column`."""
    import pyarrow as pa

    held = np.array(values, dtype=np.float64)
    there = ~np.isnan(held)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    return pa.Array.from_buffers(pa.float64(), len(held), [valid, pa.py_buffer(held)])


def whole_column(values: "Sequence[int]") -> "pyarrow.Array":
    """Return a column of whole numbers, int64; see `text_column`."""
    import pyarrow as pa

    held = np.array(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def parquet_bytes(table: "pyarrow.Table") -> bytes:
    """Return a table as a Parquet file; the same bytes for the same table."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def csv_bytes(table: "pyarrow.Table") -> bytes:
    """Return a table as CSV; empty where there is no value, numbers so that they read back exactly."""
    import pyarrow.csv as pc

    sink = io.BytesIO()
    pc.write_csv(_told(table), sink)
    return sink.getvalue()


def rows_csv(kind: "type[BaseModel]", rows: "Sequence[BaseModel]") -> str:
    """Return models as CSV with a head, one column for each field; empty where there is no value.

    Notes
    -----
    No text is written so that a spreadsheet takes it for a formula: labels and meanings come from files of others.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(kind.model_fields)
    for row in rows:
        values = ("" if v is None else v for v in row.model_dump().values())
        writer.writerow([_plain(v) if isinstance(v, str) else v for v in values])
    return out.getvalue()


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in _FORMULA else text


def _told(table: "pyarrow.Table") -> "pyarrow.Table":
    """Return a table whose text no spreadsheet takes for a formula: names come from files of others."""
    import pyarrow as pa

    for n, name in enumerate(table.column_names):
        if table.schema.field(n).type == pa.string():
            table = table.set_column(n, name, text_column([_plain(v) for v in table[name].to_pylist()]))
    return table
