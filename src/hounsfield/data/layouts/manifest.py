"""A table of answers beside images; it beats folder names and must agree with them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError, unknown_name
from hounsfield.data.file_columns import FileColumn, file_columns
from hounsfield.data.files import TABLE_ENDINGS, Files, ending, list_files, looks_like_mask, reader_by_ending, stem
from hounsfield.data.roles import infer_roles
from hounsfield.data.rows import cohort_of_rows
from hounsfield.data.signal.event_heads import is_event_table, table_heads
from hounsfield.data.table import Sheet, parse_number, read_table
from hounsfield.data.words import part_of, tokens

_DEIDENTIFIED = frozenset({"case", "output", "outcome", "format", "reason", "removed"})
"""Columns of the list of a de-identified folder."""
_MOST_TABLES = 50
"""More tables than that without an image are no tables of answers: each would be read."""


MEASURED = ("case", "mask", "label", "part", "voxels")
"""Columns that a table of `hu measure` begins with: it names images, and answers nothing."""


def is_measured(heads: Iterable[str]) -> bool:
    """Tell by its heads whether a table holds measured features."""
    return set(MEASURED) <= set(heads)


class ManifestLayout:
    """One table that names images, wherever it lies in the folder."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .95 for a table itself, .9 where a table names at least half of the images, .6 for fewer.

        A list of DICOM files without an answer, as archives bring one, is .5: the files tell more than it.
        """
        try:
            if root.is_file():
                return 0.95 if ending(root.name) in TABLE_ENDINGS and not is_measured(table_heads(root)) else 0.0
            if not root.is_dir():
                return 0.0
            files = list_files(root)
            if not files.images and len(files.tables) > _MOST_TABLES:
                return 0.0
            if roles.labels is not None:
                return 0.95 if files.images else 0.6
            sheets, _ = tables_in(files)
            ranked = _ranked(sheets, files)
        except HounsfieldError:
            return 0.0
        if not ranked:
            return 0.0
        if not _asks(ranked[0][1], files, roles):
            return 0.5
        return 0.9 if ranked[0][0] >= 0.5 else 0.6

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort of the table that names the most images."""
        return manifest_cohort(root, roles)


def manifest_cohort(
    root: Path,
    roles: Roles,
    *,
    manifest: str | None = None,
    corrections: Mapping[str, str] | None = None,
    declared: Sequence[TargetSpec] = (),
    joined: Mapping[str, tuple[str, ...]] | None = None,
) -> Cohort:
    """Return the cohort of a table and the files beside it.

    Parameters
    ----------
    root : pathlib.Path
        The folder, or the table itself.
    roles : Roles
        What the user said.
    manifest : str, optional
        Name of the table relative to the folder; by default the one that names the most images.
    corrections : mapping of str to str, optional
        Column to role.
    declared : sequence of TargetSpec, optional
        Targets whose kind, classes or positive class were declared.
    joined : mapping of str to tuple of str, optional
        Name of a multi-label target to the columns of 0 and 1 that it consists of.

    Raises
    ------
    CohortError
        If the table cannot be understood.
    """
    named = roles.labels or manifest
    if root.is_file():
        named, root = root.name, root.parent
    files = list_files(root)
    sheets, faults = tables_in(files)
    if named is not None:
        chosen = named_table(root, named, sheets)
        sheets = [chosen, *(s for s in sheets if s.name != chosen.name)]
    else:
        ranked = _ranked(sheets, files)
        if not ranked:
            raise CohortError(
                faults[0] if faults else "No table names the images of the folder.",
                expected="a table with a column of file names",
                next_step="name it with --labels",
            )
        chosen = ranked[0][1]
        sheets = [chosen, *(s for s in sheets if s.name != chosen.name)]
    for name, columns in (joined or {}).items():
        chosen = _with_joined(chosen, name, columns)
        corrections = dict(corrections or {}) | dict.fromkeys(columns, "unused")
    understood = infer_roles(chosen, files, roles, corrections=corrections)
    return cohort_of_rows(understood, files, roles, side=sheets[1:], declared=declared)


def tables_in(files: Files) -> tuple[list[Sheet], list[str]]:
    """Read the tables of a folder; return them and what was wrong with those that cannot be read.

    The list that de-identification leaves in its output names every file, and answers nothing: it is left out.
    """
    sheets, faults = read_tables(files)
    return joined_parts(sheets), faults


def read_tables(files: Files) -> tuple[list[Sheet], list[str]]:
    """Read the tables of a folder one by one, as `tables_in`; long tables of events are no tables of answers."""
    sheets, faults = [], []
    for path in files.tables:
        if is_event_table(files.root / path):
            continue
        try:
            sheet = read_table(files.root / path, path)
        except CohortError as error:
            faults.append(error.found)
        else:
            if set(sheet.columns) != _DEIDENTIFIED:
                sheets.append(sheet)
    return sheets, faults


