"""A quick look into a folder: whether it is a disk of DICOM files, and what sort."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.errors import HounsfieldError
from hounsfield.data.dicom.apart import is_waveform
from hounsfield.data.dicom.archives import archive_kind
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fileset import FILE_NAME
from hounsfield.data.dicom.headers import HEAD_BYTES, looks_like_dicom, read_header
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.files import IMAGE_ENDINGS, TABLE_ENDINGS, ending, is_ignored

_PROBED = 48
_OPENED = 2_000
_OF_A_FOLDER = 6


def probe(root: Path) -> list[Entry] | None:
    """Return the headers of a few files spread over a folder; None where it is no disk of DICOM files.

    Notes
    -----
    Pictures of other formats must not be more than the DICOM files. What else lies there says nothing: disks bring
    the program to look at them, thousands of files of it. A DICOMDIR at the top says all.
    """
    seen: list[Entry] = []
    looked = opened = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not is_ignored(f))
        able = sorted(n for n in names if not is_ignored(n) and ending(n) not in TABLE_ENDINGS)
        for name in able[:: max(1, len(able) // _OF_A_FOLDER)][:_OF_A_FOLDER]:
            place = Path(folder) / name
            if not place.is_file():
                continue
            opened += 1
            found = _look(place, root)
            seen += found or []
            looked += found is not None or ending(name) in IMAGE_ENDINGS
        if looked >= _PROBED or opened >= _OPENED:
            break
    if seen and (root / FILE_NAME).is_file():
        return seen
    return seen if 2 * len(seen) >= looked > 0 and seen else None


def _look(place: Path, root: Path) -> list[Entry] | None:
    """Return the headers in one file, none of a damaged one; None where it has nothing to do with DICOM."""
    with place.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if looks_like_dicom(head):
        try:
            found = read_header(place, path=place.relative_to(root).as_posix())
        except HounsfieldError:
            return []
        return [found] if found.frames or found.series_uid or is_waveform(found) else []
    return list(index_tree(place).entries[:6]) or None if archive_kind(place) else None


def in_series(seen: Sequence[Entry]) -> bool:
    """Tell whether files form series, or each folder is one patient's: not folders of classes."""
    series = Counter(e.series_uid for e in seen)
    if 2 * len(series) <= len(seen):
        return True
    patients: dict[str, set[str]] = {}
    for entry in seen:
        patients.setdefault(entry.path.rpartition("/")[0], set()).add(entry.patient_id)
    return len(patients) > 1 and all(len(p) == 1 for p in patients.values()) and len(seen) < 3 * len(patients)
