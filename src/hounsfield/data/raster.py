"""PNG, JPEG, WebP, TIFF and BMP: guarded before decoding, oriented, channels first."""

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray
from hounsfield.data.files import inside
from hounsfield.data.npz import check_array, check_sides

if TYPE_CHECKING:
    from PIL import Image as Pillow

MAX_PIXELS = 120_000_000
"""Largest width x height (x pages) that is decoded: 11,000 x 11,000."""
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "DIB")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)
_ORIENTATION = 0x0112
_TIFF_BITS = 258


class RasterReader:
    """Reads pictures through Pillow, and 16-bit colour TIFF through tifffile.

    Notes
    -----
    Part ``("frame", i)`` picks one page of a TIFF, ``("pages", "all")`` takes pages of one size as a volume
    ``c z y x``; without either the first page is read. 16-bit colour PNG comes as 8 bits per channel, since
    Pillow keeps the high byte only.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the file signature."""
        return sniff_format(head) is not None

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return the size after orientation, without decoding pixels."""
        path = inside(Path(cohort.root), ref.path)
        with _opened(path, ref) as picture:
            height, width = picture.height, picture.width
            if _orientation(picture) >= 5:
                height, width = width, height
            size: tuple[int, ...] = (height, width)
            if dict(ref.part).get("pages") == "all":
                size = (_pages(picture), *size)
            return Header(size, _channels(picture), _bits(picture), _format(picture), path.stat().st_size)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the picture; grey where all colours are equal, alpha composited on black."""
        path = inside(Path(cohort.root), ref.path)
        part = dict(ref.part)
        with _opened(path, ref) as picture:
            if part.get("pages") == "all":
                array = _volume(picture, path, ref)
            else:
                _seek(picture, part.get("frame", 0), ref)
                array = _plane(picture, path)
        check_array(array, ref)
        return Image(_grey_where_equal(array))


