"""Files that are written whole or not at all."""

import errno
import itertools
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from hounsfield.bundle.yaml_text import yaml_text
from hounsfield.core.errors import StorageError
from hounsfield.core.types import Json

_serial = itertools.count()
TEMP_SUFFIX = ".tmp"
_MADE = re.compile(r"\..+\.(?P<process>[0-9]{1,9})-[0-9]+" + re.escape(TEMP_SUFFIX))


def temp_sibling(path: Path) -> Path:
    """Return an unused hidden name beside `path`, for what is not finished yet."""
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}{TEMP_SUFFIX}")


def check_folder(folder: Path) -> None:
    """Find out before long work whether a folder can be written to; it need not exist, and is not made.

    Raises
    ------
    StorageError
        If the system would refuse.
    """
    try:
        there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    except OSError as error:
        raise storage_error(folder.name, error) from error
    if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
        fixed = hasattr(os, "statvfs") and os.statvfs(there).f_flag & os.ST_RDONLY
        raise storage_error(folder.name, OSError(errno.EROFS if fixed else errno.EACCES, ""))


def make_folder(folder: Path) -> None:
    """Make a folder with all above it, where it is not there.

    Raises
    ------
    StorageError
        If the system refuses, or a file is in the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder.name, error) from error


def remove_left_over(folder: Path) -> int:
    """Remove what killed processes left half-written anywhere below a folder; return how many files.

    Notes
    -----
    Only names that `temp_sibling` makes, and only of processes of this machine that are no more: what another process
    is writing there right now stays.
    """
    from psutil import pid_exists

    removed = 0
    for entry in folder.rglob(f".*{TEMP_SUFFIX}"):
        made = _MADE.fullmatch(entry.name)
        if made is not None and entry.is_file() and not pid_exists(int(made["process"])):
            with suppress(OSError):
                entry.unlink()
                removed += 1
    return removed


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block ends, and vanishes when it fails.

    Parameters
    ----------
    path : pathlib.Path
        Where the file will be. Its folder exists.

    Yields
    ------
    file
        A temporary file in the same folder; write as much as wanted, it need not fit into memory.

    Raises
    ------
    StorageError
        If the system refuses a write (disk full, no permission). The old file, if any, is untouched.

    Notes
    -----
    Temporary file, flush to the disk (fsync), rename over the old name: a reader sees the old or the new content,
    never a mixture, even when the process is killed.
    """
    temp = temp_sibling(path)
    try:
        with temp.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temp.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path.name, error) from error
    finally:
        with suppress(OSError):
            temp.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all; see `writing`."""
    with writing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, line ends unchanged, whole or not at all; see `writing`."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Json | BaseModel) -> None:
    """Write a JSON value or a model to `path`, indented, whole or not at all; see `writing`.

    Notes
    -----
    JSON has no NaN and no infinity: both are written as null.
    """
    write_text(path, json_text(value))


def write_yaml(path: Path, value: Json | BaseModel) -> None:
    """Write a JSON value or a model to `path` as readable YAML, whole or not at all; see `writing`."""
    plain: Json = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    write_text(path, yaml_text(plain))


def json_text(value: Json | BaseModel) -> str:
    """Return the indented JSON text of a value, NaN and infinity as null."""
    plain: Json = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(_finite(plain), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def sync_folder(folder: Path) -> None:
    """Flush a folder's own entries to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def storage_error(name: str, error: OSError) -> StorageError:
    """Build the error for a write that the system refused; only the file's own name is said."""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    return StorageError(
        f"{name} could not be written: {reason}.",
        expected="room and permission to write there; nothing half-written was left",
        next_step="free some space or choose another --out, then type the same command again",
    )


def _finite(value: Json) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
