"""Zip and tar archives of DICOM files, read in place: nothing is written beside them, names lead nowhere.

What an archive unpacks to is bounded by a hundred times its own size, and each member by what one file may have.
"""

import bz2
import gzip
import lzma
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.tars import BLOCK, Bytes, TarMember, is_tar, tar_members
from hounsfield.data.dicom.windows import Forward, Stream

MOST_MEMBERS = 500_000
MOST_MEMBER_BYTES = 512 << 20
"""Bytes of one member that are taken into memory."""
_MOST_DIRECTORY = 128 << 20
_MOST_RATIO = 100
_SPARE = 64 << 20
_DAMAGED = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, KeyError, StructError, zipfile.BadZipFile,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
_Packed = gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile
_OPENERS: dict[bytes, Callable[[Path], _Packed]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZ": bz2.BZ2File,
    b"\xfd7": lzma.LZMAFile,
}


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    Parameters
    ----------
    name : str
        POSIX path inside the archive.
    size : int
        Bytes unpacked, as the archive says.
    stream : Stream or None
        Its content from the beginning; None where it cannot be read.
    fault : str
        Why not.
    """

    name: str
    size: int
    stream: Stream | None = None
    fault: str = ""


def archive_kind(path: Path) -> str:
    """Return ``zip``, ``tar`` or ``packed tar`` by content; empty for any other file and for what cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(BLOCK)
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            return "zip"
        if is_tar(head):
            return "tar"
        opener = _OPENERS.get(head[:2])
        if opener is not None:
            with opener(path) as packed:
                return "packed tar" if is_tar(packed.read(BLOCK)) else ""
    except _DAMAGED:
        return ""
    return ""


def members(path: Path, kind: str) -> Iterator[Member]:
    """Yield the files of an archive in its own order; each stream is good until the next member.

    Raises
    ------
    ReadError
        If the archive is damaged or unpacks to too much.
    """
    try:
        if kind == "zip":
            yield from _zip_members(path)
        else:
            yield from _tar_files(path, packed=kind != "tar")
    except _DAMAGED as error:
        raise ReadError(
            f"The archive is damaged ({type(error).__name__}).", expected="a whole archive", next_step="copy it again"
        ) from error


def member_bytes(path: Path, name: str) -> bytes:
    """Return the content of one file of an archive.

    Raises
    ------
    ReadError
        If it is not there, damaged, or has more than 512 MiB.
    """
    kind = archive_kind(path)
    try:
        found = path.stat()
        if kind == "zip":
            with _zip(path, found.st_size, found.st_mtime_ns, os.getpid()).open(name) as stream:
                return _whole(stream)
        tar = _tar(path, found.st_size, found.st_mtime_ns, kind != "tar")
        member = tar.table[name]
        if member.size > MOST_MEMBER_BYTES:
            raise _too_large()
        return tar.take(member.start, member.size)
    except _DAMAGED as error:
        raise ReadError(
            f"A file of an archive cannot be read ({type(error).__name__}).",
            expected="a whole archive",
            next_step="copy it again, or unpack it by hand",
        ) from error


def _whole(stream: Stream) -> bytes:
    content = stream.read(MOST_MEMBER_BYTES + 1)
    if len(content) > MOST_MEMBER_BYTES:
        raise _too_large()
    return content


def _too_large() -> ReadError:
    return ReadError(
        f"A file of an archive has more than {MOST_MEMBER_BYTES >> 20} MiB.",
        expected="smaller files",
        next_step="unpack the archive by hand",
    )


def _fault_of(name: str) -> str:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0]:
        return "its name leads outside the archive"
    return ""


class _Counted:
    """A stream that may be read until a budget that it shares is spent."""

    def __init__(self, stream: Stream, budget: list[int]) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int = -1, /) -> bytes:
        try:
            found = self._stream.read(size) if self._budget[0] >= 0 else b""
        except _DAMAGED as error:
            raise ReadError("It is damaged in the archive.", expected="a whole archive") from error
        self._budget[0] -= len(found)
        if self._budget[0] < 0:
            raise ReadError(
                f"The archive unpacks to more than {_MOST_RATIO} times its size.",
                expected="an archive of images",
                next_step="unpack it by hand if it is one",
            )
        return found


def _budget(path: Path) -> list[int]:
    return [_SPARE + _MOST_RATIO * path.stat().st_size]


