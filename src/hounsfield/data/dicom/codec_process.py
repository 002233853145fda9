"""Decodes one codestream after another in a process of its own, which may crash, hang or run out of memory.

Run as a script by `codecs`; it imports nothing of Hounsfield. A request is a line of JSON and then the codestream,
an answer is a line of JSON and then the samples, both on what were standard input and output: whatever a native
library prints goes nowhere.
"""

import io
import json
import os
import time
from collections.abc import Callable
from typing import Any, BinaryIO


def main() -> None:
    """Answer requests until the other side closes."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
    while line := requests.readline():
        order = json.loads(line)
        data = requests.read(order["bytes"])
        _limit(order)
        _answer(answers, order, data)


def _answer(answers: BinaryIO, order: dict[str, Any], data: bytes) -> None:
    try:
        samples = CODECS[order["codec"]](data, order)
        head: dict[str, int | str] = {"bytes": len(samples)}
    except MemoryError:
        samples, head = b"", {"error": "it needs too much memory"}
    except BaseException as error:
        samples, head = b"", {"error": type(error).__name__}
    answers.write(json.dumps(head).encode() + b"\n")
    answers.write(samples)
    answers.flush()


def _limit(order: dict[str, Any]) -> None:
    """Bound processor time from now on, and memory; neither can be bounded on every system."""
    try:
        import resource
    except ImportError:
        return
    spent = int(time.process_time()) + 1 + int(order["seconds"])
    for kind, amount in (
        (resource.RLIMIT_CPU, spent),
        (resource.RLIMIT_AS, int(order["memory"])),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            _, most = resource.getrlimit(kind)
            resource.setrlimit(kind, (amount, most))
        except (ValueError, OSError):
            continue


def _jpeg(data: bytes, order: dict[str, Any]) -> bytes:
    """Decode 8-bit JPEG by Pillow to samples as they were coded, without a change of colour space."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        if picture.size != (order["columns"], order["rows"]):
            raise ValueError("size")
        if order["libjpeg_ybr"]:
            picture.draft("YCbCr", picture.size)
        return picture.tobytes()


def _gdcm(data: bytes, order: dict[str, Any]) -> bytes:
    """Decode JPEG of 12 bits and lossless JPEG by GDCM."""
    import gdcm

    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(data)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    picture = gdcm.Image()
    picture.SetNumberOfDimensions(2)
    picture.SetDimensions((order["columns"], order["rows"], 1))
    picture.SetDataElement(element)
    name = "MONOCHROME2" if order["components"] == 1 else "RGB"
    kind = gdcm.PhotometricInterpretation.GetPIType(name)
    picture.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    picture.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(order["syntax"])))
    bits = 8 if order["precision"] <= 8 else 16
    precision = order["precision"]
    picture.SetPixelFormat(gdcm.PixelFormat(order["components"], bits, precision, precision - 1, 0))
    found = picture.GetBuffer()
    if found is None:
        raise ValueError("no picture")
    return bytes(found.encode("utf-8", "surrogateescape"))


def _jpegls(data: bytes, order: dict[str, Any]) -> bytes:
    """Decode JPEG-LS by CharLS; colours one after another for every pixel."""
    import jpeg_ls  # type: ignore[import-untyped]  # it has no type information

    samples, head = jpeg_ls.decode_pixel_data(data)
    if order["components"] > 1 and head["interleave_mode"] == 0:
        import numpy as np

        kind = "u1" if order["precision"] <= 8 else "<u2"
        planes = np.frombuffer(samples, kind).reshape(order["components"], -1)
        return planes.T.tobytes()
    return bytes(samples)


def _jpeg2000(data: bytes, order: dict[str, Any]) -> bytes:
    """Decode JPEG 2000 and its high-throughput form by OpenJPEG."""
    from openjpeg.utils import decode_pixel_data

    return bytes(decode_pixel_data(data, version=2))


def _endless(data: bytes, order: dict[str, Any]) -> bytes:
    """Take all the time there is: how the limits are tested."""
    while True:
        pass


def _rle(data: bytes, order: dict[str, Any]) -> bytes:
    """Decode the segments of an RLE frame, each to the length it must have (PS3.5 G)."""
    from rle.utils import decode_segment  # type: ignore[attr-defined]  # not listed there

    parts = []
    for start, end in order["segments"]:
        part = bytes(decode_segment(data[start:end]))
        if len(part) < order["length"]:
            raise ValueError("a segment is too short")
        parts.append(part[: order["length"]])
    return b"".join(parts)


CODECS: dict[str, Callable[[bytes, dict[str, Any]], bytes]] = {
    "jpeg": _jpeg,
    "jpeg12": _gdcm,
    "lossless": _gdcm,
    "jpegls": _jpegls,
    "jpeg2000": _jpeg2000,
    "rle": _rle,
    "endless": _endless,
}

if __name__ == "__main__":
    main()
