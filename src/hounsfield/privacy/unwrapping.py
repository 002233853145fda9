"""What lies inside bytes and can be decoded without knowing their format: compressed streams, base64, escapes.

Found by their first bytes anywhere in the content; a stream inside a stream as well, within limits.
"""

import base64
import binascii
import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UnwrapLimits:
    """How far streams are followed.

    Parameters
    ----------
    stream_bytes : int
        Largest decoded size of one stream; what is longer is searched up to there, and that is said.
    total_bytes : int
        Of all streams of one file.
    depth : int
        Streams within streams.
    """

    stream_bytes: int = 256 << 20
    total_bytes: int = 1 << 30
    depth: int = 4


@dataclass
class Layer:
    """One view of a file's bytes.

    Parameters
    ----------
    kind : str
        ``bytes``, or how it was decoded: ``zlib in bytes``.
    offset : int
        Where the stream begins in the outermost content.
    content : bytes
    """

    kind: str
    offset: int
    content: bytes | memoryview = field(repr=False)


_CHUNK = 32 << 20
_MARGIN = 1 << 16
_LEAST = 16
_MAGICS = (
    (b"\x78\x9c", "zlib"), (b"\x78\x01", "zlib"), (b"\x78\xda", "zlib"), (b"\x78\x5e", "zlib"),
    (b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "zip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"),
)  # fmt: skip
_RUN = 24
"""Letters in a row, from which on they are decoded as base64 or hexadecimal digits."""


def _members(alphabet: bytes) -> bytes:
    return bytes(int(b in alphabet) for b in range(256))


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_IN_RUNS = _members(_BASE64 + b"+/-_=\r\n")
_RUN_MARK = b"\1" * _RUN
_HEX = re.compile(rb"[0-9a-fA-F]+")
_ESCAPES = (rb"\\[ux][0-9a-fA-F]{2}", rb"&#x?[0-9a-fA-F]{2}", rb"%[0-9a-fA-F]{2}")
_ESCAPE = re.compile(
    rb"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|&#x([0-9a-fA-F]{1,6});|&#([0-9]{1,7});|%([0-9a-fA-F]{2})"
)
_AROUND_ESCAPE = 128


class Unwrapper:
    """Yields the content itself and everything that can be decoded from it.

    Parameters
    ----------
    limits : UnwrapLimits

    Attributes
    ----------
    cut : bool
        Whether a stream was larger than what is followed.
    deeper : bool
        Whether more lies inside the innermost streams that are followed.
    """

    def __init__(self, limits: UnwrapLimits | None = None) -> None:
        self.limits = limits or UnwrapLimits()
        self.cut = False
        self.deeper = False
        self._left = self.limits.total_bytes

    def layers(self, content: bytes | memoryview) -> Iterator[Layer]:
        """Yield the views of a content, itself first."""
        self._left = self.limits.total_bytes
        yield from self._layers(Layer("bytes", 0, content), 0)

    def _layers(self, layer: Layer, depth: int) -> Iterator[Layer]:
        yield layer
        if depth >= self.limits.depth:
            self.deeper = self.deeper or next(self._inside(layer.content), None) is not None
            return
        for kind, at, inner in self._inside(layer.content):
            offset = at if layer.kind == "bytes" else layer.offset
            yield from self._layers(Layer(f"{kind} in {layer.kind}", offset, inner), depth + 1)

    def _inside(self, content: bytes | memoryview) -> Iterator[tuple[str, int, bytes]]:
        skip = 0
        for at, kind in _magics(content):
            if at < skip:
                continue
            inner, used = self._inflated(kind, content, at)
            if len(inner) >= _LEAST:
                skip = at + used
                yield kind, at, inner
        for begin in range(0, len(content), _CHUNK):
            chunk = bytes(content[begin : begin + _CHUNK + _MARGIN])
            for kind, at, inner in (*_runs(chunk), *_unescaped_parts(chunk)):
                yield kind, begin + at, inner

    def _inflated(self, kind: str, content: bytes | memoryview, at: int) -> tuple[bytes, int]:
        """Return a decoded stream, as far as it goes, and how many bytes of the content it took."""
        most = min(self.limits.stream_bytes, self._left)
        if most <= 0:
            self.cut = True
            return b"", 0
        begin = at
        decoder: Callable[[memoryview, int], tuple[bytes, int, bool]]
        if kind == "zip":
            head = bytes(content[at : at + 30])
            if len(head) < 30 or head[8:10] != b"\x08\x00":
                return b"", 0
            begin = at + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
            decoder = _raw_deflate
        else:
            decoder = _DECODERS[kind]
        inner, used, cut = decoder(memoryview(content)[begin:], most)
        self.cut = self.cut or cut
        self._left -= len(inner)
        return inner, begin - at + used


