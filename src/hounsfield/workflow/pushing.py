"""Push: DICOM files into an archive, as they are, leaving out what it has already."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import InputError, ReadError, case_id
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.archives import Access, reached
from hounsfield.workflow.transfers import Failed, Tally, Transfer

if TYPE_CHECKING:
    from hounsfield.data.pacs.archive import Archive, Outgoing


@dataclass
class _Gathered:
    """What lies in a folder: files to send by SOP Instance UID, and how many files are something else."""

    files: "dict[str, Outgoing]" = field(default_factory=dict)
    others: int = 0


def push(
    path: Path,
    target: str,
    *,
    access: Access = Access(),  # noqa: B008 frozen
    dry_run: bool = False,
    progress: Progress = SILENT,
) -> Transfer:
    """Send the DICOM files of a folder.

    Parameters
    ----------
    path : Path
        A file, or a folder whose DICOM files are found by content.
    target : str
        ``https://host/dicom-web`` or ``AET@host:port``.
    access : Access
    dry_run : bool
        Only ask what is there already: nothing is sent.
    progress : Progress

    Returns
    -------
    Transfer

    Raises
    ------
    ArchiveError
        If the archive is not reached or refuses.
    InputError
        If there is nothing to send, an argument is wrong, or packages are missing.
    """
    tally = Tally()
    with reached(target, access, progress) as archive:
        gathered = _gathered(path, tally, progress)
        damaged = len(tally.failed)
        series: dict[tuple[str, str], list[Outgoing]] = {}
        for file in gathered.files.values():
            series.setdefault((file.study_uid, file.series_uid), []).append(file)
        left = _not_there(archive, series, progress)
        if not dry_run:
            with progress.step("Sending files", float(len(left))) as tally.step:
                tally.missed(archive.send(left, lambda file: tally.took(file.bytes)))
    return Transfer(
        dry_run=dry_run,
        studies=len({study for study, _ in series}),
        series=len(series),
        instances=len(gathered.files) + damaged,
        moved=tally.moved,
        present=len(gathered.files) - len(left),
        failed=tuple(tally.failed),
        others=gathered.others,
        bytes=tally.bytes,
        seconds=tally.seconds(),
    )


def _gathered(path: Path, tally: Tally, progress: Progress) -> _Gathered:
    """Look at each file once; the same instance is sent once, however often it lies there."""
    from hounsfield.data.pacs.outgoing import files_below, outgoing

    gathered = _Gathered()
    with progress.step("Looking at files", None) as shown:
        for file in files_below(path):
            try:
                one = outgoing(file)
            except ReadError as error:
                name = file.name if path.is_file() else file.relative_to(path).as_posix()
                tally.failed.append(Failed(case=case_id(name), reason=error.found))
            else:
                if one is None:
                    gathered.others += 1
                else:
                    gathered.files.setdefault(one.sop_uid, one)
            shown.advance()
    if not gathered.files and not tally.failed:
        raise InputError(
            f"There are no DICOM files in {path.name!r}"
            + (f": {gathered.others} files begin otherwise." if gathered.others else ": it is empty."),
            expected="files that begin with 128 bytes and DICM; archives (zip) have to be unpacked",
            next_step="check the path",
        )
    return gathered


def _not_there(
    archive: "Archive", series: dict[tuple[str, str], list["Outgoing"]], progress: Progress
) -> list["Outgoing"]:
    """Return the files that the archive does not have."""
    from hounsfield.data.pacs.archive import SeriesFound

    left: list[Outgoing] = []
    with progress.step("Asking what is there", float(len(series))) as shown:
        for (study_uid, series_uid), files in series.items():
            there = {i.sop_uid for i in archive.instances(SeriesFound(study_uid, series_uid))}
            left += [f for f in files if f.sop_uid not in there]
            shown.advance()
    return left
