"""Push: DICOM files into an archive, as they are, leaving out what it has already."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import InputError, ReadError, case_id
from hounsfield.core.progress import SILENT, Progress
from hounsfield.workflow.archives import Access, Failed, Transfer, reached

if TYPE_CHECKING:
    from hounsfield.data.pacs.archive import Archive, Outgoing


def push(
    path: Path,
    target: str,
    *,
    access: Access = Access(),  # noqa: B008 frozen
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
    begun = time.monotonic()
    with reached(target, access, progress) as archive:
        files, failed = _gathered(path, progress)
        series: dict[tuple[str, str], list[Outgoing]] = {}
        for file in files:
            series.setdefault((file.study_uid, file.series_uid), []).append(file)
        left = _not_there(archive, series, progress)
        moved = size = 0
        with progress.step("Sending files", float(len(left))) as shown:

            def sent(file: "Outgoing") -> None:
                nonlocal moved, size
                moved += 1
                size += file.path.stat().st_size
                shown.advance(note=f"{size / 2**20:.0f} MiB")

            missed = archive.send(left, sent)
            shown.advance(float(len(missed)))
    return Transfer(
        studies=len({study for study, _ in series}),
        series=len(series),
        instances=len(files) + len(failed),
        moved=moved,
        present=len(files) - len(left),
        failed=(*failed, *(Failed(case=case_id(m.sop_uid), reason=m.reason) for m in missed)),
        bytes=size,
        seconds=round(time.monotonic() - begun, 3),
    )


def _gathered(path: Path, progress: Progress) -> tuple[list["Outgoing"], list[Failed]]:
    """Look at each file once; the same instance is sent once, however often it lies there."""
    from hounsfield.data.pacs.outgoing import files_below, outgoing

    found: dict[str, Outgoing] = {}
    failed: list[Failed] = []
    with progress.step("Looking at files", None) as shown:
        for file in files_below(path):
            try:
                one = outgoing(file)
            except ReadError as error:
                name = file.name if path.is_file() else file.relative_to(path).as_posix()
                failed.append(Failed(case=case_id(name), reason=error.found))
            else:
                if one is not None:
                    found.setdefault(one.sop_uid, one)
            shown.advance()
    if not found and not failed:
        raise InputError(
            f"There are no DICOM files in {path.name!r}.",
            expected="files that begin with 128 bytes and DICM",
            next_step="check the path",
        )
    return list(found.values()), failed


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
