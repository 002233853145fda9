"""Bytes of a volume's file, never more than its header has promised and this room allows."""

import bz2
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from hounsfield.core.errors import ReadError, case_id

Packing: TypeAlias = Literal["", "gzip", "zlib", "bzip2"]
"""How voxels are packed: not at all, or by one of the packers that the formats know."""

MAX_BYTES = 2 << 30
"""Largest volume that is decoded: 2 GiB, a whole body CT of 512 x 512 x 4000 voxels."""
MOST_DEFLATED = 1040
"""Deflate packs at most 1032 bytes into one; a header that promises more than that lies."""
_STEP = 1 << 20


def _check_promise(promised: int, case: str) -> None:
    """Refuse a header that promises more bytes than are ever decoded.

    Raises
    ------
    ReadError
        If it does.
    """
    if promised > MAX_BYTES:
        raise ReadError(
            f"Case {case}: the header promises {promised / 2**30:,.1f} GiB of voxels.",
            expected=f"at most {MAX_BYTES >> 30} GiB",
            next_step="crop or reduce the volume, or leave it out",
        )


def check_there(path: Path, *, start: int, promised: int, case: str, packing: Packing = "") -> None:
    """Refuse a header that promises more bytes than its file can hold.

    Raises
    ------
    ReadError
        If it does, or the file is missing.
    """
    try:
        there = max(0, path.stat().st_size - start)
    except OSError as error:
        raise ReadError(f"Case {case}: the file is missing.", expected="a file", next_step="restore it") from error
    most = {"": there, "bzip2": MAX_BYTES + promised}.get(packing, there * MOST_DEFLATED)
    if most < promised:
        raise _truncated(case, there, promised)


def read_bytes(path: Path, *, start: int, skip: int, count: int, packing: Packing, case: str) -> npt.NDArray[np.uint8]:
    """Return the bytes of voxels.

    Parameters
    ----------
    path : pathlib.Path
        The file that holds them.
    start : int
        Bytes of the file in front of what is packed.
    skip, count : int
        Unpacked bytes to leave out, and to return.
    packing : str
    case : str
        Name of the case in messages.

    Returns
    -------
    numpy.ndarray
        ``count`` bytes.

    Raises
    ------
    ReadError
        If there are fewer, the packing is damaged, or the header promises what no such file can hold.

    Notes
    -----
    Nothing is unpacked beyond the last wanted byte, so that a bomb unpacks to no more than was promised, and what is
    promised is compared with the size of the file before memory is taken.
    """
    _check_promise(count, case)
    check_there(path, start=start, promised=skip + count, case=case, packing=packing)
    try:
        found = np.empty(count, dtype=np.uint8)
        if not packing:
            with path.open("rb") as stream:
                stream.seek(start + skip)
                got = stream.readinto(found.data)
        else:
            got = _fill(found, _unpacked(path, start, packing), skip)
    except (OSError, zlib.error, EOFError, ValueError) as error:
        raise ReadError(
            f"Case {case}: the packed voxels are damaged ({type(error).__name__}).",
            expected="a complete file",
            next_step="copy it again from its source, or leave it out",
        ) from error
    if got < count:
        raise _truncated(case, got, count)
    return found


def first_bytes(path: Path, count: int) -> bytes:
    """Return up to `count` first bytes of a file, unpacked where it is a gzip.

    Raises
    ------
    ReadError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(count)
            if head[:2] != b"\x1f\x8b":
                return head
            head += stream.read(4096)
    except FileNotFoundError as error:
        raise ReadError(
            f"Case {case_id(path.name)}: the file is missing.", expected="a file", next_step="restore it"
        ) from error
    except OSError as error:
        raise ReadError(
            f"Case {case_id(path.name)}: the file cannot be opened ({error.strerror}).",
            expected="a readable file",
            next_step="check the path and the permissions",
        ) from error
    return unpacked_head(head, count)


def unpacked_head(head: bytes, count: int) -> bytes:
    """Return up to `count` bytes that the beginning of a gzip unpacks to; none where it is damaged."""
    try:
        return zlib.decompressobj(31).decompress(head, count)
    except zlib.error:
        return b""


def _unpacked(path: Path, start: int, packing: Packing) -> Iterator[bytes]:
    """Unpack one piece after another; a gzip may consist of several members."""
    with path.open("rb") as stream:
        stream.seek(start)
        if packing == "bzip2":
            yield from _unpacked_bzip2(iter(lambda: stream.read(_STEP), b""))
            return
        bits = 31 if packing == "gzip" else 15
        unpacker = zlib.decompressobj(bits)
        rest = stream.read(_STEP)
        while rest:
            piece = unpacker.decompress(rest, _STEP)
            rest = unpacker.unconsumed_tail
            if piece:
                yield piece
            if unpacker.eof:
                after = unpacker.unused_data or stream.read(_STEP)
                if packing == "zlib" or after[:1] != b"\x1f":
                    return
                unpacker, rest = zlib.decompressobj(bits), after
            elif not rest:
                rest = stream.read(_STEP)


def _unpacked_bzip2(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = bz2.BZ2Decompressor()
    for piece in pieces:
        data = piece
        while not unpacker.eof:
            found = unpacker.decompress(data, _STEP)
            data = b""
            if found:
                yield found
            if unpacker.needs_input:
                break


def _fill(found: npt.NDArray[np.uint8], pieces: Iterator[bytes], skip: int) -> int:
    got = 0
    for piece in pieces:
        kept = np.frombuffer(piece, dtype=np.uint8)
        if skip:
            left = kept[skip:]
            skip -= min(skip, len(kept))
            kept = left
        kept = kept[: len(found) - got]
        found[got : got + len(kept)] = kept
        got += len(kept)
        if got == len(found):
            break
    return got


def _truncated(case: str, there: int, promised: int) -> ReadError:
    return ReadError(
        f"Case {case}: the file is truncated, or its header lies: {promised:,} bytes of voxels are promised and "
        f"{there:,} are there.",
        expected="as many voxels as the header says",
        next_step="copy it again from its source, or leave it out",
    )
