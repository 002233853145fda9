"""TIFF: tags that describe pixels stay, all others go, and every byte that no kept tag refers to becomes zero.

Nothing moves, so that pixel data stay where and as they were.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hounsfield.core.errors import ReadError
from hounsfield.data.scrubbers.raster_parts import Dropped

_KEPT = frozenset(
    {
        254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284, 290,
        291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340,
        341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 32997, 34675,
    }
)  # fmt: skip
"""Tags that tell size, layout, colours and where the pixels are."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_DATA = {273: 279, 324: 325, 513: 514}
"""Tags of offsets, and those of the lengths there."""
_TABLES = (519, 520, 521)
_ASCII, _BYTES, _MOST_BYTES = 2, (1, 6, 7), 16
_OF_BYTES = frozenset({347, 34675})
"""Tags whose value is a run of bytes: tables of JPEG, a colour profile. Others are a few numbers."""
_SUB_IFDS, _ENTRIES = 330, 4096
_MOST_IFDS = 20_000
_NAMES = {
    270: "description",
    305: "software",
    306: "date",
    315: "artist",
    34665: "EXIF",
    34853: "GPS",
    700: "XMP",
    33723: "IPTC",
}


@dataclass
class _Walk:
    data: bytes
    order: str
    big: bool
    out: bytearray = field(repr=False)
    used: list[tuple[int, int]] = field(default_factory=list)
    dropped: Dropped = field(default_factory=list)


def clean_tiff(data: bytes) -> tuple[bytes, Dropped]:
    """Return the file with the tags of pixels only, and what was dropped.

    Raises
    ------
    ReadError
        If its directories lead nowhere, in a circle or on one another.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    walk = _Walk(data, order, big, bytearray(data))
    walk.used.append((0, 16 if big else 8))
    try:
        first = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]
        todo, seen = [first], set[int]()
        while todo:
            at = todo.pop()
            if at == 0:
                continue
            if at in seen or len(seen) > _MOST_IFDS:
                raise _damaged()
            seen.add(at)
            todo += _directory(walk, at)
    except (struct.error, IndexError, OverflowError) as error:
        raise _damaged() from error
    _clear(walk)
    return bytes(walk.out), walk.dropped


def _directory(walk: _Walk, at: int) -> list[int]:
    """Write a directory again without the tags that go; return where it leads."""
    data, order = walk.data, walk.order
    head, entry, word, code = (8, 20, 8, "Q") if walk.big else (2, 12, 4, "I")
    count = struct.unpack_from(f"{order}{'Q' if walk.big else 'H'}", data, at)[0]
    if count > _ENTRIES or at + head + entry * count + word > len(data):
        raise _damaged()
    kept, follow = [], []
    values: dict[int, list[int]] = {}
    for number in range(count):
        place = at + head + entry * number
        tag, kind, amount = struct.unpack_from(f"{order}HH{code}", data, place)
        size = _SIZES.get(kind, 1) * amount
        slot = place + 4 + word
        where = slot if size <= word else struct.unpack_from(f"{order}{code}", data, slot)[0]
        if where + size > len(data):
            raise _damaged()
        texts = kind == _ASCII or (kind in _BYTES and size > _MOST_BYTES and tag not in _OF_BYTES)
        if tag not in _KEPT or texts:
            walk.dropped.append((_NAMES.get(tag, f"tag {tag}"), data[where : where + size]))
            continue
        kept.append(data[place : place + entry])
        if size > word:
            walk.used.append((where, where + size))
        if kind in _CODES and tag in (*_DATA, *_DATA.values(), *_TABLES, _SUB_IFDS):
            values[tag] = list(struct.unpack_from(f"{order}{amount}{_CODES[kind]}", data, where))
    after = struct.unpack_from(f"{order}{code}", data, at + head + entry * count)[0]
    body = (
        struct.pack(f"{order}{'Q' if walk.big else 'H'}", len(kept))
        + b"".join(kept)
        + struct.pack(f"{order}{code}", after)
    )
    walk.out[at : at + len(body)] = body
    walk.used.append((at, at + len(body)))
    walk.used += list(_pixels(values, len(data)))
    follow += [*values.get(_SUB_IFDS, ()), after]
    return follow


def _pixels(values: dict[int, list[int]], size: int) -> Iterator[tuple[int, int]]:
    for offsets, lengths in _DATA.items():
        for low, length in zip(values.get(offsets, ()), values.get(lengths, ()), strict=False):
            if low + length > size:
                raise _damaged()
            yield low, low + length
    for table in _TABLES:  # tables of old JPEG: at most 64 or 16 + 256 bytes
        yield from ((low, min(size, low + 272)) for low in values.get(table, ()))


def _clear(walk: _Walk) -> None:
    end = 0
    for low, high in sorted(walk.used):
        if low > end:
            _clear_range(walk, end, low)
        end = max(end, high)
    if walk.data[end:].strip(b"\0"):
        walk.dropped.append(("bytes behind the end", walk.data[end:]))
    del walk.out[end:]


def _clear_range(walk: _Walk, low: int, high: int) -> None:
    if walk.data[low:high].strip(b"\0"):
        walk.out[low:high] = bytes(high - low)


def _damaged() -> ReadError:
    return ReadError("The TIFF file is damaged.", expected="a whole picture", next_step="copy it again from its source")
