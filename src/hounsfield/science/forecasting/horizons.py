"""How far ahead: times as people write them."""

import re

from hounsfield.core.errors import InputError

NEXT = "next"
_UNITS = {"s": 1 / 3600, "sec": 1 / 3600, "min": 1 / 60, "m": 1 / 60, "h": 1.0, "hour": 1.0, "hours": 1.0, "d": 24.0}
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")
MOST_HOURS = 24.0 * 365


def hours_ahead(text: str) -> float:
    """Return a horizon in hours; 0 for ``next``.

    Parameters
    ----------
    text : str
        ``next``, or a number and a unit: ``30 min``, ``3h``, ``1 s``.

    Raises
    ------
    InputError
        If it is neither.
    """
    if text.strip().casefold() == NEXT:
        return 0.0
    found = _WRITTEN.fullmatch(text.casefold())
    hours = float(found[1]) * _UNITS[found[2]] if found is not None and found[2] in _UNITS else 0.0
    if not 0.0 < hours <= MOST_HOURS:
        raise InputError(
            f"--ahead is {text!r}.",
            expected="next, or a time such as 30 min or 3 h",
            next_step="write --ahead next --ahead '1 h'",
        )
    return hours
