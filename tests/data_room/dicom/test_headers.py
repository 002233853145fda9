"""The fast header reader agrees with pydicom, and ends cleanly on whatever it is given."""

import csv
import gzip
import io
import math
import os
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.headers import looks_like_dicom, read_header
from tests.counting import lines
from tests.data_room.dicom.making import dataset, save

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))
CORPUS = DATA / "dicom-corpus"

TEXTS = {
    "sop_class": "SOPClassUID", "sop_uid": "SOPInstanceUID", "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID", "frame_of_reference": "FrameOfReferenceUID", "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID", "accession": "AccessionNumber", "study_date": "StudyDate", "modality": "Modality",
    "series_description": "SeriesDescription", "protocol": "ProtocolName", "body_part": "BodyPartExamined",
    "photometric": "PhotometricInterpretation", "manufacturer": "Manufacturer", "model": "ManufacturerModelName",
    "station": "StationName", "institution": "InstitutionName", "study_description": "StudyDescription",
    "view": "ViewPosition", "sex": "PatientSex",
}  # fmt: skip
NUMBERS = {
    "series_number": "SeriesNumber", "instance_number": "InstanceNumber", "acquisition_number": "AcquisitionNumber",
    "repetition_time_ms": "RepetitionTime", "trigger_time_ms": "TriggerTime", "tilt_deg": "GantryDetectorTilt",
    "temporal_position": "TemporalPositionIdentifier", "echo_number": "EchoNumbers", "thickness_mm": "SliceThickness",
    "between_mm": "SpacingBetweenSlices", "echo_time_ms": "EchoTime", "rows": "Rows", "columns": "Columns",
    "bits": "BitsAllocated",
}  # fmt: skip
VECTORS = {
    "position_lps": "ImagePositionPatient",
    "orientation_lps": "ImageOrientationPatient",
    "spacing_mm": "PixelSpacing",
}


def _value(ds: Dataset, keyword: str) -> Any:  # noqa: ANN401 - whatever pydicom makes of it
    try:
        return ds.get(keyword)
    except (ValueError, TypeError, OverflowError):  # a value that breaks its representation
        return None


def _groups(ds: Dataset) -> list[Dataset]:
    """Shared groups, the first frame's, and the first detector, flattened: an own way to the same values."""
    found = []
    for keyword in (
        "DetectorInformationSequence",
        "SharedFunctionalGroupsSequence",
        "PerFrameFunctionalGroupsSequence",
    ):
        outer = _value(ds, keyword)
        if outer:
            found.append(outer[0])
            found += [e.value[0] for e in outer[0] if e.VR == "SQ" and e.value and not e.tag.is_private]
    return found


def _said(ds: Dataset, keyword: str) -> Any:  # noqa: ANN401
    own = _value(ds, keyword)
    if own not in (None, ""):
        return own
    return next((v for g in _groups(ds) if (v := _value(g, keyword)) not in (None, "")), None)


def _first(value: Any) -> float | None:  # noqa: ANN401
    if isinstance(value, pydicom.multival.MultiValue):
        value = value[0] if value else None
    if value in (None, ""):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def differences(entry: Entry, ds: Dataset) -> list[str]:
    """Return the fields in which an entry says something else than pydicom."""
    wrong = []
    for name, keyword in TEXTS.items():
        value = _value(ds, keyword)
        if isinstance(value, pydicom.multival.MultiValue):
            value = "\\".join(map(str, value))
        wanted = str(value or "").strip("\0 \t\r\n")
        if name == "sop_class":
            wanted = wanted or str(ds.file_meta.get("MediaStorageSOPClassUID", ""))
        if getattr(entry, name) != wanted:
            wrong.append(f"{name}: {getattr(entry, name)!r} for {wanted!r}")
    for name, keyword in NUMBERS.items():
        wanted_number = _first(_said(ds, keyword))
        found = getattr(entry, name)
        if name == "echo_time_ms" and wanted_number is None:
            wanted_number = _first(_said(ds, "EffectiveEchoTime"))
        if (found or 0) != (wanted_number or 0):
            wrong.append(f"{name}: {found} for {wanted_number}")
    for name, keyword in VECTORS.items():
        value = _said(ds, keyword) or (_value(ds, "ImagerPixelSpacing") if name == "spacing_mm" else None)
        wanted_vector = tuple(float(v) for v in value) if value else None
        if getattr(entry, name) != wanted_vector:
            wrong.append(f"{name}: {getattr(entry, name)} for {wanted_vector}")
    kind = _value(ds, "ImageType") or []
    kind = [kind] if isinstance(kind, str) else kind
    if entry.image_type != tuple(str(k).strip() for k in kind):
        wrong.append(f"image_type: {entry.image_type}")
    pixels = any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
    frames = _first(_value(ds, "NumberOfFrames")) or 1
    if entry.frames != (frames if pixels else 0):
        wrong.append(f"frames: {entry.frames} for {frames}, pixels {pixels}")
    return wrong


