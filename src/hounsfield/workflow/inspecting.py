"""Inspect: say what a folder is understood to be, and what is wrong with it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.bundle.atomic import check_folder, make_folder, write_text
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort
from hounsfield.core.errors import RunExistsError, unknown_name
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.study import Source
from hounsfield.workflow.survey import survey, with_label_doubts
from hounsfield.workflow.wishes import Wishes

REPORT_TEXT = "report text"
BESIDE = (REPORT_TEXT,)
"""Side information that is written only where a person names it."""


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
    source: Source,
    *,
    wishes: Wishes = Wishes(),
    out: Path | None = None,
    beside: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Inspection:
    """Understand a source and look at every sample.

    Parameters
    ----------
    source : str, Path or iterable
        Folder, file or samples.
    wishes : Wishes
    out : Path or None
        Folder for ``cohort.yaml`` and ``samples.csv``, to be corrected; it is then a source itself.
    beside : sequence of str
        What else is written into ``samples.csv``: ``report text``, the text of the reports of each sample's study. It
        identifies patients, so it must be asked for by name, and is never read again.
    progress : Progress

    Raises
    ------
    CohortError
        If the source cannot be understood.
    UnknownNameError
        If `beside` names something else.
    RunExistsError
        If a file in `out` would be overwritten.
    """
    from hounsfield.data.cohorts import cohort_yaml, explore, samples_csv
    from hounsfield.stages.auditing.findings import audit

    for name in beside:
        if name not in BESIDE:
            raise unknown_name("column of side information", name, BESIDE)
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
    findings = with_label_doubts(audit(cohort, seen.glances, seen.unreadable, seed=wishes.seed), cohort, seen)
    if any(spec.kind == "signal" for spec in cohort.schema.inputs):
        from hounsfield.stages.auditing.series import series_listings

        cohort = replace(cohort, listings=(*series_listings(cohort, progress=progress), *cohort.listings))
    if out is None:
        return Inspection(cohort, findings)
    make_folder(out)
    write_text(out / written[0], cohort_yaml(cohort, root=_seen_from(out, cohort.root)))
    write_text(out / written[1], samples_csv(cohort, _beside(cohort, beside)))
    return Inspection(cohort, findings, written)


def _seen_from(out: Path, root: str) -> str:
    """Return where the data lie, from a folder: the shortest way that stays right when both are moved together."""
    if not root:
        return "."
    try:
        return Path(os.path.relpath(Path(root).resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive
        return Path(root).resolve().as_posix()


def _beside(cohort: Cohort, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what was asked for by name; only a DICOM disk has reports."""
    if REPORT_TEXT not in names:
        return {}
    from hounsfield.data.layouts.dicom_reports import report_texts

    return {REPORT_TEXT: report_texts(cohort) if cohort.schema.layout == "dicom" else {}}
