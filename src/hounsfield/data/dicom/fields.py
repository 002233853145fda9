"""Fields: values of a data set that may be missing, of another kind, or damaged; never an error, at worst nothing."""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset


def items(holder: "Dataset | None", keyword: str) -> "list[Dataset]":
    """Return the items of a sequence; none where it is missing or no sequence."""
    from pydicom import Dataset

    value = holder.get(keyword) if holder is not None else None
    if value is None or isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def first(holder: "Dataset | None", keyword: str) -> "Dataset | None":
    """Return the first item of a sequence."""
    return next(iter(items(holder, keyword)), None)


def number(value: object) -> float | None:
    """Return a value as a finite number."""
    if not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if isfinite(found) else None


def whole(value: object) -> int | None:
    """Return a value as a whole number of at most 32 bits."""
    found = number(value)
    return int(found) if found is not None and abs(found) < 1 << 32 else None


def numbers(value: object, count: int) -> tuple[float, ...] | None:
    """Return a value as exactly `count` finite numbers."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or len(value) != count:
        return None
    found = tuple(n for n in map(number, value) if n is not None)
    return found if len(found) == count else None


def text(value: object) -> str:
    """Return a value as text without surrounding blanks; empty where it is missing or damaged."""
    if value is None or isinstance(value, bytes):
        return ""
    return str(value).strip(" \0")


def words(value: object) -> tuple[str, ...]:
    """Return a value of one or several texts as several."""
    if value is None or isinstance(value, bytes):
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(str(w) for w in value) if isinstance(value, Sequence) else (str(value),)
