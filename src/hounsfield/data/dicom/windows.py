"""Bytes of a file by position, fetched as they are needed: never the whole file, never more than is allowed."""

import zlib
from collections.abc import Callable
from typing import Protocol

from hounsfield.core.errors import ReadError

WINDOW = 8 << 10
"""Bytes fetched at once: the header of most files lies in the first window."""
MOST_INFLATED = 256 << 20
"""Bytes that one compressed file or member is unpacked to at most while its header is looked for."""
_CHUNK = 16 << 10
_KEPT = 256 << 10


class Ended(Exception):
    """The bytes end before the header does."""


class Stream(Protocol):
    """What can be read forwards."""

    def read(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes; nothing at the end."""
        ...


class Window:
    """A piece of a file in memory, moved where it is needed.

    Parameters
    ----------
    fetch : callable
        Position and count to bytes; fewer at the end.
    size : int or None
        Bytes in all, None where unknown.

    Notes
    -----
    `data` and `base` (position of its first byte) are read directly by the loops over elements, which are where the
    time goes.
    """

    __slots__ = ("_fetch", "base", "data", "size")

    def __init__(self, fetch: Callable[[int, int], bytes], size: int | None) -> None:
        self._fetch = fetch
        self.size = size
        self.base = 0
        self.data = fetch(0, WINDOW)

    def need(self, position: int, count: int) -> int:
        """Move the window so that it holds some bytes, and return where in `data` they begin.

        Raises
        ------
        Ended
            If the file has fewer bytes.
        """
        offset = position - self.base
        if offset < 0 or offset + count > len(self.data):
            if self.size is not None and position + count > self.size:
                raise Ended
            self.data = self._fetch(position, max(count, WINDOW))
            self.base = position
            if len(self.data) < count:
                raise Ended
            return 0
        return offset

    def take(self, position: int, count: int) -> bytes:
        """Return some bytes."""
        offset = self.need(position, count)
        return self.data[offset : offset + count]


class Forward:
    """Fetches from a stream that only goes forwards: a member of an archive, or what is unpacked on the way."""

    def __init__(self, stream: Stream, most: int = MOST_INFLATED) -> None:
        self._stream = stream
        self._most = most
        self._kept = bytearray()
        self._start = 0

    def __call__(self, position: int, count: int) -> bytes:
        """Return bytes from `position` on; what lies far behind it is gone."""
        while self._start + len(self._kept) < position + count:
            if self._start + len(self._kept) > self._most:
                raise ReadError(
                    f"It unpacks to more than {self._most >> 20} MiB before its header ends.",
                    expected="a DICOM file",
                    next_step="leave the file out",
                )
            chunk = self._next()
            if not chunk:
                break
            self._kept += chunk
            spare = min(position, self._start + len(self._kept)) - self._start - _KEPT
            if spare > 0:
                del self._kept[:spare]
                self._start += spare
        at = position - self._start
        return bytes(self._kept[at : at + count]) if at >= 0 else b""

    def _next(self) -> bytes:
        try:
            return self._stream.read(_CHUNK)
        except (OSError, EOFError, zlib.error, ValueError, NotImplementedError, RuntimeError):
            return b""  # damaged: what came out before counts


class Inflating:
    """A stream of what a raw deflated stream unpacks to, as in Deflated Explicit VR Little Endian (PS3.5 A.5).

    Parameters
    ----------
    fetch : callable
        Position and count to bytes of the compressed file.
    position : int
        Where the deflated bytes begin.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], position: int) -> None:
        self._fetch = fetch
        self._position = position
        self._engine = zlib.decompressobj(-zlib.MAX_WBITS)

    def read(self, size: int = _CHUNK, /) -> bytes:
        """Return at most `size` bytes."""
        while not self._engine.eof:
            waiting = self._engine.unconsumed_tail
            if not waiting:
                waiting = self._fetch(self._position, WINDOW)
                self._position += len(waiting)
                if not waiting:
                    return b""
            unpacked = self._engine.decompress(waiting, size)
            if unpacked:
                return unpacked
        return b""
