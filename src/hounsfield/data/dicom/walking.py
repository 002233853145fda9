"""Walks the structure of a DICOM data set in plain bytes, before anything believes what it claims.

Every length is compared with what is there, nesting and counts are bounded, nothing is allocated by a claim and
nothing recurses. What leaves is a tree of places; values are read later, and only where somebody asks for them.
"""

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from hounsfield.data.dicom.limits import Limits
from hounsfield.data.dicom.vocabulary import LONG, SHORT, is_sequence, looks_like_vr

UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITERS = 0xFFFE


class Damage(Exception):
    """What is wrong with the structure of a file, without anything of its content.

    Parameters
    ----------
    found : str
        What follows "the file".
    expected : str
        What was expected instead.
    """

    def __init__(self, found: str, expected: str = "a complete DICOM file") -> None:
        self.found = found
        self.expected = expected
        super().__init__(found)


class Short(Exception):
    """The walk needs more of the file than has been loaded."""


@dataclass(frozen=True)
class Coding:
    """How elements are written: with or without VR, and in which byte order."""

    implicit: bool
    little: bool


@dataclass(slots=True)
class Level:
    """The elements of a data set or of one sequence item; of two with one tag the later is kept, as pydicom does."""

    coding: Coding
    start: int
    undefined: bool = False
    elements: "dict[int, Element]" = field(default_factory=dict)


class Element(NamedTuple):
    """Where an element lies.

    `items` holds the levels of a sequence and is None otherwise. `claimed` is the length as written; `start` and
    `length` say where the value is, without the delimiter that ends an undefined length.
    """

    tag: int
    vr: str | None
    start: int
    length: int
    claimed: int
    implicit: bool
    items: list[Level] | None = None


class _Step(NamedTuple):
    """One step of the descent: a level that is being filled, or a sequence whose items are being read."""

    end: int
    undefined: bool
    coding: Coding
    level: Level | None
    items: list[Level]


