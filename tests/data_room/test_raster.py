"""Rasters: every mode is read as stored, every bad file is refused with its reason."""

import contextlib
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.data import readers
from hounsfield.data.raster import sniff_format
from tests.data_room.folders import picture


def _cohort(root: Path) -> Cohort:
    return Cohort(name="t", root=str(root), samples=(), schema=Schema())


def _read(path: Path, *part: tuple[str, str | int]) -> np.ndarray:
    return readers.read(_cohort(path.parent), Ref("raster", path.name, part)).array


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.webp"])
def test_grey_is_read_without_loss(tmp_path: Path, name: str) -> None:
    expected = picture(3)
    Pillow.fromarray(expected).save(tmp_path / name, lossless=True)
    np.testing.assert_array_equal(_read(tmp_path / name), expected[None])


def test_sixteen_bit_stays_sixteen_bit(tmp_path: Path) -> None:
    expected = np.random.default_rng(0).integers(0, 65535, (20, 30), dtype=np.uint16)
    for name in ("a.png", "a.tif"):
        Pillow.fromarray(expected).save(tmp_path / name)
        found = _read(tmp_path / name)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found[0], expected)
        header = readers.header(_cohort(tmp_path), Ref("raster", name))
        assert (header.size, header.channels, header.bits) == ((20, 30), 1, 16)


def test_sixteen_bit_colour_tiff_keeps_its_bits(tmp_path: Path) -> None:
    import tifffile

    expected = np.random.default_rng(0).integers(0, 65535, (20, 30, 3), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", expected, photometric="rgb")
    np.testing.assert_array_equal(_read(tmp_path / "a.tif"), np.moveaxis(expected, -1, 0))


def test_colour_and_equal_colour(tmp_path: Path) -> None:
    colour = np.random.default_rng(1).integers(0, 255, (16, 18, 3), dtype=np.uint8)
    Pillow.fromarray(colour).save(tmp_path / "c.png")
    np.testing.assert_array_equal(_read(tmp_path / "c.png"), np.moveaxis(colour, -1, 0))
    grey = np.repeat(picture(2)[..., None], 3, axis=2)
    Pillow.fromarray(grey).save(tmp_path / "g.png")
    assert _read(tmp_path / "g.png").shape[0] == 1
    assert readers.header(_cohort(tmp_path), Ref("raster", "g.png")).channels == 3


def test_palette_and_alpha(tmp_path: Path) -> None:
    grey = picture(4)
    Pillow.fromarray(grey).convert("P").save(tmp_path / "p.png")
    np.testing.assert_array_equal(_read(tmp_path / "p.png"), grey[None])
    opaque = np.dstack([grey, np.full_like(grey, 255)])
    Pillow.fromarray(opaque).save(tmp_path / "o.png")
    np.testing.assert_array_equal(_read(tmp_path / "o.png"), grey[None])
    half = np.full_like(grey, 255)
    half[:, :10] = 0
    Pillow.fromarray(np.dstack([grey, half])).save(tmp_path / "h.png")
    np.testing.assert_array_equal(_read(tmp_path / "h.png")[0], np.where(half == 0, 0, grey))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    image = Pillow.fromarray(picture(5, (12, 20)))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "e.png", exif=exif)
    turned = ImageOps.exif_transpose(Pillow.open(tmp_path / "e.png"))
    found = _read(tmp_path / "e.png")
    np.testing.assert_array_equal(found[0], np.asarray(turned))
    assert readers.header(_cohort(tmp_path), Ref("raster", "e.png")).size == found.shape[1:]


def test_pages_are_a_volume_only_when_asked(tmp_path: Path) -> None:
    pages = [picture(i) for i in range(3)]
    first, *rest = [Pillow.fromarray(p) for p in pages]
    first.save(tmp_path / "v.tif", save_all=True, append_images=rest)
    np.testing.assert_array_equal(_read(tmp_path / "v.tif"), pages[0][None])
    np.testing.assert_array_equal(_read(tmp_path / "v.tif", ("pages", "all")), np.stack(pages)[None])
    np.testing.assert_array_equal(_read(tmp_path / "v.tif", ("frame", 2)), pages[2][None])
    with pytest.raises(ReadError, match="no page 7"):
        _read(tmp_path / "v.tif", ("frame", 7))


def test_float_tiff_and_its_nan(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    Pillow.fromarray(values).save(tmp_path / "f.tif")
    np.testing.assert_array_equal(_read(tmp_path / "f.tif")[0], values)
    values[0, 0] = np.nan
    Pillow.fromarray(values).save(tmp_path / "n.tif")
    with pytest.raises(ReadError, match="1 of 256 values are NaN"):
        _read(tmp_path / "n.tif")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _bomb(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + _chunk(b"IEND", b"")
    )


def test_bad_files_are_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("this is no picture", encoding="utf-8")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "bomb.png").write_bytes(_bomb(30000, 30000))
    (tmp_path / "big.png").write_bytes(_bomb(12000, 11000))
    Pillow.fromarray(np.zeros((1, 1), np.uint8)).save(tmp_path / "dot.png")
    Pillow.fromarray(picture(0, (200, 200))).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    Pillow.fromarray(picture(0, (200, 200))).save(tmp_path / "whole.jpg")
    jpeg = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    reasons = {
        "text.png": "holds text",
        "empty.png": "is empty",
        "bomb.png": "million|pixels and was not decoded",
        "big.png": "pixels and was not decoded",
        "dot.png": "1 x 1",
        "cut.png": "truncated|damaged",
        "cut.jpg": "truncated",
        "none.png": "missing",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, reason in reasons.items():
            with pytest.raises(ReadError, match=reason) as caught:
                _read(tmp_path / name)
            assert name not in str(caught.value)


def test_paths_do_not_leave_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    Pillow.fromarray(picture(0)).save(tmp_path / "secret.png")
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    for path in ("../secret.png", str(tmp_path / "secret.png"), "link.png"):
        with pytest.raises(ReadError, match="outside"):
            readers.read(_cohort(inner), Ref("raster", path))


def test_reader_by_content(tmp_path: Path) -> None:
    Pillow.fromarray(picture(0)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.dat")
    np.savez(tmp_path / "b.bin.npz", images=picture(0))
    np.save(tmp_path / "c.npy", picture(0))
    (tmp_path / "BMW.txt").write_text("BMW is a car and no bitmap", encoding="utf-8")
    assert readers.reader_for(tmp_path / "a.dat") == "raster"
    assert readers.reader_for(tmp_path / "b.bin.npz") == "npz"
    assert readers.reader_for(tmp_path / "c.npy") == "npy"
    assert readers.reader_for(tmp_path / "BMW.txt") is None
    assert sniff_format(b"II*\0rest") == "TIFF"


def test_unknown_reader_names_those_that_exist() -> None:
    with pytest.raises(ReadError, match="no reader for wfdb"):
        readers.read(_cohort(Path()), Ref("wfdb", "a.hea"))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "a.webp"])
def test_damaged_bytes_give_a_picture_or_a_reason(tmp_path: Path, name: str) -> None:
    Pillow.fromarray(picture(0, (40, 40))).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        bad = bytearray(whole)
        for place in rng.integers(0, min(len(bad), 300), 4):
            bad[place] = int(rng.integers(0, 256))
        (tmp_path / name).write_bytes(bytes(bad))
        with contextlib.suppress(ReadError):
            assert _read(tmp_path / name).ndim == 3
