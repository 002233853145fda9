import contextlib
import os
import signal
import struct
import zlib
from typing import Any

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.codec_host import HOST
from hounsfield.data.dicom.codestreams import BadStream
from hounsfield.data.dicom.limits import Limits
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.pixels import frame_count, modality_frame, picture, stored_frame
from tests.data_room.dicom.bytewise import BIG, JPEG_LS, RLE, element, fragments, image, jpeg_ls, ramp, sequence, us

BASELINE = "1.2.840.10008.1.2.4.50"


def _frame(data: bytes, number: int = 0) -> AnyArray:
    return stored_frame(open_dataset(data, pixels=True), number)


def _jpeg(array: AnyArray, **options: object) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG", quality=100, subsampling=0, **options)
    return out.getvalue()


@pytest.mark.parametrize(("allocated", "signed"), [(8, 0), (8, 1), (16, 0), (16, 1), (32, 0), (32, 1), (64, 1)])
def test_native_depths(allocated: int, signed: int) -> None:
    kind = f"<{'ui'[signed]}{allocated // 8}"
    array = (np.arange(16) - 8 * signed).astype(kind).reshape(4, 4)
    found = _frame(image(array.tobytes(), allocated=allocated, signed=signed))
    assert found.dtype == np.dtype(kind).newbyteorder("=")
    assert np.array_equal(found, array)


def test_unused_bits_are_no_part_of_a_value() -> None:
    words = np.array([0x0FFF, 0xF000, 0x1800, 0x07FF], "<u2").tobytes()
    unsigned = _frame(image(words, rows=1, stored=12))
    assert unsigned.tolist() == [[0xFFF, 0, 0x800, 0x7FF]]
    signed = _frame(image(words, rows=1, stored=12, signed=1))
    assert signed.tolist() == [[-1, 0, -2048, 2047]]
    left = np.array([0x123F, 0xFFF0, 0x8000, 0x000F], "<u2").tobytes()
    assert _frame(image(left, rows=1, stored=12, high=15)).tolist() == [[0x123, 0xFFF, 0x800, 0]]


def test_one_bit_frames_follow_without_gap() -> None:
    bits = np.random.RandomState(0).randint(0, 2, (3, 3, 5)).astype(np.uint8)
    data = image(
        np.packbits(bits.ravel(), bitorder="little").tobytes(), rows=3, columns=5, allocated=1, frames=3, modality="SEG"
    )
    assert all(np.array_equal(_frame(data, number), bits[number]) for number in range(3))


def test_big_endian_bytes_in_words() -> None:
    array = ramp(kind="u1")
    swapped = array.reshape(-1, 2)[:, ::-1].tobytes()
    data = image(swapped, syntax=BIG, allocated=8)
    words = data.replace(b"\x7f\xe0\x00\x10OB", b"\x7f\xe0\x00\x10OW")
    assert np.array_equal(_frame(words), array)
    assert np.array_equal(_frame(image(array.tobytes(), syntax=BIG, allocated=8)), array)


def test_float_pixels() -> None:
    array = np.linspace(-1, 1, 16, dtype="<f4").reshape(4, 4)
    data = image(b"", allocated=32).replace(element(0x7FE00010, "OW", b""), element(0x7FE00008, "OF", array.tobytes()))
    assert np.array_equal(_frame(data), array)


def test_planar_colour_and_422() -> None:
    colour = np.random.RandomState(1).randint(0, 256, (4, 4, 3)).astype(np.uint8)
    module: dict[str, Any] = {"samples": 3, "photometric": "RGB", "allocated": 8}
    assert np.array_equal(_frame(image(colour.tobytes(), planar=0, **module)), colour)
    planes = np.ascontiguousarray(np.moveaxis(colour, -1, 0))
    assert np.array_equal(_frame(image(planes.tobytes(), planar=1, **module)), colour)
    # Y Y Cb Cr: two pixels share their colour, which is none here
    pairs = bytes([10, 200, 128, 128]) * 8
    grey = _frame(image(pairs, samples=3, photometric="YBR_FULL_422", allocated=8, planar=0))
    assert np.array_equal(grey[..., 0], np.tile([10, 200], (4, 2)))
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_ybr_by_the_equations_of_the_standard() -> None:
    ybr = np.array([[[76, 85, 255], [150, 44, 21], [29, 255, 107], [128, 128, 128]]], np.uint8)
    y, cb, cr = (ybr[..., i].astype(float) for i in range(3))
    wanted = np.stack(
        [y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)], -1
    )
    found = _frame(image(ybr.tobytes(), rows=1, samples=3, photometric="YBR_FULL", allocated=8, planar=0))
    assert np.abs(found - np.clip(wanted, 0, 255)).max() <= 0.51


