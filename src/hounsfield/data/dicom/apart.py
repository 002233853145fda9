"""What is no slice of a volume by its header, and why: localizers, secondary captures, masks, reports, pictures."""

from collections.abc import Iterable

from hounsfield.data.dicom.entries import Entry

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage and Label Map Segmentation Storage."""
SURFACE = "1.2.840.10008.5.1.4.1.1.66.5"
RT_STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
REPORTS = "1.2.840.10008.5.1.4.1.1.88."
ENCAPSULATED = "1.2.840.10008.5.1.4.1.1.104."
PRESENTATION_STATES = "1.2.840.10008.5.1.4.1.1.11."
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
SLIDES = "1.2.840.10008.5.1.4.1.1.77.1.6"
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
_SCOUTS = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})


def is_mask(entry: Entry) -> bool:
    """Tell whether a file holds masks: a segmentation or a set of contours."""
    return entry.sop_class in (*SEGMENTATIONS, RT_STRUCTURES)


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
    return _by_class(entry) or _by_words(entry) or _by_pixels(entry)


def _by_class(entry: Entry) -> str:
    kinds = (
        (entry.sop_class in SEGMENTATIONS, "a segmentation: a mask of other images"),
        (entry.sop_class == SURFACE, "a surface segmentation, which is not read"),
        (entry.sop_class == RT_STRUCTURES, "a structure set: contours on other images"),
        (entry.sop_class == RT_DOSE, "a radiotherapy dose"),
        (entry.sop_class.startswith(REPORTS), "a structured report"),
        (entry.sop_class.startswith(ENCAPSULATED), "an encapsulated document"),
        (entry.sop_class.startswith(PRESENTATION_STATES), "a presentation state"),
        (entry.sop_class.startswith(PARAMETRIC_MAP), "a parametric map, computed from other images"),
        (entry.sop_class.startswith(SLIDES), "a tiled microscopy slide"),
        (_is_capture(entry.sop_class), "a secondary capture"),
    )
    return next((reason for holds, reason in kinds if holds), "")


def _is_capture(sop_class: str) -> bool:
    return sop_class == SECONDARY_CAPTURE or sop_class.startswith(SECONDARY_CAPTURE + ".")


def _by_words(entry: Entry) -> str:
    words = {w.strip().upper() for w in entry.image_type}
    return "a localizer (scout)" if words & _SCOUTS else ""


def _by_pixels(entry: Entry) -> str:
    if not entry.rows or not entry.columns or not entry.frames:
        return "no pixels"
    if entry.samples > 1 or entry.photometric == "PALETTE COLOR":
        return "a colour picture"
    if entry.frames > 1 and entry.sop_class not in ENHANCED:
        return "several frames that do not say where they lie (a film)"
    return ""


def studies_with_originals(entries: Iterable[Entry]) -> set[tuple[str, str]]:
    """Return the pairs of study and modality that hold an image that is not derived."""
    return {(e.study_uid, e.modality) for e in entries if not is_derived(e) and not reason_apart(e)}
