"""Headers that are lines of text, and the file that they name for their voxels."""

import os
from collections.abc import Callable
from pathlib import Path

from hounsfield.core.errors import ReadError
from hounsfield.data.files import inside
from hounsfield.data.volume.stored import lies

LONGEST = 1 << 20
"""Bytes of text after which a header is not believed."""


def text_header(path: Path, case: str, *, ends: Callable[[str], bool]) -> tuple[list[str], int]:
    """Return the lines of a header, and at which byte what follows begins.

    Parameters
    ----------
    path : pathlib.Path
    case : str
        Name of the case in messages.
    ends : callable
        Tells whether a line is the last of the header; the last line is returned too unless it is empty. A header
        may also end with its file.

    Raises
    ------
    ReadError
        If the file cannot be read, or its header has no end within 1 MiB.
    """
    lines: list[str] = []
    used = 0
    try:
        with path.open("rb") as stream:
            while used <= LONGEST:
                raw = stream.readline(LONGEST)
                used += len(raw)
                line = raw.decode("latin-1").strip("\r\n")
                if line:
                    lines.append(line)
                if not raw or ends(line):
                    return lines, used
    except FileNotFoundError as error:
        raise ReadError(f"Case {case}: the file is missing.", expected="a file", next_step="restore it") from error
    except OSError as error:
        raise ReadError(
            f"Case {case}: the file cannot be opened ({error.strerror}).",
            expected="a readable file",
            next_step="check the path and the permissions",
        ) from error
    raise lies(case, f"more than {LONGEST:,} bytes of text", "a header of some lines")


def beside(root: Path, header: Path, name: str, case: str) -> Path:
    """Return the file that a header names for its voxels.

    Raises
    ------
    ReadError
        If it is a list or a pattern of files, missing, or outside the data folder.
    """
    name = name.strip().replace("\\", "/")
    several = name.upper().startswith("LIST") or "%" in name or (len(name.split()) > 1 and name.split()[-1].isdigit())
    if several or not name:
        raise lies(case, "voxels spread over several files", "one file of voxels")
    place = inside(root, Path(os.path.relpath(header.parent / name, root)).as_posix())
    if not place.is_file():
        raise ReadError(
            f"Case {case}: the file that the header names for its voxels is missing.",
            expected="both files in one folder",
            next_step="copy both files",
        )
    return place