def _rle(array: AnyArray) -> bytes:
    """Encode by hand: a segment for each byte of a cell, the most significant first, of runs and literals."""
    planes = np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize)
    segments = []
    for plane in planes.T[::-1]:
        out, values = bytearray(), plane.tolist()
        while values:
            run = next((n for n, v in enumerate(values) if v != values[0]), len(values))
            if run > 2:
                run = min(run, 128)
                out += bytes([257 - run, values[0]])
                values = values[run:]
            else:
                out += bytes([0, values[0]])
                values = values[1:]
        segments.append(bytes(out) + b"\0" * (len(out) % 2))
    offsets = np.cumsum([64] + [len(segment) for segment in segments])[:-1].tolist()
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(offsets))) + b"".join(segments)


@pytest.mark.parametrize("kind", ["u1", "<u2", "<u4"])
def test_rle(kind: str) -> None:
    array = (np.random.RandomState(2).randint(0, 200, (9, 7)) ** 2 * (7 if kind == "<u4" else 1)).astype(kind)
    array[3] = 5
    module: dict[str, Any] = {"rows": 9, "columns": 7, "allocated": 8 * np.dtype(kind).itemsize}
    data = image(fragments(_rle(array)), syntax=RLE, undefined=True, **module)
    assert np.array_equal(_frame(data), array)


def test_deflated_frames() -> None:
    array = ramp()
    engine = zlib.compressobj(wbits=-15)
    part = engine.compress(array.tobytes()) + engine.flush()
    data = image(fragments(part), syntax="1.2.840.10008.1.2.8.1", undefined=True)
    assert np.array_equal(_frame(data), array)


def test_frames_over_fragments_with_right_missing_and_wrong_tables() -> None:
    arrays = [np.random.RandomState(n).randint(0, 4096, (8, 8)).astype(np.uint16) for n in range(3)]
    streams = [jpeg_ls(a) for a in arrays]
    streams = [s + b"\0" * (len(s) % 2) for s in streams]
    halves = [part for s in streams for part in (s[:20], s[20:])]
    begins = np.cumsum([0] + [len(s) + 16 for s in streams])[:3]
    right = struct.pack("<3I", *begins)
    wrong = struct.pack("<3I", 0, 3, 5)
    module: dict[str, Any] = {"rows": 8, "columns": 8, "frames": 3, "syntax": JPEG_LS, "undefined": True}
    for table in (right, b"", wrong):
        data = image(fragments(*halves, table=table), **module)
        dataset = open_dataset(data, pixels=True)
        assert frame_count(dataset) == 3
        assert all(np.array_equal(stored_frame(dataset, n), arrays[n]) for n in (2, 0, 1))
    extended = element(0x7FE00001, "OV", struct.pack("<3Q", *begins))
    data = image(fragments(*halves), extra=extended, **module)
    assert np.array_equal(_frame(data, 1), arrays[1])
    with pytest.raises(ReadError, match="cannot be told apart"):
        _frame(image(fragments(*halves[:4]), **module))


