"""A DICOMDIR as a hint: which files a disk says it holds (PS3.3, F.3). Files are found without it."""

from collections.abc import Iterable

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.elements import UNDEFINED, Counter, Element, Enough, Form, head_reader, inside, skip
from hounsfield.data.dicom.windows import Ended, Window

FILE_NAME = "DICOMDIR"
MOST_BYTES = 64 << 20
_RECORDS = 0x00041220
_FILE_ID = 0x00041500
_MOST_ELEMENTS = 5_000_000


def references(content: bytes) -> tuple[str, ...]:
    """Return the files that a DICOMDIR names, as POSIX paths relative to its folder; what is damaged is left out.

    Parameters
    ----------
    content : bytes
        The whole DICOMDIR.
    """
    window = Window(lambda position, count: content[position : position + count], len(content))
    found: list[str] = []
    try:
        position, form = _data_set(window)
        head = head_reader(window, form)
        counter = Counter(_MOST_ELEMENTS)
        while True:
            element = head(position)
            if element.tag == _RECORDS:
                for inner in inside(window, element, form, counter=counter, items=_MOST_ELEMENTS):
                    if inner.tag == _FILE_ID and inner.length <= 1024:
                        found.append(_path(window, inner))
            if element.tag > _RECORDS:
                break
            position = skip(window, element, form, counter)
    except (Ended, Enough, ReadError):
        pass  # a hint only
    return tuple(dict.fromkeys(p for p in found if p))


def dangling(named: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    """Return the named files that are not there, whatever the case of their names and the disk's version marks."""
    known = {_plain(path) for path in there}
    return tuple(path for path in named if _plain(path) not in known)


def _plain(path: str) -> str:
    return path.casefold().partition(";")[0].rstrip(".")


def _path(window: Window, element: Element) -> str:
    text = window.take(element.start, element.length).decode("ascii", "replace")
    parts = [p.strip("\0 ") for p in text.split("\\")]
    return "/".join(p for p in parts if p)


def _data_set(window: Window) -> tuple[int, Form]:
    position = 132 if window.take(128, 4) == b"DICM" else 0
    head = head_reader(window, Form())
    while window.take(position, 2) == b"\x02\x00":
        element = head(position)
        if element.length == UNDEFINED:
            raise Ended
        position = element.start + element.length
    first = window.take(position, 6)
    return position, Form(explicit=first[4:6].isalpha(), little=first[0] != 0)
