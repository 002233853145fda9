"""Which series of an archive are fetched, by what it tells of them before anything is fetched."""

import re
from collections.abc import Callable

from hounsfield.core.errors import InputError
from hounsfield.data.dicom.query import KEYWORDS, NUMBERS, parse_query
from hounsfield.data.pacs.archive import SeriesFound
from hounsfield.data.pacs.question import SERIES_KEYS

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def series_choice(text: str) -> Callable[[SeriesFound], bool]:
    """Return what tells whether a series is meant.

    Parameters
    ----------
    text : str
        Such as ``SeriesDescription contains 'thin' and not SeriesNumber > 900``.

    Raises
    ------
    InputError
        If it cannot be read, or asks for what archives do not tell of a series.
    """
    query = parse_query(text)
    asked = {word for word in _WORD.findall(_QUOTED.sub("", text)) if word in KEYWORDS}
    if untold := sorted(asked - SERIES_KEYS.keys()):
        raise InputError(
            f"Archives do not tell {', '.join(untold)} of a series.",
            expected="questions about " + ", ".join(SERIES_KEYS),
            next_step="fetch more, and choose among what came: hu inspect OUT --series ...",
        )

    def meant(series: SeriesFound) -> bool:
        return query.matches({name: _value(name, told) for name, told in series.told.items()})

    return meant


def _value(name: str, told: str) -> str | float:
    if name not in NUMBERS:
        return told
    try:
        return float(told)
    except ValueError:
        return told
