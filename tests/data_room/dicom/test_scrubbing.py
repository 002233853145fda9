"""No planted identifier survives in a DICOM file, whatever the place; nothing else is lost."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import DataElement, Dataset, dcmread
from pydicom.dataset import FileDataset

from hounsfield.data.dicom.scrubbing import DicomScrubber
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.privacy.profile import DEFAULTS
from hounsfield.privacy.pseudonyms import Pseudonyms
from tests.data_room.dicom import planted
from tests.data_room.dicom.planted import anatomy, code, holds, nested, opened, plain, scrub, with_pixels

SECRETS = (
    "Kowalewska",
    "Zofia",
    "PID-778899",
    "19510923",
    "20190412",
    "ACC4455667",
    "Feldmann",
    "STU99123",
    "1.2.276.0.7",
)


def _image() -> FileDataset:
    return with_pixels(plain(), anatomy().astype(np.uint16) * 7)


def _clean(folder: Path, dataset: FileDataset, *more: str, options: frozenset[str] = DEFAULTS) -> FileDataset:
    result = scrub(folder, dataset, options)
    out = opened(result)
    assert result.content is not None
    for secret in (*SECRETS, *more):
        assert not holds(result.content, secret), secret
    return out


def test_header(tmp_path: Path) -> None:
    dataset = _image()
    dataset.OtherPatientIDs = ["X1234567"]
    dataset.PatientAddress = "Lindenweg 4, Musterstadt"
    dataset.PatientTelephoneNumbers = "030 555 0199"
    dataset.InstitutionName, dataset.InstitutionAddress = "Klinikum Nordhafen", "Hafenstrasse 9"
    dataset.PatientComments = "call Mrs Kowalewska before 03.05.1951"
    dataset.SeriesDescription = "Thorax Kowalewska 5mm"
    dataset.ProtocolName = "PID-778899 chest"
    out = _clean(tmp_path, dataset, "X1234567", "Lindenweg", "0199", "Nordhafen", "Hafenstrasse", "03.05.1951")
    assert out.SeriesDescription == "Thorax 5mm"
    assert out.ProtocolName == "chest"
    assert out.PatientID == str(out.PatientName) == Pseudonyms(planted.KEY).patient("PID-778899")
    assert out.PatientIdentityRemoved == "YES"
    assert out.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert out.pixel_array.tobytes() == _image().pixel_array.tobytes()


def test_nested_sequences_of_ten_levels(tmp_path: Path) -> None:
    dataset = _image()
    inner = Dataset()
    inner.RequestingPhysician = "Feldmann^Ulrich"
    inner.ScheduledProcedureStepDescription = "PID-778899"
    inner.AccessionNumber = "ACC4455667"
    inner.ReferencedSOPInstanceUID = "1.2.276.0.7.1.1.5"
    for _ in range(10):
        outer = Dataset()
        outer.ConceptNameCodeSequence = nested(inner)
        inner = outer
    dataset.ProcedureCodeSequence = nested(inner)
    out = _clean(tmp_path, dataset)
    item = out.ProcedureCodeSequence[0]
    for _ in range(10):
        item = item.ConceptNameCodeSequence[0]
    assert item.ReferencedSOPInstanceUID == Pseudonyms(planted.KEY).uid("1.2.276.0.7.1.1.5")
    assert item.AccessionNumber == out.AccessionNumber


def test_private_block_in_utf_16(tmp_path: Path) -> None:
    dataset = _image()
    block = dataset.private_block(0x0029, "ACME PRIVATE", create=True)
    block.add_new(0x10, "OB", "Kowalewska".encode("utf-16-le"))
    block.add_new(0x11, "LO", "PID-778899")
    safe = dataset.private_block(0x2001, "Philips Imaging DD 001", create=True)
    safe.add_new(0x03, "FL", 1000.0)
    safe.add_new(0x10, "LO", "PID-778899")
    out = _clean(tmp_path, dataset, "ACME PRIVATE")
    assert out[0x2001, 0x1003].value == 1000.0
    assert (0x2001, 0x1010) not in out
    without = _clean(tmp_path, dataset, options=DEFAULTS - {"safe-private"})
    assert not [tag for tag in without if tag.tag.is_private]


def test_overlay_in_its_own_plane(tmp_path: Path) -> None:
    dataset = _image()
    dataset.add_new(0x60000010, "US", 96)
    dataset.add_new(0x60000011, "US", 96)
    dataset.add_new(0x60003000, "OW", b"Kowalewska".ljust(1152, b"\0"))
    dataset.add_new(0x60004000, "LT", "PID-778899")
    out = _clean(tmp_path, dataset)
    assert not [tag for tag in out if tag.tag.group == 0x6000]


def test_overlay_in_unused_bits(tmp_path: Path) -> None:
    grey = anatomy().astype(np.uint16)
    dataset = with_pixels(plain(), grey | (grey > 80).astype(np.uint16) << 15)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 15)
    out = _clean(tmp_path, dataset)
    assert np.array_equal(np.frombuffer(out.PixelData, "<u2").reshape(96, 96), grey[0])


def test_overlay_in_unused_bits_of_compressed_frames(tmp_path: Path) -> None:
    grey = anatomy().astype(np.uint16)
    dataset = with_pixels(plain(), grey | (grey > 80).astype(np.uint16) << 15)
    dataset.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 15)
    dataset.BitsStored, dataset.HighBit = 12, 11
    out = _clean(tmp_path, dataset)
    assert np.array_equal(np.frombuffer(out.PixelData, "<u2").reshape(96, 96), grey[0])


def test_icon_curve_and_padding(tmp_path: Path) -> None:
    dataset = _image()
    icon = Dataset()
    icon.BitsAllocated, icon.PixelData = 8, b"Kowalewska"
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = nested(icon)
    dataset.add_new(0x50003000, "OB", b"PID-778899")
    dataset.add_new(0xFFFCFFFC, "OB", b"Kowalewska")
    dataset.PixelData += b"Kowalewska"
    content = planted.stored(dataset)
    preamble = b"Kowalewska PID-778899".ljust(128, b"\0")
    out = _clean(tmp_path, dcmread(BytesIO(preamble + content[128:])))
    assert out.preamble == b"\0" * 128
    assert "IconImageSequence" not in out
    assert out.pixel_array.tobytes() == _image().pixel_array.tobytes()


def test_trailing_bytes_behind_the_file(tmp_path: Path) -> None:
    result = scrub(tmp_path, planted.stored(_image()) + b"Kowalewska\0\0")
    assert result.content is None or not holds(result.content, "Kowalewska")


def test_comments_of_compressed_frames(tmp_path: Path) -> None:
    frames = anatomy(count=2)
    dataset = with_pixels(plain(planted.ULTRASOUND_CINE), frames)
    dataset.Modality = "US"
    packed = [planted.jpeg_with_comment(frame, b"Kowalewska PID-778899") for frame in frames]
    before = planted.as_jpeg(dataset, packed).pixel_array
    out = _clean(tmp_path, dataset)
    assert out.file_meta.TransferSyntaxUID == dataset.file_meta.TransferSyntaxUID
    assert np.array_equal(out.pixel_array, before)


def test_text_in_the_last_frame_only(tmp_path: Path) -> None:
    from PIL import Image, ImageDraw

    frames = anatomy(160, count=6)
    last = Image.fromarray(frames[-1])
    ImageDraw.Draw(last).text((20, 30), "KOWALEWSKA ZOFIA", fill=255)
    shown = frames.copy()
    shown[-1] = np.asarray(last)
    dataset = with_pixels(plain(planted.ULTRASOUND_CINE), shown)
    dataset.Modality = "US"
    out = _clean(tmp_path, dataset).pixel_array
    drawn = shown[-1] != frames[-1]
    assert drawn.sum() > 100
    assert not (out[-1][drawn] == 255).any()
    assert np.array_equal(out[:-1], frames[:-1])
    changed = out[-1] != shown[-1]
    assert np.nonzero(changed)[0].max() < 60
    assert np.array_equal(out[-1][60:], frames[-1][60:])


def test_structured_report(tmp_path: Path) -> None:
    dataset = plain(planted.REPORT)
    dataset.Modality = "SR"
    text, person, number, reference = Dataset(), Dataset(), Dataset(), Dataset()
    text.ValueType, text.TextValue = "TEXT", "Mrs Kowalewska, nodule in the left lung, see 20190412"
    person.ValueType, person.PersonName = "PNAME", "Feldmann^Ulrich"
    number.ValueType = "NUM"
    value = Dataset()
    value.NumericValue = "12.5"
    value.MeasurementUnitsCodeSequence = nested(code("mm", "UCUM", "mm"))
    number.MeasuredValueSequence = nested(value)
    reference.ValueType, reference.UID = "UIDREF", "1.2.276.0.7.1.1.5"
    container = Dataset()
    container.ValueType, container.ContentSequence = "CONTAINER", nested(text, person, number, reference)
    dataset.ValueType, dataset.ContentSequence = "CONTAINER", nested(container)
    out = _clean(tmp_path, dataset).ContentSequence[0].ContentSequence
    assert out[0].TextValue == "REMOVED"
    assert str(out[1].PersonName) == "Anonymous"
    assert out[2].MeasuredValueSequence[0].NumericValue == 12.5
    assert Pseudonyms(planted.KEY).uid("1.2.276.0.7.1.1.5") == out[3].UID
    cleaned = _clean(tmp_path, dataset, options=DEFAULTS | {"clean-structured"}).ContentSequence[0].ContentSequence
    assert cleaned[0].TextValue == "nodule left lung"


def test_encapsulated_document(tmp_path: Path) -> None:
    import zlib

    dataset = plain(planted.DOCUMENT)
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = b"%PDF-1.4 nothing about anybody"
    result = scrub(tmp_path, dataset)
    assert result.content is None
    assert "documents" in result.withheld
    assert "PID-778899" in result.identifiers
    asked = DEFAULTS | {"documents"}
    assert opened(scrub(tmp_path, dataset, asked)).EncapsulatedDocument.startswith(b"%PDF-1.4 nothing")
    dataset.EncapsulatedDocument = b"%PDF stream\n" + zlib.compress(b"report on Kowalewska") + b"\nendstream"
    assert scrub(tmp_path, dataset, asked).content is None


@pytest.mark.parametrize(
    ("charset", "name", "secrets"),
    [
        (
            ["", "ISO 2022 IR 87"],
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ("Yamada", "Tarou", "山田", "太郎", "やまだ", "たろう"),
        ),
        (["ISO_IR 144"], "Люкceмбypг", ("Люкceмбypг",)),
        (["ISO_IR 192"], "Wang^XiaoDong=王^小東", ("XiaoDong", "小東")),
        (["ISO_IR 13"], "ﾔﾏﾀﾞ^ﾀﾛｳ", ("ﾔﾏﾀﾞ", "ﾀﾛｳ")),
    ],
)
def test_names_in_other_scripts(tmp_path: Path, charset: list[str], name: str, secrets: tuple[str, ...]) -> None:
    dataset = _image()
    dataset.SpecificCharacterSet = charset
    dataset.PatientName = name
    dataset.ContentCreatorName = name
    item = Dataset()
    item.OperatorsName = name
    dataset.ConceptNameCodeSequence = nested(item)
    result = scrub(tmp_path, planted.stored(dataset))
    assert result.content is not None
    for secret in secrets:
        assert not holds(result.content, secret), secret
        assert any(secret in value for value in result.identifiers), secret
    assert "SpecificCharacterSet" not in opened(result)


def test_an_identifier_where_none_belongs(tmp_path: Path) -> None:
    dataset = _image()
    dataset.KVP = "120"
    dataset.ConvolutionKernel = "B30f PID-778899"
    dataset.ConceptNameCodeSequence = nested(code("1", "99X", "Kowalewska"))
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "KOWALEWSKA"]
    dataset.add_new(0x00104321, "LO", "PID-778899")
    dataset.OtherPatientIDs = "ABXY"
    dataset.SoftwareVersions = "ABXY"
    out = _clean(tmp_path, dataset)
    assert out.ConvolutionKernel == "B30f REMOVED"
    assert list(out.ImageType) == ["ORIGINAL", "PRIMARY", "REMOVED"]
    assert 0x00104321 not in out
    assert out.SoftwareVersions == "REMOVED"


def test_words_where_numbers_belong_and_pictures_inside_sequences(tmp_path: Path) -> None:
    from hounsfield.data.dicom.scrubbing_dataset import DatasetScrubber
    from hounsfield.data.dicom.scrubbing_identifiers import Identifiers
    from hounsfield.privacy.profile import Profile

    dataset = _image()
    inner = Dataset()
    inner.BitsAllocated, inner.PixelData = 8, b"Kowalewska"
    inner["PixelData"].VR = "OB"
    dataset.BasicGrayscaleImageSequence = nested(inner)
    out = _clean(tmp_path, dataset)
    assert "PixelData" not in out.BasicGrayscaleImageSequence[0]
    # such values do not come through the reader; the scrubber does not rely on that
    loose = Dataset()
    for tag, vr in ((0x00080016, "UI"), (0x00080031, "TM"), (0x00080022, "DA"), (0x0008002A, "DT")):
        loose.add(DataElement(tag, vr, "20190412Kowalewska", validation_mode=0))
    profile = Profile(DEFAULTS)
    DatasetScrubber(profile, Pseudonyms(planted.KEY), "PID-778899", Identifiers(profile)).treat(loose)
    assert "Kowalewska" not in str(loose)


def test_ages_dates_and_characteristics(tmp_path: Path) -> None:
    out = _clean(tmp_path, _image(), options=DEFAULTS | {"keep-characteristics"})
    assert (out.PatientAge, out.PatientSex, out.PatientBirthDate) == ("090Y", "F", "")
    days = Pseudonyms(planted.KEY).days("PID-778899")
    assert np.datetime64(f"{out.StudyDate[:4]}-{out.StudyDate[4:6]}-{out.StudyDate[6:]}") == (
        np.datetime64("2019-04-12") + days
    )
    assert out.StudyTime == "101112"
    bare = _clean(tmp_path, _image(), options=frozenset())
    assert (bare.StudyDate, bare.ContentDate, bare.LongitudinalTemporalInformationModified) == (
        "",
        "19000101",
        "REMOVED",
    )
    assert "PatientAge" not in bare


def test_a_series_stays_a_series_and_a_person_one_person(tmp_path: Path) -> None:
    first, second = (opened(scrub(tmp_path, with_pixels(plain(number=n), anatomy()))) for n in (1, 2))
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "AccessionNumber"):
        assert first[keyword].value == second[keyword].value
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.file_meta.MediaStorageSOPInstanceUID == first.SOPInstanceUID
    later = plain(number=3)
    later.StudyDate, later.StudyInstanceUID = "20190512", "1.2.276.0.7.2"
    third = opened(scrub(tmp_path, with_pixels(later, anatomy())))
    assert third.PatientID == first.PatientID
    days = [np.datetime64(f"{d.StudyDate[:4]}-{d.StudyDate[4:6]}-{d.StudyDate[6:]}") for d in (first, third)]
    assert days[1] - days[0] == np.timedelta64(30, "D")


def test_a_file_that_is_said_to_bear_text_is_not_trusted(tmp_path: Path) -> None:
    dataset = _image()
    dataset.BurnedInAnnotation = "YES"
    assert scrub(tmp_path, dataset).content is None
    assert "clean-pixels" in scrub(tmp_path, dataset, DEFAULTS - {"clean-pixels"}).withheld


def test_what_is_not_dicom_or_has_no_rules_is_withheld(tmp_path: Path) -> None:
    path = tmp_path / "case.dcm"
    path.write_bytes(b"not DICOM at all" * 40)
    assert DicomScrubber().scrub(path, planted.order()).content is None
    path.write_bytes(planted.stored(_image()))
    assert DicomScrubber().scrub(path, ScrubOrder(Pseudonyms(planted.KEY))).withheld


def test_a_file_set_is_withheld(tmp_path: Path) -> None:
    dataset = plain("1.2.840.10008.1.3.10")
    record = Dataset()
    record.DirectoryRecordType, record.PatientName = "PATIENT", "Kowalewska^Zofia"
    dataset.DirectoryRecordSequence = nested(record)
    result = scrub(tmp_path, dataset)
    assert "DICOMDIR" in result.withheld
    assert "Kowalewska" in result.identifiers


def test_sniff() -> None:
    scrubber = DicomScrubber()
    assert scrubber.sniff(b"\0" * 128 + b"DICM", "IM0001")
    assert scrubber.sniff(b"\x08\0\x05\0CS", "IM0001")
    assert not scrubber.sniff(b"\x89PNG\r\n", "a.png")


def test_a_file_that_cannot_be_written_is_withheld_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(dataset: Dataset, *_: object) -> bytes:
        raise ValueError(f"cannot write {dataset.get('PatientID')} of Kowalewska")

    monkeypatch.setattr("hounsfield.data.dicom.scrubbing._written", failing)
    result = planted.scrub(tmp_path, _image())
    assert result.content is None
    assert result.withheld == "the file cannot be written again (ValueError)"
    assert "PID-778899" in result.identifiers
    assert capsys.readouterr() == ("", "")