def sniff_format(head: bytes) -> str | None:
    """Return the format that the first bytes of a file tell, or None."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[:2] == b"BM" and len(head) >= 18 and struct.unpack("<I", head[14:18])[0] in _BMP_HEADERS:
        return "BMP"
    return None


@contextmanager
def _opened(path: Path, ref: Ref) -> "Iterator[Pillow.Image]":
    """Open a picture, check its size before anything is decoded, and turn every failure into ReadError."""
    from PIL import Image as Pillow

    case = case_id(ref.path)
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
            if sniff_format(head) is None:
                raise _not_a_picture(case, head)
            stream.seek(0)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
                warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
                with Pillow.open(stream, formats=FORMATS) as picture:
                    _check_size(picture.height, picture.width, case)
                    yield picture
    except (ReadError, GeneratorExit):
        raise
    except Pillow.DecompressionBombError as error:
        raise _bomb(case, "more than 170 million") from error
    except FileNotFoundError as error:
        raise ReadError(f"Case {case}: the file is missing.", expected="a file", next_step="restore it") from error
    except Exception as error:  # a damaged file makes decoders raise almost anything
        if "imagecodecs" in str(error):
            raise ReadError(
                f"Case {case}: 16-bit colour TIFF with this compression cannot be decoded.",
                expected="no compression, or deflate",
                next_step="save the file again without compression",
            ) from error
        reason = "truncated" if "truncated" in str(error).lower() else "damaged"
        raise ReadError(
            f"Case {case}: the image file is {reason} ({type(error).__name__}).",
            expected="a complete PNG, JPEG, WebP, TIFF or BMP file",
            next_step="copy it again from its source, or leave it out",
        ) from error


def _not_a_picture(case: str, head: bytes) -> ReadError:
    if not head:
        what = "the file is empty"
    elif head.startswith(b"GIF8"):
        what = "the file is a GIF"
    elif head[128:132] == b"DICM":
        what = "the file is DICOM, whatever its name says"
    elif all(b in (9, 10, 13) or 32 <= b < 127 or b >= 128 for b in head[:64]):
        what = "the file holds text, not an image"
    else:
        what = "the content is of no known image format"
    return ReadError(
        f"Case {case}: {what}.",
        expected="PNG, JPEG, WebP, TIFF or BMP",
        next_step="replace the file or leave it out",
    )


def _check_size(height: int, width: int, case: str) -> None:
    if height * width > MAX_PIXELS:
        raise _bomb(case, f"{height} x {width} =")
    check_sides((height, width), case)


def _bomb(case: str, size: str) -> ReadError:
    return ReadError(
        f"Case {case}: the file promises {size} pixels and was not decoded.",
        expected=f"at most {MAX_PIXELS // 1_000_000} million pixels",
        next_step="reduce the image, or leave it out",
    )


def _orientation(picture: "Pillow.Image") -> int:
    # Pillow decodes a whole PNG to look for EXIF behind the pixels; EXIF before them is already in `info`.
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1
    value = picture.getexif().get(_ORIENTATION, 1)
    return value if isinstance(value, int) else 1


def _tiff_bits(picture: "Pillow.Image") -> tuple[int, ...]:
    tags = getattr(picture, "tag_v2", None)
    if tags is None or _TIFF_BITS not in tags:
        return ()
    value = tags[_TIFF_BITS]
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def _bits(picture: "Pillow.Image") -> int:
    tiff = _tiff_bits(picture)
    if tiff:
        return max(tiff)
    if picture.mode == "1":
        return 1
    if picture.mode.startswith("I;16"):
        return 16
    return 32 if picture.mode in ("I", "F") else 8


def _channels(picture: "Pillow.Image") -> int:
    if picture.mode == "P":
        return 4 if "transparency" in picture.info else 3
    return len(picture.getbands())


def _format(picture: "Pillow.Image") -> str:
    return {"MPO": "JPEG", "DIB": "BMP"}.get(picture.format or "", picture.format or "")


def _pages(picture: "Pillow.Image") -> int:
    return int(getattr(picture, "n_frames", 1))


def _seek(picture: "Pillow.Image", frame: str | int, ref: Ref) -> None:
    number = int(frame)
    if number == 0:
        return
    if not 0 <= number < _pages(picture):
        raise ReadError(
            f"Case {case_id(ref.path)}: the file has no page {number}.",
            expected=f"0 to {_pages(picture) - 1}",
            next_step="correct the cohort",
        )
    picture.seek(number)
    _check_size(picture.height, picture.width, case_id(ref.path))


def _volume(picture: "Pillow.Image", path: Path, ref: Ref) -> AnyArray:
    count = _pages(picture)
    if count * picture.height * picture.width > MAX_PIXELS * 4:
        raise _bomb(case_id(ref.path), f"{count} x {picture.height} x {picture.width} =")
    planes = []
    for number in range(count):
        _seek(picture, number, ref)
        planes.append(_plane(picture, path))
    if len({p.shape for p in planes}) > 1:
        raise ReadError(
            f"Case {case_id(ref.path)}: its {count} pages differ in size.",
            expected="pages of one size",
            next_step="choose one page",
        )
    return np.stack(planes, axis=1)


def _plane(picture: "Pillow.Image", path: Path) -> AnyArray:
    """Decode the current page to ``c y x``, oriented."""
    from PIL import ImageOps

    bits = _tiff_bits(picture)
    if len(bits) > 1 and max(bits) > 8:
        return _deep_tiff(path, picture.tell())
    picture.load()
    turned = ImageOps.exif_transpose(picture)
    mode = turned.mode
    if mode in ("1", "L"):
        see_through = "transparency" in turned.info and mode == "L"
        return _flat(np.asarray(turned.convert("LA" if see_through else "L")))
    if mode.startswith("I;16"):
        return np.asarray(turned).astype(np.uint16)[None]
    if mode == "I":
        whole = np.asarray(turned)
        fits = whole.min() >= 0 and whole.max() <= 65535
        return whole.astype(np.uint16 if fits else np.int32)[None]
    if mode == "F":
        return np.asarray(turned).astype(np.float32)[None]
    alpha = mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in turned.info
    if mode in ("LA", "La"):
        return _flat(np.asarray(turned.convert("LA")))
    return _flat(np.asarray(turned.convert("RGBA" if alpha else "RGB")))


def _flat(array: AnyArray) -> AnyArray:
    """Turn ``y x`` or ``y x c`` of uint8 into ``c y x``; a constant alpha is dropped, another one put on black."""
    if array.ndim == 2:
        return np.array(array)[None]
    channels = np.moveaxis(array, -1, 0)
    if channels.shape[0] in (2, 4):
        colour, alpha = channels[:-1], channels[-1]
        if alpha.min() == alpha.max():
            return np.ascontiguousarray(colour)
        blended = colour.astype(np.uint32) * alpha + 127
        return np.asarray(blended // 255, dtype=np.uint8)
    return np.ascontiguousarray(channels)


def _deep_tiff(path: Path, frame: int) -> AnyArray:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(path.read_bytes())) as file:
        page = file.pages[frame]
        array = page.asarray()
    if array.ndim == 3 and array.shape[-1] in (2, 3, 4):
        array = np.moveaxis(array, -1, 0)
    array = np.atleast_3d(array) if array.ndim != 3 else array
    if array.shape[0] in (2, 4):
        array = array[:-1]
    return np.ascontiguousarray(array)


def _grey_where_equal(array: AnyArray) -> AnyArray:
    if array.shape[0] == 3 and np.array_equal(array[0], array[1]) and np.array_equal(array[0], array[2]):
        return np.ascontiguousarray(array[:1])
    return array


def pages_of(path: Path) -> int:
    """Return the number of pages of a picture, 1 for most.

    Raises
    ------
    ReadError
        If it is no picture that can be read.
    """
    with _opened(path, Ref("raster", path.name)) as picture:
        return _pages(picture)


def is_bilevel(path: Path) -> bool:
    """Tell, without decoding, whether a picture has one bit per pixel, as masks often have.

    Raises
    ------
    ReadError
        If it is no picture that can be read.
    """
    with _opened(path, Ref("raster", path.name)) as picture:
        return picture.mode == "1"


def values_beside_black(path: Path) -> int:
    """Return how many values a grey picture has that is black and at most one other, as masks are; 0 for any other.

    Parameters
    ----------
    path : pathlib.Path
        It is decoded; a JPEG is not, for its values are never two.

    Returns
    -------
    int
        2: black and another; 1: one value everywhere, as where nothing is marked; 0: no mask of one structure.

    Raises
    ------
    ReadError
        If it is no picture that can be read.
    """
    with _opened(path, Ref("raster", path.name)) as picture:
        if _format(picture) == "JPEG":
            return 0
        array = _grey_where_equal(_plane(picture, path))
    low, high = array.min(), array.max()
    if array.shape[0] != 1 or not bool(((array == low) | (array == high)).all()):
        return 0
    if low == high:
        return 1
    return 2 if low == 0 else 0
