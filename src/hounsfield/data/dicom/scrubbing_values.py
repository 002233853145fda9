"""Values that replace values: dummies that are valid for their kind, dates moved by whole days."""

import re
from datetime import date, timedelta

DUMMIES: dict[str, object] = {
    "AE": "REMOVED", "AS": "000Y", "CS": "REMOVED", "DA": "19000101", "DS": "0", "DT": "19000101000000", "IS": "0",
    "LO": "REMOVED", "LT": "REMOVED", "PN": "Anonymous", "SH": "REMOVED", "ST": "REMOVED", "TM": "000000",
    "UC": "REMOVED", "UR": "urn:removed", "UT": "REMOVED", "OB": b"\0\0", "OW": b"\0\0", "UN": b"\0\0",
    "FD": 0.0, "FL": 0.0, "SL": 0, "SS": 0, "SV": 0, "UL": 0, "US": 0, "UV": 0,
}  # fmt: skip
"""Kind of value (VR) -> a value that is valid and says nothing."""

TEXT = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""Kinds of value that are text a person may have typed."""

DAY = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})((?:\d{2}){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?)")
WELL_FORMED = {
    "AS": re.compile(r"\d{1,3}[DWMY]"),
    "DS": re.compile(r"[-+0-9Ee. ]*"),
    "IS": re.compile(r"[-+0-9 ]*"),
    "TM": re.compile(r"[0-9:. ]*"),
    "UI": re.compile(r"[0-9.]{1,64}"),
}
"""Kinds of text that hold numbers, and what they look like: a word has no place in them."""

OLDEST_TOLD = 89
"""Ages above it are told as one: 45 CFR 164.514(b)(2)(i)(C)."""


def shifted(text: str, days: int) -> str | None:
    """Return a date, or a date with time, moved by whole days; None where it is not a whole date.

    Parameters
    ----------
    text : str
        ``YYYYMMDD`` (also with dots, as before 1993), with or without a time behind it, which stays.
    days : int

    Examples
    --------
    >>> shifted("20200301", -1), shifted("202003011530.5+0100", -60), shifted("2020", 1)
    ('20200229', '202001011530.5+0100', None)
    """
    found = DAY.fullmatch(text.strip(" \0"))
    if found is None:
        return None
    try:
        moved = date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved:%Y}".zfill(4) + f"{moved:%m%d}" + found[4]


def told_age(text: str) -> str:
    """Return an age as it may be told: ``090Y`` for every age above 89 years.

    Examples
    --------
    >>> told_age("093Y"), told_age("045Y"), told_age("011M")
    ('090Y', '045Y', '011M')
    """
    found = re.fullmatch(r"\s*(\d{1,4})Y\s*", text)
    return "090Y" if found and int(found[1]) > OLDEST_TOLD else text
