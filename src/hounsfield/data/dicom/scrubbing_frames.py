"""Compressed frames without the comments in them: JPEG COM, APP and EXIF segments, JPEG 2000 comments; no pixel moves.

References
----------
ISO/IEC 10918-1 B.1 (markers of JPEG), 14495-1 (JPEG-LS), 15444-1 A.4 (codestream) and I.4 (boxes).
"""

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
CODESTREAM_START = b"\xff\x4f\xff\x51"
JP2_SIGNATURE = b"\0\0\0\x0cjP  "

SCAN, COMMENT = 0xDA, 0xFE
ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""

J2K_COMMENT, J2K_TILE, J2K_DATA, J2K_END = 0x64, 0x90, 0x93, 0xD9
TELLING_BOXES = frozenset({b"xml ", b"uuid", b"uinf", b"url "})
RLE_HEADER = 64


def without_comments(frame: bytes) -> bytes:
    """Return a compressed frame whose comments are gone or blank, as many samples as before at the same values.

    Parameters
    ----------
    frame : bytes
        One frame: JPEG, JPEG-LS, JPEG 2000 (codestream or JP2). Anything else comes back as it is.

    Notes
    -----
    From JPEG the segments go that a decoder does not need; kept are Adobe's APP14 and the colour transform of JPEG-LS
    (APP8), without which colours would change, and a JFIF header without its thumbnail. In JPEG 2000 comments are
    overwritten by blanks, since lengths elsewhere count them. Bytes behind the end of the image go.
    """
    if frame.startswith(CODESTREAM_START):
        return _blank_codestream(frame)
    if frame.startswith(JP2_SIGNATURE):
        return _blank_boxes(frame)
    return _without_segments(frame) if frame.startswith(JPEG_START) else frame


def _without_segments(frame: bytes) -> bytes:
    kept = bytearray(JPEG_START)
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1  # a fill byte
        elif marker in ALONE:
            kept += frame[at : at + 2]
            at += 2
        elif marker == 0xD9:
            break
        elif marker == SCAN:
            end = _end_of_scan(frame, at)
            kept += frame[at:end]
            at = end
        else:
            end = at + 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
            kept += _segment(marker, frame[at:end])
            at = end
    if at + 2 > len(frame) or frame[at : at + 2] != JPEG_END:
        return frame if kept == frame[: len(kept)] else bytes(kept) + frame[at:]
    kept += JPEG_END
    return bytes(kept) + b"\0" * (len(kept) % 2)


def _end_of_scan(frame: bytes, at: int) -> int:
    """Return where the next segment begins: at a marker that is neither stuffed nor a restart."""
    at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    while True:
        at = frame.find(b"\xff", at)
        if at < 0 or at + 1 >= len(frame):
            return len(frame)
        following = frame[at + 1]
        # a byte below 0x80 behind 0xFF is stuffing (0 in JPEG, a bit in JPEG-LS)
        if following < 0x80 or 0xD0 <= following <= 0xD7:
            at += 2
        elif following == 0xFF:
            at += 1
        else:
            return at


def _segment(marker: int, segment: bytes) -> bytes:
    """Return a segment as it may stay: whole, shortened, or not at all."""
    if marker == COMMENT:
        return b""
    if not 0xE0 <= marker <= 0xEF:
        return segment
    body = segment[4:]
    if marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        return b"\xff\xe0\x00\x10" + body[:12] + b"\0\0"
    if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
        return b"\xff\xee\x00\x0e" + body[:12]
    if marker == 0xE8 and body.startswith(b"mrfx"):
        return segment[:9] if len(body) == 5 else b"\xff\xe8\x00\x07" + body[:5]
    return b""


def _blank_codestream(frame: bytes) -> bytes:
    blank = bytearray(frame)
    at, end_of_tile = 2, 0
    while at + 4 <= len(blank) and blank[at] == 0xFF:
        marker = blank[at + 1]
        if marker == J2K_END:
            return bytes(blank[: at + 2]) + b"\0" * (at % 2)
        if marker == J2K_DATA:
            at = end_of_tile if end_of_tile > at else len(blank)
            continue
        end = at + 2 + int.from_bytes(blank[at + 2 : at + 4], "big")
        if marker == J2K_COMMENT:
            blank[at + 6 : end] = b" " * max(0, min(end, len(blank)) - at - 6)
        elif marker == J2K_TILE:
            length = int.from_bytes(blank[at + 6 : at + 10], "big")
            end_of_tile = at + length if length else 0
        at = end
    return bytes(blank)


def _blank_boxes(frame: bytes) -> bytes:
    blank = bytearray(frame)
    at = 0
    while at + 8 <= len(blank):
        length, kind = int.from_bytes(blank[at : at + 4], "big"), bytes(blank[at + 4 : at + 8])
        end = at + length if length >= 8 else len(blank)
        if kind in TELLING_BOXES:
            blank[at + 8 : end] = b" " * max(0, min(end, len(blank)) - at - 8)
        elif kind == b"jp2c":
            stream = _blank_codestream(bytes(blank[at + 8 : end]))
            blank[at + 8 : at + 8 + len(stream)] = stream
        at = end
    return bytes(blank)


def without_rle_slack(frame: bytes) -> bytes:
    """Return a run-length coded frame whose header names no segment that is not there, and has no other bytes.

    References
    ----------
    DICOM PS3.5 G.5: number of segments, then fifteen offsets, those that are not used being zero.
    """
    count = int.from_bytes(frame[:4], "little")
    used = 4 + 4 * count
    if len(frame) < RLE_HEADER or not 0 < count <= 15 or not any(frame[used:RLE_HEADER]):
        return frame
    return frame[:used] + b"\0" * (RLE_HEADER - used) + frame[RLE_HEADER:]
