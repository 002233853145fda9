"""Rows: named clinical variables of one sample, any of which may be missing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import ReadError
from hounsfield.core.types import Float64Array

ColumnKind = Literal["numeric", "ordinal", "categorical", "place"]
"""What a variable is. A place says where a row was recorded: nothing is learned from it, but what it adds to measured
features can be taken away."""


class RowColumn(BaseModel):
    """One variable of a row input.

    Attributes
    ----------
    name : str
        Column of the table, or what a reader calls it.
    kind : str
        ``numeric``; ``ordinal``, ``categorical`` or ``place``, whose values are positions in `levels`.
    levels : tuple of str
        Texts of an ordinal variable (in order), a categorical one or a place; another text is missing.
    unit : str
        Where known.
    covariate : bool
        A person said that what it adds to measured features is to be kept when what places add is taken away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: ColumnKind = "numeric"
    levels: tuple[str, ...] = ()
    unit: str = ""
    covariate: bool = False


@dataclass(frozen=True)
class Row:
    """Named numbers.

    Parameters
    ----------
    names : tuple of str
        One for each value, none twice.
    values : numpy.ndarray
        ``c``, float64; NaN where missing. Of an ordinal or categorical variable the place of its level, from 0.
    around : numpy.ndarray or None
        ``s c``, float64, s odd: of a beat the rows of its neighbours in their order, its own in the middle; None where
        they were not asked for.

    Raises
    ------
    ReadError
        If the shapes contradict each other, a name is there twice or a value is infinite.
    """

    names: tuple[str, ...]
    values: Float64Array
    around: Float64Array | None = None

    def __post_init__(self) -> None:
        fault = ""
        near = self.around
        if self.values.shape != (len(self.names),) or self.values.dtype != np.float64:
            fault = f"A row of {len(self.names)} names has values of shape {self.values.shape}, {self.values.dtype}."
        elif len(set(self.names)) != len(self.names):
            fault = "Two variables of a row have the same name."
        elif np.isinf(self.values).any() or (near is not None and np.isinf(near).any()):
            fault = "A value of a row is infinite."
        elif near is not None and (near.ndim != 2 or near.shape[1] != len(self.names) or len(near) % 2 == 0):
            fault = f"A row of {len(self.names)} names has neighbours of shape {near.shape}."
        if fault:
            raise ReadError(
                fault,
                expected="one finite or missing number for each name",
                next_step="correct the row, or leave it out",
            )


def aligned(row: Row, have: Sequence[RowColumn], want: Sequence[RowColumn]) -> Row:
    """Return a row with the variables that another cohort's rows have, in their order and coded as theirs.

    Parameters
    ----------
    row : Row
        As `have` describes it.
    have, want : sequence of RowColumn
        The variables of the row's own cohort, and those that are wanted.

    Returns
    -------
    Row
        NaN for a variable that the row lacks and for a level that is not among the wanted ones; its neighbours alike.
    """
    if row.around is not None:
        rows = [aligned(Row(row.names, own), have, want).values for own in row.around]
        return replace(aligned(replace(row, around=None), have, want), around=np.stack(rows))
    own = {c.name: c for c in have}
    at = {name: i for i, name in enumerate(row.names)}
    values = np.full(len(want), np.nan)
    for i, column in enumerate(want):
        if column.name not in at:
            continue
        value = float(row.values[at[column.name]])
        levels = own[column.name].levels if column.name in own else column.levels
        if column.kind == "numeric" or np.isnan(value) or levels == column.levels:
            values[i] = value
        elif 0 <= int(value) < len(levels) and levels[int(value)] in column.levels:
            values[i] = column.levels.index(levels[int(value)])
    return Row(tuple(c.name for c in want), values)
