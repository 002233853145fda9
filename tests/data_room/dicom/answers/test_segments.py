import warnings
from datetime import datetime
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import InputError
from hounsfield.data.annotations.colours import colour
from hounsfield.data.dicom.answers.composing import encoded
from hounsfield.data.dicom.answers.segments import SegmentationWriter, segmentation
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.index import forget
from hounsfield.data.dicom.marked import marked_by
from hounsfield.data.dicom.reader import _volumes
from hounsfield.data.readers import read
from hounsfield.data.writers import writer
from tests.data_room.annotations.making import blobs, labels
from tests.data_room.dicom.answers.making import (
    GEOMETRIES,
    SIZE,
    annotation,
    faults,
    read_again,
    series_source,
    volume_of,
)
from tests.data_room.dicom.making import dataset, save

SHAPE = (5, SIZE, SIZE)


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_the_same_voxels_come_back(kind: str, tmp_path: Path) -> None:
    where = series_source(tmp_path, kind)
    made = annotation(where, labels(SHAPE))
    (path,) = SegmentationWriter().write(made, where, tmp_path / "out")
    assert faults(path) == []
    masks = read_again(path, tmp_path)
    assert [m.name for m in masks] == ["liver", "病灶 lesion"]
    for index, mask in enumerate(masks):
        np.testing.assert_array_equal(mask.array, made.mask(index))
        assert mask.notes == ()
    # and as another package reads it: by the images that the frames refer to
    uids = [plane.entry.sop_uid for plane in volume_of(tmp_path).planes]
    found = highdicom.seg.segread(path).get_pixels_by_source_instance(uids, ignore_spatial_locations=False)
    for index in range(2):
        np.testing.assert_array_equal(found[..., index], made.mask(index))


def test_it_belongs_to_the_patient_and_study_and_says_what_it_is(tmp_path: Path) -> None:
    where = series_source(tmp_path, facts={"PatientName": "Müller^Ann", "SpecificCharacterSet": "ISO_IR 100"})
    (path,) = SegmentationWriter().write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
    found, image = pydicom.dcmread(path), pydicom.dcmread(next(tmp_path.glob("I*")))
    for keyword in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "AccessionNumber", "PatientBirthDate"):
        assert found[keyword].value == image[keyword].value
    assert found.PatientName == "Müller^Ann"
    assert found.SeriesInstanceUID != image.SeriesInstanceUID
    one, two = found.SegmentSequence
    assert one.SegmentedPropertyTypeCodeSequence[0].CodeValue == "10200004"
    assert two.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Lesion"
    assert two.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003"
    for index, segment in enumerate((one, two)):
        rgb = highdicom.color.CIELabColor.from_dicom_value(segment.RecommendedDisplayCIELabValue).to_rgb()
        assert max(abs(a - b) for a, b in zip(rgb, colour(index), strict=True)) <= 3
        assert segment.SegmentAlgorithmType == "AUTOMATIC"


def test_overlapping_classes_keep_both(tmp_path: Path) -> None:
    where = series_source(tmp_path, "oblique")
    array = np.stack([blobs(SHAPE, 1), blobs(SHAPE, 1) | blobs(SHAPE, 2), np.zeros(SHAPE, dtype=bool)])
    made = Annotation(array, ("core", "whole", "empty"), where.image.grid)
    (path,) = SegmentationWriter().write(made, where, tmp_path / "out")
    assert faults(path) == []
    for index, mask in enumerate(read_again(path, tmp_path)):
        np.testing.assert_array_equal(mask.array, array[index])


