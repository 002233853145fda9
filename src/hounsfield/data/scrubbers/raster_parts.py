"""PNG, JPEG, WebP and BMP taken apart: what draws the picture stays byte by byte, everything else is handed out.

Each function returns the cleaned file and what was dropped: the kind of thing and its bytes.
"""

import struct
import zlib
from collections.abc import Callable

from hounsfield.core.errors import ReadError
from hounsfield.data.scrubbers.told import inflated

Dropped = list[tuple[str, bytes]]

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT pHYs bKGD hIST cICP mDCV cLLI acTL fcTL fdAT".split()
)
_PNG_LONGEST = {
    b"IHDR": 13, b"PLTE": 768, b"IEND": 0, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"sBIT": 4, b"pHYs": 9,
    b"bKGD": 6, b"hIST": 512, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"acTL": 8, b"fcTL": 26,
}  # fmt: skip
"""Bytes of chunks whose size the standard sets: what is longer holds something else, too."""
_PROFILE_NAME = b"ICC profile"
_ADOBE_BYTES = 12
_JPEG_KEPT = frozenset(
    {0xC4, 0xCC, 0xDB, 0xDD, 0xDE, 0xDF, *range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
)
_WEBP_KEPT = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_EXIF_AND_XMP = 0b0000_1100
_ORIENTATION = 0x0112


def clean_png(data: bytes) -> tuple[bytes, Dropped]:
    """Drop text, EXIF, time and private chunks, and what follows the end."""
    out, dropped, at = bytearray(_PNG_SIGNATURE), [], len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if at + 12 + length > len(data):
            raise _damaged("PNG")
        if kind in _PNG_KEPT and length <= _PNG_LONGEST.get(kind, length):
            whole, called = (body, b"") if kind != b"iCCP" else _nameless(body)
            out += _png_chunk(kind, whole)
            if called:
                dropped.append(("name of the colour profile", called))
        else:
            name = kind.decode("latin-1") if kind.isalpha() else "unnamed"
            dropped.append((f"{name} chunk", _png_text(kind, body)))
            turned = orientation(body) if kind == b"eXIf" else 1
            if turned != 1:
                out += _png_chunk(b"eXIf", small_exif(turned))
        at += 12 + length
        if kind == b"IEND":
            break
    else:
        raise _damaged("PNG")
    if data[at:]:
        dropped.append(("bytes behind the end", data[at:]))
    return _trimmed(bytes(out), dropped), dropped


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _nameless(profile: bytes) -> tuple[bytes, bytes]:
    """Return a chunk of a colour profile with a name of ours, and the name it had."""
    name, _, rest = profile.partition(b"\0")
    return _PROFILE_NAME + b"\0" + rest, name


def _trimmed(data: bytes, dropped: Dropped) -> bytes:
    """Return a picture without what follows the end of its compressed pixels inside their chunks."""
    chunks, at = [], len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    pixels = b"".join(body for kind, body in chunks if kind == b"IDAT")
    stream = zlib.decompressobj()
    try:
        for low in range(0, len(pixels), 1 << 16):
            piece = pixels[low : low + (1 << 16)]
            while piece and not stream.eof:
                stream.decompress(piece, 1 << 20)
                piece = stream.unconsumed_tail
            if stream.eof:
                break
    except zlib.error:
        return data  # damaged: no decoder opens it
    used = low + min(len(pixels) - low, 1 << 16) - len(stream.unused_data) if stream.eof else len(pixels)
    if used >= len(pixels):
        return data
    dropped.append(("bytes behind the pixels", pixels[used:]))
    made, written = bytearray(_PNG_SIGNATURE), False
    for kind, body in chunks:
        if kind != b"IDAT":
            made += _png_chunk(kind, body)
        elif not written:
            made += _png_chunk(kind, pixels[:used])
            written = True
    return bytes(made)


def clean_jpeg(data: bytes) -> tuple[bytes, Dropped]:
    """Drop comments, EXIF, XMP, thumbnails and what follows the end; the colour profile stays."""
    out, dropped, at = bytearray(b"\xff\xd8"), [], 2
    while True:
        at, marker = _jpeg_marker(data, at)
        if marker == 0xD9:
            out += b"\xff\xd9"
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment, body = data[at : at + 2 + length], data[at + 4 : at + 2 + length]
        if length < 2 or len(segment) < 2 + length:
            raise _damaged("JPEG")
        at += 2 + length
        if marker == 0xDA:
            end = _entropy_end(data, at)
            out += segment + data[at:end]
            at = end
        elif marker in _JPEG_KEPT or (marker == 0xE2 and body.startswith(b"ICC_PROFILE\0")):
            out += segment
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= _ADOBE_BYTES:
            out += b"\xff\xee\x00\x0e" + body[:_ADOBE_BYTES]
            if body[_ADOBE_BYTES:]:
                dropped.append(("APP14 segment", body[_ADOBE_BYTES:]))
        elif marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
            out += b"\xff\xe0\x00\x10" + body[:12] + b"\0\0"
            if body[14:]:
                dropped.append(("thumbnail", body[14:]))
        else:
            dropped.append(("comment" if marker == 0xFE else f"APP{marker & 15} segment", body))
            turned = orientation(body[6:]) if body.startswith(b"Exif\0\0") else 1
            if turned != 1:
                small = b"Exif\0\0" + small_exif(turned)
                out += b"\xff\xe1" + struct.pack(">H", len(small) + 2) + small
    rest = data[at + 2 :]
    if rest:
        dropped.append(("bytes behind the end", rest))
    return bytes(out), dropped


def clean_webp(data: bytes) -> tuple[bytes, Dropped]:
    """Drop EXIF, XMP and unknown chunks."""
    out, dropped, at = bytearray(b"WEBP"), [], 12
    end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        chunk = data[at : at + 8 + length + length % 2]
        if len(chunk) < 8 + length:
            raise _damaged("WebP")
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_EXIF_AND_XMP & 0xFF]) + chunk[9:]
        if kind in _WEBP_KEPT:
            out += chunk
        else:
            dropped.append((f"{kind.decode('latin-1').strip()} chunk", chunk[8:]))
        at += 8 + length + length % 2
    if data[end:]:
        dropped.append(("bytes behind the end", data[end:]))
    return b"RIFF" + struct.pack("<I", len(out)) + bytes(out), dropped


