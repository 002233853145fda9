"""The references of ``samples.csv`` with pseudonymous paths and UIDs, so that they still find their files."""

import json
import re
from collections.abc import Callable

from hounsfield.core.cohort import Ref
from hounsfield.data.joined_masks import ALSO
from hounsfield.data.ref_text import parse_ref, ref_text
from hounsfield.data.scrubbers.naming import is_harmless, named_words, pseudonymous_path
from hounsfield.data.scrubbers.order import PseudonymMaker

_UID = re.compile(r"[0-2](?:\.\d+){3,}")


def pseudonymous_refs(cell: str, pseudonyms: PseudonymMaker) -> str:
    """Return a cell of references with the names that its files have in the output.

    Parameters
    ----------
    cell : str
        One reference, or a JSON list of references and days.
    pseudonyms : PseudonymMaker
    """
    return _each(cell, lambda text: ref_text(_renamed(parse_ref(text), pseudonyms)))


def refs_told(cell: str) -> tuple[str, ...]:
    """Return what the references of a cell told: parts of paths that get pseudonyms, and UIDs."""
    told: list[str] = []

    def look(text: str) -> str:
        ref = parse_ref(text)
        told.extend(named_words(ref.path))
        for key, value in ref.part:
            if key == ALSO:
                told.extend(named_words(str(value)))
            elif isinstance(value, str) and not is_harmless(value):
                told.append(value)
        return text

    _each(cell, look)
    return tuple(dict.fromkeys(told))


def _each(cell: str, change: Callable[[str], str]) -> str:
    if not cell.startswith("["):
        return change(cell)
    try:
        readings = [(str(text), float(days)) for text, days in json.loads(cell)]
    except (ValueError, TypeError):
        return change(cell)
    return json.dumps([[change(text), days] for text, days in readings], ensure_ascii=False)


def _renamed(ref: Ref, pseudonyms: PseudonymMaker) -> Ref:
    return Ref(
        ref.reader,
        pseudonymous_path(ref.path, pseudonyms),
        tuple(
            (key, pseudonymous_path(str(value), pseudonyms) if key == ALSO else _value(value, pseudonyms))
            for key, value in ref.part
        ),
    )


def _value(value: object, pseudonyms: PseudonymMaker) -> "int | str":
    if isinstance(value, str):
        if _UID.fullmatch(value):
            return pseudonyms.uid(value)
        return value if is_harmless(value) else pseudonyms.patient(value)
    return int(str(value))
