"""The header of one DICOM file, from its first kilobytes: what an index needs and no more.

Pixels are never read and nothing of pydicom is built, which is where the speed comes from. What is read agrees with
pydicom on every readable file of the corpus; a test says so.
"""

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from struct import unpack_from

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.elements import (
    ITEM,
    UNDEFINED,
    Counter,
    Element,
    Enough,
    Form,
    Sieve,
    head_reader,
    inside,
    sift,
    skip,
)
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.filling import GROUPS, LEAVES, WANTED, Raw, fill
from hounsfield.data.dicom.windows import Ended, Forward, Inflating, Stream, Window

MAGIC = b"DICM"
HEAD_BYTES = 512
_GZIP = b"\x1f\x8b"
_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_SPECTRA = 0x56000020
_DEFLATED = "1.2.840.10008.1.2.1.99"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_MOST_VALUE = 64 << 10
_MOST_IN_GROUPS = 4_000
_VENDOR_GROUPS = frozenset((0x0019, 0x0043, 0x2001))
_SIEVE = Sieve(WANTED, GROUPS | _PIXELS | {_SPECTRA}, _VENDOR_GROUPS)
_FIRST_TAGS = frozenset(
    (
        0x00020000, 0x00020001, 0x00020002, 0x00080000, 0x00080001, 0x00080005, 0x00080008, 0x00080012, 0x00080013,
        0x00080014, 0x00080016, 0x00080018, 0x00080020,
    )
)  # fmt: skip


class NotDicomError(ReadError):
    """The bytes are no DICOM file and do not claim to be one."""


def looks_like_dicom(head: bytes) -> bool:
    """Tell by the first bytes whether a file is DICOM: its magic word, or first elements as a data set has them.

    Parameters
    ----------
    head : bytes
        At least the first 132 bytes where the file has so many; `HEAD_BYTES` are enough.
    """
    return head[128:132] == MAGIC or _bare_form(head) is not None


def read_header(source: Path | bytes | Stream, *, path: str = "", member: str = "", size: int | None = None) -> Entry:
    """Return what an index keeps of one file.

    Parameters
    ----------
    source : pathlib.Path, bytes or Stream
        The file, its content, or a stream at its beginning that goes forwards only.
    path, member : str
        What `Entry.path` and `Entry.member` become.
    size : int, optional
        Bytes of the file; of a stream, unknown by default.

    Raises
    ------
    NotDicomError
        If it is no DICOM file.
    ReadError
        If it cannot be opened, or its header ends before it says what it belongs to.

    Notes
    -----
    At most 20,000 elements are looked at, 256 sequences deep, of a compressed file at most 256 MiB. A file that is
    damaged behind its header has an entry whose `problem` says so.
    """
    if isinstance(source, Path):
        try:
            handle = os.open(source, os.O_RDONLY)
        except OSError as error:
            raise ReadError(f"It cannot be opened ({error.strerror}).", expected="a readable file") from error
        try:
            length = size if size is not None else os.fstat(handle).st_size
            return _entry(_positions(handle), length, path=path, member=member)
        except OSError as error:
            raise ReadError(f"It cannot be read ({error.strerror}).", expected="a readable file") from error
        finally:
            os.close(handle)
    if isinstance(source, bytes):
        return _entry(_slices(source), len(source), path=path, member=member)
    return _entry(Forward(source), size, path=path, member=member)


def _positions(handle: int) -> Callable[[int, int], bytes]:
    def fetch(position: int, count: int) -> bytes:
        return os.pread(handle, count, position)

    return fetch


def _slices(content: bytes) -> Callable[[int, int], bytes]:
    def fetch(position: int, count: int) -> bytes:
        return content[position : position + count]

    return fetch


class _Fetched(io.RawIOBase):
    """A fetch function as a file, for the gzip module."""

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self._fetch = fetch
        self._at = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        found = self._fetch(self._at, size if size >= 0 else 1 << 16)
        self._at += len(found)
        return found


def _entry(fetch: Callable[[int, int], bytes], size: int | None, *, path: str, member: str) -> Entry:
    window = Window(fetch, size)
    total = size or 0
    if window.data[:2] == _GZIP:
        unpacking = gzip.GzipFile(fileobj=_Fetched(fetch), mode="rb")
        fetch = Forward(unpacking)
        window = Window(fetch, None)
    raw = Raw()
    try:
        _collect(window, fetch, raw)
    except Enough:
        pass  # what is wanted stands far before; the pixels are believed
    except Ended:
        raw.problems.append("the file ends inside its header")
    except ReadError as error:
        if not raw.values:
            raise
        raw.problems.append(error.found[0].lower() + error.found[1:].rstrip("."))
    return fill(raw, path=path, member=member, size=total)


def _collect(window: Window, fetch: Callable[[int, int], bytes], raw: Raw) -> None:
    """Read meta group and data set into `raw`."""
    start, form = _beginning(window)
    if form is None:
        position = _meta(window, start, raw)
        if raw.syntax == _DEFLATED:
            window = Window(Forward(Inflating(fetch, position)), None)
            position = 0
        form = _form(window, position, raw.syntax)
    else:
        position = start
    raw.little = form.little
    _data_set(window, position, form, raw)