class Walker:
    """Walks one buffer, once.

    Parameters
    ----------
    data : bytes
        What has been loaded of the file, from its beginning.
    size : int
        Bytes of the whole file: a claim beyond it is a lie, a claim beyond `data` asks for more.
    limits : Limits
        How many elements, how deep, how long.
    """

    def __init__(self, data: bytes, size: int, limits: Limits) -> None:
        self.data = data
        self.size = size
        self.limits = limits
        self.count = 0
        self.at_pixels = False
        self._stack: list[_Step] = []
        self._filled_from: int | None = None

    def walk(self, start: int, coding: Coding, *, pixels: bool) -> Level:
        """Return the tree of the data set that begins at `start` and ends with the file.

        Parameters
        ----------
        start : int
            Where the data set begins.
        coding : Coding
            How it is written, according to its transfer syntax. A level that is plainly written with VR, or
            without, against it is read as it is written.
        pixels : bool
            False ends the walk where pixel data begin; `at_pixels` then tells that there are some.

        Raises
        ------
        Damage
            If a length reaches beyond what is there, a delimiter is missing, or a limit is passed.
        Short
            If the loaded part ends before the walk does.
        """
        top = self._level(start, self.size, coding)
        self._run(_Step(self.size, False, top.coding, top, []), start, pixels=pixels)
        return top

    def items(self, coding: Coding) -> list[Level]:
        """Return the items of a sequence whose value is the whole buffer.

        Raises
        ------
        Damage
            As `walk`.
        """
        found: list[Level] = []
        self._run(_Step(self.size, False, coding, None, found), 0, pixels=True)
        return found

    def _run(self, first: _Step, position: int, *, pixels: bool) -> None:
        self._stack = [first]
        while self._stack:
            step = self._stack[-1]
            if step.level is None:
                position = self._item(step, position)
            elif position >= step.end or self._is_filling(position):
                if step.undefined:
                    raise Damage("ends inside a sequence item", "a delimiter after its last element")
                self._stack.pop()
            else:
                position = self._element(step, step.level, position, pixels=pixels)
                if self.at_pixels and not pixels:
                    break

    def meta_group(self, start: int) -> tuple[Level, int]:
        """Return the elements of group 0002 and where it ends.

        It is explicit little endian whatever the transfer syntax (PS3.10 7.1). Its group length is not believed:
        the group ends where another begins.

        Raises
        ------
        Damage, Short
            As `walk`.
        """
        level = self._level(start, self.size, Coding(False, True))
        position = start
        while self.data[position : position + 2] == b"\x02\x00":
            tag, vr, claimed, begin = self._head(level.coding, position)
            self._counted()
            if begin + claimed > self.size:
                raise Damage(f"has a file meta element that claims {claimed:,} bytes", "lengths that fit the file")
            self._need(begin + claimed)
            level.elements[tag] = Element(tag, vr, begin, claimed, claimed, vr is None)
            position = begin + claimed
        self._need(min(position + 8, self.size))
        return level, position

    def _need(self, end: int) -> None:
        if end > len(self.data):
            if end > self.size:
                raise Damage("ends in the middle of an element")
            raise Short

    def _is_filling(self, position: int) -> bool:
        """Tell whether only filling is left: less than an element, or a long run of zeros, at the file's end."""
        if len(self._stack) > 1:
            return False
        left = self.size - position
        if left >= 8 and self.data[position : position + 8] != bytes(8):
            return False
        self._need(self.size)
        if self._filled_from is None:  # once: a look at the rest for every element would take the square of its time
            self._filled_from = len(self.data.rstrip(b"\0"))
        return position >= self._filled_from

    def _counted(self) -> None:
        self.count += 1
        if self.count > self.limits.elements:
            raise Damage(
                f"has more than {self.limits.elements:,} elements", f"at most {self.limits.elements:,} of them"
            )

    def _level(self, start: int, end: int, coding: Coding, *, undefined: bool = False) -> Level:
        """Begin a level, looking at its first element: writers change to explicit or implicit inside items."""
        letters = self.data[start + 4 : start + 6]
        if end - start < 8 or len(letters) < 2 or self.data[start : start + 2] in (b"\xfe\xff", b"\xff\xfe"):
            return Level(coding, start, undefined)
        known = letters in LONG or letters in SHORT
        if coding.implicit and known:
            claimed = struct.unpack_from("<I" if coding.little else ">I", self.data, start + 4)[0]
            if claimed > end - start - 8:  # as a length the letters would be a lie
                coding = Coding(False, coding.little)
        elif not coding.implicit and not known and not looks_like_vr(letters):
            coding = Coding(True, coding.little)
        return Level(coding, start, undefined)

    def _item(self, step: _Step, position: int) -> int:
        """Read the head of an item, or the end of the sequence."""
        if position >= step.end:
            if step.undefined:
                raise Damage("ends inside a sequence", "a delimiter after its last item")
            self._stack.pop()
            return position
        self._need(position + 8)
        little = step.coding.little
        group, number, claimed = struct.unpack_from("<HHI" if little else ">HHI", self.data, position)
        tag = group << 16 | number
        position += 8
        if tag == SEQUENCE_END:
            self._stack.pop()
            return position if step.undefined else step.end
        if tag != ITEM:
            raise Damage("has a sequence with something else than items in it", "items, or the sequence's end")
        self._counted()
        undefined = claimed == UNDEFINED
        end = step.end if undefined else position + claimed
        if end > step.end and step.undefined:
            raise Damage(f"has a sequence item that claims {claimed:,} bytes where {step.end - position:,} are left")
        if end > step.end:
            # in file-sets a sequence and its last item often disagree by a few bytes: what is there decides, and
            # every element in it has to fit all the same
            end = min(end, self._stack[-2].end if len(self._stack) > 1 else step.end)
        level = self._level(position, end, step.coding, undefined=undefined)
        step.items.append(level)
        self._stack.append(_Step(end, undefined, level.coding, level, []))
        return position

    def _head(self, coding: Coding, position: int) -> tuple[int, str | None, int, int]:
        """Return tag, VR, claimed length, and where the value starts."""
        self._need(position + 8)
        group, number = struct.unpack_from("<HH" if coding.little else ">HH", self.data, position)
        tag = group << 16 | number
        long = "<I" if coding.little else ">I"
        letters = self.data[position + 4 : position + 6]
        if coding.implicit or group == _DELIMITERS or not looks_like_vr(letters):
            return tag, None, struct.unpack_from(long, self.data, position + 4)[0], position + 8
        if letters in LONG:
            self._need(position + 12)
            return tag, letters.decode(), struct.unpack_from(long, self.data, position + 8)[0], position + 12
        claimed = struct.unpack_from("<H" if coding.little else ">H", self.data, position + 6)[0]
        return tag, letters.decode() if letters in SHORT else "UN", claimed, position + 8

    def _element(self, step: _Step, level: Level, position: int, *, pixels: bool) -> int:
        tag, vr, claimed, start = self._head(step.coding, position)
        if tag >> 16 == _DELIMITERS:
            return self._delimiter(step, tag, position)
        if tag in PIXEL_TAGS and len(self._stack) == 1:
            self.at_pixels = True
            if not pixels:
                return position
        self._counted()
        if claimed == UNDEFINED:
            return self._undefined(step, level, (tag, vr), start)
        end = start + claimed
        if end > step.end:
            inside = " in its sequence item" if end <= self.size else ""
            raise Damage(
                f"has an element ({tag >> 16:04X},{tag & 0xFFFF:04X}) that claims {claimed:,} bytes where "
                f"{max(0, step.end - start):,} are left{inside}",
                "lengths that fit what is there",
            )
        if claimed > self.limits.element_bytes and tag not in PIXEL_TAGS:
            raise Damage(f"has an element of {claimed:,} bytes", f"at most {self.limits.element_bytes:,}")
        if vr == "SQ" or (vr in (None, "UN") and claimed and is_sequence(tag)):
            coding = Coding(True, True) if vr == "UN" else step.coding
            items: list[Level] = []
            level.elements[tag] = Element(tag, "SQ", start, claimed, claimed, step.coding.implicit, items)
            self._descend(_Step(end, False, coding, None, items))
            return start
        self._need(end)
        level.elements[tag] = Element(tag, vr, start, claimed, claimed, vr is None)
        return end

    def _descend(self, step: _Step) -> None:
        if len(self._stack) // 2 >= self.limits.depth:
            raise Damage(f"nests sequences more than {self.limits.depth} deep", f"at most {self.limits.depth} levels")
        self._stack.append(step)

    def _delimiter(self, step: _Step, tag: int, position: int) -> int:
        if tag == ITEM_END and len(self._stack) > 1:
            if not step.undefined and position + 8 < step.end:
                raise Damage("has a delimiter in the middle of a sequence item", "items that end where they say")
            self._stack.pop()
            return position + 8
        if len(self._stack) == 1 and tag in (ITEM_END, SEQUENCE_END):
            self._counted()
            return position + 8  # left over by a writer; it ends nothing here
        raise Damage("has a sequence item without its end", "a delimiter after its last element")

    def _undefined(self, step: _Step, level: Level, key: tuple[int, str | None], start: int) -> int:
        """Enter a sequence of undefined length, or step over fragments."""
        tag, vr = key
        self._need(start + 8)
        little = step.coding.little
        first = self.data[start : start + 4]
        if vr in ("OB", "OW", "OD", "OF", "OL", "OV") or tag in PIXEL_TAGS:
            return self._fragments(step, level, key, start)
        if first not in (
            (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0") if little else (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd")
        ):
            raise Damage("has an element of undefined length that is no sequence", "a length")
        items: list[Level] = []
        level.elements[tag] = Element(tag, "SQ", start, 0, UNDEFINED, vr is None, items)
        self._descend(_Step(step.end, True, step.coding, None, items))
        return start

    def _fragments(self, step: _Step, level: Level, key: tuple[int, str | None], start: int) -> int:
        form = "<HHI" if step.coding.little else ">HHI"
        position, count = start, 0
        while True:
            if position + 8 > step.end:
                raise Damage("ends before its encapsulated pixel data do", "a delimiter after the last fragment")
            self._need(position + 8)
            group, number, claimed = struct.unpack_from(form, self.data, position)
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                break
            if tag != ITEM:
                raise Damage("has something else than fragments in its encapsulated pixel data")
            if position + 8 + claimed > step.end:
                raise Damage(
                    f"has a fragment that claims {claimed:,} bytes where {step.end - position - 8:,} are left",
                    "lengths that fit what is there",
                )
            count += 1
            if count > self.limits.fragments:
                raise Damage(f"has more than {self.limits.fragments:,} fragments")
            position += 8 + claimed
        level.elements[key[0]] = Element(key[0], key[1], start, position - start, UNDEFINED, key[1] is None)
        return position + 8
