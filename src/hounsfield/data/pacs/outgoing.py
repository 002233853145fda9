"""Files to send: found by content below a folder, each with what it says it is."""

from collections.abc import Iterator
from pathlib import Path

from hounsfield.core.errors import InputError, ReadError
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.pacs.archive import LIMITS, Outgoing
from hounsfield.data.pacs.part10 import HEAD_BYTES, file_meta, is_part10
from hounsfield.data.pacs.question import is_uid

_DIRECTORY = "1.2.840.10008.1.3.10"
"""SOP class of a DICOMDIR, which is no image."""


def files_below(path: Path) -> Iterator[Path]:
    """Yield the DICOM files of a folder in the order of their paths, or the one file.

    Raises
    ------
    InputError
        If there is nothing at `path`.
    """
    if not path.exists():
        raise InputError(
            f"There is no file or folder named {path.name!r}.",
            expected="DICOM files to send",
            next_step="check the path",
        )
    for file in [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file()):
        if is_part10(_head(file)):
            yield file


def outgoing(path: Path) -> Outgoing | None:
    """Return what a file is; None for a directory of a medium (DICOMDIR).

    Raises
    ------
    ReadError
        If it is damaged, lacks a UID, or is larger than an archive is asked to take.
    """
    meta = file_meta(_head(path))
    if meta.sop_class == _DIRECTORY:
        return None
    size = path.stat().st_size
    if size > LIMITS.instance_bytes:
        raise ReadError(f"it is larger than {LIMITS.instance_bytes >> 20} MiB")
    entry = read_header(path)
    if not all(
        is_uid(u) for u in (meta.sop_class, meta.sop_uid, meta.transfer_syntax, entry.study_uid, entry.series_uid)
    ):
        raise ReadError("its header lacks a UID, or has one that is none")
    return Outgoing(
        path, meta.sop_class, meta.sop_uid, meta.transfer_syntax, entry.study_uid, entry.series_uid, size - meta.end
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise ReadError(f"it cannot be opened ({error.strerror})") from error
