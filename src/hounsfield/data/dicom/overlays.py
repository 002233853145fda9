"""Overlays: graphics and regions of one bit that lie over a picture, beside its pixels or in their unused bits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.types import BoolArray
from hounsfield.data.dicom import values
from hounsfield.data.dicom.form import case_of, form_of, refused
from hounsfield.data.dicom.limits import LIMITS, Limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _TYPE = 0x0010, 0x0011, 0x0015, 0x0040
_ORIGIN, _FIRST_FRAME, _ALLOCATED, _POSITION, _DATA = 0x0050, 0x0051, 0x0100, 0x0102, 0x3000


@dataclass(frozen=True)
class Overlay:
    """One overlay of a frame.

    Parameters
    ----------
    group : int
        0x6000 to 0x601E.
    kind : str
        ``G`` graphics, ``R`` region of interest.
    mask : numpy.ndarray
        bool ``y x``, of the size of the frame; what lies outside of it is cut off.
    """

    group: int
    kind: str
    mask: BoolArray


def overlays(dataset: "Dataset", number: int = 0, *, limits: Limits = LIMITS) -> tuple[Overlay, ...]:
    """Return the overlays of one frame.

    Parameters
    ----------
    dataset : Dataset
        With its pixels, for overlays in unused bits of them.
    number : int
        Which frame of the picture, from 0.
    limits : Limits
        How large an overlay may be.

    Raises
    ------
    ReadError
        If an overlay is stated whose bits are not there.

    References
    ----------
    DICOM PS3.3 C.9.2.
    """
    found = (_overlay(dataset, group, number, limits) for group in _GROUPS if _has(dataset, group))
    return tuple(one for one in found if one is not None)


def _has(dataset: "Dataset", group: int) -> bool:
    return (group << 16 | _ROWS) in dataset


def _overlay(dataset: "Dataset", group: int, number: int, limits: Limits) -> Overlay | None:
    case = case_of(dataset)
    rows, columns = (_whole(dataset, group, element, 0) for element in (_ROWS, _COLUMNS))
    if rows < 1 or columns < 1 or rows * columns > limits.frame_pixels:
        raise refused(case, f"an overlay of {rows} x {columns} is stated", f"1 to {limits.frame_pixels:,} pixels")
    frames = _whole(dataset, group, _FRAMES, 1)
    own = number + 1 - _whole(dataset, group, _FIRST_FRAME, 1)
    if frames > 1 and not 0 <= own < frames:
        return None
    own = own if frames > 1 else 0
    if (group << 16 | _DATA) in dataset:
        content: object = dataset[group << 16 | _DATA].value
        bits = _bits(content if isinstance(content, bytes) else b"", rows * columns, own)
    else:
        bits = _embedded(dataset, number, _whole(dataset, group, _POSITION, 0), limits)
        rows, columns = bits.shape if bits is not None else (rows, columns)
    if bits is None:
        raise refused(case, "an overlay is shorter than it states", "a bit for each of its pixels")
    origin = values.tag_numbers(dataset, group << 16 | _ORIGIN) or (1.0, 1.0)
    mask = _placed(bits.reshape(rows, columns), dataset, origin)
    kind = values.tag_text(dataset, group << 16 | _TYPE)
    return Overlay(group, kind, mask)


def _whole(dataset: "Dataset", group: int, element: int, absent: int) -> int:
    found = values.tag_numbers(dataset, group << 16 | element)
    return int(found[0]) if found else absent


def _bits(content: bytes, size: int, own: int) -> BoolArray | None:
    """Return the bits of one overlay frame; frames follow one another without a gap (PS3.5 8.1.2)."""
    first, last = size * own, size * (own + 1)
    if own < 0 or len(content) * 8 < last:
        return None
    held = np.frombuffer(content[first // 8 : (last + 7) // 8], np.uint8)
    begin = first % 8
    return np.unpackbits(held, bitorder="little")[begin : begin + size].astype(bool)


def _embedded(dataset: "Dataset", number: int, position: int, limits: Limits) -> BoolArray | None:
    """Return the bits of an overlay that lies in the unused bits of native pixels (retired, PS3.3-2004 C.9.2)."""
    from hounsfield.data.dicom.frames import native_frame

    form = form_of(dataset, limits)
    unused = position > form.high or position <= form.high - form.stored
    if not form.native or form.samples != 1 or form.allocated not in (8, 16, 32) or not unused:
        return None
    if not 0 <= position < form.allocated or not 0 <= number < form.frames:
        return None
    order = "<" if form.little else ">"
    cells = np.frombuffer(native_frame(dataset, form, number), f"{order}u{form.allocated // 8}")
    return np.asarray(cells.reshape(form.rows, form.columns) >> position & 1, dtype=bool)


def _placed(bits: BoolArray, dataset: "Dataset", origin: tuple[float, ...]) -> BoolArray:
    """Put an overlay where its origin says: row and column of its first bit, counted from 1."""
    rows, columns = values.integer(dataset, "Rows"), values.integer(dataset, "Columns")
    if rows is None or columns is None or not 0 < rows < 65536 or not 0 < columns < 65536:
        return bits
    top, left = (int(origin[0]) - 1, int(origin[1]) - 1) if len(origin) == 2 else (0, 0)
    mask = np.zeros((rows, columns), bool)
    height = min(rows, top + bits.shape[0]) - max(top, 0)
    width = min(columns, left + bits.shape[1]) - max(left, 0)
    if height > 0 and width > 0:
        y, x = max(-top, 0), max(-left, 0)
        mask[max(top, 0) :, max(left, 0) :][:height, :width] = bits[y : y + height, x : x + width]
    return mask
