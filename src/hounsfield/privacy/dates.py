"""Dates as people and machines write them: read from a text, and spelled in every usual way."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import product

_MONTHS = (
    ("jan", "january", "januar", "jänner", "janvier", "enero", "gennaio", "janeiro", "januari", "января"),
    ("feb", "february", "februar", "février", "febrero", "febbraio", "fevereiro", "februari", "февраля"),
    ("mar", "march", "mär", "märz", "mars", "marzo", "março", "maart", "марта"),
    ("apr", "april", "avril", "abril", "aprile", "апреля"),
    ("may", "mai", "mayo", "maggio", "maio", "mei", "мая"),
    ("jun", "june", "juni", "juin", "junio", "giugno", "junho", "июня"),
    ("jul", "july", "juli", "juillet", "julio", "luglio", "julho", "июля"),
    ("aug", "august", "août", "agosto", "augustus", "августа"),
    ("sep", "sept", "september", "septembre", "septiembre", "settembre", "setembro", "сентября"),
    ("oct", "okt", "october", "oktober", "octobre", "octubre", "ottobre", "outubro", "октября"),
    ("nov", "november", "novembre", "noviembre", "novembro", "ноября"),
    ("dec", "dez", "december", "dezember", "décembre", "diciembre", "dicembre", "dezembro", "декабря"),
)
_NUMBER_OF = {word: number for number, words in enumerate(_MONTHS, start=1) for word in words}
_FIRST_YEAR, _LAST_YEAR = 1850, 2150

_TIME = r"(?:[t ]?\d{1,2}[:.]?\d{2}(?:[:.]?\d{2}(?:[.,]\d+)?)?)?(?:z|[+-]\d{2}:?\d{2})?"
_COMPACT = re.compile(r"(?<!\d)(\d{4})(\d{2})(\d{2})(?:[t ]?\d{6}(?:\.\d+)?|[t ]?\d{4})?(?:[+-]\d{4}|z)?(?![\d])")
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}})[-/.:_ ](\d{{1,2}})[-/.:_ ](\d{{1,2}}){_TIME}(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})[-/.:_ ](\d{1,2})[-/.:_ ](\d{4}|\d{2})(?:[t ]\d+[:.].*)?(?!\d)")
_DAY_NAMED = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[-. /]*([^\W\d_]{3,10})[-., /]*(\d{4}|\d{2})(?!\d)")
_NAMED_DAY = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,10})[-. /]*(\d{1,2})(?:st|nd|rd|th)?[-., /]+(\d{4})(?!\d)")
_EAST_ASIAN = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]?")
_FORMS = (_COMPACT, _YEAR_FIRST, _YEAR_LAST, _DAY_NAMED, _NAMED_DAY, _EAST_ASIAN)


def dates_in(text: str) -> frozenset[date]:
    """Return the dates that stand in a text, both where day and month can be swapped.

    Parameters
    ----------
    text : str
        Such as ``20240131``, ``31.01.2024``, ``01/31/2024``, ``2024-01-31T08:15``, ``seen on 31-JAN-2024``.
    """
    return _read(text)[0]


def without_dates(text: str) -> str:
    """Return a text, in lower case, with line breaks in the place of its dates."""
    return _read(text)[1]


def _read(text: str) -> tuple[frozenset[date], str]:
    text = _plain(text)
    found: set[date] = set()
    for form in _FORMS:
        for m in form.finditer(text):
            meant = _meant(form, m)
            found.update(meant)
            if meant:  # what one form has read, the next does not read again with the hours behind it
                text = text[: m.start()] + "\n" * (m.end() - m.start()) + text[m.end() :]
    return frozenset(found), text


def is_date(text: str) -> bool:
    """Tell whether a text is a date, with or without a time, and nothing else."""
    text = _plain(text)
    return any((m := form.fullmatch(text)) and _meant(form, m) for form in _FORMS)


def _plain(text: str) -> str:
    return text.strip(" \0\t\r\n").casefold()


def _meant(form: re.Pattern[str], m: re.Match[str]) -> list[date]:
    found: list[date | None]
    if form is _YEAR_LAST:
        found = [_made(y, b, a) for y in _years(m[3]) for a, b in ((m[1], m[2]), (m[2], m[1]))]
    elif form is _DAY_NAMED:
        found = [_made(y, str(_NUMBER_OF.get(m[2], 0)), m[1]) for y in _years(m[3])]
    elif form is _NAMED_DAY:
        found = [_made(m[3], str(_NUMBER_OF.get(m[1], 0)), m[2])]
    else:
        found = [_made(m[1], m[2], m[3])]
    return [d for d in found if d is not None]


def spellings_of(day: date) -> Iterator[str]:
    """Yield every usual way to write a date, in lower case; some come twice."""
    year, short = f"{day.year:04d}", f"{day.year % 100:02d}"
    months = (f"{day.month:02d}", str(day.month))
    days = (f"{day.day:02d}", str(day.day))
    yield from (f"{year}{months[0]}{days[0]}", f"{days[0]}{months[0]}{year}", f"{months[0]}{days[0]}{year}")
    for mark, m, d in product("-/._: ", months, days):
        yield from (f"{year}{mark}{m}{mark}{d}", f"{d}{mark}{m}{mark}{year}", f"{m}{mark}{d}{mark}{year}")
    for mark in "-/.":
        yield f"{days[0]}{mark}{months[0]}{mark}{short}"
        yield f"{months[0]}{mark}{days[0]}{mark}{short}"
        yield f"{short}{mark}{months[0]}{mark}{days[0]}"
    for name, d in product(_MONTHS[day.month - 1], days):
        for mark in ("-", " ", "", ". ", "/", "."):
            yield from (f"{d}{mark}{name}{mark.strip('. ') or ' '}{year}", f"{d}{mark}{name}{mark}{year}")
        yield from (f"{name} {d}, {year}", f"{name} {d} {year}", f"{year} {name} {d}", f"{year}-{name}-{d}")
        yield from (f"{d}-{name}-{short}", f"{name}. {d}, {year}", f"{d} {name}., {year}", f"{d} {name}, {year}")
    for ending in ("th", "st", "nd", "rd"):
        for name in _MONTHS[day.month - 1][:4]:
            yield from (f"{day.day}{ending} {name} {year}", f"{name} {day.day}{ending}, {year}")
    for m, d in product(months, days):
        yield from (f"{year}年{m}月{d}日", f"{year}년 {m}월 {d}일")


def _years(text: str) -> tuple[str, ...]:
    return (text,) if len(text) == 4 else (f"19{text}", f"20{text}")


def _made(year: str, month: str, day: str) -> date | None:
    try:
        made = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return made if _FIRST_YEAR <= made.year <= _LAST_YEAR else None