def _zip_members(path: Path) -> Iterator[Member]:
    if _directory_bytes(path) > _MOST_DIRECTORY:
        raise ReadError(f"The archive's table of contents has more than {_MOST_DIRECTORY >> 20} MiB.")
    budget = _budget(path)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise ReadError(f"The archive has more than {MOST_MEMBERS:,} members.", expected="a disk of images")
        if any(i.filename == "[Content_Types].xml" for i in infos):
            return  # a document of an office program
        for info in infos:
            if info.is_dir():
                continue
            fault = _fault_of(info.filename) or ("it is encrypted" if info.flag_bits & 1 else "")
            if fault:
                yield Member(info.filename, info.file_size, fault=fault)
                continue
            try:
                with archive.open(info) as stream:
                    yield Member(info.filename, info.file_size, _Counted(stream, budget))
            except _DAMAGED as error:
                yield Member(info.filename, info.file_size, fault=f"it is damaged ({type(error).__name__})")


def _directory_bytes(path: Path) -> int:
    """Return the size of a zip's table of contents, as its end says (APPNOTE 4.3.14 to 4.3.16)."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - (1 << 16) - 22))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0:
            raise zipfile.BadZipFile
        found = int(unpack_from("<I", tail, at + 12)[0])
        if found == 0xFFFFFFFF and tail[at - 20 : at - 16] == b"PK\x06\x07":
            file.seek(unpack_from("<Q", tail, at - 12)[0])
            found = int(unpack_from("<Q", file.read(56), 40)[0])
    return found


class _Positions(Bytes):
    """A tar that lies on the disk."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def take(self, position: int, count: int) -> bytes:
        return os.pread(self._handle, count, position)


class _Passing(Bytes):
    """A tar that comes out of a decompressor."""

    def __init__(self, stream: Stream) -> None:
        self._forward = Forward(stream, most=1 << 62)

    def take(self, position: int, count: int) -> bytes:
        return self._forward(position, count)


class _Part:
    """A member of a tar as a stream."""

    def __init__(self, source: Bytes, member: TarMember) -> None:
        self._source = source
        self._at = member.start
        self._end = member.start + member.size

    def read(self, size: int = -1, /) -> bytes:
        count = self._end - self._at if size < 0 else min(size, self._end - self._at)
        found = self._source.take(self._at, count) if count > 0 else b""
        self._at += len(found)
        return found


def _tar_files(path: Path, *, packed: bool) -> Iterator[Member]:
    if packed:
        with _opened(path) as stream:
            yield from _parts(_Passing(_Counted(stream, _budget(path))))
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        yield from _parts(_Positions(handle))
    finally:
        os.close(handle)


def _opened(path: Path) -> _Packed:
    with path.open("rb") as file:
        return _OPENERS[file.read(2)](path)


def _parts(source: Bytes) -> Iterator[Member]:
    for member in tar_members(source, MOST_MEMBERS):
        fault = _fault_of(member.name)
        yield Member(member.name, member.size, None if fault else _Part(source, member), fault)


class _Tar(Bytes):
    """A tar with its table of contents; a packed one is unpacked once, into a file without a name."""

    def __init__(self, path: Path, *, packed: bool) -> None:
        self._handle = os.open(path, os.O_RDONLY)
        if packed:
            os.close(self._handle)
            self._handle = _unpacked(path)
        self.table = {m.name: m for m in tar_members(_Positions(self._handle), MOST_MEMBERS)}

    def take(self, position: int, count: int) -> bytes:
        return os.pread(self._handle, count, position)

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self._handle)


def _unpacked(path: Path) -> int:
    with _opened(path) as stream, tempfile.TemporaryFile() as file:
        counted = _Counted(stream, _budget(path))
        while chunk := counted.read(1 << 20):
            file.write(chunk)
        file.flush()
        return os.dup(file.fileno())


@lru_cache(maxsize=2)
def _zip(path: Path, size: int, changed_ns: int, process: int) -> zipfile.ZipFile:
    """Return an archive that is open; a process of its own has its own, since two must not move one file's place."""
    del size, changed_ns, process
    return zipfile.ZipFile(path)


@lru_cache(maxsize=2)
def _tar(path: Path, size: int, changed_ns: int, packed: bool) -> _Tar:  # noqa: FBT001 - keys of the cache
    del size, changed_ns
    return _Tar(path, packed=packed)
