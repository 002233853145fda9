"""Annotations as structure sets of radiotherapy: contours in the planes of the images."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.types import Float64Array
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.files import refuse, stem, write_whole
from hounsfield.data.dicom.answers.composing import MAKER, encoded, lenient, made_at, short, version
from hounsfield.data.dicom.answers.concepts import concept
from hounsfield.data.dicom.answers.headers import PATIENT, STUDY, copied
from hounsfield.data.dicom.answers.origin import Origin, answer_uid, origin_of, why_not
from hounsfield.data.dicom.answers.segments import FOLDER
from hounsfield.data.dicom.planes import Plane
from hounsfield.data.dicom.writing import derived_uid
from hounsfield.geometry.outlines import outlines

if TYPE_CHECKING:
    from pydicom import Dataset

_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_IMPLICIT = "1.2.840.10008.1.2"
_IMPLEMENTATION = "HOUNSFIELD"
_SERIES_NUMBER = 9002


class StructureSetWriter:
    """Writes ``dicom/<case>.rtstruct.dcm``: a region of interest for each class.

    Notes
    -----
    Contours run halfway between marked and unmarked pixels, in the plane of the image that they refer to, whether the
    planes are oblique, tilted or unevenly spaced. A hole is joined to its outline by a seam (keyhole). A class without
    a mark is there without contours.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse what did not come as DICOM, and pictures without a place in space."""
        reason = why_not(answer, source)
        if reason:
            return reason
        if not origin_of(source).placed:
            return "the images have no place in a frame of reference, in which contours are given; NIfTI can hold it"
        return ""

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation."""
        refuse(self.accepts(answer, source), source, instead="NIfTI")
        with lenient(source.name):
            content = encoded(structure_set(answer, source))
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.rtstruct.dcm", content),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own file."""
        return ()


def structure_set(answer: Annotation, source: Source) -> "Dataset":
    """Return an annotation as a data set of RT Structure Set Storage.

    References
    ----------
    DICOM PS3.3 A.19, C.8.8.5, C.8.8.6 and C.8.8.8.

    Notes
    -----
    Implicit VR: the length of a contour's text would not fit into the 16 bits that explicit VR gives it.
    """
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    origin = origin_of(source)
    when = made_at(source, origin.first)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(_IMPLICIT)
    made.file_meta.ImplementationClassUID = UID(derived_uid("implementation"))
    made.file_meta.ImplementationVersionName = _IMPLEMENTATION
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = _STRUCTURE_SET, answer_uid("rtstruct", answer, source)
    copied(origin.first, (*PATIENT, *STUDY), made)
    made.Modality = "RTSTRUCT"
    made.SeriesInstanceUID = derived_uid("annotation series", "rtstruct", made.SOPInstanceUID)
    made.SeriesNumber, made.InstanceNumber = _SERIES_NUMBER, 1
    made.SeriesDescription = "Annotation (research, not reviewed)"
    made.OperatorsName = ""
    made.Manufacturer = made.ManufacturerModelName = MAKER
    made.SoftwareVersions = version()
    made.FrameOfReferenceUID = origin.first.FrameOfReferenceUID
    made.PositionReferenceIndicator = origin.first.get("PositionReferenceIndicator", "")
    made.StructureSetLabel = "ANNOTATION"
    made.StructureSetDate, made.StructureSetTime = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
    made.ApprovalStatus = "UNAPPROVED"
    made.ReferencedFrameOfReferenceSequence = [_references(origin)]
    numbered = list(enumerate(answer.classes))
    made.StructureSetROISequence = [_region(n, name, origin) for n, name in numbered]
    made.ROIContourSequence = [_contours(n, answer, origin) for n, _ in numbered]
    made.RTROIObservationsSequence = [_observation(n, name) for n, name in numbered]
    return made


def _references(origin: Origin) -> "Dataset":
    """Return the frame of reference, and in it the study, series and images."""
    from pydicom import Dataset

    frame, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = origin.first.SeriesInstanceUID
    series.ContourImageSequence = [_image(origin.header_of(plane), plane) for plane in origin.planes]
    study.ReferencedSOPClassUID = _STUDY_CLASS
    study.ReferencedSOPInstanceUID = origin.first.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = origin.first.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _image(header: "Dataset", plane: Plane) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if "NumberOfFrames" in header:
        item.ReferencedFrameNumber = plane.frame + 1
    return item


def _region(index: int, name: str, origin: Origin) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.ROINumber = index + 1
    item.ReferencedFrameOfReferenceUID = origin.first.FrameOfReferenceUID
    item.ROIName = short(name, 64)
    item.ROIGenerationAlgorithm = "AUTOMATIC"
    return item


def _observation(index: int, name: str) -> "Dataset":
    from pydicom import Dataset

    item, term = Dataset(), Dataset()
    kind = concept(name).kind
    term.CodeValue, term.CodingSchemeDesignator, term.CodeMeaning = kind.value, kind.scheme_designator, kind.meaning
    item.ObservationNumber = item.ReferencedROINumber = index + 1
    item.RTROIIdentificationCodeSequence = [term]
    item.RTROIInterpretedType = ""
    item.ROIInterpreter = ""
    return item


def _contours(index: int, answer: Annotation, origin: Origin) -> "Dataset":
    from pydicom import Dataset

    item = Dataset()
    item.ROIDisplayColor = list(colour(index))
    item.ReferencedROINumber = index + 1
    mask = answer.mask(index).reshape((1, *answer.size)[-3:])
    drawn: list[Dataset] = []
    for number in np.flatnonzero(mask.any(axis=(1, 2))).tolist():
        plane = origin.planes[number]
        for outline in outlines(mask[number]):
            points = _in_patient(outline.keyholed(), plane)
            contour = Dataset()
            contour.ContourImageSequence = [_image(origin.header_of(plane), plane)]
            contour.ContourGeometricType = "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(points)
            contour.ContourNumber = len(drawn) + 1
            contour.ContourData = [f"{v:.4f}" for v in points.ravel()]
            drawn.append(contour)
    if drawn:
        item.ContourSequence = drawn
    return item


def _in_patient(points: Float64Array, plane: Plane) -> Float64Array:
    """Return columns and rows in pixels, ``n 2``, as places in the patient, ``n 3``, LPS in mm."""
    row, column = np.array(plane.orientation_lps[:3]), np.array(plane.orientation_lps[3:])
    along = points[:, :1] * plane.spacing_mm[1] * row + points[:, 1:] * plane.spacing_mm[0] * column
    return np.asarray(np.array(plane.position_lps) + along)
