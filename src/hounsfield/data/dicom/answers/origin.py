"""The DICOM images that an annotation was drawn on: their headers, and which of them each slice is."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.data.annotations.files import misfit
from hounsfield.data.dicom.answers.composing import version
from hounsfield.data.dicom.answers.headers import clean_header
from hounsfield.data.dicom.assembling import opened
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.planes import Plane, plane_of
from hounsfield.data.dicom.reader import file_behind, volume_behind
from hounsfield.data.dicom.writing import derived_uid

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True)
class Origin:
    """Where an annotation comes from.

    Parameters
    ----------
    headers : tuple of pydicom.Dataset
        Of each file once, as `headers.clean_header` makes it, in the order of their first slice.
    entries : tuple of Entry
        What the index has of the same files.
    planes : tuple of Plane
        One for each slice of the annotation; none of a picture without a place in space.
    """

    headers: tuple["Dataset", ...] = field(repr=False)
    entries: tuple[Entry, ...] = field(repr=False)
    planes: tuple[Plane, ...] = field(repr=False)

    @property
    def first(self) -> "Dataset":
        """The header that speaks for patient, study and series."""
        return self.headers[0]

    @property
    def placed(self) -> bool:
        """Whether the images have a place in space and name its frame of reference."""
        return bool(self.planes) and bool(self.entries[0].frame_of_reference)

    def header_of(self, plane: Plane) -> "Dataset":
        """Return the header of the file that holds a slice."""
        return self.headers[self.entries.index(plane.entry)]


def why_not(answer: Annotation, source: Source) -> str:
    """Return in one clause why no DICOM object can be made of an annotation; ``""`` where one can."""
    wrong = misfit(answer, source)
    if wrong:
        return wrong
    reason = _reason(answer, source)
    return f"{reason}; NIfTI can hold it" if reason else ""


def _reason(answer: Annotation, source: Source) -> str:
    if source.ref.reader != "dicom":
        return "the image did not come as DICOM, so there is no study that a DICOM object could belong to"
    try:
        origin = origin_of(source)
    except ReadError as error:
        return f"its DICOM files are not found again ({error.found.rstrip('.')})"
    if any(plane.tile >= 0 for plane in origin.planes):
        return "the image is a mosaic, whose slices are no frames that a DICOM object could refer to"
    if answer.ndim == 3 and len(origin.planes) != answer.size[0]:
        return "the frames of the image have no place in space"
    if len({e.series_uid for e in origin.entries}) > 1:
        return "its slices come from several series"
    missing = [k for k in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID") if not origin.first.get(k)]
    if missing:
        return f"the image has no {missing[0]}"
    return ""


def origin_of(source: Source) -> Origin:
    """Return the headers of the files that an image was read from.

    Raises
    ------
    ReadError
        If they cannot be read again.
    """
    return _origin(source.cohort.root, source.ref)


@lru_cache(maxsize=2)
def _origin(root: str, ref: Ref) -> Origin:
    """Find the files once for all objects that are made of one annotation."""
    place = Path(root)
    volume = volume_behind(place, ref)
    if volume is not None:
        entries, planes = volume.entries, volume.planes
    else:
        entry = file_behind(place, ref)
        plane = plane_of(entry) if entry.frames == 1 else "several frames"
        # a picture whose frame of reference is unknown lies nowhere that another object could share
        placed = not isinstance(plane, str) and bool(entry.frame_of_reference)
        entries, planes = (entry,), (plane,) if placed and not isinstance(plane, str) else ()
    headers = [clean_header(opened(place, e, pixels=False), [p for p in planes if p.entry == e]) for e in entries]
    return Origin(tuple(headers), entries, planes)


def answer_uid(kind: str, answer: Annotation, source: Source) -> str:
    """Return the UID of an object: the same for the same marks on the same image at the same time.

    Parameters
    ----------
    kind : str
        What is made, such as ``"seg"``.
    answer : Annotation
    source : Source
    """
    digest = hashlib.sha256(np.ascontiguousarray(answer.array).data).hexdigest()
    images = origin_of(source).entries
    when = source.made_at.isoformat() if source.made_at is not None else ""
    return derived_uid(
        "annotation", kind, version(), images[0].sop_uid, str(len(images)), when, digest, *answer.classes
    )
