"""Follow: lesions of patients from visit to visit, measured, matched and judged by RECIST 1.1."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import make_folder, write_json, write_text
from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import HounsfieldError, InputError, ReadError, RunExistsError
from hounsfield.core.image import Grid, Image
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.table import decode, delimiter_of
from hounsfield.workflow.measure_cases import clause, one_channel, read_file

if TYPE_CHECKING:
    from hounsfield.science.lesions.following import Course, Known
    from hounsfield.science.lesions.following import Seen as Visited
    from hounsfield.science.lesions.recist import NonTarget

NEEDED = ("case", "visit", "mask")
OPTIONAL = ("to_first", "nodes", "organs", "non_targets")
LESIONS, VISITS, RECORD = "lesions.csv", "visits.csv", "follow.json"


class LesionRow(BaseModel):
    """One lesion, or several that are one, at a later visit beside the first.

    Attributes
    ----------
    case, visit : str
    before, after : str
        Labels at the first and at this visit.
    kind : str
        ``same``, ``split``, ``merged``, ``regrouped``, ``gone`` or ``new``.
    by : str
        ``overlap`` or ``distance``.
    target : bool
        Whether one of them is a target.
    volume_before_mm3, volume_after_mm3, long_before_mm, long_after_mm, short_before_mm, short_after_mm : float
    volume_change, long_change : float or None
        As a share of what was before; None for a new lesion.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str
    visit: str
    before: str
    after: str
    kind: str
    by: str
    target: bool
    volume_before_mm3: float
    volume_after_mm3: float
    long_before_mm: float
    long_after_mm: float
    short_before_mm: float
    short_after_mm: float
    volume_change: float | None
    long_change: float | None


class VisitRow(BaseModel):
    """One visit of a patient.

    Attributes
    ----------
    case, visit : str
    sum_mm, nadir_mm : float
        Of the targets, now and at its smallest before.
    from_baseline, from_nadir : float or None
        Change as a share.
    new_lesions : int
    targets, non_targets, overall : str
        As RECIST 1.1 names responses; ``baseline`` at the first visit.
    note : str
        Why nothing was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: str
    visit: str
    sum_mm: float
    nadir_mm: float
    from_baseline: float | None
    from_nadir: float | None
    new_lesions: int
    targets: str
    non_targets: str
    overall: str
    note: str = ""


class FollowRecord(BaseModel):
    """What was followed, and which lesions are targets.

    Attributes
    ----------
    schema_version : int
    hounsfield : str
    targets, non_targets : mapping of str to tuple of str
        By case: labels of the first visit.
    apart : tuple of SetAside
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    hounsfield: str
    targets: dict[str, tuple[str, ...]]
    non_targets: dict[str, tuple[str, ...]]
    apart: tuple[SetAside, ...] = ()


@dataclass(frozen=True)
class Followed:
    """Lesions and visits of all patients.

    Parameters
    ----------
    lesions : tuple of LesionRow
    visits : tuple of VisitRow
    record : FollowRecord
    """

    lesions: tuple[LesionRow, ...] = field(repr=False)
    visits: tuple[VisitRow, ...]
    record: FollowRecord = field(repr=False)


def follow(table: Path, *, out: Path | None = None, parts: bool = False, progress: Progress = SILENT) -> Followed:
    """Follow lesions from visit to visit.

    Parameters
    ----------
    table : pathlib.Path
        CSV with a row for each visit, those of a patient in the order of time: ``case``, ``visit`` (a date or a word)
        and ``mask`` (a label map, relative to the table); and where there are, ``to_first`` (a text file of 4 x 4
        numbers, RAS mm of this visit to RAS mm of the first), ``nodes`` (labels of the first visit that are lymph
        nodes: ``2 5``), ``organs`` (``1=liver 2=lung``) and ``non_targets`` (what a reader says of them).
    out : pathlib.Path or None
        Folder for ``lesions.csv``, ``visits.csv`` and ``follow.json``.
    parts : bool
        Whether each connected part of a mask is a lesion; else each label is.
    progress : Progress

    Returns
    -------
    Followed
        A visit that cannot be read is not evaluable; a patient whose first visit cannot be read is set aside.

    Raises
    ------
    InputError
        If the table is none, dates go backwards, or no patient could be followed.
    RunExistsError
        If `out` holds results.
    """
    if out is not None and any((out / name).exists() for name in (LESIONS, VISITS, RECORD)):
        raise RunExistsError(
            f"{out.name} holds results already.", expected="a new folder", next_step="choose another --out"
        )
    cases = read_visits(table)
    lesions: list[LesionRow] = []
    visits: list[VisitRow] = []
    apart: list[SetAside] = []
    choices: dict[str, Course] = {}
    with progress.step("Following", len(cases)) as shown:
        for case, rows in cases.items():
            try:
                course, notes = _course(table.parent, rows, parts=parts)
            except HounsfieldError as error:
                apart.append(SetAside(sample=case, reason=clause(error)))
            else:
                choices[case] = course
                lesions += _lesion_rows(case, rows, course)
                visits += _visit_rows(case, rows, course, notes)
            shown.advance()
    if not choices:
        raise InputError(
            f"None of {len(cases)} patients could be followed: {apart[0].reason}.",
            expected="label maps of a first visit that can be read",
            next_step="correct the table",
        )
    found = Followed(tuple(lesions), tuple(visits), _record(choices, apart))
    if out is not None:
        make_folder(out)
        write_text(out / LESIONS, _csv(LesionRow, found.lesions))
        write_text(out / VISITS, _csv(VisitRow, found.visits))
        write_json(out / RECORD, found.record)
    return found


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