def test_it_agrees_with_pydicom_on_every_readable_file_of_the_corpus() -> None:
    if not CORPUS.exists():
        pytest.skip("dicom-corpus is not in the folder that HOUNSFIELD_DATA names")
    with (CORPUS / "index.csv").open(encoding="utf-8") as stream:
        rows = [r for r in csv.DictReader(stream) if r["modality"] not in ("NIfTI", "NRRD")]
    compared, wrong = 0, []
    for row in rows:
        path = CORPUS / row["file"]
        try:
            entry = read_header(path, path=row["file"])
        except ReadError as error:
            if row["expect"].startswith("decode:"):
                wrong.append(f"{row['file']}: {error.found}")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = io.BytesIO(gzip.decompress(path.read_bytes())) if path.suffix == ".gz" else path
            try:
                ds = pydicom.dcmread(source, force=True)
            except OSError:  # a sequence without its end: pydicom gives up where the header has been read already
                continue
            if len(ds) == 0:  # cut within its pixels: pydicom then keeps nothing of the header either
                continue
            wrong += [f"{row['file']}: {text}" for text in differences(entry, ds)]
        compared += 1
    assert compared > 300
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, "1.2.840.10008.1.2.1"]
)
def test_every_way_of_writing_gives_the_same_entry(tmp_path: Path, syntax: str) -> None:
    made = dataset(
        "p/1/s", {"SpecificCharacterSet": "ISO_IR 192", "SeriesDescription": "Brustkorb, übersichtlich 胸部"}
    )
    path = save(tmp_path / "a", made, syntax=syntax)
    entry = read_header(path)
    assert differences(entry, pydicom.dcmread(path)) == []
    assert entry.series_description.endswith("胸部")
    assert entry.age_years == 61.0
    assert entry == read_header(path.read_bytes())
    squeezed = gzip.compress(path.read_bytes())
    assert read_header(squeezed).sop_uid == entry.sop_uid
    with path.open("rb") as stream:
        assert read_header(stream, size=path.stat().st_size) == entry


def test_a_bare_data_set_is_recognised_and_read(tmp_path: Path) -> None:
    for little, implicit in ((True, True), (True, False), (False, False)):
        path = tmp_path / f"{little}{implicit}"
        dataset("p/1/s").save_as(path, little_endian=little, implicit_vr=implicit)
        assert looks_like_dicom(path.read_bytes()[:512])
        assert read_header(path).rows == 8


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\x89PNG\r\n\x1a\n" + bytes(300), b"GIF89a" + bytes(300), b"sample,label\n" * 50, bytes(600),
     b"\xff" * 600, b"\x08\x00" * 200, b"PK\x03\x04" + bytes(200)],
)  # fmt: skip
def test_other_files_are_no_dicom(content: bytes) -> None:
    assert not looks_like_dicom(content)
    with pytest.raises(ReadError):
        read_header(content)


def test_sequences_before_what_is_wanted_are_stepped_over(tmp_path: Path) -> None:
    made = dataset("p/1/s")
    inner: Dataset = Dataset()
    inner.PatientID = "someone else"
    for _ in range(40):
        outer = Dataset()
        outer.ReferencedStudySequence = Sequence([inner])
        inner = outer
    for undefined in (False, True):
        made.ReferencedStudySequence = Sequence([inner])
        for level in made.iterall():
            if level.VR == "SQ":
                level.is_undefined_length = undefined
        for syntax in (ImplicitVRLittleEndian, "1.2.840.10008.1.2.1"):
            entry = read_header(save(tmp_path / "deep", made, syntax=syntax))
            assert (entry.patient_id, entry.rows, entry.problem) == ("p", 8, "")