def test_nothing_marked_is_written_and_read(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    (path,) = SegmentationWriter().write(annotation(where, np.zeros(SHAPE, np.uint8)), where, tmp_path / "out")
    assert faults(path) == []
    assert [bool(m.array.any()) for m in read_again(path, tmp_path)] == [False, False]


def test_the_same_marks_are_the_same_bytes_and_others_are_not(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    ours = SegmentationWriter()
    (path,) = ours.write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
    first = path.read_bytes()
    ours.write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
    assert path.read_bytes() == first
    assert pydicom.dcmread(path).ContentDate == "20240115"
    later = Source(where.name, where.cohort, where.ref, where.image, datetime(2026, 11, 27, 13, 5, 9))
    ours.write(annotation(where, labels(SHAPE)), later, tmp_path / "out")
    again = pydicom.dcmread(path)
    assert (again.ContentDate, again.ContentTime) == ("20261127", "130509")
    ours.write(annotation(where, labels(SHAPE, 3)), where, tmp_path / "out")
    other = pydicom.dcmread(path)
    assert len({again.SOPInstanceUID, other.SOPInstanceUID, pydicom.dcmread(path).SOPInstanceUID}) == 2


def test_unevenly_spaced_slices_are_referred_to_one_by_one(tmp_path: Path) -> None:
    where = series_source(tmp_path, count=5)
    for path in tmp_path.glob("I*"):
        if pydicom.dcmread(path).InstanceNumber == 3:
            path.unlink()
    where = series_source_again(where)
    array = labels((4, SIZE, SIZE))
    (path,) = SegmentationWriter().write(annotation(where, array), where, tmp_path / "out")
    assert faults(path) == []
    uids = [plane.entry.sop_uid for plane in volume_of(tmp_path).planes]
    found = highdicom.seg.segread(path).get_pixels_by_source_instance(uids)
    np.testing.assert_array_equal(found[..., 0], array == 1)


def series_source_again(where: Source) -> Source:
    """Return a source after files have gone."""
    forget()
    _volumes.cache_clear()
    volume = volume_of(Path(where.cohort.root))
    ref = Ref("dicom", volume.first.path, (("series", volume.series_uid), ("volume", 0)))
    return Source(where.name, where.cohort, ref, read(where.cohort, ref))


def test_a_dirty_header_does_not_spoil_it(tmp_path: Path) -> None:
    dirty = {"PatientName": "", "StudyTime": "", "PatientSex": None, "AccessionNumber": None, "PatientAge": "old"}
    with pytest.warns(UserWarning, match="Invalid value"):
        where = series_source(tmp_path, facts=dirty)
    (path,) = SegmentationWriter().write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
    assert faults(path) == []
    assert "PatientAge" not in pydicom.dcmread(path)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientName", "Wang^XiaoDong=王^小东"),
        ("PatientName", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("PatientName", "x" * 90),
        ("PatientID", "病历 1/2"),
        ("PatientID", "9" * 70),
    ],
)
def test_who_it_is_is_never_changed(keyword: str, value: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        where = series_source(tmp_path, facts={keyword: value, "SpecificCharacterSet": "ISO_IR 192"})
        for kind in ("dicom-seg", "dicom-rtstruct", "dicom-sr"):
            (path,) = writer(kind).write(annotation(where, labels(SHAPE)), where, tmp_path / "out")
            assert str(pydicom.dcmread(path)[keyword].value) == value


@pytest.mark.parametrize("facts", [{"FrameOfReferenceUID": None}, {"ImagePositionPatient": None}])
def test_a_ct_without_a_place_is_refused(facts: dict[str, None], tmp_path: Path) -> None:
    save(tmp_path / "I1", dataset("p/s/ct", facts, size=SIZE))
    where = series_source(tmp_path / "other", count=1)
    single = Source(
        "s", type(where.cohort)("t", str(tmp_path), (), where.cohort.schema), Ref("dicom", "I1"), where.image
    )
    picture = type(where.image)(where.image.array[:, 0], None, "CT")
    single = Source("s", single.cohort, single.ref, picture)
    made = Annotation(labels((SIZE, SIZE)), ("a", "b"))
    assert "frame of reference" in SegmentationWriter().accepts(made, single)
    with pytest.raises(InputError, match="NIfTI"):
        SegmentationWriter().write(made, single, tmp_path / "out")


def test_a_single_slice_is_a_picture_with_a_place(tmp_path: Path) -> None:
    save(tmp_path / "I1", dataset("p/s/ct", {"PatientBirthDate": ""}, size=SIZE))
    forget()
    cohort, ref = Cohort("t", str(tmp_path), (), Schema()), Ref("dicom", "I1")
    where = Source("slice", cohort, ref, read(cohort, ref))
    made = annotation(where, labels((SIZE, SIZE)))
    for kind in ("dicom-seg", "dicom-rtstruct", "dicom-sr"):
        (path,) = writer(kind).write(made, where, tmp_path / "out")
        assert faults(path) == []
        if kind != "dicom-sr":
            for index, mask in enumerate(read_again(path, tmp_path)):
                np.testing.assert_array_equal(mask.array[0], made.mask(index))


def test_three_hundred_pieces_and_a_hundred_classes(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    array = np.zeros(SHAPE, dtype=np.uint8)
    array[:, ::3, ::3] = 1 + np.arange(5 * 8 * 8).reshape(5, 8, 8) % 100
    made = annotation(where, array, tuple(f"class {n}" for n in range(100)))
    (path,) = SegmentationWriter().write(made, where, tmp_path / "out")
    rebuilt = np.zeros(SHAPE, dtype=np.uint8)
    for mask in read_again(path, tmp_path):
        rebuilt[np.asarray(mask.array, dtype=bool)] = mask.number
    np.testing.assert_array_equal(rebuilt, array)


def test_what_a_person_drew_says_so(tmp_path: Path) -> None:
    where = series_source(tmp_path)
    made = annotation(where, labels(SHAPE))
    found = segmentation(made, where, drawn_by="Reader^Ann")
    assert {s.SegmentAlgorithmType for s in found.SegmentSequence} == {"MANUAL"}
    assert not any("SegmentationAlgorithmIdentificationSequence" in s for s in found.SegmentSequence)
    assert found.ContentCreatorName == "Reader^Ann"
    assert found.SOPInstanceUID != segmentation(made, where).SOPInstanceUID
    path = tmp_path / "out.dcm"
    path.write_bytes(encoded(found))
    assert faults(path) == []
    assert not marked_by(tmp_path, read_header(path, path=path.name)).structures[0].automatic


def test_nothing_marked_is_written_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    where = series_source(tmp_path)
    (path,) = SegmentationWriter().write(annotation(where, np.zeros(SHAPE, np.uint8)), where, tmp_path / "out")
    assert caplog.records == []
    assert faults(path) == []
    assert not any(m.array.any() for m in read_again(path, tmp_path))
