"""From the columns of answers to targets: names for codes, several columns as one question."""

from collections.abc import Sequence

from hounsfield.core.cohort import Roles, TargetSpec
from hounsfield.core.types import TargetValue
from hounsfield.data.answers import Answers, answered, fold, kind_of, make_answers
from hounsfield.data.inputs import Told
from hounsfield.data.relations import disagreements, mapping
from hounsfield.data.roles import Understood
from hounsfield.data.table import Column, parse_number


def target_columns(
    understood: Understood,
    paths: Column,
    roles: Roles,
    *,
    declared: Sequence[TargetSpec],
    known: Sequence[bool],
    told: Told,
) -> list[Answers]:
    """Return the answers of every target column, the primary one first.

    Parameters
    ----------
    understood : Understood
        The table.
    paths : tuple of (str or None)
        Image of each row; its folders may name the classes.
    roles : Roles
        What the user said.
    declared : sequence of TargetSpec
        Targets declared in ``cohort.yaml``.
    known : sequence of bool
        Rows that names and spellings are taken from; a test part is left out.
    told : Told
        Takes notes.
    """
    by_name = {d.name: d for d in declared}
    columns = understood.columns("target")
    cells = understood.sheet.columns
    together = len(roles.target) >= 2 and set(columns) == set(roles.target) and not declared
    if together and all({fold(v) for v in cells[c] if v is not None} <= {"0.0", "1.0"} for c in columns):
        return [_joined_labels(tuple(columns), cells, told)]
    order = {t: i for i, t in enumerate([d.name for d in declared] or list(roles.target))}
    found = []
    for number, column in enumerate(sorted(columns, key=lambda c: order.get(c, len(order)))):
        spec = by_name.get(column)
        twin = understood.twins.get(column)
        names, codes = _names(column, understood, paths, known=known, told=told)
        answers = make_answers(
            column,
            cells[column],
            declared=spec,
            names=names if spec is None or not spec.classes else None,
            order=codes if twin else None,
            positive=roles.positive if number == 0 else None,
            known=known,
        )
        told.notes += answers.notes
        told.unsure += answers.unsure
        found.append(answers)
    return found


def _joined_labels(columns: tuple[str, ...], cells: dict[str, Column], told: Told) -> Answers:
    rows = len(cells[columns[0]])
    values: list[TargetValue] = []
    for i in range(rows):
        row = [cells[c][i] for c in columns]
        answered_row = [v for v in row if v is not None]
        values.append(
            tuple(c for c, v in zip(columns, row, strict=True) if v is not None and parse_number(v) == 1.0)
            if answered_row
            else None
        )
    told.notes.append(f"{len(columns)} columns of 0 and 1 are one question with several labels: {', '.join(columns)}.")
    return Answers(TargetSpec(name="+".join(columns), kind="multilabel", classes=columns), tuple(values))


def _names(
    column: str, understood: Understood, paths: Column, *, known: Sequence[bool], told: Told
) -> tuple[dict[str, str], dict[str, str]]:
    """Return class names for codes (from a sibling column or the folders), and codes that order the classes."""
    cells = answered(understood.sheet.columns[column])
    if kind_of(cells) != "categorical":
        return {}, {}
    rows = [i for i, k in enumerate(known) if k]
    names: dict[str, str] = {}
    codes: dict[str, str] = {}
    coded = all(parse_number(c) is not None for c in cells if c is not None)
    twin = understood.twins.get(column)
    if twin is not None:
        other = understood.sheet.columns[twin]
        if coded and any(parse_number(c) is None for c in other if c is not None):
            names = _spelled(mapping(cells, other, rows), other)
        elif not coded:
            codes = mapping(cells, other, rows)
    by_folder, against = _folder_names(cells, paths, rows)
    if by_folder:
        if coded and not names:
            names = by_folder
        if against:
            told.unsure.append(
                f"{against} samples lie in a folder that says another class than column {column!r}; the table wins."
            )
    return names, codes


def _spelled(pairs: dict[str, str], column: Column) -> dict[str, str]:
    shown: dict[str, str] = {}
    for cell in sorted({c for c in column if c is not None}):
        shown.setdefault(fold(cell), cell)
    return {k: shown[v] for k, v in pairs.items()}


def _folder_names(cells: Column, paths: Column, rows: Sequence[int]) -> tuple[dict[str, str], int]:
    """Return folder names that stand one to one for the classes, and how many rows disagree."""
    classes = {fold(cells[i] or "") for i in rows if cells[i] is not None}
    depth = max((p.count("/") for p in paths if p is not None), default=0)
    for level in range(depth):
        folders: Column = tuple(_level(p, level) for p in paths)
        pairs = mapping(cells, folders, rows)
        if len(pairs) < 2 or len(set(pairs.values())) != len(pairs) or set(pairs) != classes:
            continue
        if len({fold(folders[i] or "") for i in rows if folders[i] is not None}) != len(pairs):
            continue
        wrong = disagreements(cells, folders, rows, pairs)
        if len(wrong) <= 0.1 * len(rows):
            return _spelled(pairs, folders), len(wrong)
    return {}, 0


def _level(path: str | None, level: int) -> str | None:
    if path is None:
        return None
    folders = path.split("/")[:-1]
    return folders[level] if level < len(folders) else None
