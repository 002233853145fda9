"""The members of a tar file one after the other, within bounds.

The standard library's reader takes a long name of any length into memory and follows chains of them by recursion; a
disk from elsewhere must not be able to use that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hounsfield.core.errors import ReadError

BLOCK = 512
_MOST_NAME = 1 << 16
_FILES = (b"0", b"\0", b"7")


@dataclass(frozen=True)
class TarMember:
    """One file of a tar.

    Parameters
    ----------
    name : str
    start : int
        Where its bytes begin in the (unpacked) tar.
    size : int
        Bytes.
    """

    name: str
    start: int
    size: int


class Bytes:
    """Where a tar's bytes come from; `take` returns fewer only at the end."""

    def take(self, position: int, count: int) -> bytes:
        """Return bytes from a position on."""
        raise NotImplementedError


def is_tar(head: bytes) -> bool:
    """Tell by its first 512 bytes whether a file is a tar."""
    if len(head) < BLOCK:
        return False
    try:
        return head[257:262] == b"ustar" and _number(head[148:156]) == _checksum(head)
    except ReadError:
        return False


def tar_members(source: Bytes, most: int) -> Iterator[TarMember]:
    """Yield the regular files of a tar; links, devices and folders are left out.

    Parameters
    ----------
    source : Bytes
    most : int
        Members that are looked at.

    Raises
    ------
    ReadError
        If it is damaged, has more members, or names of more than 64 KiB.
    """
    position = 0
    said: dict[str, str] = {}
    for _ in range(most):
        head = source.take(position, BLOCK)
        if len(head) < BLOCK or not head.strip(b"\0"):
            return
        if _number(head[148:156]) != _checksum(head):
            raise ReadError("The archive is damaged.", expected="a whole tar file", next_step="copy it again")
        size = _number(head[124:136])
        kind = head[156:157]
        start = position + BLOCK
        if kind in (b"L", b"x"):
            if size > _MOST_NAME:
                raise ReadError("The archive has a name of more than 64 KiB.", expected="names of files")
            content = source.take(start, size)
            said |= {"path": _text(content)} if kind == b"L" else _records(content)
        else:
            size = int(said["size"]) if said.get("size", "").isdecimal() else size
            if kind in _FILES:
                yield TarMember(said.get("path") or _name(head), start, size)
            said = {}
        position = start + -(-size // BLOCK) * BLOCK
    raise ReadError(f"The archive has more than {most:,} members.", expected="a disk of images")


def _name(head: bytes) -> str:
    prefix = _text(head[345:500]) if head[257:263] == b"ustar\0" else ""
    name = _text(head[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(value: bytes) -> str:
    return value.split(b"\0", 1)[0].decode("utf-8", "replace")


def _records(content: bytes) -> dict[str, str]:
    """Return the records of an extended header: ``length key=value`` and a line end each (POSIX pax)."""
    found = {}
    at = 0
    while at < len(content):
        digits = content[at : at + 8].split(b" ", 1)[0]
        if not digits.isdigit() or int(digits) <= len(digits):
            break
        key, _, value = content[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        at += int(digits)
    return found


def _number(field: bytes) -> int:
    if field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    text = field.strip(b"\0 ")
    try:
        return int(text, 8) if text else 0
    except ValueError as error:
        raise ReadError("The archive is damaged.", expected="a whole tar file", next_step="copy it again") from error


def _checksum(head: bytes) -> int:
    return sum(head[:148]) + 8 * 32 + sum(head[156:BLOCK])
