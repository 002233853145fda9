"""Prediction sets and answers worth a second look, in words and tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from hounsfield.core.report import ClassCoverage, PartFigures, TargetReport
from hounsfield.stages.reporting.numbers import ABSENT, written
from hounsfield.stages.reporting.words import Both, say

NO = ":no"


@dataclass(frozen=True)
class SetLine:
    """One class: coverage seen, where it was expected, on how many cases."""

    name: Both
    coverage: str
    expected: str
    cases: str
    samples: int
    verdict: Both


def set_words(judged: TargetReport, part: PartFigures) -> Iterator[Both]:
    """Yield what the prediction sets are and how large, for a reader who is no statistician.

    Parameters
    ----------
    judged : TargetReport
    part : PartFigures
        The judged part.
    """
    sets = part.sets
    if sets is None:
        return
    kind = judged.target.kind
    level, coverage = written(sets.level, "percent"), written(sets.coverage, "percent")
    shown = {"level": level, "coverage": coverage, "patients": written(sets.per_patient, "percent")}
    if kind == "number":
        yield say("sets_number", width=ABSENT if sets.size is None else written(sets.size, "number"), **shown)
    elif kind == "multilabel":
        yield say("sets_labels", unsure=written(sets.size, "percent"), **shown)
    else:
        several = max(0.0, 1 - sets.single - sets.empty)
        shares = {name: written(value, "percent") for name, value in (("single", sets.single), ("empty", sets.empty))}
        yield say("sets_classes", several=written(several, "percent"), **shares, **shown)
    always = [name for name, found in sets.classes.items() if found.always]
    if always:
        yield say("sets_always", classes=", ".join(name or judged.target.name for name in always))
    yield say("sets_assume")


def set_lines(judged: TargetReport, part: PartFigures) -> tuple[SetLine, ...]:
    """Return one line for each class."""
    if part.sets is None:
        return ()
    return tuple(_line(name or judged.target.name, found) for name, found in part.sets.classes.items())


def _line(name: str, found: ClassCoverage) -> SetLine:
    label = Both.same(name)
    if name.endswith(NO):
        label = say("label_absent", name=name.removesuffix(NO))
    expected = ABSENT
    if found.seen_low is not None and found.seen_high is not None and not found.always:
        expected = f"{written(found.seen_low, 'percent')}–{written(found.seen_high, 'percent')}"
    verdict = Both.same(ABSENT)
    if found.within is not None and not found.always:
        verdict = say("sets_within" if found.within else "sets_outside")
    return SetLine(
        label,
        ABSENT if found.coverage is None else written(found.coverage, "percent"),
        expected,
        str(found.cases) if found.cases else ABSENT,
        found.samples,
        verdict,
    )
