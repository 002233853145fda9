"""Marked: what a segmentation or structure set marks, on which images, when and by whom, without its voxels."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.data.dicom.apart import RT_STRUCTURES
from hounsfield.data.dicom.assembling import opened
from hounsfield.data.dicom.contours import closed_contours
from hounsfield.data.dicom.drawn import naming_words
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import items, text, whole
from hounsfield.data.dicom.masks import Code, code_of, frame_of_reference, references
from hounsfield.data.dicom.naming import structure_key, structure_name
from hounsfield.data.dicom.segmentation import segments_of

if TYPE_CHECKING:
    from pydicom import Dataset

_AUTOMATIC = "AUTOMATIC"


@dataclass(frozen=True)
class Structure:
    """One structure that a file marks.

    Parameters
    ----------
    number : int
        Segment or ROI number.
    name : str
        For a person to read; see `naming.structure_name`.
    kind : Code or None
        Coded type, where stated.
    automatic : bool
        Whether a program drew it.
    """

    number: int
    name: str
    kind: Code | None = None
    automatic: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """What it may be asked for by: its name, then its coded type."""
        meaning = structure_key(self.kind.meaning) if self.kind is not None else ""
        own = structure_key(self.name)
        return (own, meaning) if meaning and meaning != own else (own,)


@dataclass(frozen=True)
class Marked:
    """What one file marks.

    Parameters
    ----------
    entry : Entry
    structures : tuple of Structure
        Of a structure set those with closed contours only: templates bring names that nobody drew. Of a segmentation
        all that it describes: without frames a segment says that there is none.
    images, series : frozenset of str
        UIDs that it refers to.
    frame : str
        Frame of reference.
    when : str
        Date and time of its content, ``YYYYMMDDhhmmss``, as far as stated.
    author : str
        Who drew it, in lower case: to be compared, never to be shown.
    """

    entry: Entry
    structures: tuple[Structure, ...]
    images: frozenset[str] = field(default=frozenset(), repr=False)
    series: frozenset[str] = field(default=frozenset(), repr=False)
    frame: str = ""
    when: str = ""
    author: str = field(default="", repr=False)

    @property
    def contours(self) -> bool:
        """Whether it holds contours and no voxels."""
        return self.entry.sop_class == RT_STRUCTURES


@lru_cache(maxsize=4096)
def marked_by(root: Path, entry: Entry) -> Marked:
    """Read what a segmentation or structure set marks.

    Raises
    ------
    ReadError
        If it cannot be opened, was rejected, or marks nothing.
    """
    return marks_of(opened(root, entry, pixels=False), entry)


def marks_of(dataset: "Dataset", entry: Entry) -> Marked:
    """Return what an opened segmentation or structure set marks; raise ReadError as `marked_by` does."""
    drawn = entry.sop_class == RT_STRUCTURES
    if text(dataset.get("ApprovalStatus")).upper() == "REJECTED":
        raise _bad(entry, "was rejected by its reviewer")
    structures = _regions(dataset) if drawn else _segments(dataset)
    if not structures:
        raise _bad(entry, "marks nothing")
    images, series = references(dataset)
    prefix = "StructureSet" if drawn else "Content"
    day = text(dataset.get(f"{prefix}Date")) or text(dataset.get("InstanceCreationDate"))
    time = text(dataset.get(f"{prefix}Time")) or text(dataset.get("InstanceCreationTime"))
    author = text(dataset.get("OperatorsName" if drawn else "ContentCreatorName"))
    return Marked(
        entry,
        structures,
        frozenset(images),
        frozenset(series),
        frame_of_reference(dataset),
        day.replace(".", "")[:8] + time.replace(":", "").partition(".")[0],
        " ".join(author.replace("^", " ").split()).casefold(),
    )


def clause_of(error: ReadError) -> str:
    """Return why a file could not be read as one clause, without the case: a list names it."""
    return (error.found.partition(": ")[2] or error.found).rstrip(".")


def _segments(dataset: "Dataset") -> tuple[Structure, ...]:
    naming = naming_words(dataset)
    automatic = {
        whole(i.get("SegmentNumber")): text(i.get("SegmentAlgorithmType")).upper() == _AUTOMATIC
        for i in items(dataset, "SegmentSequence")
    }
    return tuple(
        Structure(s.number, structure_name(s.name, s.number, s.kind, naming), s.kind, automatic.get(s.number, False))
        for s in segments_of(dataset)
    )


def _regions(dataset: "Dataset") -> tuple[Structure, ...]:
    naming = naming_words(dataset)
    told = {whole(i.get("ROINumber")) or 0: i for i in items(dataset, "StructureSetROISequence")}
    seen = {whole(i.get("ReferencedROINumber")) or 0: i for i in items(dataset, "RTROIObservationsSequence")}
    found = []
    for contours in items(dataset, "ROIContourSequence"):
        number = whole(contours.get("ReferencedROINumber")) or 0
        if not closed_contours(contours):
            continue
        item = told.get(number)
        label = text(item.get("ROIName")) if item is not None else ""
        kind = code_of(seen.get(number), "RTROIIdentificationCodeSequence")
        how = text(item.get("ROIGenerationAlgorithm")).upper() if item is not None else ""
        found.append(Structure(number, structure_name(label, number, kind, naming), kind, how == _AUTOMATIC))
    return tuple(sorted(found, key=lambda s: s.number))


def _bad(entry: Entry, found: str) -> ReadError:
    return ReadError(
        f"Case {case_id(entry.path)}: the mask object {found}.", expected="structures", next_step="leave it out"
    )
