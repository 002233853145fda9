"""The first bytes of a DICOM file: what they say it is, without parsing what follows."""

import struct
from dataclasses import dataclass

from hounsfield.core.errors import ReadError

HEAD_BYTES = 16 * 1024
"""So much of a file holds its meta group; private information in it is not read further."""
_PREAMBLE = 132
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"})
_SOP_CLASS, _SOP_UID, _SYNTAX = 0x0002, 0x0003, 0x0010


@dataclass(frozen=True)
class FileMeta:
    """SOP class, SOP instance and transfer syntax, as the file meta group names them."""

    sop_class: str
    sop_uid: str
    transfer_syntax: str
    end: int
    """Where the data set begins."""


def is_part10(head: bytes) -> bool:
    """Tell whether bytes begin as a DICOM file does: 128 bytes, then ``DICM``."""
    return head[128:_PREAMBLE] == b"DICM"


def file_meta(head: bytes) -> FileMeta:
    """Read the file meta group.

    Parameters
    ----------
    head : bytes
        The file or its first `HEAD_BYTES` bytes.

    Raises
    ------
    ReadError
        If it is no DICOM file, or the group is damaged or lacks a UID.

    Notes
    -----
    The group is always explicit VR little endian (PS3.10, section 7.1). It has no sequences, so a loop over its
    elements suffices; every length is checked against what is there.
    """
    if not is_part10(head):
        raise _not_usable("it does not begin as a DICOM file does")
    found: dict[int, str] = {}
    place = _PREAMBLE
    while place + 8 <= len(head):
        group, element = struct.unpack_from("<HH", head, place)
        if group != 0x0002:
            break
        if head[place + 4 : place + 6] in _LONG:
            if place + 12 > len(head):
                break
            (length,) = struct.unpack_from("<I", head, place + 8)
            place += 12
        else:
            (length,) = struct.unpack_from("<H", head, place + 6)
            place += 8
        if element in (_SOP_CLASS, _SOP_UID, _SYNTAX):
            found[element] = head[place : min(place + length, place + 64)].rstrip(b"\0 ").decode("ascii", "replace")
        place += length
    if not all(found.get(element) for element in (_SOP_CLASS, _SOP_UID, _SYNTAX)):
        raise _not_usable("its meta group lacks the SOP class, the SOP instance or the transfer syntax")
    return FileMeta(found[_SOP_CLASS], found[_SOP_UID], found[_SYNTAX], place)


def _not_usable(why: str) -> ReadError:
    return ReadError(
        f"A file cannot be used: {why}.", expected="a DICOM Part 10 file", next_step="leave it out or export it again"
    )
