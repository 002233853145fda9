"""Response of solid tumours by RECIST 1.1: sums of diameters, and what they and new lesions amount to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from hounsfield.core.errors import InputError

MOST_TARGETS = 5
MOST_PER_ORGAN = 2
MEASURABLE_MM = 10.0
"""Longest diameter from which a lesion is measurable, or two slices where they are thicker than 5 mm."""
NODE_TARGET_MM = 15.0
"""Short axis from which a lymph node may be a target."""
NODE_NORMAL_MM = 10.0
"""Short axis below which a lymph node is none of the disease."""
NODES = "lymph nodes"
"""All lymph nodes together are one organ."""
_ROUNDING = 1e-9


class Response(StrEnum):
    """What a visit amounts to."""

    CR = "complete response"
    PR = "partial response"
    SD = "stable disease"
    PD = "progressive disease"
    NON_CR_NON_PD = "neither complete response nor progression"
    NE = "not evaluable"
    NONE = "no such lesions"


class NonTarget(StrEnum):
    """What the reader says of all lesions that are not measured, together."""

    NONE = "none"
    GONE = "gone"
    PRESENT = "present"
    PROGRESSION = "unequivocal progression"
    NOT_EVALUABLE = "not evaluable"


@dataclass(frozen=True)
class Candidate:
    """A lesion at baseline.

    Parameters
    ----------
    name : str
    organ : str
        Not looked at for a node.
    long_mm, short_mm : float
        Longest diameter in the slice, and the longest at a right angle to it.
    is_node : bool
    """

    name: str
    organ: str
    long_mm: float
    short_mm: float
    is_node: bool = False

    @property
    def size_mm(self) -> float:
        """The diameter that counts: a node's short axis, the longest one otherwise."""
        return self.short_mm if self.is_node else self.long_mm


@dataclass(frozen=True)
class Assessment:
    """What was seen at one visit.

    Parameters
    ----------
    sizes_mm : mapping of str to float or None
        Each target's diameter that counts; 0 where it is gone, None where it could not be measured. A target that is
        seen but too small to measure is given as 5 mm.
    non_targets : NonTarget
    new_lesions : int
        Lesions that are new beyond doubt.
    """

    sizes_mm: Mapping[str, float | None]
    non_targets: NonTarget = NonTarget.NONE
    new_lesions: int = 0


@dataclass(frozen=True)
class Outcome:
    """How a visit is judged.

    Parameters
    ----------
    overall, targets, non_targets : Response
    sum_mm : float
        Of the targets that were measured.
    nadir_mm : float
        Smallest whole sum of the visits before, baseline included.
    from_baseline, from_nadir : float
        Change of the sum as a share, -0.3 for 30% less; NaN where a target was not measured, or from 0.
    """

    overall: Response
    targets: Response
    non_targets: Response
    sum_mm: float
    nadir_mm: float
    from_baseline: float
    from_nadir: float


@dataclass(frozen=True)
class Choice:
    """Which lesions are followed by their size.

    Parameters
    ----------
    targets : tuple of str
        Largest first.
    non_targets : tuple of str
        The rest of the disease: small lesions, further ones of an organ, nodes from 10 to below 15 mm.
    """

    targets: tuple[str, ...] = field(default=())
    non_targets: tuple[str, ...] = field(default=())


def chosen(candidates: Sequence[Candidate], *, slice_thickness_mm: float = 0.0) -> Choice:
    """Choose targets at baseline: the largest ones, at most five, at most two of an organ.

    Parameters
    ----------
    candidates : sequence of Candidate
    slice_thickness_mm : float
        Above 5 mm, a lesion must measure two slices.

    Returns
    -------
    Choice
        Nodes with a short axis below 10 mm are in neither.

    Raises
    ------
    InputError
        If names repeat, or a size is negative or not finite.

    Notes
    -----
    The standard asks for lesions that can be measured again and again too: a reader may choose otherwise. Of equal
    sizes, the one that comes first is taken.

    References
    ----------
    Eisenhauer, E. A. et al., Eur J Cancer 2009;45:228, sections 3.1 and 4.1. All nodes are one organ: Schwartz, L. H.
    et al., Eur J Cancer 2016;62:132.
    """
    _checked_names([c.name for c in candidates])
    for c in candidates:
        _checked_size(c.size_mm)
    least = max(MEASURABLE_MM, 2 * slice_thickness_mm if slice_thickness_mm > 5 else 0.0)
    disease = [c for c in candidates if not c.is_node or c.short_mm >= NODE_NORMAL_MM]
    targets: list[str] = []
    taken: dict[str, int] = {}
    for c in sorted(disease, key=lambda c: -c.size_mm):
        organ = NODES if c.is_node else c.organ
        enough = NODE_TARGET_MM if c.is_node else least
        if c.size_mm >= enough and taken.get(organ, 0) < MOST_PER_ORGAN and len(targets) < MOST_TARGETS:
            targets.append(c.name)
            taken[organ] = taken.get(organ, 0) + 1
    return Choice(tuple(targets), tuple(c.name for c in disease if c.name not in targets))


