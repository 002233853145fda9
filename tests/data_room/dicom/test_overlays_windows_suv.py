import struct
from typing import Any

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.lut import Window, windowed, windows_of
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.overlays import overlays
from hounsfield.data.dicom.suv import uptake
from tests.data_room.dicom.bytewise import element, header, image, part10, ramp, sequence, us


def _plane(rows: int, columns: int, origin: tuple[int, int], position: int = 0) -> bytes:
    out = us(0x60000010, rows) + us(0x60000011, columns) + element(0x60000040, "CS", b"G")
    out += element(0x60000050, "SS", struct.pack("<2h", *origin)) + us(0x60000100, 16 if position else 1)
    return out + us(0x60000102, position)


def test_overlay_beside_the_pixels_lies_where_its_origin_says() -> None:
    bits = np.array([[1, 0, 1], [0, 1, 1]], np.uint8)
    data = element(0x60003000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes())
    for origin, place in (((2, 2), (slice(1, 3), slice(1, 4))), ((1, 1), (slice(0, 2), slice(0, 3)))):
        dataset = open_dataset(image(ramp().tobytes(), extra=_plane(2, 3, origin) + data), pixels=True)
        (found,) = overlays(dataset)
        assert (found.group, found.kind, found.mask.shape) == (0x6000, "G", (4, 4))
        assert np.array_equal(found.mask[place], bits)
        assert found.mask.sum() == bits.sum()
    outside = open_dataset(image(ramp().tobytes(), extra=_plane(2, 3, (0, 4)) + data), pixels=True)
    assert overlays(outside)[0].mask.sum() == bits[1:, :1].sum()


def test_overlay_in_unused_bits_and_the_pixels_without_it() -> None:
    from hounsfield.data.dicom.pixels import stored_frame

    mask = np.eye(4, dtype="<u2")
    data = image(
        (ramp().astype(int) + mask.astype(int) * 4096).astype("<u2").tobytes(),
        stored=12,
        extra=_plane(4, 4, (1, 1), 12),
    )
    dataset = open_dataset(data, pixels=True)
    assert np.array_equal(overlays(dataset)[0].mask, mask)
    assert np.array_equal(stored_frame(dataset), ramp())


def test_overlay_that_is_too_short_is_refused() -> None:
    extra = _plane(200, 200, (1, 1)) + element(0x60003000, "OW", b"ab")
    with pytest.raises(ReadError, match="overlay is shorter"):
        overlays(open_dataset(image(ramp().tobytes(), extra=extra), pixels=True))


def test_windows_as_the_standard_computes_them() -> None:
    x = np.arange(-100.0, 200.0, 0.5)
    linear = windowed(x, Window(40, 80))
    wanted = np.where(x <= 39.5 - 39.5, 0, np.where(x > 39.5 + 39.5, 1, (x - 39.5) / 79 + 0.5))
    assert np.abs(linear - wanted).max() < 1e-6
    exact = windowed(x, Window(40, 80, "LINEAR_EXACT"))
    assert np.abs(exact - np.clip((x - 40) / 80 + 0.5, 0, 1)).max() < 1e-6
    sigmoid = windowed(x, Window(40, 80, "SIGMOID"))
    assert np.abs(sigmoid - 1 / (1 + np.exp(-4 * (x - 40) / 80))).max() < 1e-6
    assert set(np.unique(windowed(x, Window(40, 1)))) == {0.0, 1.0}


def test_windows_that_cannot_be() -> None:
    body = header() + element(0x00281050, "DS", b"40\\50") + element(0x00281051, "DS", b"0\\100")
    assert windows_of(open_dataset(part10(body))) == (Window(50, 100),)
    assert windows_of(open_dataset(part10(header()))) == ()


def _pet(
    units: str, *, correction: str = "START", weight: str = "70", start: str = "090000", extra: bytes = b""
) -> float | None:
    drug = element(0x00181072, "TM", b"080000") + element(0x00181074, "DS", b"370000000")
    drug += element(0x00181075, "DS", b"6586.2")
    body = header(modality="PT") + element(0x00080021, "DA", b"20200102") + element(0x00080022, "DA", b"20200102")
    body += element(0x00080031, "TM", start.encode()) + element(0x00080032, "TM", b"093000.50")
    body += element(0x00101030, "DS", weight.encode()) + element(0x00280051, "CS", b"DECY\\ATTN\\SCAT")
    body += sequence(0x00540016, drug) + element(0x00541001, "CS", units.encode())
    body += element(0x00541102, "CS", correction.encode()) + extra
    return uptake(open_dataset(part10(body))).factor


def test_uptake_by_hand() -> None:
    # an hour of decay at a half-life of 6586.2 s: 370 MBq are 253.3 MBq
    dose = 370e6 * 0.5 ** (3600 / 6586.2)
    assert _pet("BQML") == pytest.approx(70_000 / dose)
    assert _pet("BQML", correction="ADMIN") == pytest.approx(70_000 / 370e6)
    assert _pet("GML") == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"units": "CNTS"},
        {"units": "PROPCPS"},
        {"units": "BQML", "weight": "0"},
        {"units": "BQML", "correction": "NONE"},
        {"units": "BQML", "start": "110000"},
        {"units": "BQML", "start": "9 o'clock"},
    ],
)
def test_no_uptake_where_the_header_does_not_allow_it(wrong: dict[str, Any]) -> None:
    units = wrong.pop("units")
    assert _pet(units, **wrong) is None


def test_uptake_across_midnight_and_by_philips() -> None:
    dose = 370e6 * 0.5 ** ((24 - 8 + 0.5) * 3600 / 6586.2)
    assert _pet("BQML", start="003000") == pytest.approx(70_000 / dose)
    extra = element(0x70530010, "LO", b"Philips PET Private Group") + element(0x70531000, "DS", b"0.5")
    assert _pet("CNTS", extra=extra) == 0.5
    assert uptake(open_dataset(part10(header()))).factor is None
