"""Inspect: say what a folder is understood to be, and what is wrong with it."""

from dataclasses import dataclass
from pathlib import Path

from hounsfield.bundle.atomic import write_text
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort
from hounsfield.core.errors import RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.study import Source
from hounsfield.workflow.survey import survey
from hounsfield.workflow.wishes import Wishes


@dataclass(frozen=True)
class Inspection:
    """What was understood.

    Parameters
    ----------
    cohort : Cohort
    audit : Audit
    written : tuple of str
        Names of the files written for correction.
    """

    cohort: Cohort
    audit: Audit
    written: tuple[str, ...] = ()


def inspect(
    source: Source, *, wishes: Wishes = Wishes(), out: Path | None = None, progress: Progress = SILENT
) -> Inspection:
    """Understand a source and look at every sample.

    Parameters
    ----------
    source : str, Path or iterable
        Folder, file or samples.
    wishes : Wishes
    out : Path or None
        Folder for ``cohort.yaml`` and ``samples.csv``, to be corrected and used as a source.
    progress : Progress

    Raises
    ------
    CohortError
        If the source cannot be understood.
    RunExistsError
        If a file in `out` would be overwritten.
    """
    from hounsfield.data.cohorts import cohort_yaml, explore, samples_csv
    from hounsfield.stages.auditing.findings import audit

    written = ("cohort.yaml", "samples.csv")
    if out is not None:
        there = [name for name in written if (out / name).exists()]
        if there:
            raise RunExistsError(
                f"{' and '.join(there)} exist in the output folder already.",
                expected="a folder without them",
                next_step="choose another --out, or move them away",
            )
    cohort = explore(source, wishes.roles)
    seen = survey(cohort, progress=progress)
    findings = audit(cohort, seen.glances, seen.unreadable, seed=wishes.seed)
    if out is None:
        return Inspection(cohort, findings)
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / written[0], cohort_yaml(cohort))
    write_text(out / written[1], samples_csv(cohort))
    return Inspection(cohort, findings, written)