def judged(visits: Sequence[Assessment], *, nodes: frozenset[str] = frozenset()) -> tuple[Outcome, ...]:
    """Judge every visit after the first.

    Parameters
    ----------
    visits : sequence of Assessment
        Baseline first, in the order of time, with the same targets in all.
    nodes : frozenset of str
        Names of targets that are lymph nodes.

    Returns
    -------
    tuple of Outcome
        One for each visit but the baseline.

    Raises
    ------
    InputError
        If there is no baseline, names differ between visits, a baseline target is not measured, or a size is negative.

    Notes
    -----
    *Targets.* Complete response: all are gone, nodes below 10 mm. Progression: the sum is at least 20% and 5 mm above
    the nadir, or, once the response was complete, a target that is no node is back. Partial response: the sum is at
    least 30% below baseline. Stable otherwise. Where a target was not measured, the visit is progression if what was
    measured is enough for it, and not evaluable otherwise.

    *Overall*, by tables 1 and 2 of the standard: progression of targets or of others or a new lesion is progression.
    Confirmation at a later visit, which trials without a control arm ask for, is not part of it.

    References
    ----------
    Eisenhauer, E. A. et al., Eur J Cancer 2009;45:228, section 4.3 and 4.4.
    """
    if not visits:
        raise InputError("No visit was to be judged.", expected="a baseline first", next_step="Give the baseline.")
    names = set(visits[0].sizes_mm)
    if not nodes <= names or any(set(v.sizes_mm) != names for v in visits):
        raise InputError(
            "Targets differ between visits.",
            expected="the same names at every visit, nodes among them",
            next_step="Give 0 for a target that is gone and None for one that could not be measured.",
        )
    for size in (s for v in visits for s in v.sizes_mm.values() if s is not None):
        _checked_size(size)
    if any(s is None for s in visits[0].sizes_mm.values()):
        raise InputError(
            "A target was not measured at baseline.",
            expected="sizes of all targets at the first visit",
            next_step="Choose targets among lesions that were measured.",
        )
    baseline = nadir = _sum(visits[0])
    was_complete = False
    found = []
    for visit in visits[1:]:
        total, whole = _sum(visit), None not in visit.sizes_mm.values()
        targets = _of_targets(visit, baseline, nadir, nodes=nodes, was_complete=was_complete)
        others = _of_others(visit.non_targets)
        found.append(
            Outcome(
                overall=_overall(targets, others, visit.new_lesions),
                targets=targets,
                non_targets=others,
                sum_mm=total,
                nadir_mm=nadir,
                from_baseline=total / baseline - 1 if whole and baseline else float("nan"),
                from_nadir=total / nadir - 1 if whole and nadir else float("nan"),
            )
        )
        was_complete = was_complete or targets == Response.CR
        nadir = min(nadir, total) if whole else nadir
    return tuple(found)


def _sum(visit: Assessment) -> float:
    return float(sum(s for s in visit.sizes_mm.values() if s is not None))


def _of_targets(
    visit: Assessment, baseline: float, nadir: float, *, nodes: frozenset[str], was_complete: bool
) -> Response:
    if not visit.sizes_mm:
        return Response.NONE
    seen = {name: size for name, size in visit.sizes_mm.items() if size is not None}
    total = sum(seen.values())
    grown = total - nadir >= 5 - _ROUNDING
    if grown and total >= 1.2 * nadir - _ROUNDING:
        return Response.PD
    back = any(size > 0 for name, size in seen.items() if name not in nodes)
    if was_complete and back:
        return Response.PD
    if len(seen) < len(visit.sizes_mm):
        return Response.NE
    if not back and all(seen[name] < NODE_NORMAL_MM for name in nodes):
        return Response.CR
    return Response.PR if total <= 0.7 * baseline + _ROUNDING else Response.SD


def _of_others(said: NonTarget) -> Response:
    return {
        NonTarget.NONE: Response.NONE,
        NonTarget.GONE: Response.CR,
        NonTarget.PRESENT: Response.NON_CR_NON_PD,
        NonTarget.PROGRESSION: Response.PD,
        NonTarget.NOT_EVALUABLE: Response.NE,
    }[NonTarget(said)]


def _overall(targets: Response, others: Response, new_lesions: int) -> Response:
    if new_lesions > 0 or Response.PD in (targets, others):
        return Response.PD
    if targets == Response.NONE:
        return others
    if targets == Response.CR and others not in (Response.CR, Response.NONE):
        return Response.PR
    return targets


def _checked_names(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise InputError("Two lesions have one name.", expected="a name for each", next_step="Number them.")


def _checked_size(size: float) -> None:
    if not (np.isfinite(size) and size >= 0):
        raise InputError(
            f"A lesion measures {size} mm.",
            expected="0 mm or more, or None where it could not be measured",
            next_step="Correct the size.",
        )
