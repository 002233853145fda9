"""Pull: what an archive has of a query, into a folder, whole files only, going on where it was."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.bundle.atomic import storage_error, write_bytes
from hounsfield.core.errors import ArchiveError, InputError, case_id
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.archives import Access, Failed, Transfer, reached

if TYPE_CHECKING:
    from hounsfield.data.pacs.archive import Archive, InstanceFound, SeriesFound
    from hounsfield.data.pacs.arrivals import Arrivals
    from hounsfield.data.pacs.question import Question


@dataclass(frozen=True)
class _Work:
    """One series: all of its instances, and those that are not here yet."""

    series: "SeriesFound"
    all: tuple["InstanceFound", ...]
    wanted: tuple["InstanceFound", ...]


def pull(
    target: str,
    out: Path,
    *,
    query: str,
    series: str | None = None,
    access: Access = Access(),  # noqa: B008 frozen
    progress: Progress = SILENT,
) -> Transfer:
    """Fetch everything that matches a query.

    Parameters
    ----------
    target : str
        ``https://host/dicom-web`` or ``AET@host:port``.
    out : Path
        Folder, made where it is not there; what lies in it already is not fetched again.
    query : str
        ``PatientID=... StudyDate=20240101-20240630 Modality=CT``.
    series : str or None
        Which series of the matching studies: ``SeriesDescription contains 'thin'``; all where None.
    access : Access
    progress : Progress

    Returns
    -------
    Transfer

    Raises
    ------
    ArchiveError
        If the archive is not reached, refuses, or has no match.
    InputError
        If an argument is wrong, or packages are missing.

    Notes
    -----
    Files get a hash of their UIDs for a name, and are written whole or not at all: an interrupted pull leaves what
    had come, and the same call goes on from there.
    """
    from hounsfield.data.pacs.arrivals import Arrivals
    from hounsfield.data.pacs.choosing import series_choice
    from hounsfield.data.pacs.question import parse_question

    question = parse_question(query)
    meant = series_choice(series) if series is not None else _every
    begun = time.monotonic()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"{out.name} is a file.", expected="a folder", next_step="choose another OUT") from error
    except OSError as error:
        raise storage_error(out.name, error) from error
    arrivals = Arrivals(out, write_bytes)
    with reached(target, access, progress) as archive:
        work = _asked(archive, question, arrivals, meant=meant, progress=progress)
        moved, size, failed = _fetched(archive, work, arrivals, progress)
    return Transfer(
        studies=len({w.series.study_uid for w in work}),
        series=len(work),
        instances=sum(len(w.all) for w in work),
        moved=moved,
        present=sum(len(w.all) - len(w.wanted) for w in work),
        failed=failed,
        bytes=size,
        seconds=round(time.monotonic() - begun, 3),
    )


def _every(series: "SeriesFound") -> bool:
    del series
    return True


def _asked(
    archive: "Archive",
    question: "Question",
    arrivals: "Arrivals",
    *,
    meant: Callable[["SeriesFound"], bool],
    progress: Progress,
) -> list[_Work]:
    """Ask what there is, down to the instances."""
    studies = archive.studies(question.study)
    work: list[_Work] = []
    with progress.step("Asking for series", float(len(studies))) as shown:
        for study_uid in studies:
            for series in filter(meant, archive.series(study_uid, question.series)):
                there = archive.instances(series)
                wanted = tuple(i for i in there if not arrivals.has(study_uid, series.series_uid, i.sop_uid))
                work.append(_Work(series, there, wanted))
            shown.advance()
    if not work:
        raise ArchiveError(
            "The archive has no series that matches."
            + (f" {len(studies)} studies match by themselves." if studies else ""),
            expected="at least one match",
            next_step="loosen --query or --series: * and ? are wildcards, a date may be a range (20240101-20240630)",
        )
    return work


def _fetched(
    archive: "Archive", work: list[_Work], arrivals: "Arrivals", progress: Progress
) -> tuple[int, int, tuple[Failed, ...]]:
    """Fetch what is wanted; return how many files came, their bytes, and what did not come."""
    moved = size = 0
    failed: list[Failed] = []
    total = sum(len(w.wanted) for w in work)
    with progress.step("Fetching files", float(total)) as shown:
        for each in work:
            if not each.wanted:
                continue
            place = (each.series.study_uid, each.series.series_uid)

            def keep(sop_uid: str, content: bytes, place: tuple[str, str] = place) -> None:
                nonlocal moved, size
                arrivals.keep(*place, sop_uid, content)
                moved += 1
                size += len(content)
                shown.advance(note=f"{size / 2**20:.0f} MiB")

            missed = archive.fetch(each.series, each.wanted, keep, whole=len(each.wanted) == len(each.all))
            shown.advance(float(len(missed)))
            failed += [Failed(case=case_id(m.sop_uid), reason=m.reason) for m in missed]
    return moved, size, tuple(failed)
