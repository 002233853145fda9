"""C-FIND: what an archive has, level by level (PS3.4, annex C, study root)."""

from collections.abc import Iterator, Mapping, MutableSequence
from typing import TYPE_CHECKING

from hounsfield.core.errors import ArchiveError
from hounsfield.data.pacs.association import STUDY_FIND

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association

_PENDING = (0xFF00, 0xFF01)
_SUCCESS = 0x0000


def identifier(level: str, keys: Mapping[str, str]) -> "Dataset":
    """Return the data set of a query.

    Parameters
    ----------
    level : str
        STUDY, SERIES or IMAGE.
    keys : mapping of str to str
        Keyword to value; an empty value asks for it to be told.
    """
    from pydicom.dataset import Dataset

    made = Dataset()
    made.QueryRetrieveLevel = level
    if not all(value.isascii() for value in keys.values()):
        made.SpecificCharacterSet = "ISO_IR 192"
    for name, value in keys.items():
        setattr(made, name, value)
    return made


def matches(association: "Association", asked: "Dataset", *, most: int) -> Iterator["Dataset"]:
    """Yield the matches.

    Parameters
    ----------
    association : Association
    asked : Dataset
    most : int
        Matches.

    Raises
    ------
    ArchiveError
        If the archive fails, falls silent, or has more matches than `most`.
    """
    for number, (status, match) in enumerate(association.send_c_find(asked, STUDY_FIND)):
        code = getattr(status, "Status", None)
        if code is None:
            raise ArchiveError(
                "The archive fell silent or broke the connection while it was searching.",
                expected="an answer to C-FIND; some archives break off so where they do not know the caller's AE title",
                next_step="have our AE title (--aet) entered by its administrator (Orthanc: DicomModalities), "
                "or ask for less with --query",
            )
        if code not in _PENDING:
            if code != _SUCCESS:
                raise ArchiveError(
                    f"The archive refuses the search (C-FIND status {code:04X}).",
                    expected="an answer to C-FIND at study root",
                    next_step="leave keys out of --query; some archives do not match on all of them",
                )
            return
        if number >= most:
            raise ArchiveError(
                f"More than {most} matches.",
                expected="a narrower query",
                next_step="add keys to --query, such as a range of StudyDate",
            )
        if match is not None:
            yield match


def text(match: "Dataset", keyword: str) -> str:
    """Return a value as text, empty where it is missing or cannot be read."""
    try:
        value = match.get(keyword)
    except Exception:  # a hostile value makes parsing raise almost anything
        return ""
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value).strip("\0 ")
    return "\\".join(str(v) for v in value) if isinstance(value, MutableSequence) else str(value)