def test_signed_jpeg_ls_of_odd_depth() -> None:
    array = np.array([[-2048, -1, 0, 2047]] * 4, np.int16)
    coded = jpeg_ls(array.astype(np.uint16) & 0xFFF)
    found = _frame(image(fragments(coded), syntax=JPEG_LS, undefined=True, stored=12, signed=1))
    assert np.array_equal(found, array)


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
def test_jpeg_colours_by_what_the_codestream_says(photometric: str) -> None:
    colour = np.zeros((16, 16, 3), np.uint8)
    colour[..., 0], colour[..., 1] = 200, 90
    stream = _jpeg(colour)  # JFIF: luminance and colour differences whatever the data set says
    found = _frame(
        image(
            fragments(stream),
            rows=16,
            columns=16,
            syntax=BASELINE,
            undefined=True,
            samples=3,
            photometric=photometric,
            allocated=8,
            planar=0,
        )
    )
    assert np.abs(found.astype(int) - colour).max() <= 3


def test_codestreams_that_contradict_the_data_set_are_refused() -> None:
    stream = jpeg_ls(ramp(8, 8, "u2") * 100)
    module: dict[str, Any] = {"syntax": JPEG_LS, "undefined": True}
    for rows, columns, allocated in ((16, 8, 16), (8, 4, 16), (8, 8, 8)):
        data = image(fragments(stream), rows=rows, columns=columns, allocated=allocated, **module)
        with pytest.raises(ReadError, match="a codestream is of"):
            _frame(data)


def test_a_decoder_that_crashes_takes_nothing_with_it() -> None:
    array = np.random.RandomState(3).randint(0, 4096, (2000, 2000)).astype(np.uint16)
    data = image(fragments(jpeg_ls(array)), rows=2000, columns=2000, syntax=JPEG_LS, undefined=True)
    dataset = open_dataset(data, pixels=True)
    assert np.array_equal(stored_frame(dataset), array)
    before = HOST._running().pid
    os.kill(before, signal.SIGSEGV)
    found = []
    for _ in range(2):  # the first may meet the process while it dies
        with contextlib.suppress(ReadError):
            found.append(stored_frame(dataset))
    assert np.array_equal(found[-1], array)
    assert HOST._running().pid != before
    with pytest.raises(ReadError, match="cannot be decoded"):
        stored_frame(dataset, limits=Limits(decoder_bytes=1 << 20))
    HOST.close()
    assert np.array_equal(stored_frame(dataset), array)


def test_a_decoder_that_takes_too_long_is_ended() -> None:
    limits = Limits(seconds=1)
    with pytest.raises(BadStream, match="too long"):
        HOST.decode({"codec": "endless"}, b"", limits)
    assert HOST.decode({"codec": "rle", "segments": [(0, 2)], "length": 1}, b"\0a", Limits()) == b"a"


WRONG: dict[str, dict[str, Any]] = {
    "Rows is 0": {"rows": 0},
    "BitsAllocated is 12": {"allocated": 12},
    "BitsStored is 17": {"stored": 17},
    "HighBit is 3": {"high": 3},
    "SamplesPerPixel is 4": {"samples": 4},
    "with 1 sample": {"photometric": "RGB"},
    "NumberOfFrames": {"frames": "1A"},
    "need 96": {"frames": 3},
}


@pytest.mark.parametrize("reason", WRONG)
def test_impossible_pixel_modules_are_refused(reason: str) -> None:
    data = image(ramp().tobytes(), **WRONG[reason])
    with pytest.raises(ReadError, match=reason):
        _frame(data)


def test_giants_and_missing_frames_are_refused() -> None:
    with pytest.raises(ReadError, match="65535 x 65535"):
        _frame(image(b"ab", rows=65535, columns=65535))
    with pytest.raises(ReadError, match="no frame 1"):
        _frame(image(ramp().tobytes()), 1)
    with pytest.raises(ReadError, match="no pixel data"):
        stored_frame(open_dataset(image(ramp().tobytes())))
    with pytest.raises(ReadError, match=r"4\.100 are not decoded"):
        _frame(image(fragments(b"abcd"), syntax="1.2.840.10008.1.2.4.100", undefined=True))


def _rescale(slope: str, intercept: str) -> bytes:
    return element(0x00281052, "DS", intercept.encode()) + element(0x00281053, "DS", slope.encode())


