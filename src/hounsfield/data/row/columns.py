"""Rows of a table (CSV, TSV, Excel, Parquet): numbers as they are, texts as places in lists of levels."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import CohortError, ReadError, case_id
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.types import Float64Array
from hounsfield.data.answers import fold
from hounsfield.data.files import inside
from hounsfield.data.table import Column, Sheet, parse_number, read_table


class ColumnsReader:
    """Reads row ``row`` (from 0) of a table; part ``table`` names the input whose variables are wanted.

    Parts ``beside`` and ``beside_row`` name another table and a row of it, which say where the row was recorded where
    the table itself does not.
    """

    def read(self, cohort: Cohort, ref: Ref) -> Row:
        """Return the row; a cell that is no number, or a text that is no level, is missing."""
        columns = columns_of_input(cohort, ref)
        values = _row(cohort, ref, "row")
        if "beside" in dict(ref.part):
            other = _row(cohort, replace(ref, path=str(dict(ref.part)["beside"])), "beside_row")
            places = np.array([c.kind == "place" for c in columns])
            values = np.where(places & np.isnan(values), other, values)
        return Row(tuple(c.name for c in columns), values)


def _row(cohort: Cohort, ref: Ref, part: str) -> Float64Array:
    values, row = matrix(cohort, ref), _number(ref, part)
    if not 0 <= row < len(values):
        raise _fault(ref, f"row {row} was asked of a table of {len(values)}.", "a row of the table")
    found: Float64Array = values[row].copy()
    return found


def columns_of_input(cohort: Cohort, ref: Ref) -> tuple[RowColumn, ...]:
    """Return the variables of the input that a ref belongs to.

    Raises
    ------
    ReadError
        If the cohort has no such input.
    """
    name = str(dict(ref.part).get("table", ""))
    found = next((s for s in cohort.schema.inputs if s.name == name), None)
    if found is None or not found.columns:
        raise _fault(ref, "the ref does not say which variables are meant.", "a part table=... that names an input")
    return found.columns


def matrix(cohort: Cohort, ref: Ref) -> Float64Array:
    """Return the variables of all rows of the table that a ref means, ``n c``, NaN where missing."""
    path = inside(Path(cohort.root), ref.path)
    try:
        stat = path.stat()
    except OSError as error:
        raise _fault(ref, f"the table cannot be opened ({error.strerror}).", "a readable file") from error
    return _loaded(path, columns_of_input(cohort, ref), (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=32)
def _loaded(path: Path, columns: tuple[RowColumn, ...], _stamp: tuple[int, int]) -> Float64Array:
    try:
        sheet = read_table(path, "of the rows")
    except CohortError as error:
        raise ReadError(error.found, expected=error.expected, next_step=error.next_step) from error
    return coded(sheet, columns)


def coded(sheet: Sheet, columns: Sequence[RowColumn]) -> Float64Array:
    """Return some columns of a table as numbers, ``n c`` float64; a column that the table lacks is missing.

    Parameters
    ----------
    sheet : Sheet
    columns : sequence of RowColumn
    """
    values = np.full((sheet.rows, len(columns)), np.nan)
    for i, column in enumerate(columns):
        if column.name in sheet.columns:
            values[:, i] = _column(sheet.columns[column.name], column)
    return values


def _column(cells: Column, column: RowColumn) -> list[float]:
    if column.kind == "numeric":
        return [np.nan if (n := parse_number(c)) is None else n for c in cells]
    place = {fold(level): float(i) for i, level in enumerate(column.levels)}
    return [np.nan if c is None else place.get(fold(c), np.nan) for c in cells]


def _number(ref: Ref, name: str) -> int:
    try:
        return int(dict(ref.part)[name])
    except (KeyError, ValueError):
        raise _fault(ref, f"the ref does not say which {name}.", f"a part {name}=...") from None


def _fault(ref: Ref, why: str, expected: str) -> ReadError:
    return ReadError(f"Case {case_id(ref.path)}: {why}", expected=expected, next_step="correct the cohort")
