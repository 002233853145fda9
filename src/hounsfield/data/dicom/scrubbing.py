"""De-identifies one DICOM file: its attributes at every depth, its pixels, and everything around them."""

import contextlib
import gzip
import hashlib
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield import __version__
from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.scrubbing_dataset import DatasetScrubber, identity, non_ascii
from hounsfield.data.dicom.scrubbing_faces import shows_skin
from hounsfield.data.dicom.scrubbing_identifiers import Identifiers, readable
from hounsfield.data.dicom.scrubbing_pixels import clean_container, cover_text, is_picture, take_out_faces
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import FaceMasks, ScrubOrder
from hounsfield.data.scrubbers.profile import ConfidentialityProfile

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset
    from pydicom.uid import UID

PREAMBLE, MAGIC = 128, b"DICM"
GZIP = b"\x1f\x8b\x08"
NAMES = (".dcm", ".dicom", ".ima", ".dcm.gz")
MUCH = 0.2
"""Share of covered pixels from which on somebody should look whether that was text."""
FACELESS = ("113102", "Clean Recognizable Visual Features Option")
"""PS3.16 CID 7050."""
FILE_SET = "1.2.840.10008.1.3.10"


class DicomScrubber:
    """Takes what identifies out of DICOM files, by the profile of the order."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by ``DICM`` behind the preamble, by a group 0002 or 0008 at the start, or by the name."""
        if head[PREAMBLE : PREAMBLE + 4] == MAGIC:
            return True
        if head.startswith(GZIP):
            return name.lower().endswith(".dcm.gz")
        return head[:4] in (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x05\0", b"\0\x08\0\x05") or (
            name.lower().endswith(NAMES) and bool(head)
        )

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the file without what identifies, or why it is withheld."""
        if order.profile is None:
            return Scrubbed(None, "no confidentiality profile was given for DICOM files")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of values that break the standard; they stay as they are
            return _scrubbed(source, order, order.profile)


def _scrubbed(source: Path, order: ScrubOrder, profile: ConfidentialityProfile) -> Scrubbed:
    try:
        dataset = _opened(source)
    except ReadError as error:
        return Scrubbed(None, error.found)
    identifiers = Identifiers(profile)
    identifiers.collect(dataset)

    def ended(content: bytes | None, reason: str = "", removed: tuple[str, ...] = ()) -> Scrubbed:
        told, keys = (identifiers.values, identifiers.texts), tuple(identifiers.keys)
        return Scrubbed(content, reason, removed, *told, coded=identifiers.coded, kept=identifiers.kept, keys=keys)

    def withheld(reason: str) -> Scrubbed:
        return ended(None, reason)

    reason = _reason_to_withhold(dataset, profile, identifiers)
    if reason:
        return withheld(reason)
    faces = _faces(dataset, source, order)
    if isinstance(faces, str):
        return withheld(f"faces were to be removed, and {faces}")
    patient = identity(dataset)
    scrubber = DatasetScrubber(profile, order.pseudonyms, patient, identifiers)
    try:
        removed = _treat_pixels(dataset, order)
        if faces is not None:
            take_out_faces(dataset, faces)
            removed.add("face")
        document = dataset.get("EncapsulatedDocument")
        scrubber.treat(dataset)
        if document is not None:
            dataset.EncapsulatedDocument = document
        _declare(dataset, profile, order, faceless=faces is not None)
        content = _written(dataset, order)
    except ReadError as error:
        return withheld(error.found)
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, OSError, ArithmeticError) as error:
        return withheld(f"the file cannot be written again ({type(error).__name__})")
    if source.name.lower().endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    return ended(content, removed=tuple(sorted(removed | scrubber.removed)))


def _opened(source: Path) -> "FileDataset":
    from hounsfield.data.dicom.opening import open_dataset

    dataset = open_dataset(source, pixels=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _syntax(dataset)
    return dataset


def _syntax(dataset: "FileDataset") -> "UID":
    """Return the encoding in which a file without file meta was read."""
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    implicit, little = dataset.original_encoding
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _reason_to_withhold(dataset: "Dataset", profile: ConfidentialityProfile, identifiers: Identifiers) -> str:
    """Return why a file must not be written, whatever is done to its attributes; empty where it may be."""
    kind = str(dataset.file_meta.get("MediaStorageSOPClassUID", "")) or str(dataset.get("SOPClassUID", ""))
    if kind == FILE_SET or "DirectoryRecordSequence" in dataset:
        return "it is a DICOMDIR, a list of patients and file names; make a new one from the output"
    if "EncapsulatedDocument" in dataset:
        if not profile.asks("documents"):
            return "it encapsulates a document (PDF, CDA or a model), which is written only with the option documents"
        if identifiers.within(unpacked(dataset.EncapsulatedDocument)):
            return "the encapsulated document holds an identifier of its header"
    if str(dataset.get("BurnedInAnnotation", "")) == "YES" and not profile.asks("clean-pixels"):
        return "its header says that text is burned into the pixels, and clean-pixels was not chosen"
    return ""


def unpacked(document: bytes) -> bytes:
    """Return a document with its deflated streams appended in the clear, as far as they can be inflated."""
    import zlib

    found = bytearray(document)
    at = document.find(b"stream")
    while at >= 0 and len(found) < 64_000_000:
        start = at + 6 + (2 if document[at + 6 : at + 8] == b"\r\n" else 1)
        with contextlib.suppress(zlib.error):  # not a deflated stream: its bytes are searched as they are
            found += b"\n" + zlib.decompressobj().decompress(document[start:], 8_000_000)
        at = document.find(b"stream", start)
    return bytes(found)


def _faces(dataset: "Dataset", source: Path, order: ScrubOrder) -> FaceMasks | str | None:
    """Return where the faces of a file are, or why it must be withheld; None where there is nothing to take out."""
    skin = shows_skin(str(dataset.get("Modality", "")), str(dataset.get("SOPClassUID", "")))
    pixels = any(keyword in dataset for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    if order.faces_of is None or not (skin and pixels):
        return None
    return order.faces_of(source) or "it is in no volume"


def _treat_pixels(dataset: "FileDataset", order: ScrubOrder) -> set[str]:
    removed = clean_container(dataset)
    if order.text_in_pixels is None or not is_picture(dataset):
        return removed
    covered = cover_text(dataset, order.text_in_pixels)
    if covered.frames:
        removed.add("text in pixels")
        whole = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("NumberOfFrames", 1) or 1)
        if covered.pixels > MUCH * whole:
            removed.add("much of the picture, taken for text")
    elif str(dataset.get("BurnedInAnnotation", "")) == "YES":
        raise ReadError("Its header says that text is burned into the pixels, and none was found.")
    return removed


def _declare(dataset: "Dataset", profile: ConfidentialityProfile, order: ScrubOrder, *, faceless: bool) -> None:
    """Say in the file what was done to it (PS3.15 E.1.1, items 6 to 9)."""
    from pydicom import Dataset
    from pydicom.sequence import Sequence

    dataset.PatientIdentityRemoved = "YES"
    methods = [f"Hounsfield {__version__}"[:64], *profile.methods]
    dataset.DeidentificationMethod = [*methods, "remove-faces"] if faceless else methods
    codes = []
    for value, meaning in (*profile.codes, FACELESS) if faceless else profile.codes:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning[:64]
        codes.append(code)
    dataset.DeidentificationMethodCodeSequence = Sequence(codes)
    dataset.LongitudinalTemporalInformationModified = "MODIFIED" if profile.asks("shift-dates") else "REMOVED"
    if order.text_in_pixels is not None and is_picture(dataset):
        dataset.BurnedInAnnotation = "NO"
    if non_ascii(dataset):
        dataset.SpecificCharacterSet = "ISO_IR 192"


def _written(dataset: "FileDataset", order: ScrubOrder) -> bytes:
    """Return the bytes of a Part 10 file: blank preamble, a meta group of our own, no group lengths."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import SecondaryCaptureImageStorage

    old = dataset.file_meta
    meta = FileMetaDataset()
    if not dataset.get("SOPClassUID"):
        dataset.SOPClassUID = old.get("MediaStorageSOPClassUID") or SecondaryCaptureImageStorage
    if not dataset.get("SOPInstanceUID"):
        told = str(old.get("MediaStorageSOPInstanceUID", ""))
        dataset.SOPInstanceUID = order.pseudonyms.uid(told or _digest(dataset))
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = old.TransferSyntaxUID
    meta.ImplementationVersionName = f"HOUNSFIELD {__version__}"[:16]
    dataset.file_meta = meta
    dataset.preamble = b"\0" * PREAMBLE
    if not meta.TransferSyntaxUID.is_transfer_syntax:
        return _written_by_hand(dataset)
    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _written_by_hand(dataset: "FileDataset") -> bytes:
    """Return the bytes of a file in a syntax that pydicom does not know: explicit little endian, as all younger are."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset, write_file_meta_info

    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    stream.write(b"\0" * PREAMBLE + MAGIC)
    write_file_meta_info(stream, dataset.file_meta, enforce_standard=True)
    write_dataset(stream, dataset)
    return stream.getvalue()


def _digest(dataset: "Dataset") -> str:
    """Return what tells an object without a UID from others: a hash of its attributes, pixels among them."""
    summed = hashlib.sha256()
    for element in readable(dataset):
        summed.update(f"{element.tag}{element.value!r}".encode("utf-8", "replace"))
    return summed.hexdigest()
