"""Follow: lesions of patients from visit to visit, measured, matched and judged by RECIST 1.1."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.bundle.atomic import make_folder, write_json, write_text
from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import HounsfieldError, InputError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.feature_tables import rows_csv
from hounsfield.workflow.follow_visits import course_of, read_visits
from hounsfield.workflow.followed import Followed, FollowRecord, LesionRow, VisitRow, lesion_rows, visit_rows
from hounsfield.workflow.measure_cases import clause

if TYPE_CHECKING:
    from hounsfield.science.lesions.following import Course

LESIONS, VISITS, RECORD = "lesions.csv", "visits.csv", "follow.json"


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
                course, notes = course_of(table.parent, rows, parts=parts)
            except HounsfieldError as error:
                apart.append(SetAside(sample=case, reason=clause(error)))
            else:
                choices[case] = course
                lesions += lesion_rows(case, rows, course)
                visits += visit_rows(case, rows, course, notes)
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
        write_text(out / LESIONS, rows_csv(LesionRow, found.lesions))
        write_text(out / VISITS, rows_csv(VisitRow, found.visits))
        write_json(out / RECORD, found.record)
    return found


def _record(choices: "dict[str, Course]", apart: Sequence[SetAside]) -> FollowRecord:
    from importlib.metadata import version

    return FollowRecord(
        hounsfield=version("hounsfield"),
        targets={case: c.choice.targets for case, c in choices.items()},
        non_targets={case: c.choice.non_targets for case, c in choices.items()},
        apart=tuple(apart),
    )
