"""What not to believe of a report, in both languages, most important first."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import TypeAdapter

from hounsfield.core.audit import Audit, Shortcut
from hounsfield.core.cohort import DENSE_KINDS, TargetSpec
from hounsfield.core.counts import share_of, vain_marks
from hounsfield.core.report import MAIN_METRIC, Caveat, Figure, PartFigures

STRONG_CUE = 0.6
MANY_FALSE = 0.2
"""Share of images without a structure in which something is marked, from which it is worth a warning."""
SMALL_CLASS = 30
SMALL_PART = 100
SMALL_VALIDATION = 60
MOST_CUES = 5
MOST_CLASSES = 5
OWN_PARTS = ("test", "cv", "val")
Template = tuple[Literal["warning", "note"], str, str]


@dataclass(frozen=True)
class CaveatFacts:
    """What the caveats are drawn from.

    Parameters
    ----------
    target : TargetSpec
        The primary target.
    figures : PartFigures
        Of the part that the report judges.
    judged_part : str
        ``test``, ``cv`` or ``val`` of the training cohort, or another name where the figures are of another site.
    audit : Audit or None
    patients_known : bool
        False where every sample had to be taken for a patient of its own.
    grouped : bool
        Whether "no patient in two parts" holds.
    validation_samples : int or None
        What threshold and calibration were fitted on.
    stopped_by_clock : bool
    other_sites : int
        Judged samples whose site the harmonisation does not know.
    """

    target: TargetSpec
    figures: PartFigures
    judged_part: str = "test"
    audit: Audit | None = None
    patients_known: bool = True
    grouped: bool = True
    validation_samples: int | None = None
    stopped_by_clock: bool = False
    other_sites: int = 0


def caveats(facts: CaveatFacts) -> tuple[Caveat, ...]:
    """Return everything that a reader should hold against the figures: warnings first, then notes.

    Parameters
    ----------
    facts : CaveatFacts
        Target, figures, audit and how the run went.
    """
    found = [
        *_of_question(facts),
        *_of_shortcuts(facts),
        *_of_data(facts),
        *_of_size(facts),
        *_of_model(facts),
    ]
    if facts.judged_part == "cv":
        found.append(_caveat("out_of_fold_dense" if facts.target.kind in DENSE_KINDS else "out_of_fold"))
    if facts.judged_part in OWN_PARTS:
        found.append(_caveat("one_source"))
    return tuple(sorted(found, key=lambda caveat: caveat.level != "warning"))


def strong_cues(shortcut: Shortcut) -> dict[str, Figure]:
    """Return the cues whose whole interval lies above chance and whose AUC is at least 0.6, strongest first."""
    strong = {
        name: figure
        for name, figure in shortcut.by.items()
        if figure.value is not None and figure.value >= STRONG_CUE and figure.low is not None and figure.low > 0.5
    }
    return dict(sorted(strong.items(), key=lambda item: -(item[1].value or 0.0)))


def _of_question(facts: CaveatFacts) -> Iterator[Caveat]:
    if facts.target.positive_source == "assumed" and facts.target.positive is not None:
        yield _caveat("positive_assumed", positive=facts.target.positive)


def _of_shortcuts(facts: CaveatFacts) -> Iterator[Caveat]:
    shortcut = facts.audit.shortcut if facts.audit else None
    if shortcut is None:
        return
    strong = list(strong_cues(shortcut).items())[:MOST_CUES]
    if not strong:
        return
    yield _caveat("shortcut_strong", cues=", ".join(f"{name} (AUC {figure.value:.2f})" for name, figure in strong))
    network, probe = facts.figures.metrics.get("auroc"), shortcut.auroc
    if network and network.low is not None and probe.value is not None and probe.value >= network.low:
        yield _caveat("shortcut_equal", probe=f"{probe.value:.2f}", network=f"{network.value:.2f}")


def _of_data(facts: CaveatFacts) -> Iterator[Caveat]:
    audit = facts.audit
    if audit and audit.contradictions:
        yield _caveat("contradictions", count=len(audit.contradictions))
    if audit and audit.flagged_in_test:
        yield _caveat("flagged_in_test", count=len(audit.flagged_in_test))
    if not facts.patients_known:
        yield _caveat("patients_unknown")
    if not facts.grouped:
        yield _caveat("not_grouped", count=audit.patients_in_two_parts if audit else "?")
    if audit and audit.duplicates_across_parts:
        removed = len(audit.removed_from_training)
        yield _caveat("duplicates_across_parts", count=len(audit.duplicates_across_parts), removed=removed)
    if audit and audit.unreadable:
        yield _caveat("set_aside", count=len(audit.unreadable))
    figures = facts.figures
    if figures.not_run:
        yield _caveat("not_run", count=figures.not_run, total=figures.samples + figures.not_run)
    if figures.refused:
        yield _caveat("refused", count=figures.refused, total=figures.samples)
    if facts.other_sites:
        yield _caveat("other_site", count=facts.other_sites, total=figures.samples)


def _of_size(facts: CaveatFacts) -> Iterator[Caveat]:
    figures, counts = facts.figures, facts.figures.classes
    present = {name: count for name, count in counts.items() if count}
    if present and min(present.values()) < SMALL_CLASS:
        name = min(present, key=lambda key: present[key])
        yield _caveat("small_part", patients=figures.patients, least=present[name], name=name)
    elif figures.patients < SMALL_PART:
        yield _caveat("small_number", patients=figures.patients)
    missing = [name for name, count in counts.items() if not count]
    if missing:
        yield _caveat("class_missing", classes=", ".join(missing))
    if facts.validation_samples is not None and facts.validation_samples < SMALL_VALIDATION:
        yield _caveat("validation_small", count=facts.validation_samples)


def _of_model(facts: CaveatFacts) -> Iterator[Caveat]:
    metrics = facts.figures.metrics
    main = metrics.get(MAIN_METRIC[facts.target.kind])
    chance = {"auroc": 0.5, "quadratic_kappa": 0.0}.get(MAIN_METRIC[facts.target.kind])
    if main and chance is not None and main.low is not None and main.high is not None and main.low <= chance:
        yield _caveat("chance", low=f"{main.low:.2f}", high=f"{main.high:.2f}")
    yield from _false_marks(facts.figures)
    poor = [
        _recalled(name.partition(":")[2], figure, facts.figures)
        for name, figure in metrics.items()
        if name.startswith("recall:") and figure.value is not None and figure.value < 0.5
    ]
    if poor:
        yield _caveat("recall_low", classes=", ".join(poor))
    sets = facts.figures.sets
    low = [n for n, c in sets.classes.items() if c.within is False and (c.coverage or 0.0) < sets.level] if sets else []
    if sets and low:
        yield _caveat("sets_too_small", classes=", ".join(low), level=f"{100 * sets.level:.0f}")
    if facts.stopped_by_clock:
        yield _caveat("stopped_by_clock")
    slope = metrics.get("calibration_slope")
    if slope and slope.value is not None and slope.low is not None and slope.high is not None:
        if slope.high < 1:
            yield _caveat("slope_off", ("extreme", "极端"), slope=f"{slope.value:.2f}")
        elif slope.low > 1:
            yield _caveat("slope_off", ("timid", "保守"), slope=f"{slope.value:.2f}")


def _false_marks(figures: PartFigures) -> Iterator[Caveat]:
    many = {name: share for name, share in vain_marks(figures).items() if share.value >= MANY_FALSE}
    if len(figures.classes) > 1 and all(share.counted for share in many.values()):
        worst = [f"{name} {share.hits}/{share.of}" for name, share in many.items()][:MOST_CLASSES]
        if worst:
            yield _caveat("false_marks_each", classes=", ".join(worst))
        return
    for share in many.values():
        if share.few:
            yield _caveat("false_marks_few", hits=share.hits, of=share.of)
        else:
            yield _caveat("false_marks", share=f"{100 * share.value:.0f}%")
        return


def _recalled(name: str, figure: Figure, figures: PartFigures) -> str:
    share = share_of(figure, figures.classes.get(name, 0))
    return f"{name} ({share.hits}/{share.of})" if share and share.few else name


@cache
def templates() -> dict[str, Template]:
    """Return the sentences, read once from the package."""
    text = files(__package__).joinpath("caveats.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, Template]).validate_python(yaml.safe_load(text))


def _caveat(key: str, direction: tuple[str, str] = ("", ""), **slots: str | int) -> Caveat:
    level, english, chinese = templates()[key]
    return Caveat(
        level=level,
        en=english.format(direction=direction[0], **slots),
        zh=chinese.format(direction=direction[1], **slots),
    )
