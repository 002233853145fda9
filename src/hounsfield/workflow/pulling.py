"""Pull: what an archive has of a query, into a folder, whole files only, going on where it was."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.bundle.atomic import check_folder, make_folder, remove_left_over, write_bytes
from hounsfield.core.errors import ArchiveError, InputError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.archives import Access, reached
from hounsfield.workflow.transfers import Tally, Transfer

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
    dry_run: bool = False,
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
    dry_run : bool
        Only ask what there is: nothing is fetched or written.
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
    StorageError
        If a file cannot be written.

    Notes
    -----
    Files get a hash of their UIDs for a name, and are written whole or not at all: an interrupted pull leaves what
    had come, and the same call goes on from there. What it left half-written is removed.
    """
    from hounsfield.data.pacs.arrivals import Arrivals
    from hounsfield.data.pacs.choosing import series_choice
    from hounsfield.data.pacs.question import parse_question

    question = parse_question(query)
    meant = series_choice(series) if series is not None else _every
    _check_out(out)
    arrivals = Arrivals(out, _written)
    tally = Tally()
    with reached(target, access, progress) as archive:
        work = _asked(archive, question, arrivals, meant=meant, progress=progress)
        if not dry_run:
            remove_left_over(out)
            _fetch(archive, work, arrivals, tally=tally, progress=progress)
    return Transfer(
        dry_run=dry_run,
        studies=len({w.series.study_uid for w in work}),
        series=len(work),
        instances=sum(len(w.all) for w in work),
        moved=tally.moved,
        present=sum(len(w.all) - len(w.wanted) for w in work),
        failed=tuple(tally.failed),
        bytes=tally.bytes,
        seconds=tally.seconds(),
    )


def _check_out(out: Path) -> None:
    """Find out before an archive is asked for long whether files can be written; make nothing yet."""
    check_folder(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out.name} is a file.", expected="a folder", next_step="choose another OUT")


def _written(path: Path, content: bytes) -> None:
    make_folder(path.parent)
    write_bytes(path, content)


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
    if archive.passed_over:
        progress.say(
            f"The archive also named {archive.passed_over} studies or series that the query does not mean; "
            "they are left out."
        )
    if not work:
        raise ArchiveError(
            "The archive has no series that matches."
            + (f" {len(studies)} studies match by themselves." if studies else ""),
            expected="at least one match",
            next_step="loosen --query or --series: * and ? are wildcards, a date may be a range (20240101-20240630)",
        )
    return work


def _fetch(archive: "Archive", work: list[_Work], arrivals: "Arrivals", *, tally: Tally, progress: Progress) -> None:
    """Fetch what is wanted, and count it."""
    total = sum(len(w.wanted) for w in work)
    with progress.step("Fetching files", float(total)) as tally.step:
        for each in work:
            if not each.wanted:
                continue
            place = (each.series.study_uid, each.series.series_uid)

            def keep(sop_uid: str, content: bytes, place: tuple[str, str] = place) -> None:
                arrivals.keep(*place, sop_uid, content)
                tally.took(len(content))

            tally.missed(archive.fetch(each.series, each.wanted, keep, whole=len(each.wanted) == len(each.all)))
