"""Words hidden in parts of pictures that stay: longer than the standard lets them be, behind the pixels, in names."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from hounsfield.core.errors import ReadError
from tests.data_room.scrubbers.told import scrub, written

GREY = (np.add.outer(np.arange(24), np.arange(32)) * 4).astype(np.uint8)
HIDDEN = b"Kowalewska PID-778899"


def _saved(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(GREY).save(out, kind, **options)
    return out.getvalue()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pixels(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("L")).tobytes()


def test_png_chunks_that_are_too_long_go(tmp_path: Path) -> None:
    whole = _saved("PNG")
    content = whole[:33] + _chunk(b"gAMA", b"\0\0\xb1\x8f" + HIDDEN) + _chunk(b"pHYs", HIDDEN) + whole[33:]
    assert _pixels(written(scrub(tmp_path, "a.png", content))) == GREY.tobytes()


def test_png_profile_loses_its_name_and_stays(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = _saved("PNG")
    content = whole[:33] + _chunk(b"iCCP", b"Kowalewska\0\0" + zlib.compress(profile)) + whole[33:]
    made = written(scrub(tmp_path, "a.png", content))
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.info["icc_profile"] == profile


def test_png_bytes_behind_the_pixels_inside_their_chunk_go(tmp_path: Path) -> None:
    whole = _saved("PNG")
    at = whole.index(b"IDAT") - 4
    length = int.from_bytes(whole[at : at + 4], "big")
    body = whole[at + 8 : at + 8 + length]
    content = whole[:at] + _chunk(b"IDAT", body[:20]) + _chunk(b"IDAT", body[20:] + HIDDEN) + _chunk(b"IEND", b"")
    result = scrub(tmp_path, "a.png", content)
    assert _pixels(written(result)) == GREY.tobytes()
    assert "bytes behind the pixels" in result.removed


def test_jpeg_second_image_and_long_adobe_segment_go(tmp_path: Path) -> None:
    whole = _saved("JPEG")
    adobe = b"Adobe\0\x64\0\0\0\0\0" + HIDDEN
    mpf = b"MPF\0II*\0" + HIDDEN
    parts = b"".join(
        b"\xff" + bytes([m]) + struct.pack(">H", len(b) + 2) + b
        for m, b in ((0xEE, adobe), (0xE2, mpf), (0xFE, HIDDEN))
    )
    content = whole[:2] + parts + whole[2:] + _saved("JPEG", comment=HIDDEN)
    made = written(scrub(tmp_path, "a.jpg", content))
    assert made.count(b"\xff\xd8\xff") == 1
    assert len(_pixels(made)) == GREY.size


def test_old_bmp_loses_what_follows_it(tmp_path: Path) -> None:
    header = struct.pack("<IHHHH", 12, 32, 24, 1, 8)
    palette = b"".join(bytes([i] * 3) for i in range(256))
    at = 14 + 12 + 768
    file = b"BM" + struct.pack("<I4xI", at + 768, at) + header + palette + GREY[::-1].tobytes()
    assert _pixels(written(scrub(tmp_path, "a.bmp", file + HIDDEN))) == GREY.tobytes()
    with pytest.raises(ReadError):
        scrub(tmp_path, "a.bmp", file[:-50])


def test_tiff_texts_under_kept_tags_and_second_directories_go(tmp_path: Path) -> None:
    import tifffile

    out = io.BytesIO()
    tifffile.imwrite(
        out,
        GREY,
        extratags=[(301, "s", 0, "Kowalewska Zofia", True), (338, "B", len(HIDDEN), HIDDEN, True),
                   (65000, "s", 0, "PID-778899", True)],
        description="Kowalewska",
    )  # fmt: skip
    assert _pixels(written(scrub(tmp_path, "a.tif", out.getvalue()))) == GREY.tobytes()
