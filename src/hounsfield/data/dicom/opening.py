"""Opens one DICOM file: bounded, checked before it is believed, and never with another error than ReadError."""

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.errors import ReadError, case_id
from hounsfield.data.dicom.inflating import inflated
from hounsfield.data.dicom.limits import LIMITS, Limits
from hounsfield.data.dicom.walking import Coding, Damage, Level, Short, Walker

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

__all__ = ["LIMITS", "Limits", "open_dataset"]

_CHUNK = 1 << 20
_IMPLICIT, _BIG, _DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
_GE_IMPLICIT = "1.2.840.113619.5.2"
_GZIP = b"\x1f\x8b\x08"


def open_dataset(
    source: Path | bytes, *, limits: Limits = LIMITS, pixels: bool = False, force: bool = False
) -> "FileDataset":
    """Return the data set of one DICOM file.

    Parameters
    ----------
    source : Path or bytes
        A file, or its content. Part 10, with or without preamble, without any file meta, or any of these in gzip.
    limits : Limits
        What it may ask for.
    pixels : bool
        False stops before pixel data and reads no more of the file than that; True reads all of it.
    force : bool
        True reads also what does not look like DICOM, as implicit little endian where nothing better is known.

    Returns
    -------
    pydicom.dataset.FileDataset
        With its file meta. Reading an element of it raises nothing but KeyError and AttributeError for what is
        not there: a value that breaks its VR comes as text, or as bytes with VR UN. It keeps no path.

    Raises
    ------
    ReadError
        If it is no DICOM file, if it is damaged, or asks for more than `limits`; the message says why.

    Notes
    -----
    The structure is walked in plain Python before values are handed to pydicom: RecursionError by nesting and
    MemoryError by claimed lengths, which pydicom alone raises, cannot come up.
    """
    case = case_id(source.name) if isinstance(source, Path) else case_id(source[:4096].hex())
    try:
        return _opened(source, limits, case, pixels=pixels, force=force)
    except Damage as damage:
        raise _refused(case, damage) from damage
    except OSError as error:
        raise ReadError(
            f"Case {case}: the file cannot be opened ({error.strerror or type(error).__name__}).",
            expected="a readable file",
            next_step="check the path and the permissions",
        ) from error


def _refused(case: str, damage: Damage) -> ReadError:
    return ReadError(
        f"Case {case}: the file {damage.found}.",
        expected=damage.expected,
        next_step="copy it again from its source, or leave it out",
    )


def _opened(source: Path | bytes, limits: Limits, case: str, *, pixels: bool, force: bool) -> "FileDataset":
    if isinstance(source, bytes):
        return _parsed(source, len(source), limits, case, pixels=pixels, force=force)
    found = source.stat()
    if not stat.S_ISREG(found.st_mode):
        raise Damage("is no regular file", "a file")
    with source.open("rb") as stream:
        amount = found.st_size if pixels else _CHUNK
        while True:
            if min(amount, found.st_size) > limits.file_bytes:
                raise Damage(f"has {found.st_size:,} bytes to be read at once", f"at most {limits.file_bytes:,}")
            stream.seek(0)
            data = stream.read(amount)
            size = max(found.st_size, len(data)) if len(data) == amount else len(data)
            try:
                return _parsed(data, size, limits, case, pixels=pixels, force=force)
            except Short:
                amount *= 4


def _parsed(data: bytes, size: int, limits: Limits, case: str, *, pixels: bool, force: bool) -> "FileDataset":
    from hounsfield.data.dicom.building import file_dataset

    if not data:
        raise Damage("is empty")
    if size > limits.file_bytes and pixels:
        raise Damage(f"has {size:,} bytes to be read at once", f"at most {limits.file_bytes:,}")
    if data.startswith(_GZIP):
        if len(data) < size:
            raise Short
        data = inflated(data, limits, wbits=31)
        size = len(data)
    walker = Walker(data, size, limits)
    preamble = 128 if data[128:132] == b"DICM" else None
    meta, start = walker.meta_group(132 if preamble else 0)
    syntax = _syntax(data, meta)
    coding = _coding(data, start, syntax, bare=preamble is None and not meta.elements, force=force)
    if syntax == _DEFLATED:
        if len(data) < size:
            raise Short
        data = data[:start] + inflated(data[start:], limits, wbits=-15)
        count, walker = walker.count, Walker(data, len(data), limits)
        walker.count = count
    top = walker.walk(start, coding, pixels=pixels)
    if not top.elements and not walker.at_pixels:
        raise Damage("holds no data set", "elements after the file meta")
    head = data[:preamble] if preamble else None
    try:
        dataset = file_dataset(data, meta, top, preamble=head)
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, OverflowError) as error:
        # values are not looked at here, but pydicom's containers check tags and lengths
        raise Damage(f"is damaged ({type(error).__name__})") from error
    dataset.case = case
    return dataset


def _syntax(data: bytes, meta: Level) -> str:
    element = meta.elements.get(0x00020010)
    if element is None:
        return ""
    value = data[element.start : element.start + min(element.length, 64)]
    return value.decode("ascii", "replace").strip("\0 ")


def _coding(data: bytes, start: int, syntax: str, *, bare: bool, force: bool) -> Coding:
    """Return how the data set is written, by its transfer syntax or, without one, by its first element."""
    if syntax:
        return Coding(syntax in (_IMPLICIT, _GE_IMPLICIT), syntax != _BIG)
    first = data[start : start + 8]
    if len(first) < 8:
        raise Damage("holds no data set" if not bare else "is no DICOM file", "elements")
    from hounsfield.data.dicom.vocabulary import LONG, SHORT

    little = first[1] == 0 or first[0] > first[1]
    group = int.from_bytes(first[:2], "little" if little else "big")
    explicit = first[4:6] in SHORT or first[4:6] in LONG
    plausible = group in (0x0004, 0x0008) and (
        explicit or int.from_bytes(first[4:8], "little" if little else "big") <= min(len(data), 1 << 20)
    )
    if bare and not plausible and not force:
        raise Damage("is no DICOM file", "DICOM with its preamble or file meta, or a data set from group 0008 on")
    return Coding(not explicit, little)
