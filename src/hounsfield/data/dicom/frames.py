"""Finds the bytes of one frame in native and in encapsulated pixel data."""

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from hounsfield.data.dicom import values
from hounsfield.data.dicom.form import Form, refused

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_ITEM = 0xFFFEE000
_JPEG_END = (b"\xff\xd9",)


class _Fragment(NamedTuple):
    """Where a fragment's item begins, and where its content lies."""

    item: int
    start: int
    end: int


class FrameTable(NamedTuple):
    """The fragments of every frame, and the bytes they lie in."""

    content: bytes
    frames: tuple[tuple[_Fragment, ...], ...]

    def frame(self, number: int) -> bytes:
        """Return the codestream of one frame, its fragments joined."""
        parts = self.frames[number]
        return b"".join(self.content[part.start : part.end] for part in parts)


def native_frame(dataset: "Dataset", form: Form, number: int, *, content: bytes | None = None) -> memoryview:
    """Return the bytes of a native frame; for 1-bit pixels the bytes in which its first to last bit lie.

    Parameters
    ----------
    dataset : Dataset
        Where the pixels are.
    form : Form
        What they are.
    number : int
        Which frame, from 0.
    content : bytes, optional
        The pixels, where they are not those of the data set.

    Raises
    ------
    ReadError
        If there are fewer bytes than the sizes promise.
    """
    content = values.content(dataset, form.keyword) if content is None else content
    bits = frame_bits(form, len(content))
    needed = (bits * form.frames + 7) // 8
    if len(content) < needed:
        raise refused(
            form.case,
            f"the pixel data have {len(content):,} bytes where {form.frames} frame(s) of {form.rows} x {form.columns} "
            f"need {needed:,}",
            "as many as the sizes promise",
            "copy the file again from its source, or leave it out",
        )
    start, end = bits * number, bits * (number + 1)
    return memoryview(content)[start // 8 : (end + 7) // 8]


def subsampled(form: Form) -> bool:
    """Tell whether half the colours of native pixels are left out (PS3.3 C.7.6.3.1.2)."""
    return form.photometric in ("YBR_FULL_422", "YBR_PARTIAL_422") and form.native


def frame_bits(form: Form, there: int = 0) -> int:
    """Return the bits of a native frame; of YBR_FULL_422 all colours where `there` are bytes enough for all."""
    whole = form.cells * form.allocated
    if not subsampled(form) or there * 8 >= whole * form.frames:
        return whole
    if form.columns % 2:
        raise refused(form.case, f"{form.photometric} has {form.columns} columns", "an even number")
    return form.rows * form.columns * 2 * form.allocated


def frame_table(dataset: "Dataset", form: Form) -> FrameTable:
    """Return which fragments are which frame, by the offset tables where they are right, else by what is there.

    Raises
    ------
    ReadError
        If the fragments cannot be told apart into as many frames as the data set states.
    """
    content = values.content(dataset, "PixelData")
    known = getattr(dataset, "_frame_table", None)
    if isinstance(known, FrameTable) and known.content is content and len(known.frames) == form.frames:
        return known
    fragments = _fragments(content, form)
    table, fragments = fragments[:1], fragments[1:]
    if not fragments:
        raise refused(form.case, "the encapsulated pixel data hold no fragment", "a fragment for each frame")
    frames = _by_offsets(_basic(content, table, fragments), fragments, form)
    frames = frames or _by_offsets(_extended(dataset, fragments), fragments, form)
    frames = frames or _by_content(content, fragments, form)
    found = FrameTable(content, frames)
    dataset._frame_table = found
    return found


def _fragments(content: bytes, form: Form) -> list[_Fragment]:
    order = "<HHI" if form.little else ">HHI"
    position, found = 0, []
    while position + 8 <= len(content):
        group, element, length = struct.unpack_from(order, content, position)
        if group << 16 | element != _ITEM or position + 8 + length > len(content):
            raise refused(form.case, "the pixel data are not made of fragments", "encapsulated pixel data")
        found.append(_Fragment(position, position + 8, position + 8 + length))
        position += 8 + length
    return found


def _basic(content: bytes, table: list[_Fragment], fragments: list[_Fragment]) -> tuple[int, ...]:
    """Return the offsets of the Basic Offset Table, from the beginning of the pixel data (PS3.5 A.4)."""
    if not table or not fragments:
        return ()
    written = content[table[0].start : table[0].end]
    first = fragments[0].item
    return tuple(first + offset for (offset,) in struct.iter_unpack("<I", written[: len(written) // 4 * 4]))


def _extended(dataset: "Dataset", fragments: list[_Fragment]) -> tuple[int, ...]:
    written = values.content(dataset, "ExtendedOffsetTable")
    first = fragments[0].item
    return tuple(first + offset for (offset,) in struct.iter_unpack("<Q", written[: len(written) // 8 * 8]))


def _by_offsets(offsets: tuple[int, ...], fragments: list[_Fragment], form: Form) -> tuple[tuple[_Fragment, ...], ...]:
    """Return the frames that an offset table gives; empty where it is missing or wrong."""
    places = {fragment.item: index for index, fragment in enumerate(fragments)}
    begins = [places.get(offset, -1) for offset in offsets]
    if len(begins) != form.frames or not begins or begins[0] != 0 or -1 in begins:
        return ()
    if any(b <= a for a, b in pairwise(begins)):
        return ()
    ends = [*begins[1:], len(fragments)]
    return tuple(tuple(fragments[a:b]) for a, b in zip(begins, ends, strict=True))


def _by_content(content: bytes, fragments: list[_Fragment], form: Form) -> tuple[tuple[_Fragment, ...], ...]:
    """Tell frames apart without a table: one of all, one of each, or by the marks that begin a codestream."""
    if form.frames == 1:
        return (tuple(fragments),)
    if len(fragments) == form.frames:
        return tuple((fragment,) for fragment in fragments)
    begins = [i for i, part in enumerate(fragments) if _begins(content, part)]
    if len(begins) != form.frames or begins[0] != 0:
        raise refused(
            form.case,
            f"{len(fragments)} fragments cannot be told apart into {form.frames} frames",
            "an offset table that fits, or a fragment for each frame",
            "store the file again with an offset table",
        )
    ends = [*begins[1:], len(fragments)]
    return tuple(tuple(fragments[a:b]) for a, b in zip(begins, ends, strict=True))


def _begins(content: bytes, part: _Fragment) -> bool:
    """Tell whether a fragment begins a codestream: JPEG and JPEG-LS (SOI, then a mark), or JPEG 2000 (SOC, SIZ)."""
    head = content[part.start : part.start + 4]
    return head[:3] == b"\xff\xd8\xff" or head == b"\xff\x4f\xff\x51"
