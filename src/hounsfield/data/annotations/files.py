"""Names of the files that annotations are written to, and writing them whole or not at all."""

import os
import re
from pathlib import Path

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.errors import InputError, StorageError, case_id

_UNSAFE = re.compile(r"[^\w.\-]+")
_LONGEST = 80


def stem(name: str) -> str:
    """Return a file name for a sample or a class, without an ending.

    Parameters
    ----------
    name : str
        Any text; letters of every script stay.

    Notes
    -----
    A name that had to be changed (a slash, a space, too long) ends in a hash of the whole, so that two samples never
    share a file.
    """
    plain = _UNSAFE.sub("_", name).strip("._")[:_LONGEST]
    return plain if plain and plain == name else f"{plain or 'case'}-{case_id(name)}"


UNCERTAINTY = "uncertainty"
"""Folder of maps that say how unsure the model was at every voxel."""


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all, in a folder that is made where it is missing; return its path.

    Raises
    ------
    StorageError
        If it cannot be written; what was there before stays.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StorageError(
            f"A {path.suffix.lstrip('.').upper()} file could not be written ({error.strerror}).",
            expected=f"{max(1, len(content) >> 20)} MiB of free space in a folder that may be written to",
            next_step="free space or choose another folder",
        ) from error
    return path


def refuse(reason: str, source: Source, *, instead: str) -> None:
    """Raise the reason of a writer that does not accept an annotation; do nothing where there is none.

    Raises
    ------
    InputError
        With the reason and the format that can be written instead.
    """
    if reason:
        raise InputError(
            f"Case {case_id(source.name)}: {reason}.",
            expected="an annotation that this format can hold",
            next_step=f"write {instead} instead",
        )


def misfit(answer: Annotation, source: Source) -> str:
    """Return in one clause why an annotation does not lie on its image; ``""`` where it does."""
    if answer.size != source.image.size:
        sizes = [" x ".join(str(n) for n in size) for size in (answer.size, source.image.size)]
        return f"the annotation has {sizes[0]} voxels and the image {sizes[1]}"
    return ""
