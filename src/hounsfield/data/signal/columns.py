"""What the head of a column says: which quantity, in which unit, and how time is counted."""

import re
from dataclasses import dataclass

_UNIT = re.compile(r"^(?P<name>.*?)\s*[(\[](?P<unit>[^()\[\]]{1,20})[)\]]\s*$")
_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "msec": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0,
    "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
}  # fmt: skip
_TIME_WORDS = frozenset({"t", "time", "times", "elapsed time", "timestamp", "datetime", "date time", "charttime"})
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")


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


def head_of(text: str) -> Head:
    """Return what a column's head says, such as ``ECG (mV)``, ``time [ms]``, ``time_min``, ``minute``."""
    text = text.strip().strip("'\"").strip()
    form = _UNIT.match(text)
    name, unit = (form["name"].strip(), form["unit"].strip()) if form else (text, "")
    plain = re.sub(r"[_\s]+", " ", name.casefold()).strip()
    if plain in _TIME_WORDS:
        return Head(name, unit, _SECONDS.get(unit.casefold(), 1.0), unit.casefold() in _SECONDS)
    if not unit and len(plain) > 1 and plain in _SECONDS:
        return Head(name, "", _SECONDS[plain], True)
    first, _, last = plain.rpartition(" ")
    if not unit and first in _TIME_WORDS and last in _SECONDS:
        return Head(name, "", _SECONDS[last], True)
    return Head(name, unit)


def clock_s(text: str) -> float | None:
    """Return a time such as ``1:02:03.5`` or ``02:03.5`` in seconds; None where it is none."""
    form = _CLOCK.fullmatch(text.strip().strip("'[]").strip())
    if form is None:
        return None
    hours, minutes, seconds = form.groups()
    return 3600.0 * int(hours or 0) + 60.0 * int(minutes) + float(seconds)


def moment_s(text: str) -> float | None:
    """Return a date with time (ISO 8601) in seconds since 1970; None where it is none."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
