"""Files to send: looked for below a folder, each with what it says it is."""

from collections.abc import Iterator
from pathlib import Path

from hounsfield.core.errors import InputError, ReadError
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.files import is_ignored
from hounsfield.data.pacs.archive import LIMITS, Outgoing, too_large
from hounsfield.data.pacs.part10 import HEAD_BYTES, file_meta, is_part10
from hounsfield.data.pacs.question import is_uid

_DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR, which is no image."""


def files_below(path: Path) -> Iterator[Path]:
    """Yield the files of a folder in the order of their paths, or the one file.

    Raises
    ------
    InputError
        If there is nothing at `path`.

    Notes
    -----
    Hidden files are passed over, as everywhere. A link that leads out of the folder, and a folder that cannot be
    listed, are yielded as they are, so that `outgoing` says what is wrong with them.
    """
    if not path.exists():
        raise InputError(
            f"There is no file or folder named {path.name!r}.",
            expected="DICOM files to send",
            next_step="check the path",
        )
    if path.is_file():
        yield path
        return
    try:
        listed = sorted(p for p in path.iterdir() if not is_ignored(p.name))
    except OSError:
        yield path
        return
    for entry in listed:
        if entry.is_dir() and not entry.is_symlink():
            yield from files_below(entry)
        elif not entry.is_dir():
            yield entry


def outgoing(path: Path) -> Outgoing | None:
    """Return what a file is; None where it is no DICOM file, or the directory of a medium (DICOMDIR).

    Raises
    ------
    ReadError
        If it is damaged, lacks a UID, cannot be opened, or is larger than an archive is asked to take.
    """
    head = _head(path)
    if not is_part10(head):
        return None
    meta = file_meta(head)
    if meta.sop_class == _DIRECTORY:
        return None
    size = path.stat().st_size
    if size > LIMITS.instance_bytes:
        raise ReadError(too_large(LIMITS))
    entry = read_header(path)
    if not all(
        is_uid(u) for u in (meta.sop_class, meta.sop_uid, meta.transfer_syntax, entry.study_uid, entry.series_uid)
    ):
        raise ReadError("its header lacks a UID, or has one that is none")
    return Outgoing(
        path=path,
        sop_class=meta.sop_class,
        sop_uid=meta.sop_uid,
        transfer_syntax=meta.transfer_syntax,
        study_uid=entry.study_uid,
        series_uid=entry.series_uid,
        bytes=size,
        data_bytes=size - meta.end,
    )


def _head(path: Path) -> bytes:
    if not path.is_file():
        raise ReadError("it is a folder that cannot be listed" if path.is_dir() else "it is no file that can be opened")
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise ReadError(f"it cannot be opened ({error.strerror})") from error
