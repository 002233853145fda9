"""Turns the bytes of one frame into samples, whichever way they were written."""

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom import codestreams, frames, values
from hounsfield.data.dicom.codec_host import HOST
from hounsfield.data.dicom.form import Form, refused
from hounsfield.data.dicom.inflating import inflated
from hounsfield.data.dicom.limits import Limits
from hounsfield.data.dicom.walking import Damage

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
CODED = frozenset(
    "1.2.840.10008.1.2.4." + number for number in ("50", "51", "57", "70", "80", "81", "90", "91", "201", "202", "203")
)
"""JPEG baseline, extended and lossless, JPEG-LS, JPEG 2000 and its high-throughput form."""
_GDCM_LOSSLESS = "1.2.840.10008.1.2.4.70"
_GDCM_EXTENDED = "1.2.840.10008.1.2.4.51"


class Samples(NamedTuple):
    """One frame ``y x`` or ``y x c``, and whether its colours are luminance and differences."""

    array: AnyArray
    ybr: bool


def decoded(dataset: "Dataset", form: Form, number: int, limits: Limits) -> Samples:
    """Return the samples of one frame in the byte order of this machine, without bits that are not used.

    Raises
    ------
    ReadError
        If they cannot be decoded rightly: bytes are missing, the codestream and the data set contradict each
        other, or the decoder refuses, crashes, or takes more than the limits.
    """
    if form.native:
        return _native(dataset, form, number)
    if form.syntax == RLE:
        return _shaped(_rle(frames.frame_table(dataset, form).frame(number), form, limits), form)
    if form.syntax == DEFLATED_FRAMES:
        return _deflated(frames.frame_table(dataset, form).frame(number), form, limits)
    if form.syntax in CODED:
        return _coded(frames.frame_table(dataset, form).frame(number), form, limits)
    raise refused(
        form.case,
        f"pixels of the transfer syntax {form.syntax[:64]} are not decoded here",
        "uncompressed, RLE, JPEG, JPEG-LS or JPEG 2000",
        "store the file again in one of these",
    )


def _native(dataset: "Dataset", form: Form, number: int) -> Samples:
    element = dataset[form.keyword]
    if element.is_undefined_length:
        raise refused(form.case, "the pixels are encapsulated though the transfer syntax is native", "one of the two")
    data: bytes | memoryview = frames.native_frame(dataset, form, number)
    if not form.little and form.allocated <= 8 and element.VR == "OW":
        whole = values.content(dataset, form.keyword)
        data = frames.native_frame(dataset, form, number, content=_swapped(whole))
    if form.allocated == 1:
        first = frames.frame_bits(form) * number % 8
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return _shaped(bits[first : first + form.cells], form)
    order = "<" if form.little else ">"
    kind = "f" if form.keyword != "PixelData" else "u"
    cells = np.frombuffer(data, f"{order}{kind}{form.allocated // 8}")
    if frames.subsampled(form) and cells.size < form.cells:
        return Samples(_from_422(cells, form), True)
    return _shaped(cells, form)


