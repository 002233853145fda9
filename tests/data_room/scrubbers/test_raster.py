"""Pictures lose what is told beside the pixels, and keep the pixels; Pillow and tifffile are the reference."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from hounsfield.core.types import AnyArray
from tests.data_room.scrubbers.told import no_text, order, scrub, top_left, written

GREY = np.random.Generator(np.random.PCG64(7)).integers(1, 255, size=(24, 32), dtype=np.uint8)


def _saved(kind: str) -> bytes:
    out, exif = BytesIO(), Image.Exif()
    exif[0x013B], exif[0x010E], exif[0x0132] = "Feldmann", "Kowalewska Zofia PID-778899", "2019:04:12 10:11:12"
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Feldmann")
    info.add_text("Comment", "Zofia Kowalewska " * 9, zip=True)
    options: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": info, "exif": exif},
        "JPEG": {"exif": exif, "comment": b"Zofia", "quality": 90},
        "WEBP": {"exif": exif, "xmp": b"<x>Kowalewska</x>", "lossless": True},
        "BMP": {},
        "TIFF": {"exif": exif, "description": "Kowalewska", "software": "PID-778899"},
    }
    Image.fromarray(GREY).convert("RGB" if kind == "WEBP" else "L").save(out, kind, **options[kind])
    return out.getvalue() + b"Kowalewska PID-778899"


def _pixels(content: bytes) -> AnyArray:
    with Image.open(BytesIO(content)) as opened:
        return np.asarray(opened)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_metadata_go_and_pixels_stay(tmp_path: Path, kind: str) -> None:
    content = _saved(kind)
    result = scrub(tmp_path, f"a.{kind.lower()}", content, order(text=no_text))
    made = written(result)
    assert np.array_equal(_pixels(made), _pixels(content))
    assert "PID-778899" in result.identifiers
    assert result.removed


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF"])
def test_text_in_pixels_is_covered(tmp_path: Path, kind: str) -> None:
    content = _saved(kind)
    made = _pixels(written(scrub(tmp_path, f"a.{kind.lower()}", content, order(text=top_left))))
    before = _pixels(content)
    assert not made[:4, :10].any()
    assert np.array_equal(made[4:], before[4:])
    assert np.array_equal(made[:, 10:], before[:, 10:])


@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_16_bits(tmp_path: Path, big: bool) -> None:  # noqa: FBT001
    out = BytesIO()
    values = GREY.astype(np.uint16) * 200
    tifffile.imwrite(out, values, bigtiff=big, description="Kowalewska Zofia", software="PID-778899")
    made = written(scrub(tmp_path, "a.tif", out.getvalue(), order(text=no_text)))
    with tifffile.TiffFile(BytesIO(made)) as opened:
        assert opened.is_bigtiff == big
        assert not {"ImageDescription", "Software", "DateTime"} & {t.name for t in opened.pages.first.tags}
        assert np.array_equal(opened.asarray(), values)


def test_text_in_a_jpeg_is_covered_and_blocks_far_from_it_stay(tmp_path: Path) -> None:
    content = _saved("JPEG")
    result = scrub(tmp_path, "a.jpg", content, order(text=top_left))
    made, before = _pixels(written(result)).astype(int), _pixels(content).astype(int)
    assert any("text in pixels" in r for r in result.removed)
    assert made[:4, :10].mean() < 0.3 * before[:4, :10].mean()
    assert np.abs(made[16:] - before[16:]).max() <= 16