def joined_parts(sheets: list[Sheet]) -> list[Sheet]:
    """Join ``train.csv``, ``val.csv`` and ``test.csv`` with the same columns into one table with a split column."""
    named: dict[tuple[str, ...], list[tuple[str, Sheet]]] = {}
    for sheet in sheets:
        part = next((p for t in tokens(stem(sheet.name)) if (p := part_of(t))), None)
        if part is not None:
            named.setdefault(tuple(sheet.columns), []).append((part, sheet))
    out = list(sheets)
    for heads, group in named.items():
        if len({p for p, _ in group}) < 2 or any(part_of(h) for h in heads) or "split" in heads:
            continue
        columns = {h: tuple(c for _, s in group for c in s.columns[h]) for h in heads}
        columns["split"] = tuple(p for p, s in group for _ in range(s.rows))
        names = [s.name for _, s in group]
        out = [s for s in out if s.name not in names]
        out.append(Sheet(" + ".join(names), columns, (f"{len(names)} tables with the same columns were joined.",)))
    return out


def _with_joined(sheet: Sheet, name: str, columns: tuple[str, ...]) -> Sheet:
    """Return the sheet with a column that joins columns of 0 and 1: ``a;c`` where a and c are 1."""
    for column in columns:
        if column not in sheet.columns:
            raise unknown_name("column", column, sheet.columns)
    cells = []
    for i in range(sheet.rows):
        row = {c: parse_number(sheet.columns[c][i]) for c in columns}
        empty = all(v is None for v in row.values())
        cells.append(None if empty else ";".join(c for c, v in row.items() if v == 1.0) or "[]")
    return Sheet(sheet.name, {**sheet.columns, name: tuple(cells)}, sheet.notes)


def named_table(root: Path, named: str, sheets: list[Sheet]) -> Sheet:
    """Return the table that a user named: of the folder, or of any other place.

    Raises
    ------
    CohortError
        If there is none.
    """
    for sheet in sheets:
        if sheet.name == named:
            return sheet
    for path in (root / named, Path(named)):
        if path.is_file():
            return read_table(path, path.name)
    raise CohortError(
        f"There is no table named {Path(named).name!r}.",
        expected="one of " + ", ".join(s.name for s in sheets) if sheets else "a table in the folder",
        next_step="correct --labels",
    )


def _ranked(sheets: list[Sheet], files: Files) -> list[tuple[float, Sheet]]:
    """Return share of the images that each table names, and the table, best first."""
    pictures = [p for p in files.images if not looks_like_mask(p)] or list(files.images)
    ranked: list[tuple[float, int, Sheet]] = []
    for sheet in sheets:
        columns = {} if is_measured(sheet.columns) else file_columns(sheet, files)
        if not columns or sheet.rows == 0 or _pairs(columns, len(pictures)):
            continue
        most = max(len(c.used) for c in columns.values())
        ranked.append((min(1.0, most / max(1, len(pictures))), any(c.explicit for c in columns.values()), sheet))
    ranked.sort(key=lambda r: (-r[0], -r[1], r[2].name))
    return [(share, sheet) for share, _, sheet in ranked]


def _asks(sheet: Sheet, files: Files, roles: Roles) -> bool:
    """Tell whether a table holds answers, looked at only where it lists DICOM files."""
    used: set[str] = max((c.used for c in file_columns(sheet, files).values()), key=len, default=set())
    if not used or sum(reader_by_ending(p) == "dicom" for p in used) <= 0.5 * len(used):
        return True
    try:
        return bool(infer_roles(sheet, files, roles).columns("target", "mask"))
    except CohortError:
        return True  # several columns offer themselves: the table will say so


def _pairs(columns: dict[str, FileColumn], pictures: int) -> bool:
    """Tell whether a table lists pairs of images, as lists of duplicates do, and not one image per row."""
    # most of them: where a mask is missing, its name may lead to an image of the same name
    used = [c for c in columns.values() if len(c.used) >= 2 and sum(map(looks_like_mask, c.used)) <= 0.5 * len(c.used)]
    for i, first in enumerate(used):
        for second in used[i + 1 :]:
            both = [(a, b) for a, b in zip(first.paths, second.paths, strict=True) if a is not None and b is not None]
            if first.explicit != second.explicit or not both or sum(a != b for a, b in both) < 0.8 * len(both):
                continue
            few = max(len(first.used), len(second.used)) < 0.5 * pictures
            if first.used & second.used or (few and _folders(first) & _folders(second)):
                return True
    return False


def _folders(column: FileColumn) -> set[str]:
    return {p.rpartition("/")[0] for p in column.used}
