"""Drawn: the masks of a file on a volume, whichever kind of object holds them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.data.dicom.apart import RT_STRUCTURES
from hounsfield.data.dicom.assembling import Volume, opened
from hounsfield.data.dicom.contours import contour_masks
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.fields import text, words
from hounsfield.data.dicom.masks import Mask, referenced_volume
from hounsfield.data.dicom.segmentation import segmentation_masks

if TYPE_CHECKING:
    from pydicom import Dataset

_NAMING = ("PatientName", "PatientID", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName", "AccessionNumber")


@dataclass(frozen=True)
class Drawn:
    """The masks of one file.

    Parameters
    ----------
    masks : tuple of Mask
    naming : frozenset of str
        Words, in lower case, of the patient's name and identifiers: a label in which one of them stands is not to be
        used as a file name.
    """

    masks: tuple[Mask, ...]
    naming: frozenset[str] = frozenset()


def drawn_on(root: Path, entry: Entry, volumes: Sequence[Volume]) -> Volume | None:
    """Return which of the volumes a segmentation or structure set was drawn on, None where that is not told.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    """
    same = [v for v in volumes if (v.first.patient_id, v.first.issuer) == (entry.patient_id, entry.issuer)]
    return referenced_volume(opened(root, entry, pixels=False), same)


def read_masks(root: Path, entry: Entry, volume: Volume, *, only: frozenset[int] | None = None) -> Drawn:
    """Read the masks of a segmentation or structure set on the grid of a volume.

    Parameters
    ----------
    root : pathlib.Path
        The indexed folder.
    entry : Entry
        The file with the masks.
    volume : Volume
        As `drawn_on` finds it.
    only : frozenset of int or None
        Numbers of the segments or regions that are wanted; all by default.

    Raises
    ------
    ReadError
        If the file cannot be read, or its masks cannot be placed on the volume.
    """
    dataset = opened(root, entry, pixels=True)
    read = contour_masks if entry.sop_class == RT_STRUCTURES else segmentation_masks
    return Drawn(read(dataset, entry, volume, only=only), naming_words(dataset))


def naming_words(dataset: "Dataset") -> frozenset[str]:
    """Return the words, in lower case, of the patient's name and identifiers."""
    values = [w for keyword in _NAMING for w in words(dataset.get(keyword))]
    parts = (p for value in values for p in re.split(r"[\W_]+", text(value).casefold()))
    return frozenset(p for p in parts if len(p) > 2)
