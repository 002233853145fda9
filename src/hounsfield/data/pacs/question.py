"""What is asked for: ``PatientID=... StudyDate=20240101-20240630 Modality=CT``."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from hounsfield.core.errors import InputError, unknown_name

STUDY_KEYS = {
    "PatientID": "00100020",
    "PatientName": "00100010",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
    "StudyInstanceUID": "0020000D",
    "StudyID": "00200010",
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "StudyDescription": "00081030",
    "AccessionNumber": "00080050",
    "ReferringPhysicianName": "00080090",
    "ModalitiesInStudy": "00080061",
}
SERIES_KEYS = {
    "Modality": "00080060",
    "SeriesInstanceUID": "0020000E",
    "SeriesNumber": "00200011",
    "SeriesDescription": "0008103E",
    "BodyPartExamined": "00180015",
    "ProtocolName": "00181030",
    "StationName": "00081010",
}
_DATES = frozenset({"StudyDate", "PatientBirthDate"})
_DATE = re.compile(r"[0-9]{8}|[0-9]{8}-([0-9]{8})?|-[0-9]{8}")
_UIDS = frozenset({"StudyInstanceUID", "SeriesInstanceUID"})
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_EXAMPLE = "write for example --query 'StudyDate=20240101-20240630 Modality=CT'"
_LONGEST = 64


@dataclass(frozen=True)
class Question:
    """Keys to match, by level.

    Parameters
    ----------
    study, series : mapping of str to str
        Keyword to value; ``*`` and ``?`` are wildcards, dates may be ranges.
    """

    study: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)


def parse_question(text: str) -> Question:
    """Return the keys of a query.

    Parameters
    ----------
    text : str
        ``Keyword=value`` pairs with blanks between; a value with blanks stands in quotes.

    Raises
    ------
    InputError
        If it is empty, a keyword is unknown, or a date or UID is none.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError("The query has a quote that is not closed.", next_step=_EXAMPLE) from error
    keys: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise InputError(
                "A part of the query is not Keyword=value.",
                expected="pairs such as Modality=CT, a value with blanks in quotes",
                next_step=_EXAMPLE,
            )
        if name not in STUDY_KEYS and name not in SERIES_KEYS:
            raise unknown_name("key of a query", name, [*STUDY_KEYS, *SERIES_KEYS])
        if name in keys:
            raise InputError(f"The query has {name} twice.", expected="each keyword once", next_step=_EXAMPLE)
        keys[name] = _checked(name, value)
    if not keys:
        raise InputError(
            "The query is empty: it would ask for everything that the archive has.",
            expected="at least one Keyword=value",
            next_step=_EXAMPLE,
        )
    study = {name: value for name, value in keys.items() if name in STUDY_KEYS}
    series = {name: value for name, value in keys.items() if name in SERIES_KEYS}
    if "Modality" in series and "ModalitiesInStudy" not in study:
        study["ModalitiesInStudy"] = series["Modality"]
    return Question(study, series)


def is_uid(text: str) -> bool:
    """Tell whether a text is a UID: digits and dots, at most 64 characters."""
    return 0 < len(text) <= _LONGEST and _UID.fullmatch(text) is not None


def _checked(name: str, value: str) -> str:
    if name in _DATES and not _DATE.fullmatch(value):
        raise InputError(
            f"The value of {name} is not a date.",
            expected="20240131, or a range: 20240101-20240630, 20240101-, -20240630",
            next_step=_EXAMPLE,
        )
    if name in _UIDS and not is_uid(value):
        raise InputError(f"The value of {name} is not a UID.", expected="digits and dots", next_step=_EXAMPLE)
    if len(value) > _LONGEST or "\\" in value or not value.isprintable():
        raise InputError(
            f"The value of {name} cannot be asked for.",
            expected=f"at most {_LONGEST} characters, no backslash",
            next_step=_EXAMPLE,
        )
    return value
