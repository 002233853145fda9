"""DICOM files as images: one file, or one volume of a series."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Grid, Header, Image
from hounsfield.data.dicom.apart import ENHANCED
from hounsfield.data.dicom.assembling import Volume, assemble, opened, read_volume
from hounsfield.data.dicom.entries import Entry, place_of
from hounsfield.data.dicom.headers import looks_like_dicom, read_header
from hounsfield.data.dicom.mosaic import is_mosaic
from hounsfield.data.dicom.planes import plane_of
from hounsfield.data.dicom.stacking import stack
from hounsfield.data.files import DICOM_ENDINGS, ending, inside

_MAGIC = slice(128, 132)
_MOST_PIXELS = 1 << 30


class DicomReader:
    """Reads a DICOM file, or a volume of its series.

    Notes
    -----
    A ref without part means its file: a picture as a person would see it (colours as RGB, MONOCHROME1 turned), values
    in HU for CT; several frames as ``c z y x``. With the parts ``series`` (its UID) and ``volume`` (a number, 0 if
    left out) it means a volume of the series that the file belongs to, with ``folder`` only of its files in that
    folder; the part ``member`` names a file in an archive.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell DICOM by its magic word, or, without preamble, by its first elements and a DICOM ending."""
        return head[_MAGIC] == b"DICM" or (ending(name) in DICOM_ENDINGS and looks_like_dicom(head))

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size, channels and bits without decoding pixels."""
        root = Path(cohort.root)
        if _series(ref):
            volume = _volume(root, ref)
            return _header(volume.size, 1, volume.first, sum(e.size for e in volume.entries))
        entry = _entry(root, ref)
        if _has_volumes(entry):
            return _header(_only_volume(root, entry).size, 1, entry, entry.size)
        if not entry.frames or not entry.rows or not entry.columns:
            raise _no_image(ref.path)
        plane = (entry.rows, entry.columns)
        colours = 3 if entry.samples == 3 or entry.photometric == "PALETTE COLOR" else 1
        return _header((entry.frames, *plane) if entry.frames > 1 else plane, colours, entry, entry.size)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the picture or volume, channels first."""
        root = Path(cohort.root)
        if _series(ref):
            return read_volume(root, _volume(root, ref))
        entry = _entry(root, ref)
        if _has_volumes(entry):
            return read_volume(root, _only_volume(root, entry))
        return _pictures(root, entry)


def volume_behind(root: Path, ref: Ref) -> Volume | None:
    """Return the volume that a ref means; None of a picture.

    Raises
    ------
    ReadError
        If it cannot be found again.
    """
    if _series(ref):
        return _volume(root, ref)
    entry = _entry(root, ref)
    return _only_volume(root, entry) if _has_volumes(entry) else None


def file_behind(root: Path, ref: Ref) -> Entry:
    """Return what the header says of the file that a ref names; raise ReadError where it cannot be read."""
    return _entry(root, ref)


def _pictures(root: Path, entry: Entry) -> Image:
    from hounsfield.data.dicom.pixels import frame_count, picture

    dataset = opened(root, entry, pixels=True)
    count = frame_count(dataset)
    if not count:
        raise _no_image(entry.path)
    first = picture(dataset)
    if count == 1:
        plane = plane_of(entry)
        return first if isinstance(plane, str) else replace(first, grid=Grid(stack([plane]).affine_ras))
    if count * first.array.size > _MOST_PIXELS:
        raise ReadError(
            f"Case {case_id(entry.path)}: {count} frames are too many to be read at once.",
            expected=f"at most {_MOST_PIXELS} pixels",
            next_step="leave it out",
        )
    frames = [first.array, *(picture(dataset, n).array for n in range(1, count))]
    return replace(first, array=np.stack(frames, axis=1))


def _has_volumes(entry: Entry) -> bool:
    return entry.sop_class in ENHANCED or is_mosaic(entry)


def _only_volume(root: Path, entry: Entry) -> Volume:
    assembly = assemble([entry], root=root)
    if len(assembly.volumes) == 1:
        return assembly.volumes[0]
    why = assembly.apart[0][1] if assembly.apart else f"it holds {len(assembly.volumes)} volumes"
    raise ReadError(
        f"Case {case_id(entry.path)}: {why}.",
        expected="a file with one volume",
        next_step="read a volume of its series by its number",
    )


def _entry(root: Path, ref: Ref) -> Entry:
    from hounsfield.data.dicom.index import source_of

    place, member = inside(root, ref.path), _member(ref)
    try:
        source = source_of(root, Entry(ref.path, member)) if member else place
        return read_header(source, path=ref.path, member=member)
    except ReadError as error:
        raise ReadError(
            f"Case {case_id(ref.path + member)}: {error.found[:1].lower()}{error.found[1:]}",
            expected=error.expected or "a DICOM file",
            next_step=error.next_step or "leave it out",
        ) from error


def _series(ref: Ref) -> str:
    return str(dict(ref.part).get("series", ""))


def _member(ref: Ref) -> str:
    return str(dict(ref.part).get("member", ""))


def _volume(root: Path, ref: Ref) -> Volume:
    wanted = int(dict(ref.part).get("volume", 0))
    volumes = _volumes(root, _entries(root, ref))
    if not 0 <= wanted < len(volumes):
        raise ReadError(
            f"Case {case_id(ref.path)}: its series has no volume {wanted}.",
            expected=f"0 to {len(volumes) - 1}" if volumes else "a series with at least one volume",
            next_step="index the folder again, or leave it out",
        )
    return volumes[wanted]


def series_files(root: Path, ref: Ref) -> tuple[Path, ...]:
    """Return the files, or the archive, that a ref to a DICOM file or series is read from, in a stable order."""
    if not _series(ref):
        return (inside(root, ref.path),)
    return tuple(inside(root, path) for path in sorted({e.path for e in _entries(root, ref)}))


def _entries(root: Path, ref: Ref) -> tuple[Entry, ...]:
    """Return the files of a ref's series: of its patient, study and, where named, folder, should others share it."""
    from hounsfield.data.dicom.index import series_entries

    path, member, folder = ref.path, _member(ref), dict(ref.part).get("folder")
    entries = series_entries(root, path, _series(ref))
    own = next((e for e in entries if (e.path, e.member) == (path, member)), None)
    if own is None:
        return ()
    who = (own.patient_id, own.issuer, own.study_uid)
    same = (e for e in entries if (e.patient_id, e.issuer, e.study_uid) == who)
    return tuple(e for e in same if folder is None or f"{place_of(e)}/".startswith(f"{folder}/"))


@lru_cache(maxsize=64)
def _volumes(root: Path, entries: tuple[Entry, ...]) -> tuple[Volume, ...]:
    return assemble(entries, root=root).volumes


def _header(size: tuple[int, ...], channels: int, entry: Entry, count: int) -> Header:
    return Header(size=size, channels=channels, bits=entry.bits, file_format="DICOM", bytes=count)


def _no_image(path: str) -> ReadError:
    return ReadError(
        f"Case {case_id(path)}: the DICOM file holds no pixels.",
        expected="an image",
        next_step="leave it out",
    )
