import gzip
import os
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom import values
from hounsfield.data.dicom.limits import LIMITS, Limits
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.pixels import stored_frame
from tests.data_room.dicom.bytewise import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    element,
    fragments,
    header,
    image,
    part10,
    ramp,
    sequence,
    us,
)

CODE = 0x00081140


def test_values_of_a_plain_file() -> None:
    data = part10(header() + element(0x00100010, "PN", b"A^B") + us(0x00280010, 7))
    dataset = open_dataset(data)
    assert dataset.file_meta.TransferSyntaxUID == EXPLICIT
    assert (str(dataset.PatientName), dataset.Rows, dataset.Modality) == ("A^B", 7, "CT")


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG])
def test_with_and_without_preamble_and_meta(syntax: str, tmp_path: Path) -> None:
    kind = ">u2" if syntax == BIG else "<u2"
    whole = image(ramp(kind=kind).tobytes(), syntax=syntax)
    start = whole.index(struct.pack(">HH" if syntax == BIG else "<HH", 8, 0x16))
    for data in (whole, whole[132:], whole[start:], gzip.compress(whole)):
        path = tmp_path / "file"
        path.write_bytes(data)
        for source in (data, path):
            dataset = open_dataset(source, pixels=True)
            assert dataset.Rows == 4
            assert np.array_equal(stored_frame(dataset), ramp())


def test_deflated() -> None:
    body = header() + us(0x00280010, 9)
    engine = zlib.compressobj(wbits=-15)
    data = part10(engine.compress(body) + engine.flush(), DEFLATED)
    assert open_dataset(data).Rows == 9