def test_a_sequence_without_end_is_no_endless_work() -> None:
    opening = b"\x08\x00\x10\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"

    def work(count: int) -> int:
        content = bytes(128) + b"DICM" + opening * count
        with pytest.raises(ReadError):
            read_header(content)
        return lines(lambda: suppressed(content))

    def suppressed(content: bytes) -> None:
        with suppress(ReadError):
            read_header(content)

    assert work(10) < work(2_000) == work(200_000)


def test_a_deflated_bomb_is_not_unpacked() -> None:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    element = b"\x09\x00\x01\x10OB\0\0" + (0xFFFFFF00).to_bytes(4, "little")
    bomb = engine.compress(element) + b"".join(engine.compress(bytes(1 << 20)) for _ in range(300)) + engine.flush()
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = b"\x02\x00\x10\x00UI" + len(syntax).to_bytes(2, "little") + syntax
    with pytest.raises(ReadError):
        read_header(bytes(128) + b"DICM" + meta + bomb)


def test_damage_behind_the_header_is_told_and_the_header_kept(tmp_path: Path) -> None:
    content = save(tmp_path / "a", dataset("p/1/s")).read_bytes()
    assert read_header(content[:-20]).problem == "the file ends before its pixels do"
    assert read_header(content).problem == ""
    lying = save(tmp_path / "b", dataset("p/1/s", {"NumberOfFrames": 1_000_000}))
    assert read_header(lying).problem == "its header claims more pixels than it holds"


def test_no_cut_and_no_changed_byte_raises_anything_else(tmp_path: Path) -> None:
    made = dataset("p/1/s", {"SpecificCharacterSet": ["", "ISO 2022 IR 87"], "StationName": "\x1b"})
    made.ReferencedStudySequence = Sequence([dataset("q/1/s", size=0)])
    made["ReferencedStudySequence"].is_undefined_length = True
    rng = np.random.Generator(np.random.PCG64(7))
    outcomes = {"entry": 0, "refused": 0}
    for syntax in (ImplicitVRLittleEndian, "1.2.840.10008.1.2.1", DeflatedExplicitVRLittleEndian):
        whole = save(tmp_path / "a", made, syntax=syntax).read_bytes()
        for trial in range(600):
            content = bytearray(whole[: int(rng.integers(len(whole)))] if trial % 3 == 0 else whole)
            for at in rng.integers(0, max(1, len(content)), 3 if content else 0):
                content[at] = int(rng.integers(256))
            try:
                read_header(bytes(content))
                outcomes["entry"] += 1
            except ReadError:
                outcomes["refused"] += 1
    assert min(outcomes.values()) > 100


def test_b_values_of_the_vendors_are_found(tmp_path: Path) -> None:
    for creator, group, element, kind, value in (
        ("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", "1000"),
        ("GEMS_PARM_01", 0x0043, 0x39, "IS", ["1000001000", "8", "0", "0"]),
        ("Philips Imaging DD 001", 0x2001, 0x03, "FL", 1000.0),
    ):
        made = dataset("p/1/s")
        made.private_block(group, creator, create=True).add_new(element, kind, value)
        for syntax in (ImplicitVRLittleEndian, "1.2.840.10008.1.2.1"):
            assert read_header(save(tmp_path / "a", made, syntax=syntax)).b_value == 1000.0


def test_it_does_much_less_than_pydicom(tmp_path: Path) -> None:
    path = save(tmp_path / "a", dataset("p/1/s"))
    read_header(path)
    pydicom.dcmread(path, stop_before_pixels=True)  # both have imported what they need
    ours = lines(lambda: read_header(path))
    theirs = lines(lambda: pydicom.dcmread(path, stop_before_pixels=True))
    assert theirs > 2 * ours
