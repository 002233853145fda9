"""What the head of a column says: which quantity, in which unit, and how time is counted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.core.leads import standard_lead

_UNIT = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]{1,20})[)\]]\s*$")
_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_TIME_WORDS = frozenset(
    {"t", "time", "times", "elapsed time", "timestamp", "datetime", "date time", "charttime", "zeit", "uhrzeit"}
)
_OTHERWISE = frozenset({"hr", "min"})
"""Units that alone at the head of a column mean something else: the heart rate, the least value."""
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")
_HALF = re.compile(r"(?P<time>.*\d)\s*(?P<half>[ap])\.?\s*m\.?", re.IGNORECASE)
_HALF_CLOCK = re.compile(r"(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?)?")


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Parameters
    ----------
    name : str
        Without the unit.
    unit : str
        ``""`` where none is told.
    seconds : float or None
        Length of the unit of time in seconds, where the column holds times; NaN-free.
    told : bool
        Whether the unit of time is told and not assumed.
    """

    name: str
    unit: str
    seconds: float | None = None
    told: bool = False


def head_of(text: str, *, alone: bool = False) -> Head:
    """Return what a column's head says, such as ``ECG (mV)``, ``time [ms]``, ``time_min``, ``minute``.

    Parameters
    ----------
    text : str
    alone : bool
        Whether ``min`` and ``hr`` are minutes and hours, where a table has its quantities in another column; among
        quantities they are the least value and the heart rate.
    """
    text = text.strip().strip("'\"").strip()
    form = _UNIT.match(text)
    if form is not None and standard_lead(form["unit"]) is not None:
        return Head(f"{form['name'].strip()} {form['unit'].strip()}".strip(), "")  # ECG (II): a lead is no unit
    name, unit = (form["name"].strip(), form["unit"].strip()) if form else (text, "")
    plain = re.sub(r"[_\s]+", " ", name.casefold()).strip()
    if plain in _TIME_WORDS:
        return Head(name, unit, _SECONDS.get(unit.casefold(), 1.0), unit.casefold() in _SECONDS)
    if not unit and len(plain) > 1 and plain in _SECONDS and (alone or plain not in _OTHERWISE):
        return Head(name, "", _SECONDS[plain], True)
    first, _, last = plain.rpartition(" ")
    if not unit and first in _TIME_WORDS and last in _SECONDS:
        return Head(name, "", _SECONDS[last], True)
    return Head(name, unit)


def time_column(heads: Sequence[Head]) -> int | None:
    """Return the column of times: one whose name says time before one that names a unit of it; None without any."""
    timed = [i for i, h in enumerate(heads) if h.seconds is not None]
    return min(timed, key=lambda i: (_plain_unit(heads[i].name), i), default=None)


def _plain_unit(name: str) -> bool:
    return re.sub(r"[_\s]+", " ", name.casefold()).strip() in _SECONDS


def without_half(text: str) -> tuple[str, str]:
    """Return a time without its AM or PM, and which of them it has: ``"am"``, ``"pm"``, or ``""`` for none.

    Parameters
    ----------
    text : str
        Such as ``2:15 PM``, ``02:15:03pm``, ``2:15 p.m.``, ``2024-03-01 2:15 PM``.
    """
    plain = text.strip().strip("'[]").strip()
    form = _HALF.fullmatch(plain) if plain[-1:] in ("m", "M", ".") else None
    return (text, "") if form is None else (form["time"], f"{form['half'].casefold()}m")


def no_hour(text: str) -> bool:
    """Tell whether AM or PM stands beside what is no time from 1:00 to 12:59, such as ``13:15 PM``."""
    time, half = without_half(text)
    return bool(half) and _of_half(re.split(r"[ T,]+", time)[-1], half) is None


def _of_half(text: str, half: str) -> float | None:
    """Return the seconds since midnight of a time before noon or after it; None where its hour is not 1 to 12."""
    form = _HALF_CLOCK.fullmatch(text)
    if form is None:
        return None
    hours, minutes, seconds = int(form[1]), int(form[2] or 0), float(form[3] or 0)
    if not 1 <= hours <= 12 or minutes > 59 or seconds > 60:
        return None
    return 3600.0 * (hours % 12 + (12 if half == "pm" else 0)) + 60.0 * minutes + seconds


def clock_s(text: str, *, first_s: float = 60.0) -> float | None:
    """Return a time such as ``1:02:03.5``, ``02:03.5`` or ``2:15 PM`` in seconds; None where it is none.

    Parameters
    ----------
    text : str
        One with AM or PM is an hour of the day, 1 to 12: 12 AM is midnight, 12 PM noon.
    first_s : float
        What the first of two fields counts, in seconds: 60 for minutes and seconds, 3600 for hours and minutes.
    """
    rest, half = without_half(text)
    if half:
        return _of_half(rest, half)
    form = _CLOCK.fullmatch(text.strip().strip("'[]").strip())
    if form is None:
        return None
    hours, middle, last = form.groups()
    if float(last) > 60 or (hours is not None and int(middle) > 59):
        return None
    if hours is None:
        return int(middle) * first_s + float(last) * first_s / 60.0
    return 3600.0 * int(hours) + 60.0 * int(middle) + float(last)


def clock_fields(text: str) -> tuple[int, bool]:
    """Return how many fields a clock time has (0 where it is none), and whether it has a decimal part.

    One with AM or PM leaves no doubt what its fields are and counts as one of three.
    """
    rest, half = without_half(text)
    if half:
        return (3, "." in rest) if _of_half(rest, half) is not None else (0, False)
    form = _CLOCK.fullmatch(text.strip().strip("'[]").strip())
    if form is None:
        return 0, False
    return 2 if form[1] is None else 3, "." in form[3]


_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ T,]+(.*))?")
_DAY_AND_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[ T,]+([\d:.]+)")


def moment_s(text: str) -> float | None:
    """Return a date with or without time in seconds since 1970; None where it is none.

    Parameters
    ----------
    text : str
        ISO 8601, or day.month.year; its time may have AM or PM.
    """
    from datetime import UTC, datetime

    text, half = without_half(text.strip())
    form = _DOTTED.fullmatch(text)
    if form is not None:
        hour = (form[4] or "").strip()
        text = f"{form[3]}-{form[2]:0>2}-{form[1]:0>2} {'0' if hour[1:2] == ':' else ''}{hour}".strip()
    after_midnight = 0.0
    if half:
        day = _DAY_AND_TIME.fullmatch(text)
        found = _of_half(day[2], half) if day is not None else None
        if day is None or found is None:
            return None
        text, after_midnight = day[1], found
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + after_midnight