def test_header_only_reads_no_pixels(tmp_path: Path) -> None:
    path = tmp_path / "large"
    size = 64 << 20
    path.write_bytes(image(b"", rows=4096, columns=8192)[:-4] + struct.pack("<I", size))
    os.truncate(path, path.stat().st_size + size)
    tracemalloc.start()
    dataset = open_dataset(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "PixelData" not in dataset
    assert dataset.Columns == 8192
    assert most < 8 << 20


def test_a_header_longer_than_the_first_read(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(part10(header() + element(0x00091010, "OB", bytes(3 << 20)) + us(0x00280010, 5)))
    assert open_dataset(path).Rows == 5


@pytest.mark.parametrize("length", ["defined", "undefined"])
@pytest.mark.parametrize("depth", [3, 32, 33, 5000])
def test_nesting(depth: int, length: str) -> None:
    if depth == 5000:
        head = element(CODE, "SQ", b"", length=0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        nested = head * depth
    else:
        nested = us(0x00280010, 1)
        for _ in range(depth):
            nested = sequence(CODE, nested, undefined=length == "undefined")
    data = part10(header() + nested)
    if depth <= 32:
        dataset = open_dataset(data)
        for _ in range(depth):
            (dataset,) = dataset[CODE].value
        assert dataset.Rows == 1
    else:
        with pytest.raises(ReadError, match="more than 32 deep"):
            open_dataset(data)


LIES = {
    "claims 4,000": header() + element(0x00100010, "PN", b"abcd", length=4000),
    "4,294,967,294": header() + element(0x00091010, "OB", b"abcd", length=0xFFFFFFFE),
    "in its sequence item": header() + sequence(CODE, element(0x00100010, "PN", b"ab", length=8)) + us(0x00280010, 1),
    "sequence item that claims": header()
    + element(CODE, "SQ", b"\xfe\xff\x00\xe0" + struct.pack("<I", 999), length=0xFFFFFFFF),
    "something else than items": header() + element(CODE, "SQ", us(0x00280010, 1)),
    "ends inside a sequence": header() + element(CODE, "SQ", b"", length=0xFFFFFFFF) + b"\xfe\xff\x00\xe0\0\0\0\0",
    "undefined length that is no": header() + element(0x00091010, "UN", b"abcdefgh", length=0xFFFFFFFF),
    "holds no data set": b"",
}


@pytest.mark.parametrize("reason", LIES)
def test_lies_are_refused(reason: str) -> None:
    with pytest.raises(ReadError, match=reason):
        open_dataset(part10(LIES[reason]))


def test_a_sequence_and_its_last_item_may_disagree() -> None:
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", 34) + us(0x00280010, 4)
    (found,) = open_dataset(part10(header() + element(CODE, "SQ", item)))[CODE].value
    assert found.Rows == 4


def test_claims_allocate_nothing() -> None:
    data = part10(header() + element(0x7FE00010, "OW", b"12", length=0xFFFFFFFE))
    tracemalloc.start()
    with pytest.raises(ReadError, match="claims"):
        open_dataset(data, pixels=True)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


def test_bombs_are_refused() -> None:
    few = Limits(inflated_bytes=1 << 20)
    body = header() + element(0x00091010, "OB", bytes(2 << 20))
    engine = zlib.compressobj(wbits=-15)
    deflated = part10(engine.compress(body) + engine.flush(), DEFLATED)
    for bomb in (gzip.compress(part10(body)), deflated):
        assert len(bomb) < 10_000
        with pytest.raises(ReadError, match="inflates to more than"):
            open_dataset(bomb, limits=few)
    with pytest.raises(ReadError, match="ends too early"):
        open_dataset(gzip.compress(part10(body))[:-100])


def test_limits_on_counts_and_sizes() -> None:
    many = part10(header() + b"".join(us(0x00280010, 1) for _ in range(60)))
    with pytest.raises(ReadError, match="more than 50 elements"):
        open_dataset(many, limits=Limits(elements=50))
    with pytest.raises(ReadError, match="an element of 5,000 bytes"):
        open_dataset(part10(header() + element(0x00091010, "OB", bytes(5000))), limits=Limits(element_bytes=4000))
    data = image(fragments(*[b"ab"] * 20), syntax="1.2.840.10008.1.2.4.90", undefined=True)
    with pytest.raises(ReadError, match="more than 10 fragments"):
        open_dataset(data, pixels=True, limits=Limits(fragments=10))
    with pytest.raises(ReadError, match="bytes to be read at once"):
        open_dataset(many, pixels=True, limits=Limits(file_bytes=100))
    assert LIMITS.file_bytes < 1 << 30


def calls(data: bytes, limits: Limits) -> int:
    """Return how many functions are called to open it."""
    count = 0

    def counted(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        open_dataset(data, limits=limits)
    finally:
        sys.setprofile(None)
    return count


def test_a_megabyte_of_zeros_takes_no_calls_of_its_square() -> None:
    limits = Limits(elements=200_000)
    few, many = (calls(part10(header() + bytes(n) + us(0x00280010, 1)), limits) for n in (1 << 18, 1 << 20))
    assert many < 5 * few
    assert open_dataset(part10(header() + us(0x00280010, 2) + bytes(1 << 20))).Rows == 2


def test_as_many_elements_as_are_allowed_take_calls_of_their_number() -> None:
    item = b"\xfe\xff\x00\xe0\x0a\0\0\0" + us(0x00280010, 1)
    most = LIMITS.elements // 2 - 10
    assert len(open_dataset(part10(header() + element(CODE, "SQ", item * most)))[CODE].value) == most
    few, many = (calls(part10(header() + element(CODE, "SQ", item * n)), LIMITS) for n in (most // 16, most // 4))
    assert few > most // 16
    assert many < 5 * few


def test_what_is_no_dicom(tmp_path: Path) -> None:
    for data in (b"", b"a", b"%PDF-1.4 and so on, long enough", bytes(4000), b"PK\3\4" + bytes(100)):
        with pytest.raises(ReadError):
            open_dataset(data)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, reason in ((tmp_path, "no regular file"), (fifo, "no regular file"), (tmp_path / "none", "opened")):
        with pytest.raises(ReadError, match=reason):
            open_dataset(path)
    unusual = us(0x00180010, 5) + us(0x00280010, 6)
    with pytest.raises(ReadError, match="no DICOM"):
        open_dataset(unusual)
    assert open_dataset(unusual, force=True).Rows == 6


def test_values_that_break_their_vr_raise_nothing(
    recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    body = header() + element(0x00100010, "PN", b"SECRET^NAME") + element(0x00280008, "IS", b"1A")
    body += element(0x00281050, "DS", b"x\\y") + element(0x00080018, "UI", b"SECRET.UID")
    body += element(0x00189087, "FD", b"abcd") + element(0x00081030, "ZZ", b"late VR")
    dataset = open_dataset(part10(element(0x00080005, "CS", b"NO SUCH SET") + body))
    for one in dataset:
        _ = one.value
    assert values.integer(dataset, "NumberOfFrames") is None
    assert values.number(dataset, "DiffusionBValue") is None
    assert not recwarn.list
    assert "SECRET" not in caplog.text


def test_messages_name_nobody(tmp_path: Path) -> None:
    path = tmp_path / "Doe_John.dcm"
    path.write_bytes(part10(header() + element(0x00100010, "PN", b"Doe^John", length=9000)))
    with pytest.raises(ReadError) as caught:
        open_dataset(path)
    assert "Doe" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_character_sets_reach_into_sequences() -> None:
    name = "Äneas^Rüdiger".encode("latin-1")
    inside = sequence(0x00081140, element(0x00100010, "PN", name))
    dataset = open_dataset(part10(element(0x00080005, "CS", b"ISO_IR 100") + header() + inside))
    assert str(dataset.ReferencedImageSequence[0].PatientName) == "Äneas^Rüdiger"


def test_a_private_sequence_without_vr_is_bounded() -> None:
    creator = element(0x20010010, "LO", b"Philips Imaging DD 001", syntax=IMPLICIT)
    nested = b""
    for _ in range(3000):
        nested = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(nested)) + nested
        nested = element(0x2001105F, "UN", nested, syntax=IMPLICIT)
        if len(nested) > 60_000:
            break
    body = header(syntax=IMPLICIT) + creator + nested
    dataset = open_dataset(part10(body, IMPLICIT))
    assert [one.tag for one in dataset.iterall()]


def test_written_again_it_is_the_same(tmp_path: Path) -> None:
    import pydicom

    data = image(ramp().tobytes(), before=sequence(CODE, us(0x00280010, 3), undefined=True))
    path = tmp_path / "again.dcm"
    open_dataset(data, pixels=True).save_as(path)
    theirs = pydicom.dcmread(path)
    assert theirs[CODE].value[0].Rows == 3
    assert np.array_equal(theirs.pixel_array, ramp())