def _course(folder: Path, rows: Sequence[dict[str, str]], *, parts: bool) -> "tuple[Course, list[str]]":
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


def _lesion_rows(case: str, rows: Sequence[dict[str, str]], course: "Course") -> list[LesionRow]:
    targets = {int(name) for name in course.choice.targets}
    made = []
    for row, later in zip(rows[1:], course.later, strict=True):
        for one in later.changes:
            match = one.match
            made.append(
                LesionRow(
                    case=case,
                    visit=row["visit"],
                    before=" ".join(str(n) for n in match.before),
                    after=" ".join(str(n) for n in match.after),
                    kind=match.kind,
                    by=match.by,
                    target=bool(targets & set(match.before)),
                    volume_before_mm3=one.volume_before_mm3,
                    volume_after_mm3=one.volume_after_mm3,
                    long_before_mm=one.long_before_mm,
                    long_after_mm=one.long_after_mm,
                    short_before_mm=one.short_before_mm,
                    short_after_mm=one.short_after_mm,
                    volume_change=_share(one.volume_before_mm3, one.volume_after_mm3),
                    long_change=_share(one.long_before_mm, one.long_after_mm),
                )
            )
    return made


def _visit_rows(case: str, rows: Sequence[dict[str, str]], course: "Course", notes: Sequence[str]) -> list[VisitRow]:
    first = VisitRow(
        case=case,
        visit=rows[0]["visit"],
        sum_mm=course.sum_mm,
        nadir_mm=course.sum_mm,
        from_baseline=None,
        from_nadir=None,
        new_lesions=0,
        targets="baseline",
        non_targets="baseline",
        overall="baseline",
    )
    made = [first]
    for row, later, note in zip(rows[1:], course.later, notes[1:], strict=True):
        outcome = later.outcome
        made.append(
            VisitRow(
                case=case,
                visit=row["visit"],
                sum_mm=outcome.sum_mm,
                nadir_mm=outcome.nadir_mm,
                from_baseline=_finite(outcome.from_baseline),
                from_nadir=_finite(outcome.from_nadir),
                new_lesions=sum(1 for c in later.changes if c.match.kind == "new"),
                targets=str(outcome.targets),
                non_targets=str(outcome.non_targets),
                overall=str(outcome.overall),
                note=note,
            )
        )
    return made


def _share(before: float, after: float) -> float | None:
    return after / before - 1 if before > 0 else None


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _record(choices: "dict[str, Course]", apart: Sequence[SetAside]) -> FollowRecord:
    from importlib.metadata import version

    return FollowRecord(
        hounsfield=version("hounsfield"),
        targets={case: c.choice.targets for case, c in choices.items()},
        non_targets={case: c.choice.non_targets for case, c in choices.items()},
        apart=tuple(apart),
    )


def _csv(kind: type[BaseModel], rows: Sequence[BaseModel]) -> str:
    """Return rows as CSV; empty where there is no value, and no text that a spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(kind.model_fields)
    for row in rows:
        writer.writerow([_cell(value) for value in row.model_dump().values()])
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    shown = str(value)
    return f"'{shown}" if isinstance(value, str) and shown[:1] in ("=", "+", "-", "@", "\t", "\r") else shown
