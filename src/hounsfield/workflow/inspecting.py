"""Inspect: say what a folder is understood to be, and what is wrong with it."""

import os
from dataclasses import dataclass
from pathlib import Path

from hounsfield.bundle.atomic import check_folder, make_folder, write_text
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
        Folder for ``cohort.yaml`` and ``samples.csv``, to be corrected; it is then a source itself.
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
        check_folder(out)
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
    make_folder(out)
    write_text(out / written[0], cohort_yaml(cohort, root=_seen_from(out, cohort.root)))
    write_text(out / written[1], samples_csv(cohort))
    return Inspection(cohort, findings, written)


def _seen_from(out: Path, root: str) -> str:
    """Return where the data lie, from a folder: the shortest way that stays right when both are moved together."""
    if not root:
        return "."
    try:
        return Path(os.path.relpath(Path(root).resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive
        return Path(root).resolve().as_posix()
