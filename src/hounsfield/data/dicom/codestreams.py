"""Reads the headers of JPEG, JPEG-LS and JPEG 2000 codestreams in plain Python, before a native decoder sees them."""

import struct
from dataclasses import dataclass

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f\xff\x51"
_LONE = frozenset((0x01, *range(0xD0, 0xD8)))
_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
_RGB_IDS = ((82, 71, 66), (114, 103, 98))
_JP2 = b"\x00\x00\x00\x0cjP  \r\n\x87\n"


class BadStream(Exception):
    """What is wrong with a codestream."""


@dataclass(frozen=True)
class Codestream:
    """What a codestream says of itself.

    Parameters
    ----------
    codec : str
        ``jpeg`` (8 bits, DCT), ``jpeg12`` (12 bits, DCT), ``lossless`` (JPEG process 14), ``jpegls``, ``jpeg2000``.
    rows, columns, components, precision : int
    signed : bool
        Only JPEG 2000 can say so.
    coded_ybr : bool or None
        Whether the decoder hands out luminance and colour differences; None where only the data set can tell.
    start : int
        Where the codestream begins in the bytes: after the boxes of a JP2 file.
    libjpeg_ybr : bool
        Whether libjpeg would take three components for YCbCr.
    """

    codec: str
    rows: int
    columns: int
    components: int
    precision: int
    signed: bool = False
    coded_ybr: bool | None = None
    start: int = 0
    libjpeg_ybr: bool = False


def codestream(data: bytes) -> Codestream:
    """Return what the header of a codestream says.

    Raises
    ------
    BadStream
        If it is none that is known, or its header is damaged.
    """
    try:
        if data[:2] == _SOI:
            return _jpeg(data)
        start = data.find(_SOC, 0, 4096) if data.startswith(_JP2) else 0
        if start >= 0 and data[start : start + 4] == _SOC:
            return _jpeg2000(data, start)
    except (struct.error, IndexError) as error:
        raise BadStream("its header ends too early") from error
    raise BadStream("it begins as no known compression does")


def _jpeg(data: bytes) -> Codestream:
    position = 2
    jfif, adobe = False, -1
    while True:
        if data[position] != 0xFF:
            raise BadStream("its header is damaged")
        mark = data[position + 1]
        if mark == 0xFF:  # filling
            position += 1
            continue
        position += 2
        if mark in _LONE:
            continue
        if mark in (0xD8, 0xD9, 0xDA):
            raise BadStream("it states no size")
        (length,) = struct.unpack_from(">H", data, position)
        if length < 2 or position + length > len(data):
            raise BadStream("its header is damaged")
        body = data[position + 2 : position + length]
        if mark in _SOF or mark == _JPEG_LS:
            return _frame(mark, body, jfif=jfif, adobe=adobe)
        if mark == 0xE0 and body.startswith(b"JFIF"):
            jfif = True
        if mark == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        position += length


def _frame(mark: int, body: bytes, *, jfif: bool, adobe: int) -> Codestream:
    precision, rows, columns, components = struct.unpack_from(">BHHB", body)
    ids = tuple(body[6 + 3 * i] for i in range(components))
    codec = _codec(mark, precision)
    if rows == 0 or columns == 0 or components not in (1, 3):
        raise BadStream(f"it states {rows} x {columns} pixels of {components} components")
    coded, guess = None, False
    if components == 3:
        if jfif:
            guess = True
        elif adobe >= 0:
            guess = adobe != 0
        else:
            guess = ids != _RGB_IDS[0]
        if ids in _RGB_IDS or adobe == 0:
            coded = False
        elif jfif or adobe == 1:
            coded = True
    return Codestream(codec, rows, columns, components, precision, coded_ybr=coded, libjpeg_ybr=guess)


def _codec(mark: int, precision: int) -> str:
    if mark == _JPEG_LS and 2 <= precision <= 16:
        return "jpegls"
    if mark in (0xC0, 0xC1, 0xC2) and precision == 8:
        return "jpeg"
    if mark == 0xC1 and precision == 12:
        return "jpeg12"
    if mark == 0xC3 and 2 <= precision <= 16:
        return "lossless"
    raise BadStream(f"it is of a kind that is not decoded here (SOF{mark & 0xF}, {precision} bits)")


def _jpeg2000(data: bytes, start: int) -> Codestream:
    at = start + 6
    _, width, height, left, top, tile_w, tile_h, tile_x, tile_y, components = struct.unpack_from(
        ">HIIIIIIIIH", data, at
    )
    if components not in (1, 3):
        raise BadStream(f"it has {components} components")
    depth = {data[at + 36 + 3 * i] for i in range(components)}
    if len(depth) != 1:
        raise BadStream("its components differ in precision")
    if left >= width or top >= height or tile_w == 0 or tile_h == 0 or tile_x > left or tile_y > top:
        raise BadStream("it states an impossible size")
    tiles = -(-(width - tile_x) // tile_w) * -(-(height - tile_y) // tile_h)
    if tiles > 65535:
        raise BadStream(f"it states {tiles:,} tiles")
    code = depth.pop()
    precision = (code & 0x7F) + 1
    if precision > 32:
        raise BadStream(f"it states {precision} bits")
    return Codestream(
        "jpeg2000", height - top, width - left, components, precision, signed=bool(code & 0x80), start=start
    )
