"""Annotations as DICOM Segmentation objects."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.types import AnyArray
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.files import refuse, stem, write_whole
from hounsfield.data.dicom.answers.composing import MAKER, encoded, lenient, made_at, short, stamp, version
from hounsfield.data.dicom.answers.concepts import concept
from hounsfield.data.dicom.answers.origin import Origin, answer_uid, origin_of, why_not
from hounsfield.data.dicom.writing import derived_uid

if TYPE_CHECKING:
    from pydicom import Dataset

FOLDER = "dicom"
_SERIES_NUMBER = 9001
_NOT_REVIEWED = "Structures marked by software, not reviewed"
_ALWAYS_PLACED = frozenset(
    "1.2.840.10008.5.1.4.1.1." + end for end in ("2", "2.1", "2.2", "4", "4.1", "4.4", "128", "130", "481.2")
)
"""CT, MR and PET images, enhanced ones, and dose: their definitions require a frame of reference."""
_NO_SOURCE = frozenset("1.2.840.10008.5.1.4.1.1." + end for end in ("3", "5", "6", "30", "66.4", "66.7"))
"""Ultrasound and nuclear medicine as they were before 1994, parametric maps, segmentations themselves."""


class SegmentationWriter:
    """Writes ``dicom/<case>.seg.dcm``: a binary segmentation with one segment for each class.

    Notes
    -----
    Every frame refers to the image (and frame) that it was drawn on. Slices without a mark are left out, as the
    standard allows; where nothing at all is marked, all slices are there and empty.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse what did not come as DICOM, and images that a segmentation cannot refer to."""
        reason = why_not(answer, source)
        if reason:
            return reason
        origin = origin_of(source)
        if origin.entries[0].sop_class in _NO_SOURCE:
            return (
                "the image is of a retired class or no image, and a segmentation cannot refer to it; NIfTI can hold it"
            )
        if not origin.placed and (origin.planes or origin.entries[0].sop_class in _ALWAYS_PLACED):
            return (
                "the images have no place in a frame of reference, which a segmentation must share; NIfTI can hold it"
            )
        return ""

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation."""
        refuse(self.accepts(answer, source), source, instead="NIfTI")
        with lenient(source.name):
            content = encoded(segmentation(answer, source))
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.seg.dcm", content),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own file."""
        return ()


def segmentation(answer: Annotation, source: Source, *, drawn_by: str = "") -> "Dataset":
    """Return an annotation as a data set of Segmentation Storage.

    Parameters
    ----------
    answer : Annotation
    source : Source
    drawn_by : str
        Name of the person who drew it (DICOM PN); empty: software did, and nobody has looked at it.

    References
    ----------
    DICOM PS3.3 A.51 and C.8.20 (Segmentation).
    """
    import highdicom

    origin = origin_of(source)
    places = _positions(origin) if answer.ndim == 3 and origin.placed else None
    uid = answer_uid("outlines" if drawn_by else "seg", answer, source)
    made: Any = highdicom.seg.Segmentation(
        source_images=list(origin.headers),
        pixel_array=_frames(answer),
        segmentation_type="BINARY",
        omit_empty_frames=bool(answer.array.any()),
        segment_descriptions=_descriptions(answer, source, by_hand=bool(drawn_by)),
        series_instance_uid=derived_uid("annotation series", "seg", uid),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions=version(),
        device_serial_number="0",
        content_label="ANNOTATION",
        content_description="Structures outlined by a reader" if drawn_by else _NOT_REVIEWED,
        content_creator_name=drawn_by or None,
        plane_positions=places,
        series_description="Outlines" if drawn_by else "Annotation (research, not reviewed)",
    )
    _settle(made, answer, source)
    return made  # type: ignore[no-any-return]  # named so above, since its typed form lacks some attributes


def _frames(answer: Annotation) -> AnyArray:
    """Return labels ``f y x``, or masks of classes that may overlap ``f y x k``."""
    if not answer.overlapping:
        return answer.array.reshape((1, *answer.size)[-3:])
    masks = answer.array.reshape((len(answer.classes), *(1, *answer.size)[-3:]))
    return np.moveaxis(masks, 0, -1)


def _positions(origin: Origin) -> list[Any] | None:
    """Return where the slices lie in a file of many frames; None where every slice is a file, in their order."""
    import highdicom

    if len(origin.headers) == len(origin.planes):
        return None
    held = [list(plane.position_lps) for plane in origin.planes]
    return [highdicom.PlanePositionSequence("PATIENT", image_position=place) for place in held]


def _descriptions(answer: Annotation, source: Source, *, by_hand: bool) -> list[Any]:
    import highdicom
    from pydicom.sr.codedict import codes

    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=MAKER, family=codes.DCM.ArtificialIntelligence, version=version()
    )
    described = []
    for index, name in enumerate(answer.classes):
        term = concept(name)
        described.append(
            highdicom.seg.SegmentDescription(
                segment_number=index + 1,
                segment_label=short(name, 64),
                segmented_property_category=term.category,
                segmented_property_type=term.kind,
                algorithm_type="MANUAL" if by_hand else "AUTOMATIC",
                algorithm_identification=None if by_hand else algorithm,
                tracking_uid=tracking_uid(index, answer, source),
                tracking_id=short(name, 64),
                display_color=highdicom.color.CIELabColor.from_rgb(*colour(index)),
            )
        )
    return described


def tracking_uid(index: int, answer: Annotation, source: Source) -> str:
    """Return what names a segment in all objects that are made of one annotation."""
    return derived_uid("annotation segment", answer_uid("seg", answer, source), str(index))


def _settle(made: "Dataset", answer: Annotation, source: Source) -> None:
    """Replace what the library draws by chance or takes from the clock, and say what it leaves out."""
    origin = origin_of(source)
    stamp(made, made_at(source, origin.first))
    dimensions = derived_uid("annotation dimensions", answer_uid("seg", answer, source))
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
    if not origin.placed:
        # of images without a place the standard wants the direction of rows and columns, which may be unknown
        made.PatientOrientation = origin.first.get("PatientOrientation", "")
