"""A table without files: each row is a sample, its columns are variables; or measured features and their answers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import (
    Cohort,
    InputSpec,
    Listing,
    Part,
    Reading,
    Ref,
    Roles,
    Sample,
    Schema,
    SetAside,
    TargetSpec,
)
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.row import RowColumn
from hounsfield.data.answers import Answers
from hounsfield.data.file_columns import file_columns
from hounsfield.data.files import TABLE_ENDINGS, Files, ending, list_files, stem
from hounsfield.data.inputs import Told
from hounsfield.data.layouts.columns import series_tables, why_no_series
from hounsfield.data.layouts.manifest import is_measured, joined_parts, named_table, read_tables, tables_in
from hounsfield.data.layouts.measured import Features, is_of_measuring, measured_tables
from hounsfield.data.roles import Understood, infer_roles
from hounsfield.data.row_columns import variables, with_roles, with_site
from hounsfield.data.rows import kept_for_subgroups, parts_of_rows, unique_ids, values_of
from hounsfield.data.signal.event_heads import is_event_table, table_heads
from hounsfield.data.table import Column, Sheet, parse_number, read_table
from hounsfield.data.target_columns import target_columns
from hounsfield.data.words import group_strength, is_id, target_strength

INPUT = "variables"
FIRST_ROWS = 200
_SIGNALS = (".hea", ".edf", ".bdf")


class TableLayout:
    """A table, or a folder of nothing but tables."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .96 for a table whose columns name no file, .7 for a folder of tables and no images or signals."""
        try:
            if root.is_file():
                if ending(root.name) not in TABLE_ENDINGS or is_event_table(root):
                    return 0.0
                if is_measured(table_heads(root)):
                    return 0.96
                return 0.0 if _names_files(read_table(root, root.name), list_files(root.parent)) else 0.96
            if not root.is_dir():
                return 0.0
            files = list_files(root)
            if not files.tables or files.images or any(p.lower().endswith(_SIGNALS) for p in files.paths):
                return 0.0
            if any(is_event_table(files.root / p) for p in files.tables) or series_tables(files):
                return 0.0
            sheets, _ = tables_in(files)
            named = any(_names_files(s, files) for s in sheets if not is_measured(s.columns))
            return 0.7 if sheets and not named else 0.0
        except HounsfieldError:
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort."""
        return table_cohort(root, roles)


def _names_files(sheet: Sheet, files: Files) -> bool:
    """Tell by its first rows whether a table has a column of files."""
    return bool(file_columns(sheet.take(range(min(sheet.rows, FIRST_ROWS))), files))


def table_cohort(
    root: Path,
    roles: Roles,
    *,
    manifest: str | None = None,
    corrections: Mapping[str, str] | None = None,
    declared: Sequence[TargetSpec] = (),
) -> Cohort:
    """Return the cohort of a table whose rows are samples.

    Parameters
    ----------
    root : pathlib.Path
        The table, or its folder.
    roles : Roles
    manifest : str, optional
        Name of the table in the folder.
    corrections : mapping of str to str, optional
        Column to role.
    declared : sequence of TargetSpec, optional

    Raises
    ------
    CohortError
        If it cannot be understood, several tables could be meant, or no variable is left.
    """
    folder = root if root.is_dir() else root.parent
    files = list_files(folder)
    if root.is_dir():
        sheets, faults = read_tables(files)
    else:
        sheets, faults = [read_table(root, root.name)], []
    single = {s.name: s for s in sheets}
    measured = measured_tables(sheets)
    others = joined_parts([s for s in sheets if not is_of_measuring(s, sheets)])
    named = roles.labels or (manifest if root.is_dir() else None)
    if named is not None:
        others = [named_table(files.root, named, others)]
    if not others:
        raise CohortError(
            "The measured features have no answers beside them." if measured else _no_table(faults),
            expected="a table with a row for each case: its name and the answer",
            next_step="name it with --labels",
        )
    sheet = _one(others) if len(others) > 1 else others[0]
    rows = _Rows.of(sheet, files, roles, corrections or {})
    names = [sheet.name] if sheet.name in single else [n for n in sheet.name.split(" + ") if n in single]
    places = [(n, i) for n in names for i in range(single[n].rows)]
    if len(places) != sheet.rows:
        rows = rows.without_variables(sheet.name)
    return _Builder(rows, files, roles, declared, measured, tuple(places)).cohort()


def _no_table(faults: Sequence[str]) -> str:
    return faults[0] if faults else "There is no table."


def _one(sheets: Sequence[Sheet]) -> Sheet:
    able = [s for s in sheets if any(target_strength(c) >= 2.0 for c in s.columns)]
    if len(able) == 1:
        return able[0]
    names = sorted(s.name for s in able or sheets)
    raise CohortError(
        f"The folder holds {len(names)} tables that could be meant: {', '.join(names[:10])}.",
        expected="one",
        next_step=f"name one of them: --labels {names[0]}",
    )


@dataclass(frozen=True)
class _Rows:
    """An understood table and its variables."""

    understood: Understood
    columns: tuple[RowColumn, ...]
    parts: list[Part | None]
    told: Told
    site: RowColumn | None = None

    @classmethod
    def of(cls, sheet: Sheet, files: Files, roles: Roles, corrections: Mapping[str, str]) -> "_Rows":
        asked = replace(roles, labels=None, group=roles.group or _repeated_id(sheet, roles, corrections))
        found = infer_roles(sheet, files, asked, corrections=corrections, subject="rows")
        told = Told(list(found.notes), list(found.unsure))
        parts = parts_of_rows(found, told)
        chosen = variables(found, outside_test(parts))
        told.notes += chosen.notes
        told.unsure += chosen.unsure
        return cls(with_roles(found, chosen), chosen.columns, parts, told, chosen.site)

    def without_variables(self, name: str) -> "_Rows":
        """Return the answers alone of a table that lies outside the folder, where nothing else is read from it."""
        told = Told(
            [*self.told.notes, f"{name} lies outside the folder: its columns are answers only."], self.told.unsure
        )
        return _Rows(self.understood, (), self.parts, told)


def outside_test(parts: Sequence[Part | None]) -> list[int]:
    """Return the rows that conclusions may be drawn from: those outside an official test part."""
    return [i for i, p in enumerate(parts) if p != "test"] or list(range(len(parts)))


def _repeated_id(sheet: Sheet, roles: Roles, corrections: Mapping[str, str]) -> str | None:
    """Return the column of an identifier that comes again in other rows: several rows are of one patient."""
    if "patient" in corrections.values() or any(group_strength(c) == 2 for c in sheet.columns):
        return None
    for name, cells in sheet.columns.items():
        present = [c for c in cells if c is not None]
        words = (*roles.target, *corrections)
        if name not in words and is_id(name) and len(present) == len(cells):
            different = len(set(present))
            if 2 < different < 0.9 * len(present) and different > len(present) // 50:
                return name
    return None


@dataclass(frozen=True)
class _Builder:
    rows: _Rows
    files: Files
    roles: Roles
    declared: Sequence[TargetSpec]
    measured: tuple[Sheet, ...]
    places: tuple[tuple[str, int], ...]

    def cohort(self) -> Cohort:
        understood, told = self.rows.understood, self.rows.told
        sheet = understood.sheet
        known = [p != "test" for p in self.rows.parts]
        nothing: Column = (None,) * sheet.rows
        answers = target_columns(understood, nothing, self.roles, declared=self.declared, known=known, told=told)
        features = Features.of(self.measured, sheet, self.places, parts=self.rows.parts, site=self.rows.site)
        specs = list(features.specs)
        if self.rows.columns:
            columns = with_site(self.rows.columns, self.rows.site)
            specs.append(InputSpec(name=INPUT, kind="row", ndim=0, columns=columns))
        series = why_no_series(self.files, sheet)
        if series is not None and specs:
            told.unsure.append(series)
        elif series is not None:
            raise CohortError(
                series,
                expected="a line of heads, a column of times (time_s) and a column for each lead in each table",
                next_step="write the heads into the first line of each, such as time_s,ECG (mV)",
            )
        if not specs:
            raise CohortError(
                f"No column of {sheet.name!r} is left to look at.",
                expected="columns of numbers or categories beside the answer",
                next_step="correct the roles in cohort.yaml: columns: {NAME: input}",
            )
        samples, aside = self._samples(answers, features)
        if not samples:
            raise CohortError(
                f"None of the {sheet.rows} rows of {sheet.name!r} can be used"
                + (f": {Counter(a.reason for a in aside).most_common(1)[0][0]}." if aside else "."),
                expected="rows with an answer",
                next_step="correct the table, or name the answer with --target",
            )
        told.notes += [f"{n} rows are set aside: {r}." for r, n in Counter(a.reason for a in aside).most_common()]
        told.notes += [*features.notes, *self._of_site(specs)]
        schema = Schema(
            targets=tuple(a.spec for a in answers),
            inputs=tuple(specs),
            layout="table",
            official_parts=tuple(p for p in ("train", "val", "test") if any(s.part == p for s in samples)),
            patients_known=understood.column("patient") is not None,
            columns=understood.roles,
            notes=tuple(told.notes),
            unsure=tuple(told.unsure),
        )
        listing = variables_listing(self.rows.columns, sheet)
        return Cohort(
            stem(sheet.name),
            str(self.files.root),
            tuple(samples),
            schema,
            tuple(aside),
            listings=(listing,) if listing else (),
        )

    def _of_site(self, specs: Sequence[InputSpec]) -> list[str]:
        """Say what the place is, and where a person named one that is of no use."""
        site = self.rows.site
        named = self.rows.understood.column("site")
        if any(c.kind == "place" for s in specs for c in s.columns) and site is not None:
            return [
                f"Column {site.name!r} says where rows were recorded: what its {len(site.levels)} places add to "
                "measured features can be taken away (ComBat); nothing is learned from the place itself."
            ]
        return [f"Column {named!r} is said to be the site: too few measured numbers or rows of it."] if named else []

    def _samples(self, answers: Sequence[Answers], features: Features) -> tuple[list[Sample], list[SetAside]]:
        understood = self.rows.understood
        sheet = understood.sheet
        ids = self._ids()
        attributes = {c: values_of(sheet.columns[c]) for c in kept_for_subgroups(understood)}
        patient, time = understood.column("patient"), understood.column("time")
        samples: list[Sample] = []
        aside: list[SetAside] = []
        for i, name in enumerate(ids):
            values = tuple(a.values[i] for a in answers)
            if answers and all(v is None for v in values):
                aside.append(SetAside(sample=name, reason="no answer"))
                continue
            days = (parse_number(sheet.columns[time][i]) or 0.0) if time is not None else 0.0
            inputs: dict[str, tuple[Reading, ...]] = {}
            found = features.refs(i)
            if isinstance(found, str):
                aside.append(SetAside(sample=name, reason=found))
                continue
            inputs.update({k: (Reading(r, days),) for k, r in found.items()})
            if self.rows.columns:
                table, row = self.places[i]
                inputs[INPUT] = (Reading(Ref("columns", table, (("table", INPUT), ("row", row))), days),)
            samples.append(
                Sample(
                    id=name,
                    patient=(sheet.columns[patient][i] or name) if patient is not None else name,
                    inputs=inputs,
                    targets={a.spec.name: v for a, v in zip(answers, values, strict=True)},
                    part=self.rows.parts[i],
                    attributes={c: v[i] for c, v in attributes.items()},
                    time_days=days,
                )
            )
        return samples, aside

    def _ids(self) -> list[str]:
        sheet = self.rows.understood.sheet
        column = self.rows.understood.column("id")
        cells: Column = sheet.columns[column] if column is not None else (None,) * sheet.rows
        return unique_ids([c or f"row {i + 2}" for i, c in enumerate(cells)])


def variables_listing(columns: Sequence[RowColumn], sheet: Sheet) -> Listing | None:
    """Return a table of the variables of an input: kind, range or levels, how many cells are missing."""
    rows: list[tuple[str, ...]] = []
    for column in columns:
        cells = sheet.columns[column.name]
        numbers = [n for c in cells if (n := parse_number(c)) is not None]
        if column.kind == "numeric":
            missing = len(cells) - len(numbers)
            shown = f"{min(numbers):g} to {max(numbers):g}" if numbers else ""
        else:
            missing = sum(c is None for c in cells)
            shown = (" < " if column.kind == "ordinal" else ", ").join(column.levels)
        share = f"{missing / max(1, len(cells)):.0%}" if missing else "0"
        rows.append((column.name, column.kind, shown[:60], share))
    return (
        Listing("Variables that are looked at", ("variable", "kind", "values", "missing"), tuple(rows))
        if rows
        else None
    )