def _swapped(content: bytes) -> bytes:
    """Turn the bytes in words of two: bytes in OW are words in big endian too (PS3.5 8.1)."""
    even = content[: len(content) // 2 * 2]
    return np.frombuffer(even, np.uint16).byteswap().tobytes() + content[len(even) :]


def _from_422(cells: AnyArray, form: Form) -> AnyArray:
    """Expand Y Y Cb Cr for every two pixels of a row (PS3.3 C.7.6.3.1.2)."""
    pairs = cells.reshape(form.rows, form.columns // 2, 4)
    whole = np.empty((form.rows, form.columns, 3), cells.dtype.newbyteorder("="))
    whole[..., 0] = pairs[..., :2].reshape(form.rows, form.columns)
    whole[:, :, 1:] = np.repeat(pairs[..., 2:], 2, axis=1)
    return whole


def _shaped(cells: AnyArray, form: Form) -> Samples:
    """Give native samples their axes, byte order, sign and used bits."""
    if form.keyword == "PixelData" and form.allocated > 1:
        cells = used_bits(cells.astype(cells.dtype.newbyteorder("="), copy=False), form)
    if form.samples == 1:
        array: AnyArray = cells.reshape(form.rows, form.columns)
    elif form.planar == 1:
        planes: AnyArray = cells.reshape(form.samples, form.rows, form.columns)
        array = np.moveaxis(planes, 0, -1)
    else:
        array = cells.reshape(form.rows, form.columns, form.samples)
    ybr = form.photometric.startswith("YBR") and form.photometric not in ("YBR_RCT", "YBR_ICT")
    return Samples(np.array(array, order="C", dtype=array.dtype.newbyteorder("=")), ybr)


def used_bits(cells: AnyArray, form: Form) -> AnyArray:
    """Return cells without the bits outside `stored`, sign extended where they are signed (PS3.5 8.1.1).

    What lies in the other bits is overlays or nothing.
    """
    kind = np.dtype(f"{'i' if form.signed else 'u'}{form.allocated // 8}")
    if form.stored == form.allocated:
        return cells.view(kind)
    left = form.allocated - 1 - form.high
    moved = np.left_shift(cells.view(f"u{kind.itemsize}"), left).view(kind)
    return np.asarray(np.right_shift(moved, form.allocated - form.stored))


def _rle(data: bytes, form: Form, limits: Limits) -> AnyArray:
    width = max(1, form.allocated // 8)
    length = form.rows * form.columns if form.allocated > 1 else (form.rows * form.columns + 7) // 8
    wanted = form.samples * width
    if len(data) < 64:
        raise refused(form.case, "an RLE frame has no header", "64 bytes of it")
    count, *offsets = struct.unpack_from("<16I", data)
    ends = [*offsets[1:count], len(data)]
    begins = offsets[:count]
    good = count == wanted <= 15 and all(64 <= a < b <= len(data) for a, b in zip(begins, ends, strict=False))
    if not good:
        raise refused(
            form.case,
            "the header of an RLE frame contradicts the data set or its own length",
            f"{wanted} segments inside the frame",
        )
    order = {"codec": "rle", "segments": list(zip(begins, ends, strict=True)), "length": length}
    planes = np.frombuffer(_run(order, data, form, limits), np.uint8)
    if form.allocated == 1:
        return np.unpackbits(planes, bitorder="little")[: form.cells]
    # a segment is one byte of every cell, the most significant first
    cells = planes.reshape(form.samples, width, length).transpose(0, 2, 1)
    grouped = np.ascontiguousarray(cells).view(f">u{width}")[..., 0]
    planar = grouped if form.planar == 1 else grouped.T
    return np.ascontiguousarray(planar).reshape(-1)


def _deflated(data: bytes, form: Form, limits: Limits) -> Samples:
    try:
        whole = inflated(data, limits, wbits=-15, most=(form.cells * form.allocated + 7) // 8 + 8)
    except Damage as damage:
        raise refused(form.case, f"a deflated frame {damage.found}", damage.expected) from damage
    if len(whole) * 8 < form.cells * form.allocated:
        raise refused(form.case, "a deflated frame is too short", "as many bytes as the sizes promise")
    if form.allocated == 1:
        return _shaped(np.unpackbits(np.frombuffer(whole, np.uint8), bitorder="little")[: form.cells], form)
    return _shaped(np.frombuffer(whole, f"<u{form.allocated // 8}", count=form.cells), form)


def _coded(data: bytes, form: Form, limits: Limits) -> Samples:
    try:
        stream = codestreams.codestream(data)
    except codestreams.BadStream as bad:
        raise refused(form.case, f"a frame cannot be decoded: {bad}", "a codestream as the data set says") from bad
    claims = (stream.rows, stream.columns, stream.components)
    if claims != (form.rows, form.columns, form.samples) or stream.precision > max(form.allocated, 8):
        raise refused(
            form.case,
            f"a codestream is of {stream.rows} x {stream.columns} x {stream.components} samples of "
            f"{stream.precision} bits, the data set of {form.rows} x {form.columns} x {form.samples} of "
            f"{form.allocated}",
            "the same in both",
        )
    extended = stream.codec == "jpeg12"
    order = {
        "codec": stream.codec,
        "rows": stream.rows,
        "columns": stream.columns,
        "components": stream.components,
        "precision": stream.precision,
        "libjpeg_ybr": stream.libjpeg_ybr,
        "syntax": _GDCM_EXTENDED if extended else _GDCM_LOSSLESS,
    }
    samples = _run(order, data[stream.start :], form, limits)
    width = next(n for n in (1, 2, 4) if stream.precision <= 8 * n)
    if len(samples) != form.cells * width:
        raise refused(form.case, "a decoder gave another size than the data set states", "as many samples as promised")
    cells = _signs(np.frombuffer(samples, f"<u{width}"), stream, form)
    shape = (form.rows, form.columns) if form.samples == 1 else (form.rows, form.columns, form.samples)
    return Samples(cells.reshape(shape), _coded_ybr(stream, form))


def _signs(cells: AnyArray, stream: codestreams.Codestream, form: Form) -> AnyArray:
    """Bring decoded samples to the sign and width of the data set.

    JPEG and JPEG-LS know no sign: the bits of a value are those of its two's complement. JPEG 2000 does, and
    some writers set it against the data set; its bits are right then, too.
    """
    width = max(1, form.allocated // 8)
    unused = 8 * cells.dtype.itemsize - stream.precision
    as_signed = cells.view(f"i{cells.dtype.itemsize}")
    if form.signed:
        settled = as_signed if stream.signed else np.right_shift(np.left_shift(as_signed, unused), unused)
        return settled.astype(f"i{width}")
    mask = (1 << stream.precision) - 1
    return np.asarray(np.bitwise_and(cells, mask) if stream.signed else cells, dtype=f"u{width}")


def _coded_ybr(stream: codestreams.Codestream, form: Form) -> bool:
    """Tell whether decoded colours are luminance and differences: the codestream knows better where it says."""
    if form.samples == 1:
        return False
    if stream.codec == "jpeg2000":
        return form.photometric.startswith(("YBR_FULL", "YBR_PARTIAL"))
    if stream.coded_ybr is not None and stream.codec != "jpegls":
        return stream.coded_ybr
    return form.photometric.startswith("YBR")


def _run(order: dict[str, object], data: bytes, form: Form, limits: Limits) -> bytes:
    try:
        return HOST.decode(order, data, limits)
    except codestreams.BadStream as bad:
        raise _undecoded(form, bad) from bad


def _undecoded(form: Form, bad: codestreams.BadStream) -> ReadError:
    return refused(
        form.case,
        f"a frame cannot be decoded: {bad}",
        "a whole codestream",
        "copy the file again from its source, or leave it out",
    )