def test_rescale_is_exact_where_it_can_be() -> None:
    def measured(extra: bytes) -> AnyArray:
        return modality_frame(open_dataset(image(ramp().tobytes(), extra=extra), pixels=True))

    assert measured(_rescale("1", "-1024")).dtype == np.int16
    assert np.array_equal(measured(_rescale("1", "-1024")), ramp().astype(int) - 1024)
    assert measured(_rescale("10000", "0")).dtype == np.int32
    half = measured(_rescale("0.5", "3"))
    assert half.dtype == np.float32
    assert np.array_equal(half, ramp().astype(float) / 2 + 3)
    assert measured(b"").dtype == np.uint16
    for slope in ("0", "abc"):
        with pytest.raises(ReadError, match="RescaleSlope"):
            measured(_rescale(slope, "0"))


def test_rescale_of_a_frame_of_its_own() -> None:
    frames = [sequence(0x00289145, _rescale(slope, "0")) for slope in ("2", "3")]
    extra = sequence(0x52009230, *frames)
    dataset = open_dataset(image(ramp().tobytes() * 2, frames=2, extra=extra), pixels=True)
    assert np.array_equal(modality_frame(dataset, 0), ramp().astype(int) * 2)
    assert np.array_equal(modality_frame(dataset, 1), ramp().astype(int) * 3)


def test_pictures_turn_only_what_is_no_quantity() -> None:
    values = ramp(kind="u1")
    window = element(0x00281050, "DS", b"8") + element(0x00281051, "DS", b"16")

    def seen(modality: str, photometric: str, extra: bytes = b"") -> AnyArray:
        data = image(values.tobytes(), allocated=8, photometric=photometric, modality=modality, extra=extra)
        array: AnyArray = picture(open_dataset(data, pixels=True)).array
        return array.reshape(4, 4)

    assert np.array_equal(seen("CT", "MONOCHROME1", window), values)
    assert np.array_equal(seen("DX", "MONOCHROME2"), values)
    assert np.array_equal(seen("DX", "MONOCHROME1"), 255 - values)
    white = seen("DX", "MONOCHROME2", window)
    assert (white.min(), white.max()) == (0, 255)
    assert np.array_equal(seen("DX", "MONOCHROME1", window), 255 - white)


def test_palette_plain_and_segmented() -> None:
    descriptor = struct.pack("<3H", 16, 0, 16)
    table = (np.arange(16) * 4096).astype("<u2")
    plain = b"".join(element(0x00281101 + c, "US", descriptor) for c in range(3))
    plain += b"".join(element(0x00281201 + c, "OW", table.tobytes()) for c in range(3))
    # one entry, then a line of 15 more
    words = struct.pack("<3H", 0, 1, 0) + struct.pack("<3H", 1, 15, 15 * 4096)
    cut = b"".join(element(0x00281101 + c, "US", descriptor) for c in range(3))
    cut += b"".join(element(0x00281221 + c, "OW", words) for c in range(3))
    for extra in (plain, cut):
        data = image(ramp(kind="u1").tobytes(), allocated=8, photometric="PALETTE COLOR", modality="US", extra=extra)
        dataset = open_dataset(data, pixels=True)
        found = picture(dataset).array
        assert found.shape == (3, 4, 4)
        assert np.array_equal(found[1], ramp() * 16)
        assert np.array_equal(stored_frame(dataset), ramp())
    with pytest.raises(ReadError, match="palette"):
        picture(
            open_dataset(
                image(ramp(kind="u1").tobytes(), allocated=8, photometric="PALETTE COLOR", modality="US"), pixels=True
            )
        )


def test_modality_table() -> None:
    table = (np.arange(8) ** 2).astype("<u2")
    item = element(0x00283002, "US", struct.pack("<3H", 8, 4, 16)) + element(0x00283006, "OW", table.tobytes())
    extra = sequence(0x00283000, item) + us(0x00280120, 0)
    found = modality_frame(open_dataset(image(ramp().tobytes(), modality="CR", extra=extra), pixels=True))
    assert np.array_equal(found.ravel(), np.concatenate([[0] * 4, np.arange(8) ** 2, [49] * 4]))