def clean_bmp(data: bytes) -> tuple[bytes, Dropped]:
    """Drop what lies between header and pixels and behind them, a linked colour profile among it."""
    if len(data) < 54:
        raise _damaged("BMP")
    at, size = int.from_bytes(data[10:14], "little"), int.from_bytes(data[14:18], "little")
    if size < 40:
        return _clean_old_bmp(data, at)
    width, height = struct.unpack("<ii", data[18:26])
    bits, packing, stored, colours = (*struct.unpack("<HI", data[28:34]), *struct.unpack("<I8xI", data[34:50]))
    length = (abs(width) * bits + 31) // 32 * 4 * abs(height) if packing in (0, 3, 6) else stored
    if not (14 + size <= at and length and at + length <= len(data)):
        raise _damaged("BMP")
    palette = 14 + size + 4 * (colours or (1 << bits if bits <= 8 else 0)) + (12 if packing == 3 and size == 40 else 0)
    out, dropped = bytearray(data[: at + length]), []
    for kind, low, high in (("bytes before the pixels", palette, at), ("bytes behind the end", at + length, len(data))):
        if data[low:high].strip(b"\0"):
            dropped.append((kind, data[low:high]))
    out[6:10] = bytes(4)
    out[palette:at] = bytes(max(0, at - palette))
    if size >= 124 and bytes(out[70:74]) in (b"KNIL", b"DEBM"):  # a profile in another file, or behind the pixels
        out[70:74] = b"BGRs"
        out[126:134] = bytes(8)
    out[2:6] = struct.pack("<I", len(out))
    return bytes(out), dropped


def _clean_old_bmp(data: bytes, at: int) -> tuple[bytes, Dropped]:
    """Return a picture of OS/2 without what follows its pixels."""
    width, height, _, bits = struct.unpack("<HHHH", data[18:26])
    end = at + (width * bits + 31) // 32 * 4 * height
    palette = 26 + (3 << bits if bits <= 8 else 0)
    if int.from_bytes(data[14:18], "little") != 12 or not palette <= at <= end <= len(data):
        raise _damaged("BMP")
    out = bytearray(data[:end])
    out[2:6], out[6:10], out[palette:at] = struct.pack("<I", end), bytes(4), bytes(at - palette)
    parts = (("bytes before the pixels", data[palette:at]), ("bytes behind the end", data[end:]))
    return bytes(out), [(kind, part) for kind, part in parts if part.strip(b"\0")]


CLEANERS: dict[str, Callable[[bytes], tuple[bytes, Dropped]]] = {
    "PNG": clean_png,
    "JPEG": clean_jpeg,
    "WEBP": clean_webp,
    "BMP": clean_bmp,
}


def orientation(exif: bytes) -> int:
    """Return how EXIF says a picture is turned, 1 where it is upright or cannot be told."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 10:
        return 1
    at = struct.unpack_from(f"{order}I", exif, 4)[0]
    if at + 2 > len(exif):
        return 1
    for number in range(struct.unpack_from(f"{order}H", exif, at)[0]):
        place = at + 2 + 12 * number
        if place + 12 > len(exif):
            return 1
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, place)
        if tag == _ORIENTATION:
            return int(value) if 1 <= value <= 8 else 1
    return 1


def small_exif(turned: int) -> bytes:
    """Return EXIF that says nothing but how the picture is turned."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, turned, 0, 0)


def _png_text(kind: bytes, body: bytes) -> bytes:
    """Return a dropped chunk with what is compressed in it decoded."""
    if kind == b"zTXt":
        head, _, rest = body.partition(b"\0")
        return head + b"\0" + inflated(rest[1:])
    if kind == b"iTXt":
        parts = body.split(b"\0", 1)
        if len(parts) == 2 and parts[1][:1] == b"\1":
            head, _, rest = parts[1][2:].partition(b"\0")
            translated, _, text = rest.partition(b"\0")
            return b"\0".join((parts[0], head, translated, inflated(text)))
    return body


def _jpeg_marker(data: bytes, at: int) -> tuple[int, int]:
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    if data[at : at + 1] != b"\xff" or at + 2 > len(data) or data[at + 1] in (0x00, 0xD8):
        raise _damaged("JPEG")
    return at, data[at + 1]


def _entropy_end(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise _damaged("JPEG")
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        else:
            return at


def _damaged(kind: str) -> ReadError:
    return ReadError(
        f"The {kind} file is damaged.", expected="a whole picture", next_step="copy it again from its source"
    )
