"""Reading rows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hounsfield.core.block import RowBlock
from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.image import Header
from hounsfield.core.kinds import AS_IT_IS, Wanted
from hounsfield.core.row import Row, RowColumn, aligned
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.kinds.signals import anchor_of, without_anchor
from hounsfield.data.row.readers import own_columns, read_around, read_row, read_rows


class Rows:
    """Rows, by the table of row readers."""

    def read(self, cohort: Cohort, ref: Ref, *, wanted: Wanted = AS_IT_IS) -> Row:
        """Return the row, its variables and levels as they are wanted."""
        row = read_row(cohort, ref)
        if wanted.beats:
            anchors = np.array([anchor_of(ref) or 0], np.int64)  # a reader without anchors refuses
            row = replace(row, around=read_around(cohort, without_anchor(ref), anchors, wanted.beats)[0])
        return aligned(row, columns_of(cohort, ref), wanted.columns) if wanted.columns else row

    def block(self, cohort: Cohort, ref: Ref, anchors: IntArray, *, wanted: Wanted = AS_IT_IS) -> RowBlock | None:
        """Return the rows of many anchors of one record, as `read` does each.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            Without an anchor.
        anchors : numpy.ndarray
            ``n``, int64, in any order.
        wanted : Wanted

        Returns
        -------
        RowBlock or None
            None where the reader has no anchors, or what is wanted are not numbers alone.

        Raises
        ------
        ReadError
            If any row cannot be read.
        """
        names, columns = tuple(c.name for c in columns_of(cohort, ref)), wanted.columns
        if any(c.kind != "numeric" for c in columns):
            return None
        values = read_rows(cohort, ref, anchors)
        if values is None or np.isinf(values).any():
            return None
        near = read_around(cohort, ref, anchors, wanted.beats) if wanted.beats else None
        if near is not None and np.isinf(near).any():
            return None
        if not columns:
            return RowBlock(names, values, near)
        wanted_names = tuple(c.name for c in columns)
        return RowBlock(
            wanted_names,
            _picked(values, names, wanted_names),
            None if near is None else _picked(near, names, wanted_names),
        )

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return how many variables there are."""
        count = len(columns_of(cohort, ref))
        path = Path(cohort.root) / ref.path
        return Header((count,), 1, 64, ref.reader.upper(), path.stat().st_size if path.is_file() else 0)

    def loose(self, paths: Sequence[str | Path], roles: Roles, wanted: Mapping[str, Wanted]) -> tuple[Cohort, ...]:
        """Return the rows of tables, see `hounsfield.data.loose_rows`."""
        from hounsfield.data.loose_rows import loose_rows

        del roles
        return loose_rows(paths, wanted)


def _picked(values: Float64Array, have: tuple[str, ...], want: tuple[str, ...]) -> Float64Array:
    """Return variables ``... c`` of rows ``... k``, NaN for one that they lack."""
    beside = np.concatenate([values, np.full((*values.shape[:-1], 1), np.nan)], axis=-1)
    found: Float64Array = beside[..., [have.index(name) if name in have else len(have) for name in want]]
    return found


def columns_of(cohort: Cohort, ref: Ref) -> tuple[RowColumn, ...]:
    """Return the variables of the input that a ref belongs to: its reader's own ones, else those of the input it names.

    A ref that names none means the one row input.
    """
    own = own_columns(ref.reader)
    if own:
        return own
    named = dict(ref.part).get("table")
    rows = [s for s in cohort.schema.inputs if s.kind == "row"]
    return next((s.columns for s in rows if s.name == named), rows[0].columns if rows else ())


ROWS = Rows()
