import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.data.dicom.assembling import assemble, read_volume
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.mosaic import csa_fields, cut, tiles_of
from tests.data_room.dicom.making import dataset, save
from tests.data_room.dicom.slices import slices


def csa(fields: dict[str, list[str]], *, second: bool = True) -> bytes:
    """Write a CSA header as Siemens does; lengths of version 1 count from the items of the first field."""
    out = b"SV10\x04\x03\x02\x01" if second else b""
    out += struct.pack("<II", len(fields), 77)
    first = None
    for name, values in fields.items():
        first = len(values) if first is None else first
        out += struct.pack("<64si4siii", name.encode(), 1, b"FD\0\0", 0, len(values), 77)
        for value in values:
            raw = value.encode() + b"\0"
            length = len(raw)
            out += struct.pack("<4i", length if second else length + first, length if second else 0, 77, 0)
            out += raw + b"\0" * (-length % 4)
    return out


FIELDS = {"SliceNormalVector": ["0.0", "0.0", "-1.0"], "NumberOfImagesInMosaic": ["5"], "Other": []}


@pytest.mark.parametrize("second", [True, False])
def test_both_versions_of_the_private_header_are_read(second: bool) -> None:  # noqa: FBT001  # a parameter of the test
    found = csa_fields(csa(FIELDS, second=second))
    assert found["SliceNormalVector"] == ("0.0", "0.0", "-1.0")
    assert found["NumberOfImagesInMosaic"] == ("5",)


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 5000))
def test_a_damaged_private_header_is_no_crash(seed: int) -> None:
    rng = stream(seed, "csa")
    raw = bytearray(csa(FIELDS))
    for _ in range(int(rng.integers(1, 6))):
        raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
    csa_fields(bytes(raw[: int(rng.integers(len(raw)))]))
    csa_fields(bytes(raw))


def mosaic(folder: Path, *, fields: dict[str, list[str]] | None = None) -> Path:
    """Five slices of 4 x 4 pixels, tiled three by three."""
    picture = np.zeros((12, 12), np.uint16)
    for tile in range(5):
        picture[tile // 3 * 4 : tile // 3 * 4 + 4, tile % 3 * 4 : tile % 3 * 4 + 4] = 100 * tile + np.arange(
            16
        ).reshape(4, 4)
    facts = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"], "ImagePositionPatient": [10.0, 20.0, 30.0],
        "PixelSpacing": [2.0, 3.0], "SpacingBetweenSlices": 4.0, "RescaleIntercept": 0, "PixelData": picture.tobytes(),
    }  # fmt: skip
    made = dataset("p/s/mosaic", facts, size=12)
    if fields is not None:
        block = made.private_block(0x29, "SIEMENS CSA HEADER", create=True)
        block.add_new(0x10, "OB", csa(fields))
    return save(folder / "m", made)


def test_tiles_become_slices_in_the_direction_of_the_private_header(tmp_path: Path) -> None:
    entry = read_header(mosaic(tmp_path, fields=FIELDS), path="m")
    (volume,) = assemble([entry], root=tmp_path).volumes
    assert volume.size == (5, 4, 4)
    # the first tile's own corner: half of (12 - 4) pixels to the right and down
    planes = {p.tile: p.position_lps for p in volume.planes}
    assert planes[0] == pytest.approx((10 + 3 * 4, 20 + 2 * 4, 30))
    assert planes[4] == pytest.approx((22, 28, 30 - 16))
    image = read_volume(tmp_path, volume)
    # ascending along the normal, so the last tile comes first
    np.testing.assert_array_equal(image.array[0, :, 0, 0], np.array([400, 300, 200, 100, 0]))
    np.testing.assert_array_equal(image.array[0, 4], np.arange(16).reshape(4, 4))


@pytest.mark.parametrize(("fields", "reason"), [
    (None, "no private header"), ({"NumberOfImagesInMosaic": ["5"]}, "no private header"),
    ({**FIELDS, "NumberOfImagesInMosaic": ["20"]}, "20 slices, which do not fit"),
    ({**FIELDS, "SliceNormalVector": ["1.0", "0.0", "0.0"]}, "right angles"),
])  # fmt: skip
def test_a_mosaic_that_is_not_told_apart_is_never_one_slice(
    fields: dict[str, list[str]] | None, reason: str, tmp_path: Path
) -> None:
    entry = read_header(mosaic(tmp_path, fields=fields), path="m")
    found = assemble([entry], root=tmp_path)
    assert not found.volumes
    assert reason in found.apart[0][1]


def test_tiles_are_cut_row_by_row_and_a_place_is_needed() -> None:
    picture = np.arange(36).reshape(6, 6)
    np.testing.assert_array_equal(cut(picture, 4, (2, 2)), picture[2:4, 2:4])
    (entry,) = slices([0], position_lps=None)
    with pytest.raises(ReadError, match="no place in space"):
        tiles_of(entry, dataset("p/s/a"))
