"""Used: what of a series is looked at, as refs: a volume and which of its phases, or a picture; and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.apart import ENHANCED, reason_apart
from hounsfield.data.dicom.assembling import Volume, assemble, opened
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.groups import Series
from hounsfield.data.dicom.mosaic import is_mosaic
from hounsfield.data.dicom.phases import Phases, Picked, b_name, pick
from hounsfield.data.dicom.query import Query
from hounsfield.data.dicom.suv import UNKNOWN, Uptake, uptake_of_series

_VOLUMES = frozenset(("CT", "MR", "PT", "NM"))


@dataclass(frozen=True)
class Used:
    """What of a series is looked at.

    Parameters
    ----------
    ref : Ref
    ndim : int
        2 for a picture, 3 for a volume or a film.
    reason : str
        Why this volume, where there are several; else empty.
    phases : Phases or None
        Those it is one of.
    notes : tuple of str
        What a person should know of the volume: tilt, gaps, repeated images.
    all_phases : mapping of str to Ref
        Of a series of phases the refs of all along the first axis, by name (``b_1000``, ``echo_2``, ``phase_3``); of
        a single volume with a b-value itself.
    """

    ref: Ref
    ndim: int
    reason: str = ""
    phases: Phases | None = None
    notes: tuple[str, ...] = ()
    all_phases: Mapping[str, Ref] = field(default_factory=dict)


def is_volume(series: Series) -> bool:
    """Tell whether the files of a series are slices of a volume and not pictures beside each other."""
    entries = _able(series)
    if not entries:
        return False
    first = series.first
    places = {e.position_lps for e in entries if e.frames == 1 and e.position_lps is not None}
    return (first.modality in _VOLUMES and len(places) > 1) or first.sop_class in ENHANCED or is_mosaic(first)


def ndim_of(series: Series) -> int:
    """Return 3 for a volume and for a file of several frames, else 2."""
    return 3 if is_volume(series) or first_picture(series).frames > 1 else 2


@lru_cache(maxsize=1024)
def used_of(series: Series, root: Path, query: Query | None = None, folder: str = "") -> Used:
    """Return what is looked at where a series is one image.

    Parameters
    ----------
    series : Series
    root : pathlib.Path
        The indexed folder.
    query : Query or None
        What the user asked for.
    folder : str
        Only the files of this folder belong to the series, whatever others share its UID.
    """
    ndim = ndim_of(series)
    picture = first_picture(series)
    if len(series.entries) == 1 and not is_volume(series):
        return Used(_file(picture), ndim)
    assembly = assemble(_able(series) or series.entries, root=root)
    picked = pick(assembly.volumes, query)
    places = {id(v): n for n, v in enumerate(assembly.volumes)}  # their own numbers begin again with each modality
    again = sum("there twice" in reason for _, reason in assembly.apart)
    repeated = (f"{again} images are there twice and were taken once",) if again else ()
    if is_volume(series):
        if picked is None:
            why = assembly.apart[0][1] if assembly.apart else "no slices"
            return Used(_volume(series, picture, 0, folder), ndim, notes=(f"no volume: {why}",))
        refs = {n: _volume(series, picture, places[id(v)], folder) for n, v in _named(picked).items()}
        notes = (*picked.volume.notes, *repeated)
        ref = _volume(series, picture, places[id(picked.volume)], folder)
        return Used(ref, ndim, picked.reason, picked.phases, notes, refs)
    if picked is None or picked.phases is None or ndim != 2:
        return Used(_file(picture), ndim, notes=repeated)
    refs = {n: _file(v.first) for n, v in _named(picked).items()}
    return Used(_file(picked.volume.first), ndim, picked.reason, picked.phases, repeated, refs)


@lru_cache(maxsize=1024)
def uptake_of(series: Series, root: Path) -> Uptake:
    """Return how values of a PET series become SUV, or why not."""
    try:
        return uptake_of_series(opened(root, e, pixels=False) for e in series.entries if e.frames > 0)
    except ReadError:
        return UNKNOWN


def first_picture(series: Series) -> Entry:
    """Return the picture that stands for a series of pictures: of the lowest number."""
    able = [e for e in series.entries if e.frames > 0] or list(series.entries)
    return min(able, key=lambda e: (e.instance_number if e.instance_number is not None else 1 << 40, e.path, e.member))


def _able(series: Series) -> tuple[Entry, ...]:
    return tuple(e for e in series.entries if not reason_apart(e))


def _named(picked: Picked) -> dict[str, Volume]:
    """Return the volumes along the first axis by their names; a single one has a name where its b-value gives it."""
    if picked.phases is not None:
        return picked.phases.first_axis()
    b_value = picked.volume.planes[0].b_value
    return {b_name(b_value): picked.volume} if b_value is not None else {}


def _file(entry: Entry) -> Ref:
    return Ref("dicom", entry.path, (("member", entry.member),) if entry.member else ())


def _volume(series: Series, entry: Entry, number: int, folder: str) -> Ref:
    held = (("folder", folder),) if folder else ()
    return Ref("dicom", entry.path, (*_file(entry).part, ("series", series.uid), *held, ("volume", number)))
