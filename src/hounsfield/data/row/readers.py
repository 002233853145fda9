"""The table of readers of rows, beside those of images and signals."""

from typing import cast

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.tables import Table
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.row.protocol import AnchoredRowReader, RowReader

ROW_READERS = Table(
    "row reader",
    {
        "columns": "hounsfield.data.row.columns:ColumnsReader",
        "wfdb-form": "hounsfield.data.row.form:WfdbFormReader",
        "wfdb-rhythm": "hounsfield.data.row.rhythm:WfdbRhythmReader",
    },
)
"""Name to reader class; a reader is built without arguments."""


def row_reader(name: str) -> RowReader:
    """Return the reader called `name`.

    Raises
    ------
    ReadError
        If rows of this kind have no reader in this version.
    """
    if name not in ROW_READERS:
        raise ReadError(
            f"There is no reader for {name} rows in this version.",
            expected="one of " + ", ".join(ROW_READERS.names()),
            next_step="write them as a CSV or Parquet table",
        )
    return cast("type[RowReader]", ROW_READERS.resolve(name))()


def read_row(cohort: Cohort, ref: Ref) -> Row:
    """Return the row that a ref means.

    Parameters
    ----------
    cohort : Cohort
        Where the ref belongs: its root, and the variables of its inputs.
    ref : Ref

    Raises
    ------
    ReadError
        If it cannot be read; the message says why.
    """
    return row_reader(ref.reader).read(cohort, ref)


def read_rows(cohort: Cohort, ref: Ref, anchors: IntArray) -> Float64Array | None:
    """Return the values of the rows at many anchors, ``n c`` float64; None where the reader knows no anchors.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        Without an anchor.
    anchors : numpy.ndarray
        ``n``, int64, in any order.

    Raises
    ------
    ReadError
        If any cannot be read.
    """
    reader = row_reader(ref.reader)
    return reader.rows(cohort, ref, anchors) if isinstance(reader, AnchoredRowReader) else None


def read_around(cohort: Cohort, ref: Ref, anchors: IntArray, beats: int) -> Float64Array:
    """Return the rows of the beats around anchors, ``n s c`` float64, as `AnchoredRowReader.around` says.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        Without an anchor.
    anchors : numpy.ndarray
        ``n``, int64, in any order.
    beats : int
        On either side.

    Raises
    ------
    ReadError
        If any cannot be read, or rows of this kind have no neighbours.
    """
    reader = row_reader(ref.reader)
    if not isinstance(reader, AnchoredRowReader):
        raise ReadError(
            "A row alone was given, and the model looks at the beats around each beat.",
            expected="beats of a record, as in training",
            next_step="give the records themselves",
        )
    return reader.around(cohort, ref, anchors, beats)


def own_columns(name: str) -> tuple[RowColumn, ...]:
    """Return the variables of a reader whose rows are always the same ones; of another one nothing."""
    known = getattr(ROW_READERS.resolve(name), "columns", ()) if name in ROW_READERS else ()
    return cast("tuple[RowColumn, ...]", known)
