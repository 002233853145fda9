"""Values of a data set as plain Python, however badly they are written."""

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.types import Float64Array

if TYPE_CHECKING:
    from pydicom.dataelem import DataElement
    from pydicom.dataset import Dataset

_NUMBERS = re.compile(rb"[0-9+\-.eE\\ \0]*\Z")


def value(dataset: "Dataset", keyword: str) -> object:
    """Return the value of an element, None where it is absent, empty or breaks its VR."""
    return _readable(dataset, _tag(keyword))


def stated(dataset: "Dataset", keyword: str) -> bool:
    """Tell whether an element is there and not empty, whether or not its value can be read."""
    element = _element(dataset, keyword)
    return element is not None and element.value is not None and element.value not in ("", b"")


def integer(dataset: "Dataset", keyword: str) -> int | None:
    """Return a whole number, the first of several; None where there is none."""
    found = number(dataset, keyword)
    return int(found) if found is not None and found == int(found) else None


def number(dataset: "Dataset", keyword: str) -> float | None:
    """Return a finite number, the first of several; None where there is none."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def numbers(dataset: "Dataset", keyword: str) -> tuple[float, ...]:
    """Return finite numbers; empty where any of them is none."""
    return tag_numbers(dataset, _tag(keyword))


def text(dataset: "Dataset", keyword: str) -> str:
    """Return a text, several values joined by a backslash as in the file; empty where there is none."""
    return tag_text(dataset, _tag(keyword))


def tag_numbers(dataset: "Dataset", tag: int) -> tuple[float, ...]:
    """Return the finite numbers of an element by its tag; empty where any of them is none."""
    found = _readable(dataset, tag)
    parts = [found] if isinstance(found, int | float | str) else list(_several(found))
    try:
        converted = tuple(float(str(part)) for part in parts)
    except ValueError:
        return ()
    return converted if all(math.isfinite(one) for one in converted) else ()


def tag_text(dataset: "Dataset", tag: int) -> str:
    """Return the text of an element by its tag; empty where there is none."""
    found = _readable(dataset, tag)
    if found is None:
        return ""
    parts = list(_several(found)) if not isinstance(found, str) else [found]
    return "\\".join(str(part) for part in parts or [found]).strip(" \0")


def content(dataset: "Dataset", keyword: str) -> bytes:
    """Return the bytes of a binary element; empty where it is absent or is not bytes."""
    element = _element(dataset, keyword)
    found = None if element is None else element.value
    return found if isinstance(found, bytes) else b""


def items(dataset: "Dataset", keyword: str) -> "list[Dataset]":
    """Return the items of a sequence; empty where it is absent or no sequence."""
    element = _element(dataset, keyword)
    return list(element.value) if element is not None and element.VR == "SQ" else []


def decimals(dataset: "Dataset", keyword: str) -> Float64Array:
    """Return the numbers of a decimal string fast and without keeping objects for them, such as ContourData.

    Returns
    -------
    numpy.ndarray
        float64; empty where the element is absent or holds anything but numbers.
    """
    from pydicom.dataelem import RawDataElement

    tag = _tag(keyword)
    if tag not in dataset:
        return np.zeros(0)
    raw: object = dataset.get_item(tag)
    if not isinstance(raw, RawDataElement):
        return np.array(numbers(dataset, keyword))
    written = bytes(raw.value or b"")
    if not _NUMBERS.match(written):
        return np.zeros(0)
    try:
        return np.array([float(part) for part in written.rstrip(b"\0 ").split(b"\\")])
    except ValueError:
        return np.zeros(0)


def _readable(dataset: "Dataset", tag: int) -> object:
    if tag not in dataset:
        return None
    element = dataset[tag]
    if element.VR == "UN":
        return None
    found: object = element.value
    return None if found is None or found == "" else found


def _element(dataset: "Dataset", keyword: str) -> "DataElement | None":
    tag = _tag(keyword)
    if tag not in dataset:
        return None
    return dataset[tag]


def _several(found: object) -> list[object]:
    from pydicom.multival import MultiValue

    if isinstance(found, MultiValue):
        return list(found)
    return list(found) if isinstance(found, list | tuple) else []


def _tag(keyword: str) -> int:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag
