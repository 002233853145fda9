from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from hounsfield.data.dicom.answers.measurements import ReportWriter
from hounsfield.data.dicom.answers.segments import SegmentationWriter
from tests.data_room.annotations.making import labels
from tests.data_room.dicom.answers.making import GEOMETRIES, SIZE, annotation, faults, series_source

SHAPE = (5, SIZE, SIZE)
COUNT = "Number of lesions (observable entity)"
LIVER, LESION = "liver", "病灶 lesion"


def groups(path: Path) -> dict[str, Any]:
    """Return the measurement groups of a report by their tracking identifier, as highdicom reads them."""
    found: Any = highdicom.sr.srread(path).content
    read = found.get_volumetric_roi_measurement_groups()
    return {group.tracking_identifier: group for group in read}


def numbers(group: Any) -> dict[str, float]:  # noqa: ANN401 - a group of either kind
    return {m.name.meaning: float(m.value) for m in group.get_measurements()}


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_boxes_have_their_volume_axes_and_mean(kind: str, tmp_path: Path) -> None:
    where = series_source(tmp_path, kind)
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[1:4, 4:14, 6:16] = 1
    array[2, 16:18, 16:20] = 2
    array[4, 20:22, 2] = 2
    made = annotation(where, array)
    (path,) = ReportWriter().write(made, where, tmp_path / "out")
    assert faults(path) == []
    assert where.image.grid is not None
    voxel = abs(np.linalg.det(where.image.grid.affine_ras[:3, :3]))
    found = groups(path)
    assert list(found) == [LIVER, LESION, f"{LESION} 1", f"{LESION} 2"]
    liver = numbers(found[LIVER])
    assert liver["Volume"] == pytest.approx(300 * voxel, rel=1e-6)
    assert liver["Long axis"] == pytest.approx(max(np.hypot(10 * 0.6, 9 * 0.8), np.hypot(9 * 0.6, 10 * 0.8)), rel=1e-5)
    assert liver["Attenuation Coefficient"] == pytest.approx(where.image.array[0][array == 1].mean(), rel=1e-6)
    lesion = numbers(found[LESION])
    assert lesion[COUNT] == 2
    assert COUNT not in liver
    pieces = [numbers(found[f"{LESION} {n}"])["Volume"] for n in (1, 2)]
    assert pieces == pytest.approx([8 * voxel, 2 * voxel])
    assert lesion["Volume"] == pytest.approx(sum(pieces))


def test_it_refers_to_the_segmentation_and_the_images(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    made = annotation(where, labels(SHAPE))
    (path,) = ReportWriter().write(made, where, tmp_path / "out")
    (marked,) = SegmentationWriter().write(made, where, tmp_path / "out")
    seg, found = pydicom.dcmread(marked), pydicom.dcmread(path)
    segment = groups(path)[LESION].reference_type
    assert segment.meaning == "Referenced Segment"
    evidence = {
        image.ReferencedSOPInstanceUID
        for study in found.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for image in series.ReferencedSOPSequence
    }
    assert seg.SOPInstanceUID in evidence
    other = found.get("PertinentOtherEvidenceSequence", [])
    listed = evidence | {
        i.ReferencedSOPInstanceUID for s in other for r in s.ReferencedSeriesSequence for i in r.ReferencedSOPSequence
    }
    assert {pydicom.dcmread(p).SOPInstanceUID for p in tmp_path.glob("I*")} <= listed
    assert found.StudyInstanceUID == seg.StudyInstanceUID
    first = path.read_bytes()
    ReportWriter().write(made, where, tmp_path / "out")
    assert path.read_bytes() == first
    assert (found.CompletionFlag, found.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


def test_nothing_marked_says_zero(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    (path,) = ReportWriter().write(annotation(where, np.zeros(SHAPE, np.uint8)), where, tmp_path / "out")
    assert faults(path) == []
    found = groups(path)
    assert numbers(found[LIVER]) == {"Volume": 0.0}
    assert numbers(found[LESION]) == {"Volume": 0.0, COUNT: 0.0}


def test_three_hundred_pieces_each_have_a_group(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[::2, ::2, ::2][:, :10, :10] = 1
    (path,) = ReportWriter().write(annotation(where, array, ("nodules",)), where, tmp_path / "out")
    assert faults(path) == []
    assert len(groups(path)) == 301
