"""Data elements one after the other, without recursion and without looking into what is not wanted (PS3.5, 7)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.windows import Ended, Window

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
MOST_ELEMENTS = 20_000
"""Elements looked at in one file."""
MOST_DEPTH = 256
"""Sequences within sequences that are stepped over in one file."""
LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT = frozenset(
    (
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
        b"ST", b"TM", b"UI", b"UL", b"US",
    )
)  # fmt: skip
_LITTLE = (Struct("<HH2sH").unpack_from, Struct("<I").unpack_from)
_BIG = (Struct(">HH2sH").unpack_from, Struct(">I").unpack_from)


@dataclass(frozen=True, slots=True)
class Form:
    """How elements are written.

    Parameters
    ----------
    explicit : bool
        Whether the value representation is written.
    little : bool
        Byte order.
    """

    explicit: bool = True
    little: bool = True


class Element(NamedTuple):
    """Head of one element.

    Parameters
    ----------
    tag : int
        Group and element in one number.
    kind : bytes
        Value representation, empty where none is written.
    start : int
        Where its value begins.
    length : int
        Of its value; `UNDEFINED` where it ends with a delimiter.
    """

    tag: int
    kind: bytes
    start: int
    length: int


class Enough(Exception):
    """So many elements were looked at that the rest is left alone; never leaves this package."""


class Counter:
    """Counts down the elements that may still be looked at."""

    __slots__ = ("left",)

    def __init__(self, left: int = MOST_ELEMENTS) -> None:
        self.left = left

    def step(self) -> None:
        """Count one.

        Raises
        ------
        Enough
            If there were too many.
        """
        self.left -= 1
        if self.left < 0:
            raise Enough


def head_reader(window: Window, form: Form) -> Callable[[int], Element]:
    """Return a function from a position to the head of the element there.

    Notes
    -----
    Where a representation should be written and is none, the element is taken for one without, as some scanners
    write them; within sequences of unknown representation both are met as well.
    """
    explicit = form.explicit
    unpack, unpack_long = _LITTLE if form.little else _BIG

    def head(position: int) -> Element:
        offset = position - window.base
        if offset < 0 or offset + 12 > len(window.data):
            offset = window.need(position, 8)
        group, number, kind, short = unpack(window.data, offset)
        tag = group << 16 | number
        if explicit and group != 0xFFFE:
            if kind in SHORT:
                return Element(tag, kind, position + 8, short)
            if kind in LONG:
                offset = window.need(position, 12)
                return Element(tag, kind, position + 12, unpack_long(window.data, offset + 8)[0])
            if kind.isalpha() and kind.isupper():  # no known one: read as pydicom does, which will read the pixels
                return Element(tag, kind, position + 8, short)
        return Element(tag, b"", position + 8, unpack_long(window.data, offset + 4)[0])

    return head


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a pass over plain elements keeps, and where it stops.

    Parameters
    ----------
    wanted : frozenset of int
        Tags whose values are kept.
    stops : frozenset of int
        Tags that need a closer look.
    groups : frozenset of int
        Groups that need one.
    """

    wanted: frozenset[int]
    stops: frozenset[int]
    groups: frozenset[int]


def sift(window: Window, position: int, form: Form, sieve: Sieve, values: dict[int, bytes]) -> tuple[int, int]:
    """Pass over plain elements of explicit representation as long as they lie in the window.

    Returns
    -------
    tuple of (int, int)
        Position of the first element that needs a closer look, and how many were passed over.

    Notes
    -----
    The same is done by `head_reader` and its callers for every element; this loop only makes nine in ten of them cheap.
    """
    if not form.explicit:
        return position, 0
    unpack, unpack_long = _LITTLE if form.little else _BIG
    wanted, stops, groups = sieve.wanted, sieve.stops, sieve.groups
    data = window.data
    offset, count = position - window.base, len(data)
    last, passed = count - 12, 0
    while 0 <= offset <= last:
        group, number, kind, length = unpack(data, offset)
        tag = group << 16 | number
        if tag in stops or group in groups:
            break
        start = offset + 8
        if kind not in SHORT:
            if kind not in LONG:
                break
            length = unpack_long(data, start)[0]
            if length == UNDEFINED:
                break
            start = offset + 12
        if tag in wanted:
            if start + length > count:
                break
            values[tag] = data[start : start + length]
        offset = start + length
        passed += 1
    return window.base + offset, passed


def skip(window: Window, element: Element, form: Form, counter: Counter) -> int:
    """Return the position behind an element, stepping over sequences of undefined length.

    Raises
    ------
    Ended
        If the file ends inside.
    ReadError
        If it is nested too deeply or holds what cannot stand there.
    """
    if element.length != UNDEFINED:
        return element.start + element.length
    head = head_reader(window, form)
    position = element.start
    open_items = [False]  # False: inside a sequence, True: inside an item
    while open_items:
        counter.step()
        found = head(position)
        position = found.start
        if open_items[-1]:
            if found.tag == ITEM_END:
                open_items.pop()
            elif found.length == UNDEFINED:
                open_items.append(False)
            else:
                position += found.length
        elif found.tag == SEQUENCE_END:
            open_items.pop()
        elif found.tag != ITEM:
            raise ReadError("It holds a sequence without items.", expected="items and their end")
        elif found.length == UNDEFINED:
            open_items.append(True)
        else:
            position += found.length
        if len(open_items) > 2 * MOST_DEPTH:
            raise ReadError(f"It nests more than {MOST_DEPTH} sequences.", expected="a DICOM file")
    return position


def inside(window: Window, element: Element, form: Form, *, counter: Counter, items: int = 1) -> Iterator[Element]:
    """Yield the elements of the first items of a sequence, those of its inner sequences too.

    Parameters
    ----------
    window : Window
    element : Element
        The sequence.
    form : Form
    counter : Counter
    items : int
        Items of the outer sequence that are looked into.

    Notes
    -----
    Items themselves are yielded as elements with the tag `ITEM`. Inner sequences are known by their representation,
    or by undefined length; without either they are looked into where their value begins like an item.
    """
    head = head_reader(window, form)
    end = element.start + element.length if element.length != UNDEFINED else None
    ends = [end]
    position = element.start
    while ends:
        if ends[-1] is not None and position >= ends[-1]:
            ends.pop()
            continue
        counter.step()
        try:
            found = head(position)
        except Ended:
            return
        if found.tag in (ITEM_END, SEQUENCE_END):
            position = found.start
            ends.pop()
            continue
        if found.tag == ITEM and len(ends) == 1:
            items -= 1
            if items < 0:
                return
        yield found
        position = found.start
        if found.tag == ITEM or _is_sequence(window, found):
            if len(ends) > 2 * MOST_DEPTH:
                raise ReadError(f"It nests more than {MOST_DEPTH} sequences.", expected="a DICOM file")
            ends.append(None if found.length == UNDEFINED else position + found.length)
        else:
            position += found.length


def _is_sequence(window: Window, element: Element) -> bool:
    if element.length == UNDEFINED or element.kind == b"SQ":
        return True
    if element.kind not in (b"", b"UN") or element.length < 8:
        return False
    try:
        start = window.take(element.start, 8)
    except Ended:
        return False
    return start[:4] in (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00") and start[4:] != b"\0\0\0\0"
