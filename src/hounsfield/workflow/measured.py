"""What a measurement gives: a row for each region, the processing that gave it, and both as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from hounsfield.bundle.atomic import write_bytes, write_json, write_text
from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import InputError
from hounsfield.science.radiomics.settings import Settings
from hounsfield.workflow.feature_tables import (
    beside,
    csv_bytes,
    number_column,
    parquet_bytes,
    reasons_text,
    rows_csv,
    text_column,
    whole_column,
)

if TYPE_CHECKING:
    import pyarrow

_KEY = b"hounsfield"
COLUMNS = ("case", "mask", "label", "part", "voxels", "notes", "missing")
"""Columns that say what a row is; all others are features, by their tags."""


@dataclass(frozen=True)
class Row:
    """One region.

    Parameters
    ----------
    case, mask : str
        Which image, and which of its masks; ``""`` where it has one.
    label, part : int
        Which label of the mask, and which connected part of it; 0 is the whole.
    values : mapping of str to float
        By tag; NaN where there is none.
    missing : mapping of str to str
        By tag: why there is none.
    voxels : int
        Of the region on the grid on which it is measured.
    notes : tuple of str
    """

    case: str
    mask: str
    label: int
    part: int
    values: Mapping[str, float] = field(repr=False)
    missing: Mapping[str, str] = field(default_factory=dict, repr=False)
    voxels: int = 0
    notes: tuple[str, ...] = ()


class Source(BaseModel):
    """What one case was when it was measured.

    Attributes
    ----------
    case : str
    image, masks : str
        Digest of the voxels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str
    image: str
    masks: tuple[str, ...]


class Record(BaseModel):
    """The whole processing of a measurement, enough to repeat it.

    Attributes
    ----------
    schema_version : int
    hounsfield, numpy, scipy, numba : str
        Versions that computed it.
    images, masks : str
        Where they lay, relative to the table.
    parts : bool
        Whether connected parts were regions of their own.
    settings : Settings
    sources : tuple of Source
    apart : tuple of SetAside
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    numpy: str
    scipy: str
    numba: str
    images: str
    masks: str
    parts: bool
    settings: Settings
    sources: tuple[Source, ...] = ()
    apart: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Rows, and how they came about.

    Parameters
    ----------
    rows : tuple of Row
        By case, mask, label and part.
    record : Record
    changed : tuple of str
        Of a repeated measurement: what differs from the one repeated; empty where nothing does.
    """

    rows: tuple[Row, ...] = field(repr=False)
    record: Record = field(repr=False)
    changed: tuple[str, ...] = ()

    @property
    def apart(self) -> tuple[SetAside, ...]:
        """Cases, masks and regions that were set aside, with the reason."""
        return self.record.apart

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of all columns of features."""
        found: dict[str, None] = {}
        for row in self.rows:
            found.update(dict.fromkeys(row.values))
        return tuple(found)

    def table(self) -> "pyarrow.Table":
        """Return the rows as an Arrow table: `COLUMNS`, then one column for each tag, null where there is no value."""
        import pyarrow as pa

        columns: dict[str, pa.Array] = {
            "case": text_column([r.case for r in self.rows]),
            "mask": text_column([r.mask for r in self.rows]),
            "label": whole_column([r.label for r in self.rows]),
            "part": whole_column([r.part for r in self.rows]),
            "voxels": whole_column([r.voxels for r in self.rows]),
            "notes": text_column(["; ".join(r.notes) for r in self.rows]),
            "missing": text_column([reasons_text(r.missing) for r in self.rows]),
        }
        for tag in self.tags:
            columns[tag] = number_column([r.values.get(tag, np.nan) for r in self.rows])
        metadata = {_KEY: self.record.model_dump_json().encode()}
        return pa.table(columns).replace_schema_metadata(metadata)

    def parquet(self) -> bytes:
        """Return the table as a Parquet file with the record in it; the same bytes for the same measurement."""
        return parquet_bytes(self.table())

    def csv(self) -> bytes:
        """Return the table as CSV; empty where there is no value, numbers so that they read back exactly."""
        return csv_bytes(self.table())


def write(measured: Measured, out: Path) -> None:
    """Write a measurement: Parquet, and beside it CSV, the record, and what was set aside where something was.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    table, record, apart = beside(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(out, measured.parquet())
    write_bytes(table, measured.csv())
    write_json(record, measured.record)
    if measured.apart:
        write_text(apart, rows_csv(SetAside, measured.apart))
    else:
        apart.unlink(missing_ok=True)


def read_record(path: Path) -> Record:
    """Return the record of a measurement that was written.

    Raises
    ------
    InputError
        If the file is none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.read_schema(path).metadata or {}
        return Record.model_validate_json(held[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, ValidationError) as error:
        raise InputError(
            f"{path.name} holds no record of a measurement of this version.",
            expected="a Parquet file that `hu measure` wrote",
            next_step="measure again with --settings",
        ) from error


def differences(old: bytes, new: bytes) -> tuple[str, ...]:
    """Say what differs between two Parquet files of measurements; empty where their bytes are the same.

    Parameters
    ----------
    old, new : bytes
    """
    if old == new:
        return ()
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, second = (pq.read_table(pa.BufferReader(b)) for b in (old, new))
    before, after = (Record.model_validate_json(t.schema.metadata[_KEY]) for t in (first, second))
    found = []
    for name in ("hounsfield", "numpy", "scipy", "numba"):
        if getattr(before, name) != getattr(after, name):
            found.append(f"computed with {name} {getattr(before, name)}, now {getattr(after, name)}")
    found += _sources(before.sources, after.sources)
    if first.num_rows != second.num_rows:
        found.append(f"{first.num_rows} rows, now {second.num_rows}")
    else:
        names = [n for n in first.column_names if n in second.column_names and not first[n].equals(second[n])]
        if names:
            found.append(f"{len(names)} columns differ: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}")
    return tuple(found) or ("the files differ in their bytes, not in a value",)


def _sources(before: Sequence[Source], after: Sequence[Source]) -> list[str]:
    old, new = {s.case: s for s in before}, {s.case: s for s in after}
    changed = sum(1 for case, s in old.items() if case in new and new[case] != s)
    gone, come = len(old.keys() - new.keys()), len(new.keys() - old.keys())
    parts = ((changed, "cases have other voxels"), (gone, "cases are gone"), (come, "cases are new"))
    return [f"{n} {words}" for n, words in parts if n]
