"""Samples that could be read and yet not be prepared as the plan says: set aside with the reason."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from hounsfield.bundle.atomic import write_json
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, Sample, SetAside
from hounsfield.core.errors import HounsfieldError
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.workflow.survey import latest

FILE = "unfit.json"
"""File of the work folder, which goes with it when a run is finished, that holds an `Unfit`."""


class Unfit(BaseModel):
    """What could not be prepared.

    Attributes
    ----------
    set_aside : tuple of SetAside
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    set_aside: tuple[SetAside, ...] = ()


@runtime_checkable
class Sifted(Protocol):
    """Prepared samples that tell which are not among them."""

    @property
    def aside(self) -> tuple[SetAside, ...]:
        """Samples of the training and validation part that could not be prepared, with the reason."""


def why_unfit(cohort: Cohort, sample: Sample, specs: Mapping[str, Preparation]) -> str:
    """Return why nothing is learned from a sample: the first input that does not fit the plan, or holds nothing.

    Parameters
    ----------
    cohort : Cohort
    sample : Sample
    specs : mapping of str to Preparation
        By input.
    """
    blank = ""
    for name, spec in specs.items():
        try:
            stored = spec.prepared(latest(cohort, sample, name, wanted=spec.wanted))
        except HounsfieldError as error:
            return error.line()
        blank = blank or spec.blank(stored)
    return blank or "Nothing of it is known."


def told(prepared: object, findings: Audit, *, work: Path) -> Audit:
    """Return an audit that lists what could not be prepared too, and remember it for a run that is continued.

    Parameters
    ----------
    prepared : Fed
    findings : Audit
    work : Path
        Folder of the run.
    """
    aside = prepared.aside if isinstance(prepared, Sifted) else ()
    if not aside:
        return findings
    write_json(work / FILE, Unfit(set_aside=aside))
    return with_unfit(findings, aside)


def remembered(findings: Audit, *, work: Path) -> Audit:
    """Return an audit with what an earlier process of the same run could not prepare."""
    try:
        found = Unfit.model_validate_json((work / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return findings
    return with_unfit(findings, found.set_aside)


def with_unfit(findings: Audit, aside: Sequence[SetAside]) -> Audit:
    """Return an audit that lists further samples as set aside.

    Parameters
    ----------
    findings : Audit
    aside : sequence of SetAside
        Those that it lists already are not listed twice.
    """
    listed = {entry.sample for entry in findings.unreadable}
    fresh = tuple(entry for entry in aside if entry.sample not in listed)
    if not fresh:
        return findings
    said = f"{len(fresh)} set aside after planning: they do not fit the plan, and nothing was learned from them."
    return findings.with_aside(fresh, said)
