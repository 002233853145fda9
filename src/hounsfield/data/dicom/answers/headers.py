"""Clean headers of the images that a DICOM object refers to: what it must take from them, and nothing else."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hounsfield.data.dicom.apart import ENHANCED
from hounsfield.data.dicom.planes import Plane

if TYPE_CHECKING:
    from pydicom import Dataset

PATIENT = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    "StudyDescription", "PatientAge", "PatientSize", "PatientWeight",
)  # fmt: skip
_IMAGE = (
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDate", "SeriesTime",
    "ContentDate", "ContentTime", "FrameOfReferenceUID", "PositionReferenceIndicator", "Rows", "Columns",
    "PatientOrientation", "Laterality", "BodyPartExamined", "InstanceNumber",
)  # fmt: skip
_NEEDED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_VERBATIM = frozenset(
    ("PatientName", "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyID", "StudyInstanceUID",
     "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "FrameOfReferenceUID")
)  # fmt: skip
_FAR = 1.0e7
"""Millimetres from everything: where frames are put that a volume does not use, so that nothing refers to them."""


def clean_header(found: "Dataset", planes: Sequence[Plane]) -> "Dataset":
    """Return the header of one image, made anew in UTF-8.

    Parameters
    ----------
    found : pydicom.Dataset
        As the file has it, in any character set and with any fault.
    planes : sequence of Plane
        The slices that lie in this file; none of a picture without a place in space.

    Notes
    -----
    Values that break the rules of their type are left out, and what must be there but may be empty is empty; but what
    tells patient, study and images apart is handed on as it is, too long or badly formed. Where a slice lies is said as
    the index read it.
    """
    from pydicom import Dataset

    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (*PATIENT, *STUDY, *_IMAGE):
        value = _as_it_is(found, keyword) if keyword in _VERBATIM else _sound(found, keyword)
        if value is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                setattr(made, keyword, value)
    for keyword in _NEEDED:
        if keyword not in made:
            setattr(made, keyword, "")
    if not planes:
        for keyword in ("FrameOfReferenceUID", "PositionReferenceIndicator"):
            if keyword in made:
                delattr(made, keyword)
        return made
    if planes[0].entry.sop_class in ENHANCED or planes[0].entry.frames > 1:
        _place_frames(made, planes)
    else:
        _place(made, planes[0])
    return made


def copied(header: "Dataset", keywords: Sequence[str], into: "Dataset") -> None:
    """Copy attributes that are there from one clean header into an object."""
    for keyword in keywords:
        if keyword in header:
            setattr(into, keyword, header[keyword].value)


_DAMAGED = (ValueError, TypeError, AttributeError, KeyError, NotImplementedError)
"""What pydicom raises where a value's bytes are not what its type says; such a value counts as missing."""


def _as_it_is(found: "Dataset", keyword: str) -> str | None:
    """Return a text as it is written; None where it is missing or empty."""
    try:
        value = str(found[keyword].value if keyword in found else "")
    except _DAMAGED:
        return None
    return value or None


def _sound(found: "Dataset", keyword: str) -> object:
    """Return a value that its type allows; None where it is missing or breaks the rules."""
    from pydicom.config import RAISE
    from pydicom.valuerep import validate_value

    try:
        value = found[keyword].value if keyword in found else None
        if value is None or str(value) == "":
            return None
        if keyword in ("Rows", "Columns"):
            return int(value)
        parts = value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]
        for part in parts:
            validate_value(found[keyword].VR, str(part), RAISE)
        plain = [str(part) for part in parts]
    except _DAMAGED:
        return None
    return plain if len(plain) > 1 else plain[0]


def _decimals(values: Sequence[float]) -> list[str]:
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(v)) for v in values]


def _place(made: "Dataset", plane: Plane) -> None:
    made.ImagePositionPatient = _decimals(plane.position_lps)
    made.ImageOrientationPatient = _decimals(plane.orientation_lps)
    made.PixelSpacing = _decimals(plane.spacing_mm)
    made.SliceThickness = _decimals([plane.depth_mm or 1.0])[0]


def _place_frames(made: "Dataset", planes: Sequence[Plane]) -> None:
    """Say where each frame lies, up to the last that is used: what the header claims of their number is not trusted."""
    from pydicom import Dataset

    first = planes[0]
    measures, direction, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = _decimals(first.spacing_mm)
    measures.SliceThickness = _decimals([first.depth_mm or 1.0])[0]
    direction.ImageOrientationPatient = _decimals(first.orientation_lps)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [direction]
    held = {plane.frame: plane.position_lps for plane in planes}
    groups = []
    frames = max(held) + 1
    for number in range(frames):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = _decimals(held.get(number, (_FAR, _FAR, _FAR)))
        group.PlanePositionSequence = [place]
        groups.append(group)
    made.NumberOfFrames = frames
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = groups
