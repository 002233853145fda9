"""What is no slice of a volume by its header, and why: localizers, secondary captures, masks, reports, pictures."""

import re
from collections.abc import Iterable

from hounsfield.data.dicom.entries import Entry

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""
RT_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
ENHANCED = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.2.1",  # Enhanced CT
        "1.2.840.10008.5.1.4.1.1.2.2",  # Legacy Converted Enhanced CT
        "1.2.840.10008.5.1.4.1.1.4.1",  # Enhanced MR
        "1.2.840.10008.5.1.4.1.1.4.3",  # Enhanced MR Color
        "1.2.840.10008.5.1.4.1.1.4.4",  # Legacy Converted Enhanced MR
        "1.2.840.10008.5.1.4.1.1.128.1",  # Legacy Converted Enhanced PET
        "1.2.840.10008.5.1.4.1.1.130",  # Enhanced PET
        "1.2.840.10008.5.1.4.1.1.13.1.1",  # X-Ray 3D Angiographic
        "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast Tomosynthesis
        "1.2.840.10008.5.1.4.1.1.6.2",  # Enhanced US Volume
    }
)
"""Multi-frame objects whose frames say themselves where they lie."""
WAVEFORMS = "1.2.840.10008.5.1.4.1.1.9"
"""How the storage classes of waveforms begin (PS3.6, table A-1)."""
_KINDS = (
    (WAVEFORMS, "a waveform: a signal, not a picture"),
    (SEGMENTATIONS[0], "a segmentation: a mask of other images"),
    (SEGMENTATIONS[1], "a segmentation: a mask of other images"),
    ("1.2.840.10008.5.1.4.1.1.66.5", "a surface segmentation, which is not read"),
    ("1.2.840.10008.5.1.4.1.1.66", "raw data, not a picture"),
    (RT_STRUCTURES, "a structure set: contours on other images"),
    ("1.2.840.10008.5.1.4.1.1.481.2", "a radiotherapy dose"),
    ("1.2.840.10008.5.1.4.1.1.481", "a radiotherapy object"),
    ("1.2.840.10008.5.1.4.1.1.88.67", "a dose report"),
    ("1.2.840.10008.5.1.4.1.1.88", "a structured report"),
    ("1.2.840.10008.5.1.4.1.1.104", "an encapsulated document"),
    ("1.2.840.10008.5.1.4.1.1.11", "a presentation state"),
    ("1.2.840.10008.5.1.4.1.1.30", "a parametric map, computed from other images"),
    ("1.2.840.10008.5.1.4.1.1.77.1.6", "a tiled microscopy slide"),
    (SECONDARY_CAPTURE, "a secondary capture"),
)
"""SOP Class or the beginning of several, and what they are; the more special first."""
_SCOUTS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
_SCOUT_WORDS = re.compile(r"\b(scout|locali[sz]er|topogram|surview|3[- ]?plane)\b", re.IGNORECASE)
_DOSE_WORDS = re.compile(r"\b(dose (report|info|record)|patient protocol)\b", re.IGNORECASE)
_VOLUMES = frozenset(("CT", "MR", "PT", "NM"))
DERIVED = "derived from other images"


def is_mask(entry: Entry) -> bool:
    """Tell whether a file holds masks: a segmentation or a set of contours."""
    return entry.sop_class in (*SEGMENTATIONS, RT_STRUCTURES)


def is_waveform(entry: Entry) -> bool:
    """Tell whether a file holds a waveform: an electrocardiogram, a pressure, respiration, sound."""
    return entry.sop_class.startswith(f"{WAVEFORMS}.")


def is_derived(entry: Entry) -> bool:
    """Tell whether the header calls the image derived from others."""
    return bool(entry.image_type) and entry.image_type[0].upper() == "DERIVED"


def reason_apart(entry: Entry) -> str:
    """Say in one clause why a file takes no part in any volume; empty where it may.

    Notes
    -----
    By class first: a class is exact where words of an image type are a vendor's. What is missing in the header comes
    last, so that a report is told to be a report and not an image without rows.
    """
    return reason_no_picture(entry) or _by_pixels(entry)


def reason_no_picture(entry: Entry) -> str:
    """Say in one clause why a file is no picture of a patient to be judged by itself; empty where it may be one.

    Notes
    -----
    The words of a description count only where a vendor's class and image type say nothing: a scout that is called
    "Scout", a page of doses stored as a CT slice.
    """
    return _by_class(entry) or _by_words(entry)


def _by_class(entry: Entry) -> str:
    own = entry.sop_class
    return next((what for prefix, what in _KINDS if own == prefix or own.startswith(prefix + ".")), "")


def _by_words(entry: Entry) -> str:
    if _SCOUTS & {w.strip().upper() for w in entry.image_type} or _SCOUT_WORDS.search(entry.series_description):
        return "a localizer (scout)"
    return "a dose report" if _DOSE_WORDS.search(entry.series_description) else ""


def _by_pixels(entry: Entry) -> str:
    if not entry.rows or not entry.columns or not entry.frames:
        return "no pixels"
    if entry.samples > 1 or entry.photometric == "PALETTE COLOR":
        return "a colour picture"
    if entry.frames > 1 and entry.sop_class not in ENHANCED:
        return "several frames that do not say where they lie (a film)"
    return ""


def is_computed(entry: Entry) -> bool:
    """Tell whether the header calls a slice computed from others and made afterwards, as reformatted slices are."""
    kinds = tuple(w.upper() for w in entry.image_type[:2])
    return kinds == ("DERIVED", "SECONDARY") and entry.modality in _VOLUMES


def studies_with_originals(entries: Iterable[Entry]) -> set[tuple[str, str]]:
    """Return the pairs of study and modality that hold an image that is not derived."""
    return {(e.study_uid, e.modality) for e in entries if not is_derived(e) and not reason_apart(e)}
