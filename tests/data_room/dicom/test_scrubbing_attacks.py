"""Identifiers hidden where no attribute of the profile is: each must be gone, or the file withheld."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from hounsfield.privacy.profile import DEFAULTS
from tests.data_room.dicom import planted

NAME, NUMBER = "Kowalewska", "PID-778899"
SECRETS = (NAME, "Zofia", NUMBER, "778899", "ACC4455667", "Feldmann", "19510923", "20190412")


def _image(change: Callable[[FileDataset], None]) -> FileDataset:
    dataset = planted.with_pixels(planted.plain(), planted.anatomy())
    change(dataset)
    return dataset


def _odd_kinds(dataset: FileDataset) -> None:
    dataset.add_new(0x00204000, "LT", f"{NAME} again")
    dataset.add_new(0x00081190, "UR", f"http://pacs.example/{NUMBER}")
    dataset.add_new(0x00189074, "DT", "20190412101112.123456+0100")
    dataset.add_new(0x0040A160, "UT", f"seen: {NAME}")
    dataset.add_new(0x001021B0, "UN", f"{NAME} {NUMBER} ".encode())
    dataset.add_new(0x00660021, "OF", np.frombuffer(b"Kowalewska  ", "<f4").tobytes())
    dataset.add_new(0x00081060, "PN", [f"Feldmann^Ulrich=Feldmann^U={NAME}^Zofia", f"{NAME}^Zofia"])
    dataset.add_new(0x00081050, "PN", f"{NAME}^Zofia")
    dataset.add_new(0x00081048, "PN", [f"{NAME}^Zofia", "Feldmann^Ulrich"])


def _coded(dataset: FileDataset) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", f"{NAME.upper()} ZOFIA"]
    dataset.BodyPartExamined = f"{NAME.upper()}_1"
    dataset.ProtocolName = f"t1 {NAME} {NUMBER}"
    dataset.AcquisitionDeviceProcessingDescription = f"{NAME}"


def _retired(dataset: FileDataset) -> None:
    dataset.add_new(0x00104000, "LT", NAME)
    dataset.add_new(0x00324000, "LT", NAME)
    dataset.add_new(0x00084000, "LT", NAME)
    dataset.add_new(0x40084000, "ST", NAME)
    dataset.add_new(0x00280200, "US", 5)
    dataset.add_new(0x20100050, "CS", "A")


def _groups(dataset: FileDataset) -> None:
    dataset.add_new(0x50000022, "LO", f"curve of {NAME}")
    dataset.add_new(0x50003000, "OW", b"Kowalewska")
    dataset.add_new(0x60000022, "LO", f"overlay of {NAME}")
    dataset.add_new(0x601E3000, "OW", b"Kowalewska")
    dataset.add_new(0x60FF3000, "OW", b"Kowalewska")
    dataset.add_new(0x00080000, "UL", 0x616E7A4B)


def _private(dataset: FileDataset) -> None:
    for number, creator in enumerate((NAME, "SIEMENS MR HEADER", f"SIEMENS MR HEADER {NAME}")):
        dataset.add_new(0x00190010 + number, "LO", creator)
        dataset.add_new(0x0019100C + (number << 8), "UN", b"Kowalewska")
        dataset.add_new(0x0019100D + (number << 8), "LT", NAME)
    item = Dataset()
    item.PatientName = f"{NAME}^Zofia"
    dataset.add_new(0x00290010, "LO", "ACME")
    dataset.add_new(0x00291010, "SQ", planted.nested(item))


def _references(dataset: FileDataset) -> None:
    inner, middle = Dataset(), Dataset()
    inner.PatientID, inner.PersonName = NUMBER, f"{NAME}^Zofia"
    inner.TextValue, inner.ValueType = f"{NAME} is well", "TEXT"
    inner.DateTime = "20190412101112"
    middle.ConceptNameCodeSequence = planted.nested(planted.code("1", "99ACME", f"of {NAME}"))
    middle.ContentSequence = planted.nested(inner)
    middle.UnformattedTextValue = f"{NAME} at 12"
    dataset.AnnotationGroupSequence = planted.nested(middle)
    dataset.GraphicAnnotationSequence = planted.nested(middle)
    dataset.WaveformAnnotationSequence = planted.nested(middle)
    roi, segment = Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIDescription = 1, f"GTV {NAME}", NAME
    segment.SegmentNumber, segment.SegmentLabel, segment.SegmentDescription = 1, f"{NAME}", f"tumour of {NAME}"
    dataset.StructureSetROISequence = planted.nested(roi)
    dataset.SegmentSequence = planted.nested(segment)


@pytest.mark.parametrize("options", [DEFAULTS, frozenset[str]()], ids=["usual", "none"])
@pytest.mark.parametrize("change", [_odd_kinds, _coded, _retired, _groups, _private, _references])
def test_nothing_of_a_person_is_left(
    tmp_path: Path, change: Callable[[FileDataset], None], options: frozenset[str]
) -> None:
    content = planted.stored(_image(change))
    result = planted.scrub(tmp_path, content, options)
    assert result.content is not None, result.withheld
    assert [s for s in SECRETS if planted.holds(result.content, s)] == []
    opened = planted.opened(result)
    assert opened.pixel_array.tobytes() == planted.anatomy().tobytes()


def test_file_meta_is_written_anew(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    dataset.file_meta.SourceApplicationEntityTitle = "KOWALEWSKA"
    dataset.file_meta.add_new(0x00020100, "UI", "1.2.276.0.99")
    dataset.file_meta.add_new(0x00020102, "OB", b"Kowalewska")
    made = planted.opened(planted.scrub(tmp_path, dataset))
    assert {e.keyword for e in made.file_meta} == {
        "FileMetaInformationGroupLength", "FileMetaInformationVersion", "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID", "TransferSyntaxUID", "ImplementationClassUID", "ImplementationVersionName",
    }  # fmt: skip


def test_a_uid_below_the_root_of_the_standard_is_no_uid_of_the_standard(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    dataset.StudyInstanceUID = "1.2.840.10008.19510923.778899"
    made = planted.opened(planted.scrub(tmp_path, dataset))
    assert made.StudyInstanceUID.startswith("2.25.")
    assert made.SOPClassUID == planted.CT


def test_fragments_that_belong_to_no_frame_go(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    grey = planted.anatomy()[0]
    frame = planted.as_jpeg(dataset, [planted.jpeg_with_comment(grey, b"x")]).PixelData
    loose = b"Kowalewska PID-778899 "
    dataset.PixelData = frame + struct.pack("<HHI", 0xFFFE, 0xE000, len(loose)) + loose
    result = planted.scrub(tmp_path, dataset)
    assert result.content is None or not planted.holds(result.content, NAME)


def test_an_offset_table_of_words_goes(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    dataset.compress(RLELossless, encoding_plugin="pydicom")
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([frame], has_bot=False)
    table = b"Kowalewska  "
    dataset.PixelData = struct.pack("<HHI", 0xFFFE, 0xE000, len(table)) + table + dataset.PixelData[8:]
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    result = planted.scrub(tmp_path, dataset)
    assert result.content is None or not planted.holds(result.content, NAME)


def test_dates_that_are_not_whole_go(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    dataset.add_new(0x0008002A, "DT", "2019")
    dataset.add_new(0x00080022, "DA", "20190412")
    dataset.add_new(0x00080023, "DA", "20190419")
    dataset.add_new(0x00080032, "TM", "101112.5")
    made = planted.opened(planted.scrub(tmp_path, dataset))
    assert str(made.get("AcquisitionDateTime", "")) != "2019"
    assert int(made.ContentDate) - int(made.AcquisitionDate) in (7, 7 + 69, 7 + 70, 7 + 72, 7 + 71)
    assert made.AcquisitionTime == "101112.5"


def test_codes_and_names_of_devices_are_told_as_staying(tmp_path: Path) -> None:
    dataset = _image(lambda d: None)
    dataset.PatientID, dataset.ManufacturerModelName, dataset.SliceThickness = "000123", "Zapper9000", "2.5"
    result = planted.scrub(tmp_path, dataset)
    assert ("patient", "000123") in result.keys
    assert ("accession", "ACC4455667") in result.keys
    assert "CT" in result.coded
    assert "Zapper9000" in result.coded
    assert not [s for s in SECRETS if s in (*result.coded, *result.kept)]
