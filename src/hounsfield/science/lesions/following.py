"""Following: the lesions of one patient from the first visit on, and what each later visit amounts to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.lesions.matching import Change, Match, Visit, changes, matched, sizes_after
from hounsfield.science.lesions.measuring import Lesion, measured
from hounsfield.science.lesions.recist import (
    Assessment,
    Candidate,
    Choice,
    NonTarget,
    Outcome,
    chosen,
    judged,
)


@dataclass(frozen=True)
class Seen:
    """One visit of a patient.

    Parameters
    ----------
    visit : Visit or None
        What was outlined; None where it could not be read, and nothing was measured.
    to_first : numpy.ndarray or None
        4 x 4, from RAS mm of this visit to RAS mm of the first; None where both lie in one frame.
    non_targets : NonTarget or None
        What the reader says of lesions that are not measured; None takes what is outlined of them: present or gone.
    """

    visit: Visit | None = field(repr=False)
    to_first: Float64Array | None = None
    non_targets: NonTarget | None = None


@dataclass(frozen=True)
class Known:
    """What is known of the lesions of the first visit besides their outlines.

    Parameters
    ----------
    nodes : frozenset of int
        Labels that are lymph nodes.
    organs : mapping of int to str
        Where lesions lie; one that is not named is taken to lie in an organ of its own.
    """

    nodes: frozenset[int] = frozenset()
    organs: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Later:
    """One later visit.

    Parameters
    ----------
    changes : tuple of Change
        From the first visit to this one, every lesion of either.
    outcome : Outcome
    """

    changes: tuple[Change, ...]
    outcome: Outcome


@dataclass(frozen=True)
class Course:
    """A patient's lesions over time.

    Parameters
    ----------
    lesions : tuple of Lesion
        Of the first visit.
    choice : Choice
        Targets and others, by the labels of the first visit as text.
    sum_mm : float
        Of the targets at the first visit.
    later : tuple of Later or None
        One for each later visit, in their order.
    """

    lesions: tuple[Lesion, ...]
    choice: Choice
    sum_mm: float
    later: tuple[Later, ...]


def followed(visits: Sequence[Seen], known: Known | None = None) -> Course:
    """Follow the lesions of a patient.

    Parameters
    ----------
    visits : sequence of Seen
        In the order of time, the baseline first.
    known : Known or None

    Returns
    -------
    Course

    Raises
    ------
    InputError
        If there is no baseline, it could not be read, or a node's label is not in it.

    Notes
    -----
    Every visit is matched with the first one, so that a lesion that vanished for a while is itself again and one that
    is new stays new. Targets are the largest measurable lesions, at most five, at most two in an organ that is named.
    A new lesion is progression whatever its size; whether it is one beyond doubt is for a reader to say.
    """
    known = known or Known()
    if not visits or visits[0].visit is None:
        raise InputError(
            "There is no baseline.",
            expected="a first visit whose lesions can be read",
            next_step="correct the first row of the patient",
        )
    first = visits[0].visit
    lesions = measured(first.labels, first.affine_ras)
    labels = {x.label for x in lesions}
    if not known.nodes <= labels or not set(known.organs) <= labels:
        raise InputError(
            "A lymph node or an organ was named for a label that the first visit does not have.",
            expected=f"some of {', '.join(str(n) for n in sorted(labels)) or 'no labels'}",
            next_step="correct the labels",
        )
    choice = chosen(
        [
            Candidate(
                str(x.label), known.organs.get(x.label, f"of {x.label}"), x.long_mm, x.short_mm, x.label in known.nodes
            )
            for x in lesions
        ],
        slice_thickness_mm=float(np.linalg.norm(np.asarray(first.affine_ras)[:3, 2])),
    )
    targets = {name: int(name) for name in choice.targets}
    nodes = frozenset(str(n) for n in known.nodes)
    sizes = {str(x.label): x.short_mm if x.label in known.nodes else x.long_mm for x in lesions}
    course = [Assessment({name: sizes[name] for name in choice.targets}, _others(choice, None, visits[0]))]
    found: list[tuple[Change, ...]] = []
    for seen in visits[1:]:
        if seen.visit is None:
            said = seen.non_targets or (NonTarget.NOT_EVALUABLE if choice.non_targets else NonTarget.NONE)
            course.append(Assessment(dict.fromkeys(choice.targets), said))
            found.append(())
            continue
        matches = matched(first, seen.visit, to_before=seen.to_first)
        after = measured(seen.visit.labels, seen.visit.affine_ras)
        found.append(changes(matches, lesions, after))
        now: dict[str, float | None] = dict(sizes_after(targets, matches, after, nodes=nodes & set(targets)))
        new = sum(1 for m in matches if m.kind == "new")
        course.append(Assessment(now, _others(choice, matches, seen), new))
    outcomes = judged(course, nodes=nodes & set(targets))
    later = tuple(Later(c, o) for c, o in zip(found, outcomes, strict=True))
    return Course(lesions, choice, sum(sizes[name] for name in choice.targets), later)


def _others(choice: Choice, matches: tuple[Match, ...] | None, seen: Seen) -> NonTarget:
    """Return what is to be said of lesions that are no targets: what the reader said, or whether they are outlined."""
    if seen.non_targets is not None:
        return seen.non_targets
    if not choice.non_targets:
        return NonTarget.NONE
    if matches is None:
        return NonTarget.PRESENT
    rest = {int(name) for name in choice.non_targets}
    there = any(rest & set(m.before) and m.after for m in matches)
    return NonTarget.PRESENT if there else NonTarget.GONE
