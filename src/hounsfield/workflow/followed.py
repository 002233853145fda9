"""What following gives: a row for each lesion and for each visit, and which lesions are targets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.cohort import SetAside

if TYPE_CHECKING:
    from hounsfield.science.lesions.following import Course


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


def lesion_rows(case: str, rows: Sequence[dict[str, str]], course: "Course") -> list[LesionRow]:
    """Return the rows of a patient's lesions, later visits each beside the first.

    Parameters
    ----------
    case : str
    rows : sequence of dict
        The patient's lines of the table of visits.
    course : Course
    """
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


def visit_rows(case: str, rows: Sequence[dict[str, str]], course: "Course", notes: Sequence[str]) -> list[VisitRow]:
    """Return the rows of a patient's visits.

    Parameters
    ----------
    case : str
    rows : sequence of dict
        The patient's lines of the table of visits.
    course : Course
    notes : sequence of str
        Why a visit could not be measured; ``""`` where it was.
    """
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
