"""Small DICOM files made byte by byte, so that they may be as wrong as a test needs."""

import struct

import numpy as np
import numpy.typing as npt

EXPLICIT, IMPLICIT, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED, RLE, JPEG_LS = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80"
LONG = ("OB", "OW", "OF", "OD", "OV", "SQ", "UN", "UT")


def element(tag: int, vr: str, value: bytes, *, syntax: str = EXPLICIT, length: int | None = None) -> bytes:
    order = ">" if syntax == BIG else "<"
    padded = value + (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(value) % 2)
    size = len(padded) if length is None else length
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if syntax == IMPLICIT:
        return head + struct.pack("<I", size) + padded
    if vr in LONG:
        return head + vr.encode() + b"\0\0" + struct.pack(order + "I", size) + padded
    return head + vr.encode() + struct.pack(order + "H", size) + padded


def us(tag: int, number: int, *, syntax: str = EXPLICIT, vr: str = "US") -> bytes:
    return element(tag, vr, struct.pack(">H" if syntax == BIG else "<H", number & 0xFFFF), syntax=syntax)


def part10(body: bytes, syntax: str = EXPLICIT) -> bytes:
    meta = element(0x00020010, "UI", syntax.encode())
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + body


def header(*, syntax: str = EXPLICIT, modality: str = "CT") -> bytes:
    return element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2", syntax=syntax) + element(
        0x00080060, "CS", modality.encode(), syntax=syntax
    )


def image(
    pixels: bytes,
    *,
    rows: int = 4,
    columns: int = 4,
    syntax: str = EXPLICIT,
    extra: bytes = b"",
    before: bytes = b"",
    undefined: bool = False,
    **module: int | str,
) -> bytes:
    """Return a file; `module` has what of the pixel module is not as in a plain CT."""
    given: dict[str, int | str] = {
        "samples": 1,
        "photometric": "MONOCHROME2",
        "allocated": 16,
        "signed": 0,
        "modality": "CT",
        **module,
    }
    allocated = int(given["allocated"])
    stored = int(given.get("stored", allocated))
    body = header(syntax=syntax, modality=str(given["modality"])) + before
    body += us(0x00280002, int(given["samples"]), syntax=syntax)
    body += element(0x00280004, "CS", str(given["photometric"]).encode(), syntax=syntax)
    if "planar" in given:
        body += us(0x00280006, int(given["planar"]), syntax=syntax)
    if "frames" in given:
        body += element(0x00280008, "IS", str(given["frames"]).encode(), syntax=syntax)
    for tag, number in (
        (0x00280010, rows),
        (0x00280011, columns),
        (0x00280100, allocated),
        (0x00280101, stored),
        (0x00280102, int(given.get("high", stored - 1))),
        (0x00280103, int(given["signed"])),
    ):
        body += us(tag, number, syntax=syntax)
    kind = "OB" if undefined or allocated <= 8 else "OW"
    length = 0xFFFFFFFF if undefined else None
    return part10(body + extra + element(0x7FE00010, kind, pixels, syntax=syntax, length=length), syntax)


def fragments(*parts: bytes, table: bytes = b"") -> bytes:
    out = b""
    for part in (table, *parts):
        even = part + b"\0" * (len(part) % 2)
        out += b"\xfe\xff\x00\xe0" + struct.pack("<I", len(even)) + even
    return out + b"\xfe\xff\xdd\xe0\0\0\0\0"


def sequence(tag: int, *items: bytes, undefined: bool = False) -> bytes:
    inner = b""
    for item in items:
        size = 0xFFFFFFFF if undefined else len(item)
        end = b"\xfe\xff\x0d\xe0\0\0\0\0" if undefined else b""
        inner += b"\xfe\xff\x00\xe0" + struct.pack("<I", size) + item + end
    if undefined:
        inner += b"\xfe\xff\xdd\xe0\0\0\0\0"
    return element(tag, "SQ", inner, length=0xFFFFFFFF if undefined else None)


def ramp(rows: int = 4, columns: int = 4, kind: str = "<u2") -> npt.NDArray[np.generic]:
    return np.arange(rows * columns).reshape(rows, columns).astype(kind)


def jpeg_ls(array: npt.NDArray[np.generic]) -> bytes:
    assert array.dtype.itemsize == 1 or array.max() > 255  # else it is taken for bytes
    import jpeg_ls as charls  # type: ignore[import-untyped]  # it has no type information

    return bytes(charls.encode_array(array))
