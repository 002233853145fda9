"""Whether what an archive sends is what was asked for: a file by its own header, a match by what is told of it."""

import re
from collections.abc import Mapping

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.pacs.archive import SeriesFound
from hounsfield.data.pacs.part10 import file_meta

_DATES = frozenset({"StudyDate", "PatientBirthDate"})
_NOT_COMPARED = frozenset({"PatientName", "ReferringPhysicianName", "StudyTime"})
"""Archives may match names by sound and times in part; what they find is theirs to say."""


def check_asked_for(content: bytes, series: SeriesFound, sop_uid: str) -> None:
    """Look into the header of a file that came.

    Parameters
    ----------
    content : bytes
        The file.
    series : SeriesFound
    sop_uid : str
        Asked for.

    Raises
    ------
    ReadError
        If it is no DICOM file, or another instance, or one of another series or study.
    """
    meta = file_meta(content)
    entry = read_header(content)
    if {meta.sop_uid, entry.sop_uid} != {sop_uid}:
        raise ReadError("the archive sent another instance than was asked for")
    if (entry.study_uid, entry.series_uid) != (series.study_uid, series.series_uid):
        raise ReadError("the archive sent an instance of another study or series than was asked for")


def contradicts(told: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    """Tell whether a match is none: an archive that does not know a key ignores it, and names everybody.

    Parameters
    ----------
    told : mapping of str to str
        Keyword to value, several values with a backslash between; what was not told contradicts nothing.
    asked : mapping of str to str
        The keys of the query.
    """
    return any(
        told.get(name) and name not in _NOT_COMPARED and value.isascii() and not _meant(name, told[name], value)
        for name, value in asked.items()
    )


def _meant(name: str, told: str, asked: str) -> bool:
    if name in _DATES:
        first, dash, last = asked.partition("-")
        day = told.replace(".", "")
        return (first or "0") <= day <= (last or "9") if dash else day == first
    pattern = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in asked.strip().casefold())
    return any(_same(value.strip().casefold(), pattern) for value in told.split("\\"))


def _same(value: str, pattern: str) -> bool:
    return re.fullmatch(pattern, value, re.DOTALL) is not None
