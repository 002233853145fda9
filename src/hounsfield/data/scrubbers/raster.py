"""PNG, JPEG, WebP, TIFF and BMP: metadata go, pixels stay byte by byte unless text is found in them."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.raster import FORMATS, MAX_PIXELS, sniff_format
from hounsfield.data.scrubbers.order import ScrubOrder, TextInPixels
from hounsfield.data.scrubbers.raster_parts import CLEANERS
from hounsfield.data.scrubbers.tiff import clean_tiff
from hounsfield.data.scrubbers.told import readable, told

MAX_BYTES = 1 << 30
_DEEP = frozenset({"I;16", "I;16B", "I;16L", "I", "F"})


@dataclass(frozen=True)
class _Covered:
    content: bytes
    frames: int
    again: str = ""
    withheld: str = ""


class RasterScrubber:
    """Takes text chunks, EXIF, GPS, XMP, thumbnails, comments and unreferenced bytes out of pictures.

    Notes
    -----
    How the picture is turned and its colour profile stay. Where text is found in pixels it is covered with the lowest
    value and the picture is encoded again: without loss, except JPEG, which is encoded with its own tables, so that
    blocks without text change by rounding at most. What cannot be covered (16-bit colour, animations) is withheld.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the file signature."""
        del name
        return sniff_format(head) is not None

    def scrub(self, source: Path, order: ScrubOrder) -> Scrubbed:
        """Return the picture without metadata; raise ReadError where it is damaged."""
        if source.stat().st_size > MAX_BYTES:
            return Scrubbed(None, withheld="a picture of more than 1 GiB")
        data = source.read_bytes()
        kind = sniff_format(data[:512])
        if kind is None:
            raise ReadError("The file is no picture.", expected="a picture", next_step="leave it out")
        content, dropped = clean_tiff(data) if kind == "TIFF" else CLEANERS[kind](data)
        identifiers, texts = told([t for _, body in dropped for t in readable(body)])
        removed = tuple(dict.fromkeys(what for what, _ in dropped))
        covered = _without_text(content, order.text_in_pixels)
        if covered.withheld:
            return Scrubbed(None, covered.withheld, removed, identifiers, texts)
        if covered.frames:
            removed = (*removed, f"text in pixels{covered.again}")
        return Scrubbed(covered.content, removed=removed, identifiers=identifiers, texts=texts)


def _without_text(content: bytes, text_in_pixels: TextInPixels | None) -> _Covered:
    """Decode the picture, so that every output opens, and cover text where some is found."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(content), formats=FORMATS) as picture:
                count = int(getattr(picture, "n_frames", 1))
                if (
                    picture.width * picture.height > MAX_PIXELS
                    or count * picture.width * picture.height > 8 * MAX_PIXELS
                ):
                    return _Covered(content, 0, withheld="a picture of too many pixels")
                masks = []
                for number in range(count):
                    picture.seek(number)
                    picture.load()
                    masks.append(text_in_pixels(_array(picture)) if text_in_pixels is not None else None)
                if not any(m is not None and m.any() for m in masks):
                    return _Covered(content, 0)
                return _encoded_again(picture, content, masks)
    except ReadError:
        raise
    except Exception as error:  # decoders raise what they like on damaged files
        raise ReadError(
            "The picture cannot be decoded.", expected="a whole picture", next_step="copy it again from its source"
        ) from error


def _array(picture: Pillow.Image) -> AnyArray:
    if picture.mode in _DEEP or picture.mode in ("L", "RGB"):
        return np.asarray(picture)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "LA") else "RGB"))


def _encoded_again(picture: Pillow.Image, content: bytes, masks: list[BoolArray | None]) -> _Covered:
    kind = picture.format or ""
    bits = getattr(picture, "tag_v2", {}).get(258, (8,)) if kind == "TIFF" else (8,)
    if len(masks) > 1 and kind != "TIFF":
        return _Covered(content, 0, withheld="an animation with text in its pixels")
    if kind == "TIFF" and len(bits) > 1 and max(bits) > 8:
        return _Covered(content, 0, withheld="16-bit colours with text in its pixels")
    out = io.BytesIO()
    profile = picture.info.get("icc_profile")
    if kind in ("JPEG", "MPO"):
        _cover(picture, masks[0])
        picture.format = "JPEG"
        picture.save(out, "JPEG", quality="keep", icc_profile=profile, exif=_turned(picture))
        made, _ = CLEANERS["JPEG"](out.getvalue())
        return _Covered(made, 1, again=" (encoded again)")
    frames = []
    for number, mask in enumerate(masks):
        picture.seek(number)
        frame = picture.copy()
        _cover(frame, mask)
        frames.append(frame)
    first, options = frames[0], {"icc_profile": profile} if profile else {}
    if kind == "TIFF":
        compression = picture.info.get("compression", "raw")
        lossy = compression in ("jpeg", "tiff_jpeg", "webp")
        options |= {
            "save_all": True,
            "append_images": frames[1:],
            "compression": "tiff_deflate" if lossy else compression,
        }
        first.save(out, "TIFF", **options)
        made, _ = clean_tiff(out.getvalue())
    elif kind == "WEBP":
        first.save(out, "WEBP", lossless=True, exact=True, exif=_turned(picture), **options)
        made = out.getvalue()
    else:
        first.info = {k: v for k, v in first.info.items() if k in ("transparency", "gamma", "dpi")}
        turned = {"exif": _turned(picture)} if kind == "PNG" and _turned(picture) else {}
        first.save(out, kind, **turned, **(options if kind == "PNG" else {}))
        made, _ = CLEANERS["PNG" if kind == "PNG" else "BMP"](out.getvalue())
    return _Covered(made, len(masks), again=" (encoded again)")


def _turned(picture: Pillow.Image) -> bytes:
    turned = picture.getexif().get(0x0112, 1)
    if turned == 1:
        return b""
    exif = Pillow.Exif()
    exif[0x0112] = turned
    return exif.tobytes()


def _cover(picture: Pillow.Image, mask: BoolArray | None) -> None:
    if mask is None or not mask.any():
        return
    picture.load()
    stencil = Pillow.fromarray((np.asarray(mask) * 255).astype(np.uint8), "L")
    empty: int | tuple[int, ...] = 0 if len(picture.getbands()) == 1 else (0,) * len(picture.getbands())
    if picture.mode in ("RGBA", "LA"):
        empty = (*(0 for _ in picture.getbands()[:-1]), 255)
    if picture.mode in _DEEP:
        values = np.array(picture)
        values[np.asarray(mask)] = values.min()
        picture.paste(Pillow.fromarray(values).convert(picture.mode))
        return
    picture.paste(empty, (0, 0, picture.width, picture.height), stencil)