def _beginning(window: Window) -> tuple[int, Form | None]:
    """Return where the elements begin, and how they are written where there is no meta group."""
    data = window.data
    if data[128:132] == MAGIC:
        return 132, None
    form = _bare_form(data)
    if form is None:
        raise NotDicomError("It is no DICOM file.", expected="DICM behind 128 bytes, or a data set's first elements")
    return (0, None) if unpack_from("<H", data)[0] == 2 else (0, form)


def _meta(window: Window, position: int, raw: Raw) -> int:
    """Read the meta group, which is always explicit and little, whatever its length field says."""
    head = head_reader(window, Form())
    while True:
        try:
            offset = window.need(position, 2)
        except Ended:
            return position
        if window.data[offset : offset + 2] != b"\x02\x00":
            return position
        raw.counter.step()
        element = head(position)
        if element.tag == 0x00020010:
            raw.syntax = _uid(window, element)
        elif element.tag == 0x00020002:
            raw.media_class = _uid(window, element)
        position = element.start + element.length


def _uid(window: Window, element: Element) -> str:
    if element.length > _MOST_VALUE:
        return ""
    return window.take(element.start, element.length).strip(b"\0 ").decode("ascii", "replace")


def _form(window: Window, position: int, syntax: str) -> Form:
    """Return how the data set is written: by the transfer syntax, and where it lies by the first element."""
    try:
        offset = window.need(position, 8)
    except Ended:
        return Form()
    first = window.data[offset : offset + 8]
    little = syntax != _BIG_ENDIAN
    if syntax == "" or first[:2] == b"\0\x08":
        little = first[0] != 0 or first[1] == 0
    return Form(explicit=first[4:6].isalpha() and first[4:6].isupper(), little=little)


def _bare_form(head: bytes) -> Form | None:
    """Return how a data set without preamble is written, None where the bytes are no data set."""
    if len(head) < 16:
        return None
    kind = head[4:6]
    explicit = kind.isalpha() and kind.isupper()
    for little, group, element in ((True, *unpack_from("<HH", head)), (False, *unpack_from(">HH", head))):
        if group << 16 | element not in _FIRST_TAGS:
            continue
        form = Form(explicit, little)
        try:
            return form if _rises(head, form) else None
        except Ended:
            return None
    return None


def _rises(head: bytes, form: Form) -> bool:
    """Tell whether the second element stands right behind the first and has a higher tag."""
    window = Window(_slices(head), len(head))
    read = head_reader(window, form)
    first = read(0)
    if first.length > 256 or first.length % 2:
        return False
    second = read(first.start + first.length)
    return first.tag < second.tag < 0x00200000


def _data_set(window: Window, position: int, form: Form, raw: Raw) -> None:
    """Collect the wanted values of a data set, up to its pixels."""
    head = head_reader(window, form)
    values = raw.values
    counter = raw.counter
    while True:
        position, passed = sift(window, position, form, _SIEVE, values)
        counter.left -= passed
        try:
            element = head(position)
        except Ended:
            if window.size is not None and position < window.size:
                raise
            return
        tag, _, start, length = element
        counter.left -= 1
        if counter.left < 0:
            raise Enough
        if tag in WANTED:
            if length <= _MOST_VALUE:
                offset = window.need(start, length)
                values[tag] = window.data[offset : offset + length]
            position = start + length
        elif tag in _PIXELS or tag == _SPECTRA:
            raw.pixels = tag != _SPECTRA
            _check_pixels(window, element, raw)
            return
        elif tag in GROUPS:
            _groups(window, element, form, raw)
            position = skip(window, element, form, counter)
        else:
            if tag & 0x10000 and tag >> 16 in _VENDOR_GROUPS:
                _vendor(window, element, raw)
            position = start + length if length != UNDEFINED else skip(window, element, form, counter)


def _check_pixels(window: Window, element: Element, raw: Raw) -> None:
    if element.length != UNDEFINED and raw.pixels:
        raw.pixel_bytes = element.length
    if element.length != UNDEFINED and window.size is not None and element.start + element.length > window.size:
        raw.problems.append("the file ends before its pixels do")


def _vendor(window: Window, element: Element, raw: Raw) -> None:
    """Keep what may be a b-value in a private block, and whose block it is."""
    number = element.tag & 0xFFFF
    if (0x10 <= number <= 0xFF or number & 0xFF in (0x03, 0x0C, 0x39)) and element.length <= 256:
        raw.vendor[element.tag] = window.take(element.start, element.length)


def _groups(window: Window, element: Element, form: Form, raw: Raw) -> None:
    """Take from functional groups what is not said outside: of all frames, else of the first."""
    for found in inside(window, element, form, counter=Counter(_MOST_IN_GROUPS)):
        if found.tag in LEAVES and found.length <= _MOST_VALUE and found.tag != ITEM:
            raw.groups.setdefault(found.tag, window.take(found.start, found.length))
