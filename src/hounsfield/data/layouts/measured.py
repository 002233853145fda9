"""Tables that `hu measure` wrote, joined to the answers of their cases: one row input for each table and label."""

from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.core.cohort import InputSpec, Part, Ref
from hounsfield.core.errors import CohortError
from hounsfield.core.row import RowColumn
from hounsfield.data.files import plain_key, stem
from hounsfield.data.layouts.manifest import MEASURED, is_measured
from hounsfield.data.row_columns import with_site
from hounsfield.data.table import Column, Sheet, parse_number

FEATURES = "features"
MISSING = "no measured features"
_NOT_FEATURES = frozenset({*MEASURED, "notes", "missing"})
_BESIDE = ("_apart", "_stability")
Place = tuple[str, int]
"""A table and a row of it."""


def measured_tables(sheets: Sequence[Sheet]) -> tuple[Sheet, ...]:
    """Return the tables of measured features, each once: ``features.csv`` beside ``features.parquet`` is the same."""
    found = {s.name: s for s in sheets if is_measured(s.columns)}
    return tuple(s for name, s in found.items() if not _has_twin(name, found))


def _has_twin(name: str, names: dict[str, Sheet]) -> bool:
    return name.endswith(".csv") and f"{name.removesuffix('.csv')}.parquet" in names


def is_of_measuring(sheet: Sheet, sheets: Sequence[Sheet]) -> bool:
    """Tell whether a table was written by ``hu measure``: features, or what lies beside a table of them."""
    stems = {s.name.rpartition(".")[0] for s in sheets if is_measured(s.columns)}
    name = sheet.name.rpartition(".")[0]
    return is_measured(sheet.columns) or any(name == f"{s}{end}" for s in stems for end in _BESIDE)


@dataclass(frozen=True)
class Features:
    """Measured features of the cases that a table of answers names.

    Parameters
    ----------
    specs : tuple of InputSpec
        One for each table and label: ``features``, with the table's name where there are several tables, with the
        label where a table has several.
    tables : tuple of _Table
    beside : tuple of (str, int), or empty
        Where each row of the table of answers is read from, where it says a place that features are harmonised between.
    notes : tuple of str
    """

    specs: tuple[InputSpec, ...] = ()
    tables: tuple["_Table", ...] = ()
    beside: tuple[Place, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        measured: Sequence[Sheet],
        answers: Sheet,
        places: Sequence[Place],
        *,
        parts: Sequence[Part | None],
        site: RowColumn | None,
    ) -> "Features":
        """Join tables of features to a table of answers.

        Parameters
        ----------
        measured : sequence of Sheet
            Of features.
        answers : Sheet
        places : sequence of (str, int)
            File and row of each row of the answers; empty where they lie outside the folder.
        parts : sequence of str or None
            Official part of each row of the answers: what is constant outside the test part is no feature.
        site : RowColumn or None
            Column of the answers between whose places features can be harmonised.

        Raises
        ------
        CohortError
            If no column of the answers names the cases.
        """
        found = [_Table.of(sheet, answers, parts) for sheet in measured]
        named = [(t, label, t.columns[label]) for t in found for label in t.labels]
        whole = len(places) == answers.rows and site is not None
        specs = []
        for table, label, columns in named:
            words = [
                FEATURES,
                *([stem(table.name)] if len(found) > 1 else []),
                *([label] if len(table.labels) > 1 else []),
            ]
            own = with_site(columns, site if whole else None)
            specs.append(InputSpec(name=" ".join(words), kind="row", ndim=0, columns=own))
        notes = tuple(n for t in found for n in t.notes)
        return cls(tuple(specs), tuple(found), tuple(places) if whole else (), notes)

    def refs(self, row: int) -> dict[str, Ref] | str:
        """Return the refs of one row of the table of answers, or why it has none: not all was measured of its case."""
        found: dict[str, Ref] = {}
        specs = iter(self.specs)
        for table in self.tables:
            for label in table.labels:
                spec, at = next(specs), table.places.get((table.keys[row] or "", label))
                if at is None:
                    return MISSING if len(self.tables) == 1 else f"{MISSING} in {table.name}"
                part: tuple[tuple[str, str | int], ...] = (("table", spec.name), ("row", at))
                if self.beside and any(c.kind == "place" for c in spec.columns):
                    other, there = self.beside[row]
                    part = (*part, ("beside", other), ("beside_row", there))
                found[spec.name] = Ref("columns", table.name, part)
        return found


@dataclass(frozen=True)
class _Table:
    """One table of features: of each label its columns, and where each case's largest region stands."""

    name: str
    labels: tuple[str, ...]
    columns: dict[str, tuple[RowColumn, ...]]
    places: dict[tuple[str, str], int]
    keys: tuple[str | None, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, measured: Sheet, answers: Sheet, parts: Sequence[Part | None]) -> "_Table":
        keys, column = _case_keys(measured, answers)
        notes: list[str] = [f"Features of {measured.name} are joined by column {column!r}."]
        labels = tuple(dict.fromkeys(v or "" for v in measured.columns["label"]))
        places: dict[tuple[str, str], int] = {}
        again = 0
        for i, (case, label) in enumerate(zip(measured.columns["case"], measured.columns["label"], strict=True)):
            key = (plain_key(stem(case or "")), label or "")
            if key in places:
                again += 1
                if _voxels(measured, i) <= _voxels(measured, places[key]):
                    continue
            places[key] = i
        if again:
            notes.append(f"{again} rows are further regions of the same label of a case: the largest region counts.")
        training = {k for k, p in zip(keys, parts, strict=True) if p != "test"}
        columns = {}
        for label in labels:
            rows = [i for (case, own), i in places.items() if own == label and case in training]
            able = (c for c, cells in measured.columns.items() if _is_feature(c, cells, rows))
            columns[label] = tuple(RowColumn(name=c) for c in able)
        return cls(measured.name, labels, columns, places, keys, tuple(notes))


def _voxels(measured: Sheet, row: int) -> float:
    return parse_number(measured.columns["voxels"][row]) or 0.0


def _is_feature(name: str, cells: Column, rows: Sequence[int]) -> bool:
    if name in _NOT_FEATURES:
        return False
    return len({cells[i] for i in rows if parse_number(cells[i]) is not None}) > 1


def _case_keys(measured: Sheet, sheet: Sheet) -> tuple[tuple[str | None, ...], str]:
    cases = {plain_key(stem(c)) for c in measured.columns["case"] if c is not None}
    best: tuple[int, str] = (0, "")
    for name, cells in sheet.columns.items():
        hits = len({plain_key(stem(c)) for c in cells if c is not None} & cases)
        best = max(best, (hits, name))
    if best[0] < 0.5 * len(cases):
        raise CohortError(
            f"No column of {sheet.name!r} names the cases of {measured.name!r}.",
            expected="a column with the names of the cases, as the column 'case' has them",
            next_step="add it to the table of answers",
        )
    return tuple(plain_key(stem(c)) if c is not None else None for c in sheet.columns[best[1]]), best[1]
