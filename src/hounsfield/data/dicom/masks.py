"""Masks that came as DICOM objects: what each marks, and which volume they lie on."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.assembling import Volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import first, items, text

if TYPE_CHECKING:
    from pydicom import Dataset

_DEEPEST = 12
MOST_MASK_BYTES = 16 << 30
"""Bytes of all masks of one object together: 200 structures on a large CT; pages that stay empty take no memory."""


@dataclass(frozen=True)
class Code:
    """A coded term.

    Parameters
    ----------
    value, scheme, meaning : str
        ``10200004``, ``SCT``, ``Liver``.
    """

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Mask:
    """One structure, marked on the grid of a volume.

    Parameters
    ----------
    name : str
        Segment label or ROI name. Free text: a person may have typed anything.
    number : int
        Segment or ROI number.
    array : numpy.ndarray
        ``z y x``: bool, or float32 from 0 to 1 where the object states fractions.
    category, kind : Code or None
        Coded category and type (``Anatomical Structure``, ``Liver``), where stated.
    notes : tuple of str
        What was left out or assumed.
    """

    name: str
    number: int
    array: AnyArray = field(repr=False, compare=False)
    category: Code | None = None
    kind: Code | None = None
    notes: tuple[str, ...] = ()


def check_masks(count: int, volume: Volume, item_bytes: int, entry: Entry) -> None:
    """Refuse an object whose masks would take more memory than `MOST_MASK_BYTES`.

    Raises
    ------
    ReadError
        If they would.
    """
    needed = count * math.prod(volume.size) * item_bytes
    if needed > MOST_MASK_BYTES:
        raise ReadError(
            f"Case {case_id(entry.path)}: {count} masks of {needed / 2**30:.0f} GiB together.",
            expected=f"at most {MOST_MASK_BYTES / 2**30:g} GiB",
            next_step="export fewer structures at a time, or leave it out",
        )


def code_of(holder: "Dataset | None", keyword: str) -> Code | None:
    """Return the first coded term of a code sequence."""
    item = first(holder, keyword)
    if item is None:
        return None
    value = text(item.get("CodeValue")) or text(item.get("LongCodeValue")) or text(item.get("URNCodeValue"))
    return Code(value, text(item.get("CodingSchemeDesignator")), text(item.get("CodeMeaning")))


def referenced_volume(dataset: "Dataset", volumes: Iterable[Volume]) -> Volume | None:
    """Return the volume that a mask object was drawn on.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Segmentation or structure set.
    volumes : iterable of Volume
        Among which to look.

    Returns
    -------
    Volume or None
        The one that holds most of the images that the object names; else the largest of the series that it names; else
        the only one of its frame of reference. None where that does not decide.
    """
    regular = [v for v in volumes if v.regular]
    images, series = references(dataset)
    counted = [(sum(e.sop_uid in images for e in v.entries), len(v.planes), -n) for n, v in enumerate(regular)]
    if counted and max(counted)[0] > 0:
        return regular[-max(counted)[2]]
    named = [v for v in regular if v.series_uid in series]
    if named:
        return max(named, key=lambda v: len(v.planes))
    frame = frame_of_reference(dataset)
    sharing = [v for v in regular if frame and v.first.frame_of_reference == frame]
    return sharing[0] if len(sharing) == 1 else None


def frame_of_reference(dataset: "Dataset") -> str:
    """Return the UID of the frame of reference that a mask object is drawn in; empty where it does not say."""
    inner = first(dataset, "ReferencedFrameOfReferenceSequence")
    return (text(inner.get("FrameOfReferenceUID")) if inner is not None else "") or text(
        dataset.get("FrameOfReferenceUID")
    )


def references(dataset: "Dataset") -> tuple[set[str], set[str]]:
    """Return the identifiers of images and series that an object refers to, wherever it says so."""
    images: set[str] = set()
    series: set[str] = set()
    waiting = [(dataset, 0)]
    while waiting:
        item, depth = waiting.pop()
        for element in item:
            if element.keyword == "ReferencedSOPInstanceUID":
                images.add(text(element.value))
            elif element.keyword == "SeriesInstanceUID" and depth:
                series.add(text(element.value))
            elif element.VR == "SQ" and depth < _DEEPEST:
                waiting += [(inner, depth + 1) for inner in items(item, element.keyword)]
    return images, series
