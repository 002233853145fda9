"""Which scrubber a file belongs to, by its content."""

from pathlib import Path
from typing import cast

from hounsfield.core.errors import ReadError
from hounsfield.data.protocols import Scrubber
from hounsfield.data.scrubbers import SCRUBBERS

HEAD_BYTES = 512
_OTHERS = (
    (b"PK\x03\x04", "an archive; unpack it and run again"),
    (b"\x1f\x8b", "a compressed file of unknown content; unpack it and run again"),
    (b"BZh", "a compressed file; unpack it and run again"),
    (b"7z\xbc\xaf\x27\x1c", "an archive; unpack it and run again"),
    (b"\xfd7zXZ", "a compressed file; unpack it and run again"),
    (b"Rar!", "an archive; unpack it and run again"),
    (b"\xd0\xcf\x11\xe0", "an old office document; its format is not understood"),
    (b"{\\rtf", "a text document"),
    (b"SQLite format 3", "a data base; its content is not understood"),
    (b"\x89HDF", "an HDF5 file; its content is not understood"),
    (b"\x93NUMPY", "an array file; it may hold any text"),
)


def scrubber_named(name: str) -> Scrubber:
    """Return a scrubber by its name in the table."""
    return cast("type[Scrubber]", SCRUBBERS.resolve(name))()


def scrubber_for(head: bytes, name: str) -> str | None:
    """Return the name of the scrubber for a file, None where no scrubber knows it.

    Parameters
    ----------
    head : bytes
        The first bytes, at most 512.
    name : str
        File name; only asked where bytes cannot tell.
    """
    return next((n for n in SCRUBBERS if scrubber_named(n).sniff(head, name)), None)


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file; raise ReadError where it cannot be opened."""
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise ReadError("The file cannot be opened.", expected="a readable file", next_step="check it") from error


def why_unknown(head: bytes) -> str:
    """Return why a file without scrubber is withheld."""
    if not head:
        return "the file is empty"
    for magic, reason in _OTHERS:
        if head.startswith(magic):
            return reason
    if head[257:262] == b"ustar":
        return "an archive; unpack it and run again"
    text = not any(b < 9 or 13 < b < 32 for b in head)
    return "free text; what identifies in it cannot be told apart" if text else "its format is not known"
