"""Marks: short texts that change with what a ref's files or array hold."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import HounsfieldError
from hounsfield.core.types import AnyArray
from hounsfield.data.files import ending
from hounsfield.data.readers import reader
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.stored import Stored

_END_BYTES = 64 * 1024
_LABELS = re.compile(r"(.*label.*|y_.*|y)\.npy$", re.IGNORECASE)
"""Members of an archive that hold answers."""


class _VolumeReader(Protocol):
    def stored(self, root: Path, ref: Ref) -> Stored: ...


def mark(cohort: Cohort, ref: Ref, known: dict[str, str]) -> str:
    """Return a text that changes with what a ref's files or array hold.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
    known : dict of str to str
        Marks found so far: a file that many refs share is looked at once.

    Notes
    -----
    A file counts by its size and its first and last 64 KiB, a DICOM series by all its files, a header whose voxels lie
    in a file of their own by both.
    """
    root = Path(cohort.root)
    parts = dict(ref.part)
    plain = "|".join((ref.reader, ref.path, *(str(parts.get(k, "")) for k in ("series", "folder", "member"))))
    name = plain if ref.reader not in ("dicom-masks", "mask-files") else ref.key()  # its first does not tell its others
    if "table" in parts:
        name = f"{plain}|table={parts['table']}"
    if name not in known:
        if ref.reader == "memory":
            known[name] = _array_mark(cohort.arrays.get(ref.path))
        elif ref.reader == "ts" or "table" in parts:
            known[name] = _held_mark(cohort, ref)
        else:
            files = _files(root, ref)
            marks = [_file_mark(file) for file in files]
            known[name] = marks[0] if len(marks) == 1 else hashlib.sha256("|".join(marks).encode()).hexdigest()
    return known[name]


def _files(root: Path, ref: Ref) -> tuple[Path, ...]:
    """Return the files that a ref is read from; of one that cannot be understood the file itself."""
    try:
        if ref.reader == "dicom":
            from hounsfield.data.dicom.reader import series_files

            return series_files(root, ref) or (root / ref.path,)
        if ref.reader == "dicom-masks":
            from hounsfield.data.dicom.mask_reader import mask_files

            return mask_files(root, ref) or (root / ref.path,)
        if ref.reader == "mask-files":
            from hounsfield.data.joined_masks import refs_of

            return tuple(dict.fromkeys(file for one in refs_of(ref) for file in _files(root, one)))
        if ref.reader in ("wfdb", "wfdb-rhythm", "wfdb-form"):
            from hounsfield.data.signal.wfdb.files import record_paths

            return record_paths(root, ref)
        if ref.reader in VOLUMES:
            voxels = cast("_VolumeReader", reader(ref.reader)).stored(root, ref).path
            return tuple(dict.fromkeys((root / ref.path, voxels)))
    except (HounsfieldError, OSError):
        pass  # whoever reads it tells why
    return (root / ref.path,)


def _held_mark(cohort: Cohort, ref: Ref) -> str:
    """Return a mark of what is looked at in a file that holds the answers too: series, variables of rows."""
    from hounsfield.data.row.columns import matrix
    from hounsfield.data.signal.archive import all_series

    try:
        if ref.reader == "ts":
            total = hashlib.sha256()
            for series in all_series(cohort, ref):
                total.update(f"{series.shape}|".encode())
                total.update(np.ascontiguousarray(series).data)
            return total.hexdigest()
        return _array_mark(matrix(cohort, ref))
    except HounsfieldError:
        return ""  # whoever reads it tells why


def _array_mark(array: AnyArray | None) -> str:
    if array is None:
        return ""
    total = hashlib.sha256(f"{array.shape}|{array.dtype.str}".encode())
    if not array.dtype.hasobject:
        total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return total.hexdigest()


def _file_mark(path: Path) -> str:
    try:
        members = _members(path) if ending(path.name) == ".npz" else None
        total = hashlib.sha256(f"{path.stat().st_size if members is None else members}|".encode())
        if members is None:
            with path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                total.update(file.read(_END_BYTES))
                file.seek(max(min(size, _END_BYTES), size - _END_BYTES))
                total.update(file.read(_END_BYTES))
    except OSError:
        return ""
    return total.hexdigest()


def _members(path: Path) -> str | None:
    """Return names, checksums and sizes of an archive's members other than labels; None where it is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [[m.filename, m.CRC, m.file_size] for m in archive.infolist() if not _LABELS.match(m.filename)]
    except zipfile.BadZipFile:
        return None
    return json.dumps(sorted(members))
