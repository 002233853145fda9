"""Visits of patients: the table that names them, and their masks, registrations and what a reader says."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import InputError, ReadError
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.table import decode, delimiter_of
from hounsfield.workflow.measure_cases import clause, one_channel, read_file

if TYPE_CHECKING:
    from hounsfield.science.lesions.following import Course, Known
    from hounsfield.science.lesions.following import Seen as Visited
    from hounsfield.science.lesions.recist import NonTarget

NEEDED = ("case", "visit", "mask")
OPTIONAL = ("to_first", "nodes", "organs", "non_targets")


def read_visits(table: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of a table of visits by case, in their order.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, has an unknown one, repeats a visit, or dates go backwards.
    """
    try:
        text = decode(table.read_bytes())
    except OSError as error:
        raise InputError(f"{table.name} cannot be read.", expected="a CSV file", next_step="check the path") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    columns = [c.strip() for c in reader.fieldnames or ()]
    odd = [c for c in columns if c not in (*NEEDED, *OPTIONAL)]
    lacking = [c for c in NEEDED if c not in columns]
    if odd or lacking or len(set(columns)) < len(columns):
        raise InputError(
            f"{table.name} has the columns {', '.join(columns) or '(none)'}.",
            expected=f"{', '.join(NEEDED)}, and of {', '.join(OPTIONAL)} what is known, each once",
            next_step="correct the first line",
        )
    found: dict[str, list[dict[str, str]]] = {}
    for number, row in enumerate(reader, start=2):
        held = {c: (v or "").strip() for c, v in zip(columns, list(row.values()), strict=False)}
        if None in row or any(not held.get(c) for c in ("case", "visit")):
            raise InputError(
                f"Line {number} of {table.name} has cells too many, or no case or visit.",
                expected="a case and a visit in every line",
                next_step="correct the line",
            )
        found.setdefault(held["case"], []).append(held)
    for rows in found.values():
        _check_order(rows, table.name)
    if not found:
        raise InputError(f"{table.name} has no visits.", expected="a line for each", next_step="add them")
    return found


def _check_order(rows: Sequence[dict[str, str]], name: str) -> None:
    words = [r["visit"] for r in rows]
    try:
        dates = [date.fromisoformat(w) for w in words]
    except ValueError:
        dates = []
    if len(set(words)) < len(words) or dates != sorted(dates):
        raise InputError(
            f"Visits of a patient in {name} repeat or go backwards.",
            expected="each visit once, the earliest first",
            next_step="sort the table",
        )


def course_of(folder: Path, rows: Sequence[dict[str, str]], *, parts: bool) -> "tuple[Course, list[str]]":
    """Return the course of one patient, and why a visit could not be measured (``""`` where it was).

    Parameters
    ----------
    folder : pathlib.Path
        Where the table lies.
    rows : sequence of dict
        The patient's lines of it, the earliest first.
    parts : bool
        Whether each connected part of a mask is a lesion; else each label is.

    Raises
    ------
    InputError
        If what a column says is not understood.
    ReadError
        If the first visit cannot be read.
    """
    from hounsfield.science.lesions.following import Seen, followed
    from hounsfield.science.lesions.matching import Visit

    seen: list[Visited] = []
    notes: list[str] = []
    for number, row in enumerate(rows):
        said = _said(row)
        try:
            if not row["mask"]:
                raise ReadError("There is no mask.")
            labels, affine = _labels(folder / row["mask"], parts=parts)
            moved = _registration(folder / row["to_first"]) if row.get("to_first") else None
            seen.append(Seen(Visit(labels, affine), moved, said))
            notes.append("")
        except ReadError as error:
            if number == 0:
                raise
            seen.append(Seen(None, None, said))
            notes.append(clause(error))
    return followed(seen, _known(rows[0])), notes


def _labels(path: Path, *, parts: bool) -> tuple[AnyArray, Float64Array]:
    from hounsfield.geometry.canonical import canonical
    from hounsfield.science.radiomics.labels import marked, whole_numbers

    if not path.is_file():
        raise ReadError("The mask does not exist.", expected="a file beside the table", next_step="check the path")
    image = read_file(path)
    if image.ndim != 3 or image.grid is None:
        raise ReadError("The mask does not say how its voxels lie.", expected="a volume, such as NIfTI")
    # slices along z are to be axial: diameters are of those
    turned = canonical(Image(whole_numbers(one_channel(image.array))[None], image.grid))
    labels = turned.array[0]
    if parts:
        made = np.zeros(labels.shape, dtype=np.int32)
        for n, one in enumerate(marked(labels, parts=True), start=1):
            box = one.outline.box
            made[box][one.outline.within(box)] = n
        labels = made
    grid = turned.grid or Grid(np.eye(4))
    return labels, grid.affine_ras


def _registration(path: Path) -> Float64Array:
    try:
        made = np.loadtxt(path, dtype=np.float64, ndmin=2)
    except (OSError, ValueError) as error:
        raise ReadError("The registration cannot be read.", expected="four lines of four numbers") from error
    # what is no motion of a body is no registration: 1 in a thousand for rounding
    turn = made[:3, :3]
    if made.shape != (4, 4) or not np.isfinite(made).all() or not np.allclose(turn @ turn.T, np.eye(3), atol=1e-3):
        raise ReadError("The registration is not rigid.", expected="a rotation and a shift as 4 x 4 numbers, RAS mm")
    return made


def _said(row: dict[str, str]) -> "NonTarget | None":
    from hounsfield.science.lesions.recist import NonTarget

    word = row.get("non_targets", "")
    if not word:
        return None
    try:
        return NonTarget(word)
    except ValueError as error:
        raise InputError(
            f"Non-targets are said to be {word!r}.",
            expected=f"one of {', '.join(NonTarget)}",
            next_step="correct the column non_targets",
        ) from error


def _known(row: dict[str, str]) -> "Known":
    from hounsfield.science.lesions.following import Known

    try:
        nodes = frozenset(int(w) for w in row.get("nodes", "").split())
        pairs = [w.partition("=") for w in row.get("organs", "").split()]
        organs = {int(label): organ for label, _, organ in pairs}
    except ValueError as error:
        raise InputError(
            "Labels of nodes or organs are no numbers.",
            expected="nodes such as 2 5, organs such as 1=liver 2=lung, in the first row of a patient",
            next_step="correct the columns",
        ) from error
    return Known(nodes, organs)
