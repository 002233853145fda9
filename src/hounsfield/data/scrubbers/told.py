"""What dropped bytes and texts told: numbers, names and dates for the second pass, the words beside them."""

import re
import zlib
from collections.abc import Iterable

_NUMBERS = re.compile(r"\d[\d./:-]{4,}\d|(?<![^\W_])[A-Za-z]{1,4}-?\d{4,}")
_CARETED = re.compile(r"[^\W\d_]+(?:\^[^\W\d_]*)+")
_NARROW = re.compile(rb"[\x20-\x7e\xa0-\xff]{4,}")
_WIDE = (re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\x00){4,}"), re.compile(rb"(?:\x00[\x20-\x7e\xa0-\xff]){4,}"))
_MOST = 1 << 20


def told(texts: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return identifiers and free texts of texts whose meaning is unknown.

    Numbers, dates and names with carets identify; other words may be a program's name or a method, which the second
    pass compares with a vocabulary.
    """
    kept = [t for t in (t.strip() for t in texts) if t]
    numbers = [m for t in kept for form in (_NUMBERS, _CARETED) for m in form.findall(t)]
    return tuple(dict.fromkeys(numbers)), tuple(dict.fromkeys(kept))


def readable(data: bytes) -> list[str]:
    """Return what reads as text in bytes of unknown meaning, in one and in two bytes a letter, UTF-8 as such."""
    data = data[:_MOST]
    try:
        whole = data.decode("utf-8")
        found = [t for t in re.split(r"[\x00-\x1f\x7f]+", whole) if len(t.strip()) > 1]
    except UnicodeDecodeError:
        found = [m.decode("latin-1") for m in _NARROW.findall(data)]
    for pattern, codec in zip(_WIDE, ("utf-16-le", "utf-16-be"), strict=True):
        found += [m.decode(codec) for m in pattern.findall(data)]
    return found


def inflated(data: bytes) -> bytes:
    """Return a zlib stream decoded, at most 1 MiB of it, or nothing where it is damaged."""
    try:
        return zlib.decompressobj().decompress(data, _MOST)
    except zlib.error:
        return b""
