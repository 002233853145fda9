"""A date in a text moved by days, written as it was written."""

import re
from datetime import date, timedelta

_FORMS = (
    (re.compile(r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?P<rest>[T ].*)?"), "{y}{s}{m}{s}{d}"),
    (re.compile(r"(?P<y>\d{4})(?P<s>)(?P<m>\d{2})(?P<d>\d{2})(?P<rest>\d{4,6}(?:\.\d+)?)?"), "{y}{m}{d}"),
    (re.compile(r"(?P<y>\d{4})年(?P<s>)(?P<m>\d{1,2})月(?P<d>\d{1,2})日(?P<rest>.*)"), "{y}年{m}月{d}日"),
)
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<s>[-/.])(?P<b>\d{1,2})(?P=s)(?P<y>\d{4})(?P<rest>[T ].*)?")


def shifted(text: str, days: int, *, month_first: bool) -> str:
    """Return a text that is a date moved by days, empty where it cannot be read; a time of day stays.

    Parameters
    ----------
    text : str
    days : int
    month_first : bool
        How ``03/04/2024`` is meant.
    """
    for form, written in _FORMS:
        if m := form.fullmatch(text.strip()):
            moved = _moved(m["y"], m["m"], m["d"], days)
            if moved is None:
                return ""
            parts = {
                "y": f"{moved.year:04d}",
                "s": m["s"],
                "m": _wide(moved.month, m["m"]),
                "d": _wide(moved.day, m["d"]),
            }
            return written.format(**parts) + _time(m["rest"])
    if m := _YEAR_LAST.fullmatch(text.strip()):
        month, day = (m["a"], m["b"]) if month_first else (m["b"], m["a"])
        moved = _moved(m["y"], month, day, days)
        if moved is None:
            return ""
        one, other = (moved.month, moved.day) if month_first else (moved.day, moved.month)
        return f"{_wide(one, m['a'])}{m['s']}{_wide(other, m['b'])}{m['s']}{moved.year:04d}{_time(m['rest'])}"
    return ""


def reads_month_first(texts: list[str]) -> bool:
    """Tell whether dates with the year last begin with the month: a second part above 12 decides, dots never do."""
    found = [m for m in (_YEAR_LAST.fullmatch(t.strip()) for t in texts) if m]
    return any(int(m["b"]) > 12 for m in found) and not any(int(m["a"]) > 12 or m["s"] == "." for m in found)


def _moved(year: str, month: str, day: str, days: int) -> date | None:
    try:
        return date(int(year), int(month), int(day)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None


def _wide(number: int, like: str) -> str:
    return f"{number:02d}" if len(like) == 2 else str(number)


def _time(rest: str | None) -> str:
    """Return a time of day as it was; anything else behind a date goes."""
    return rest if rest and re.fullmatch(r"[T ]?[\d:.,+\-Z ]*", rest) else ""
