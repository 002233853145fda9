"""DICOM files with identifiers planted in them, made from nothing."""

from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.scrubbing import DicomScrubber
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.privacy.pixel_text import text_mask
from hounsfield.privacy.profile import DEFAULTS, Profile
from hounsfield.privacy.pseudonyms import Pseudonyms

CT, ULTRASOUND_CINE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.3.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
REPORT, DOCUMENT = "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.104.1"
STUDY, SERIES, FRAME = "1.2.276.0.7.1", "1.2.276.0.7.1.1", "1.2.276.0.7.9"
KEY = b"a key that only the tests know.."


def plain(sop_class: str = CT, number: int = 1) -> FileDataset:
    """Return a small valid image of one patient."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(f"1.2.276.0.7.1.1.{number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("made.dcm", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, f"1.2.276.0.7.1.1.{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = STUDY, SERIES, FRAME
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Kowalewska^Zofia", "PID-778899", "19510923"
    dataset.PatientSex, dataset.PatientAge = "F", "093Y"
    dataset.StudyDate, dataset.StudyTime, dataset.AccessionNumber = "20190412", "101112", "ACC4455667"
    dataset.ContentDate, dataset.ContentTime = "20190412", "101500"
    dataset.ReferringPhysicianName, dataset.StudyID = "Feldmann^Ulrich", "STU99123"
    dataset.Modality, dataset.Manufacturer = "CT", "Acme"
    dataset.SeriesNumber, dataset.InstanceNumber = "1", str(number)
    return dataset


def with_pixels(dataset: FileDataset, frames: AnyArray) -> FileDataset:
    """Put frames ``t y x`` (uint8 or uint16) or ``t y x c`` into a data set."""
    count, dataset.Rows, dataset.Columns = frames.shape[:3]
    if count > 1:
        dataset.NumberOfFrames = str(count)
    bits = frames.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits, bits - 1, 0
    dataset.SamplesPerPixel = 3 if frames.ndim == 4 else 1
    dataset.PhotometricInterpretation = "RGB" if frames.ndim == 4 else "MONOCHROME2"
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    raw = frames.tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW" if bits > 8 else "OB"
    return dataset


def anatomy(size: int = 96, count: int = 1, seed: int = 0) -> AnyArray:
    """Return smooth grey frames ``t y x``, uint8, without a border or caption."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.Generator(np.random.PCG64(seed)).normal(size=(count, size, size))
    smooth = gaussian_filter(noise, (0, 6, 6))
    grey = 20 + 110 * (smooth - smooth.min()) / (smooth.max() - smooth.min())
    frames: AnyArray = grey.astype(np.uint8)
    return frames


def jpeg_with_comment(frame: AnyArray, comment: bytes) -> bytes:
    """Return a frame as JPEG with a comment and an EXIF segment that hold the same words."""
    from PIL import Image

    packed = BytesIO()
    Image.fromarray(frame).save(packed, "JPEG", quality=90)
    stream = packed.getvalue()

    def segment(marker: int, body: bytes) -> bytes:
        return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body

    return stream[:2] + segment(0xFE, comment) + segment(0xE1, b"Exif\0\0" + comment) + stream[2:]


def as_jpeg(dataset: FileDataset, frames: list[bytes]) -> FileDataset:
    """Store compressed frames."""
    from pydicom.encaps import encapsulate

    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return dataset


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return an item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def nested(*items: Dataset) -> Sequence:
    """Return a sequence."""
    return Sequence(list(items))


def stored(dataset: FileDataset) -> bytes:
    """Return a data set as the bytes of a file."""
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def order(options: frozenset[str] = DEFAULTS) -> ScrubOrder:
    """Return the order to de-identify with some options."""
    find = text_mask if "clean-pixels" in options else None
    return ScrubOrder(Pseudonyms(KEY), options, text_in_pixels=find, profile=Profile(options))


def scrub(folder: Path, content: bytes | FileDataset, options: frozenset[str] = DEFAULTS) -> Scrubbed:
    """De-identify a file of this content."""
    path = folder / "case.dcm"
    path.write_bytes(content if isinstance(content, bytes) else stored(content))
    return DicomScrubber().scrub(path, order(options))


def opened(result: Scrubbed) -> FileDataset:
    """Return the de-identified file as pydicom reads it; the test fails where there is none."""
    assert result.content is not None, result.withheld
    return dcmread(BytesIO(result.content))


def holds(content: bytes, word: str) -> bool:
    """Tell whether bytes hold a word in any encoding that text in DICOM or a maker's private block may have."""
    folded = content.lower()
    spellings = {word, word.lower(), word.upper(), word.capitalize()}
    encodings = ("utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859_5", "iso2022_jp_2", "shift_jis", "gb18030")
    for spelling in spellings:
        for encoding in encodings:
            try:
                needle = spelling.encode(encoding)
            except UnicodeEncodeError:
                continue
            if needle in content or needle.lower() in folded:
                return True
    return False
