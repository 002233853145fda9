from pathlib import Path

import numpy as np
import pydicom
import pytest

from hounsfield.core.annotation import Annotation
from hounsfield.data.dicom.answers.structures import StructureSetWriter
from tests.data_room.annotations.making import blobs, labels
from tests.data_room.dicom.answers.making import GEOMETRIES, SIZE, annotation, faults, read_again, series_source

SHAPE = (5, SIZE, SIZE)


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_contours_enclose_the_same_voxels(kind: str, tmp_path: Path) -> None:
    where = series_source(tmp_path, kind)
    made = annotation(where, labels(SHAPE, 5))
    (path,) = StructureSetWriter().write(made, where, tmp_path / "out")
    assert faults(path) == []
    masks = read_again(path, tmp_path)
    assert [(m.name, m.number) for m in masks] == [("liver", 1), ("病灶 lesion", 2)]
    for index, mask in enumerate(masks):
        np.testing.assert_array_equal(mask.array, made.mask(index))


def test_holes_in_holes(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    y, x = np.indices((SIZE, SIZE)) - SIZE / 2
    r = np.hypot(x, y)
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[1:4] = ((r < 11) & (r > 8)) | ((r < 5) & (r > 2.5))
    (path,) = StructureSetWriter().write(annotation(where, array, ("ring",)), where, tmp_path / "out")
    (mask,) = read_again(path, tmp_path)
    np.testing.assert_array_equal(mask.array, array == 1)
    contours = pydicom.dcmread(path).ROIContourSequence[0].ContourSequence
    assert {c.ContourGeometricType for c in contours} == {"CLOSED_PLANAR"}
    assert len(contours) == 6  # an outline for each ring and slice, its hole joined to it


def test_each_contour_refers_to_the_image_in_its_plane(tmp_path: Path) -> None:
    where = series_source(tmp_path, "tilted")
    (path,) = StructureSetWriter().write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
    images = {d.SOPInstanceUID: d for d in (pydicom.dcmread(p) for p in tmp_path.glob("I*"))}
    found = pydicom.dcmread(path)
    for roi in found.ROIContourSequence:
        for contour in roi.ContourSequence:
            image = images[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert contour.NumberOfContourPoints == len(points)
            np.testing.assert_allclose(points[:, 2], float(image.ImagePositionPatient[2]), atol=1e-3)
    listed = found.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert {i.ReferencedSOPInstanceUID for i in listed.ContourImageSequence} == set(images)
    assert found.StudyInstanceUID == next(iter(images.values())).StudyInstanceUID


def test_overlapping_classes_and_one_without_a_mark(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    array = np.stack([blobs(SHAPE, 1), np.zeros(SHAPE, dtype=bool), blobs(SHAPE, 1) | blobs(SHAPE, 2)])
    made = Annotation(array, ("core", "empty", "whole"), where.image.grid)
    (path,) = StructureSetWriter().write(made, where, tmp_path / "out")
    assert faults(path) == []
    masks = {m.name: m.array for m in read_again(path, tmp_path)}
    assert list(masks) == ["core", "whole"]
    np.testing.assert_array_equal(masks["core"], array[0])
    np.testing.assert_array_equal(masks["whole"], array[2])
    assert len(pydicom.dcmread(path).StructureSetROISequence) == 3


def test_nothing_marked_is_valid_and_the_same_bytes_twice(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    made = annotation(where, np.zeros(SHAPE, np.uint8))
    (path,) = StructureSetWriter().write(made, where, tmp_path / "out")
    first = path.read_bytes()
    assert faults(path) == []
    assert "ContourSequence" not in pydicom.dcmread(path).ROIContourSequence[0]
    StructureSetWriter().write(made, where, tmp_path / "out")
    assert path.read_bytes() == first