def _zlib(data: memoryview, most: int, wbits: int) -> tuple[bytes, int, bool]:
    decoder = zlib.decompressobj(wbits)
    out = bytearray()
    at, step = 0, 1 << 16
    try:
        while at < len(data) and not decoder.eof and len(out) < most:
            piece = decoder.unconsumed_tail or data[at : at + step]
            if not decoder.unconsumed_tail:
                at += len(piece)
            out += decoder.decompress(piece, most - len(out))
    except zlib.error:
        # what was decoded before the damage is searched all the same
        return bytes(out), 0, False
    used = at - len(decoder.unused_data) - len(decoder.unconsumed_tail)
    return bytes(out), used, len(out) >= most and not decoder.eof


def _raw_deflate(data: memoryview, most: int) -> tuple[bytes, int, bool]:
    return _zlib(data, most, -15)


def _other(
    decoder: "bz2.BZ2Decompressor | lzma.LZMADecompressor", data: memoryview, most: int
) -> tuple[bytes, int, bool]:
    try:
        out = decoder.decompress(data, most)
    except (OSError, EOFError, ValueError, lzma.LZMAError):
        return b"", 0, False
    return out, len(data) - len(decoder.unused_data) if decoder.eof else 0, not decoder.eof and len(out) >= most


_DECODERS: dict[str, Callable[[memoryview, int], tuple[bytes, int, bool]]] = {
    "zlib": lambda data, most: _zlib(data, most, 15),
    "gzip": lambda data, most: _zlib(data, most, 31),
    "bzip2": lambda data, most: _other(bz2.BZ2Decompressor(), data, most),
    "xz": lambda data, most: _other(lzma.LZMADecompressor(memlimit=256 << 20), data, most),
}


def _magics(content: bytes | memoryview) -> list[tuple[int, str]]:
    found = []
    for begin in range(0, len(content), _CHUNK):
        chunk = bytes(content[begin : begin + _CHUNK + 8])
        for magic, kind in _MAGICS:
            at = chunk.find(magic)
            while 0 <= at < _CHUNK:
                found.append((begin + at, kind))
                at = chunk.find(magic, at + 1)
    return sorted(found)


def _runs(chunk: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield what long runs of letters and digits decode to, as base64 and as hexadecimal digits."""
    marks = chunk.translate(_IN_RUNS)
    at = marks.find(_RUN_MARK)
    while at >= 0:
        end = marks.find(b"\0", at)
        end = len(chunk) if end < 0 else end
        letters = b"".join(chunk[at:end].replace(b"-", b"+").replace(b"_", b"/").split())
        for piece in letters.split(b"="):
            usable = len(piece) - (len(piece) % 4 == 1)
            if usable >= _LEAST:
                yield "base64", at, base64.b64decode(piece[:usable] + b"=" * (-usable % 4))
        digits = b"".join(_HEX.findall(letters))
        if len(digits) >= _LEAST and len(digits) * 10 >= len(letters) * 9:
            yield "hexadecimal", at, binascii.unhexlify(digits[: len(digits) // 2 * 2])
        at = marks.find(_RUN_MARK, end)


def _unescaped_parts(chunk: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield the surroundings of JSON, XML and URL escapes with the escapes resolved, where any can be."""
    for low, high in _around_escapes(chunk):
        resolved = _ESCAPE.sub(_unescaped, chunk[low:high])
        if resolved != chunk[low:high]:  # what only looks like one would be found in itself again and again
            yield "escapes", low, resolved


def _around_escapes(chunk: bytes) -> Iterator[tuple[int, int]]:
    """Give where the surroundings of what may be escapes begin and end; those that overlap are one."""
    low = high = -1
    for place in sorted(m.start() for pattern in _ESCAPES for m in re.finditer(pattern, chunk)):
        if high < 0 or place - _AROUND_ESCAPE > high:
            if high >= 0:
                yield low, high
            low = max(0, place - _AROUND_ESCAPE)
        high = place + _AROUND_ESCAPE
    if high >= 0:
        yield low, high


def _unescaped(m: "re.Match[bytes]") -> bytes:
    wide = m[1] or m[3]
    if wide:
        number = int(wide, 16)
    elif m[4]:
        number = int(m[4])
    else:
        return bytes([int(m[2] or m[5], 16)])
    return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else bytes(m[0])
