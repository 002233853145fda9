"""What is known of rows over the training part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.fingerprint import ColumnFacts, RowFacts
from hounsfield.core.image import Header
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.types import Float64Array

FEWEST_OF_LEVEL = 2
"""Rows that a level needs to be one of its own: a level of one patient would name that patient."""
MOST_LEVELS = 30


@dataclass(frozen=True, slots=True)
class RowLook:
    """One row as it is, what its variables are, and whether it tells of a place in a record."""

    kind: ClassVar[str] = "row"
    row: Row
    columns: tuple[RowColumn, ...]
    anchored: bool = False


class Rows:
    """Looks at rows."""

    def look(self, content: Row, header: Header, *, spec: InputSpec, ref: Ref) -> RowLook:
        """Keep the row: it is as small as any summary of it."""
        del header
        return RowLook(content, spec.columns, any(key == "anchor" for key, _ in ref.part))

    def facts(self, name: str, looks: Sequence[RowLook]) -> RowFacts:
        """Aggregate the looks at one input."""
        del name
        columns = looks[0].columns or tuple(RowColumn(name=n) for n in looks[0].row.names)
        values = np.stack([v.row.values for v in looks])
        return RowFacts(
            columns={c.name: _column(c, values[:, at]) for at, c in enumerate(columns)},
            anchored=all(v.anchored for v in looks),
        )


def _column(column: RowColumn, values: Float64Array) -> ColumnFacts:
    known = values[np.isfinite(values)]
    if column.kind == "numeric":
        said = {"unit": column.unit, "covariate": column.covariate}
        return _number(known, len(values)).model_copy(update=said)
    counts = Counter(int(v) for v in known)
    kept = [c for c, n in counts.most_common(MOST_LEVELS) if n >= FEWEST_OF_LEVEL and 0 <= c < len(column.levels)]
    return ColumnFacts(
        kind=column.kind,
        levels=tuple(column.levels[c] for c in (sorted(kept) if column.kind == "ordinal" else kept)),
        missing_share=round(1.0 - len(known) / len(values), 6),
        distinct=len(counts),
        covariate=column.covariate,
    )


def _number(values: Float64Array, rows: int) -> ColumnFacts:
    if not len(values):
        return ColumnFacts(missing_share=1.0)
    low, first, median, third, high = np.percentile(values, (0.5, 25, 50, 75, 99.5))
    mean, std = float(values.mean()), float(values.std())
    skewness = float((((values - mean) / std) ** 3).mean()) if std > 0 else 0.0
    numbers = (mean, std, median, (third - first) or std, low, high, skewness)
    mean, std, median, spread, low, high, skewness = (float(f"{float(n):.6g}") for n in numbers)
    return ColumnFacts(
        missing_share=round(1.0 - len(values) / rows, 6),
        distinct=len(np.unique(values)),
        mean=mean,
        std=std,
        median=median,
        spread=spread,
        low=low,
        high=high,
        skewness=skewness,
    )


ROWS = Rows()
