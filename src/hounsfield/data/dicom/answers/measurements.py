"""Annotations as measurement reports: structured reports after template 1500 that refer to the segmentation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.annotations.files import refuse, stem, write_whole
from hounsfield.data.dicom.answers.composing import MAKER, encoded, lenient, made_at, short, stamp, version
from hounsfield.data.dicom.answers.concepts import Concept, concept
from hounsfield.data.dicom.answers.origin import Origin, answer_uid, origin_of
from hounsfield.data.dicom.answers.segments import FOLDER, SegmentationWriter, tracking_uid
from hounsfield.data.dicom.planes import Plane
from hounsfield.data.dicom.writing import derived_uid
from hounsfield.geometry.findings import Finding, findings
from hounsfield.geometry.outlines import outlines

if TYPE_CHECKING:
    from pydicom import Dataset

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_SERIES_NUMBER = 9003
_MOST_PIECES = 500
"""Groups of a class: a report of thousands of specks is read by nobody, and slowly."""
_PROCEDURES = {"CT": "CTUnspecifiedBodyRegion", "MR": "MRIUnspecifiedBodyRegion", "PT": "PETUnspecifiedBodyRegion"}
_PROCEDURES |= dict.fromkeys(("CR", "DX", "MG", "XA", "RF"), "XRUnspecifiedBodyRegion")


class ReportWriter:
    """Writes ``dicom/<case>.sr.dcm``: a measurement report (TID 1500) of what was marked.

    Notes
    -----
    One group for each class refers to its segment in the segmentation that `SegmentationWriter` makes of the same
    annotation: volume (area in a plane), number of lesions, mean intensity, and of the largest piece the long and the
    short axis. Of a class in several pieces every piece has a group of its own, with its outlines on the images, up to
    the 500 largest; the group of the class counts all of them, and ``lesions.csv`` lists all.
    """

    def accepts(self, answer: Annotation, source: Source) -> str:
        """Refuse what no segmentation can be made of, since the report refers to one."""
        return SegmentationWriter().accepts(answer, source)

    def write(self, answer: Annotation, source: Source, folder: Path) -> tuple[Path, ...]:
        """Write one annotation."""
        refuse(self.accepts(answer, source), source, instead="NIfTI and lesions.csv")
        with lenient(source.name):
            content = encoded(report(answer, source))
        return (write_whole(folder / FOLDER / f"{stem(source.name)}.sr.dcm", content),)

    def finish(self, folder: Path) -> tuple[Path, ...]:
        """Join nothing: every case has its own file."""
        return ()


def report(answer: Annotation, source: Source) -> "Dataset":
    """Return the measurements of an annotation as a data set of Comprehensive SR Storage.

    References
    ----------
    DICOM PS3.16 TID 1500 (report), 1410 and 1411 (planar and volumetric regions), 300 (measurement).
    """
    import highdicom
    from pydicom.sr.codedict import codes

    origin = origin_of(source)
    uid = answer_uid("sr", answer, source)
    observer = highdicom.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=highdicom.sr.DeviceObserverIdentifyingAttributes(
            uid=derived_uid("device", MAKER), name=MAKER, manufacturer_name=MAKER, model_name=version()
        ),
    )
    modality = origin.entries[0].modality
    procedure = getattr(codes.LN, _PROCEDURES[modality]) if modality in _PROCEDURES else codes.SCT.ImagingProcedure
    content = highdicom.sr.MeasurementReport(
        observation_context=highdicom.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=procedure,
        imaging_measurements=_groups(answer, source),
        title=codes.DCM.ImagingMeasurementReport,
    )
    made = highdicom.sr.ComprehensiveSR(
        evidence=[*origin.headers, _segmentation_evidence(answer, source)],
        content=content[0],
        series_instance_uid=derived_uid("annotation series", "sr", uid),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=uid,
        instance_number=1,
        manufacturer=MAKER,
        is_complete=True,
        series_description="Annotation (research, not reviewed)",
    )
    when = made_at(source, origin.first)
    stamp(made, when)
    for item in made.ContentSequence:
        if "ObservationDateTime" in item:
            item.ObservationDateTime = when.strftime("%Y%m%d%H%M%S")
    return made


def _segmentation_evidence(answer: Annotation, source: Source) -> "Dataset":
    """Return what identifies the segmentation of the same annotation."""
    from pydicom import Dataset

    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = _SEGMENTATION, answer_uid("seg", answer, source)
    made.SeriesInstanceUID = derived_uid("annotation series", "seg", made.SOPInstanceUID)
    made.StudyInstanceUID = origin_of(source).first.StudyInstanceUID
    return made


def _groups(answer: Annotation, source: Source) -> list[Any]:
    image = source.image
    values = image.array[0] if image.channels == 1 else None
    affine = image.grid.affine_ras if image.grid is not None else None
    groups, frame = [], 0
    for index, name in enumerate(answer.classes):
        mask = answer.mask(index)
        pieces = findings(mask, affine, values=values)
        frame += bool(pieces)
        term = concept(name)
        groups.append(_whole(index, pieces, answer, source, frame if pieces else 0))
        if len(pieces) > 1:
            groups += [
                _piece(n, piece, (index, name, term), answer, source)
                for n, piece in enumerate(pieces[:_MOST_PIECES], start=1)
            ]
    return groups


def _whole(index: int, pieces: Sequence[Finding], answer: Annotation, source: Source, frame: int) -> Any:  # noqa: ANN401
    """Return the group of a class, which refers to its segment, or to its frame in the segmentation of a picture."""
    import highdicom

    origin, name = origin_of(source), answer.classes[index]
    uid, term = answer_uid("seg", answer, source), concept(name)
    told: dict[str, Any] = {
        "tracking_identifier": highdicom.sr.TrackingIdentifier(
            uid=tracking_uid(index, answer, source), identifier=short(name, 64)
        ),
        "finding_type": term.kind,
        "finding_category": term.category,
        "algorithm_id": _algorithm(),
        "measurements": _totals(pieces, answer.mask(index), source, term),
    }
    if answer.ndim == 3:
        segment = highdicom.sr.ReferencedSegment(
            _SEGMENTATION,
            uid,
            index + 1,
            source_series=highdicom.sr.SourceSeriesForSegmentation(origin.first.SeriesInstanceUID),
        )
        return highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **told)
    header = origin.first
    if not frame:
        measured = highdicom.sr.SourceImageForMeasurementGroup(header.SOPClassUID, header.SOPInstanceUID)
        return highdicom.sr.MeasurementsAndQualitativeEvaluations(source_images=[measured], **told)
    image = highdicom.sr.SourceImageForSegmentation(header.SOPClassUID, header.SOPInstanceUID)
    marked = highdicom.sr.ReferencedSegmentationFrame(_SEGMENTATION, uid, frame, index + 1, image)
    for item in marked[0].ReferencedSOPSequence:
        # of frame and segment only one may be named (DICOM PS3.3 table 10-3), and the frame has one segment
        del item.ReferencedSegmentNumber
    return highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_segment=marked, **told)


def _piece(number: int, piece: Finding, what: tuple[int, str, Concept], answer: Annotation, source: Source) -> Any:  # noqa: ANN401
    """Return the group of one piece of a class, with its outlines on the images."""
    import highdicom

    index, name, term = what
    told: dict[str, Any] = {
        "tracking_identifier": highdicom.sr.TrackingIdentifier(
            uid=derived_uid("annotation piece", tracking_uid(index, answer, source), str(number)),
            identifier=f"{short(name, 56)} {number}",
        ),
        "finding_type": term.kind,
        "finding_category": term.category,
        "algorithm_id": _algorithm(),
        "measurements": _measured(piece, source),
    }
    regions = _regions(piece, origin_of(source))
    if answer.ndim == 3:
        return highdicom.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_regions=regions, **told)
    return highdicom.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=regions[0], **told)


def _algorithm() -> Any:  # noqa: ANN401 - highdicom has no type information, here and below
    import highdicom
    from pydicom.sr.codedict import codes

    return highdicom.sr.AlgorithmIdentification(MAKER, version(), family=codes.DCM.ArtificialIntelligence)


def _regions(piece: Finding, origin: Origin) -> list[Any]:
    """Return the outlines of a piece on the images; the corner of the first pixel is 0, 0, as the standard counts."""
    import highdicom

    component = piece.component
    inside = component.inside.reshape((1, *component.inside.shape)[-3:])
    first = component.box[0].start if component.inside.ndim == 3 else 0
    shift = np.array([component.box[-1].start, component.box[-2].start]) + 0.5
    found = []
    for number in np.flatnonzero(inside.any(axis=(1, 2))).tolist():
        header, frames = _referenced(origin, first + number)
        image = highdicom.sr.SourceImageForRegion(header.SOPClassUID, header.SOPInstanceUID, frames)
        for outline in outlines(inside[number]):
            corners = _closed(outline.keyholed() + shift)
            found.append(highdicom.sr.ImageRegion("POLYLINE", corners, source_image=image))
    return found


def _referenced(origin: Origin, number: int) -> tuple["Dataset", list[int] | None]:
    """Return the header of the image that a slice is, and its frame where the image has several."""
    if not origin.planes:
        return origin.first, None
    plane: Plane = origin.planes[number]
    header = origin.header_of(plane)
    return header, [plane.frame + 1] if "NumberOfFrames" in header else None


def _closed(corners: Float64Array) -> Float64Array:
    return np.concatenate([corners, corners[:1]])


def _totals(pieces: Sequence[Finding], mask: AnyArray, source: Source, term: Concept) -> list[Any]:
    """Return the measurements of a class as a whole, and the axes of its largest piece."""
    from pydicom.sr.codedict import codes

    image = source.image
    voxels = int(np.count_nonzero(mask))
    found = []
    if image.grid is not None and mask.ndim == 3:
        step = abs(float(np.linalg.det(image.grid.affine_ras[:3, :3])))
        found.append(_number(codes.SCT.Volume, voxels * step, codes.UCUM.CubicMillimeter))
    elif image.grid is not None:
        x, y, _ = image.grid.spacing_mm
        found.append(_number(codes.SCT.Area, voxels * x * y, codes.UCUM.SquareMillimeter))
    else:
        found.append(_number(codes.SCT.Area, voxels, _pixels()))
    if term.category == codes.SCT.MorphologicallyAbnormalStructure:
        found.append(_number(codes.SCT.NumberOfLesions, len(pieces), codes.UCUM.NoUnits))
    if pieces:
        found += _axes(pieces[0])
        if image.channels == 1:
            found += _intensity(float(np.asarray(image.array[0][mask], dtype=np.float64).mean()), source)
    return found


def _measured(piece: Finding, source: Source) -> list[Any]:
    from pydicom.sr.codedict import codes

    found = []
    if piece.volume_mm3 is not None:
        found.append(_number(codes.SCT.Volume, piece.volume_mm3, codes.UCUM.CubicMillimeter))
    elif piece.area_mm2 is not None:
        found.append(_number(codes.SCT.Area, piece.area_mm2, codes.UCUM.SquareMillimeter))
    else:
        found.append(_number(codes.SCT.Area, piece.component.voxels, _pixels()))
    found += _axes(piece)
    return found if piece.mean is None else found + _intensity(piece.mean, source)


def _axes(piece: Finding) -> list[Any]:
    from pydicom.sr.codedict import codes

    if piece.longest_mm is None or piece.across_mm is None:
        return []
    millimetre = codes.UCUM.Millimeter
    return [
        _number(codes.SCT.LongAxis, piece.longest_mm, millimetre),
        _number(codes.SCT.ShortAxis, piece.across_mm, millimetre),
    ]


def _intensity(mean: float, source: Source) -> list[Any]:
    """Return the mean of the image's values: of CT in HU, of MR as signal; of others there is no term for it."""
    from pydicom.sr.codedict import codes

    if source.image.units == "HU":
        name, unit = codes.DCM.AttenuationCoefficient, codes.UCUM.HounsfieldUnit
    elif source.image.modality == "MR":
        name, unit = codes.DCM.MRSignalIntensity, codes.UCUM.NoUnits
    else:
        return []
    return [_number(name, mean, unit, derivation=codes.SCT.Mean)]


def _number(name: Any, value: float, unit: Any, *, derivation: Any = None) -> Any:  # noqa: ANN401 - as above
    import highdicom

    return highdicom.sr.Measurement(name, float(f"{value:.8g}"), unit, derivation=derivation)


def _pixels() -> Any:  # noqa: ANN401 - as above
    import highdicom

    return highdicom.sr.CodedConcept("{pixels}", "UCUM", "pixels")
