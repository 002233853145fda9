"""Lookup tables of a data set: modality, VOI and palette, plain or segmented."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hounsfield.core.types import AnyArray
from hounsfield.data.dicom import values
from hounsfield.data.dicom.form import refused

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MOST = 65536


@dataclass(frozen=True)
class Lookup:
    """A table from stored values to what they stand for.

    Parameters
    ----------
    entries : numpy.ndarray
        uint16 ``k``.
    first : int
        The value that the first entry belongs to; values outside take the first or the last (PS3.3 C.11.1.1).
    bits : int
        Bits of an entry.
    """

    entries: npt.NDArray[np.uint16]
    first: int
    bits: int

    def of(self, array: AnyArray) -> npt.NDArray[np.uint16]:
        """Return the entries of an array of whole numbers, in its shape."""
        places = np.clip(array.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[places]


def descriptor(dataset: "Dataset", keyword: str, *, signed: bool) -> tuple[int, int, int] | None:
    """Return number of entries, first value and bits as a LUT descriptor states them; None where it does not.

    Its three numbers are one VR though only the second is signed: 0 entries are 65536, and a number of entries
    that reads as negative is a large one.
    """
    found = values.numbers(dataset, keyword)
    if len(found) != 3:
        return None
    entries, first, bits = (int(one) for one in found)
    entries = entries & 0xFFFF or _MOST
    first = first & 0xFFFF
    if signed and first >= 0x8000:
        first -= 0x10000
    return entries, first, bits & 0xFFFF


def words(dataset: "Dataset", keyword: str, entries: int, *, little: bool) -> npt.NDArray[np.uint16]:
    """Return the entries of a table, of one or two bytes each; empty where there are none.

    Parameters
    ----------
    dataset : Dataset
        Data set or item with the table.
    keyword : str
        Which element.
    entries : int
        How many its descriptor promises; as many bytes mean one byte each. 0 where only words are possible.
    little : bool
        Byte order of the file.
    """
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return np.zeros(0, np.uint16)
    held: object = dataset.get_item(tag).value or b""
    if not isinstance(held, bytes):
        return np.array(values.numbers(dataset, keyword), np.int64).astype(np.uint16)
    if entries and len(held) in (entries, entries + entries % 2):
        return np.frombuffer(held, np.uint8, count=entries).astype(np.uint16)
    even = held[: len(held) // 2 * 2]
    return np.frombuffer(even, "<u2" if little else ">u2").astype(np.uint16)


def lookup(item: "Dataset", case: str, *, signed: bool, little: bool) -> Lookup:
    """Return the table of an item of a Modality or VOI LUT Sequence.

    Raises
    ------
    ReadError
        If it is incomplete.
    """
    stated = descriptor(item, "LUTDescriptor", signed=signed)
    if stated is None or not 1 <= stated[2] <= 16:
        raise refused(case, "a lookup table has no descriptor that can be read", "three numbers")
    entries, first, bits = stated
    found = words(item, "LUTData", entries, little=little)
    if len(found) < entries:
        raise refused(case, f"a lookup table has {len(found)} entries where {entries} are stated", "all of them")
    return Lookup(found[:entries], first, bits)


def expanded(segments: npt.NDArray[np.uint16], most: int = _MOST) -> npt.NDArray[np.uint16] | None:
    """Return the entries that a segmented palette stands for; None where its segments make no sense.

    Parameters
    ----------
    segments : numpy.ndarray
        uint16: discrete (0), linear (1) and indirect (2) segments, one after another.
    most : int
        More entries than this make no sense.

    References
    ----------
    DICOM PS3.3 C.7.9.2.
    """
    out: list[int] = []
    position = 0
    while position < len(segments):
        step = _segment(segments, position, out)
        if step is None and int(segments[position]) == 2 and position + 3 < len(segments):
            count, low, high = (int(n) for n in segments[position + 1 : position + 4])
            target = low | high << 16
            step = 4 if _repeat(segments, target, count, out, position) else None
        if step is None or len(out) > most:
            return None
        position += step
    return np.array(out, np.uint16)


def _segment(segments: npt.NDArray[np.uint16], position: int, out: list[int]) -> int | None:
    """Append a discrete or linear segment; return the words it takes, None where it is neither or cut off."""
    if position + 2 > len(segments):
        return None
    kind, count = int(segments[position]), int(segments[position + 1])
    if kind == 0 and position + 2 + count <= len(segments):
        out.extend(int(n) for n in segments[position + 2 : position + 2 + count])
        return 2 + count
    if kind == 1 and position + 3 <= len(segments) and out:
        begin, end = out[-1], int(segments[position + 2])
        out.extend(round(begin + (end - begin) * (i + 1) / count) for i in range(count))
        return 3
    return None


def _repeat(segments: npt.NDArray[np.uint16], target: int, count: int, out: list[int], before: int) -> bool:
    """Append `count` segments again that begin at byte `target`, all of them before `before`."""
    position = target // 2
    for _ in range(count):
        if position >= before or len(out) > _MOST:
            return False
        step = _segment(segments, position, out)
        if step is None:
            return False
        position += step
    return True
