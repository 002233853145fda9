"""Columns of parts that do not say train and test themselves: DS1 and DS2, sets a and b, folds."""

from dataclasses import replace

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.table import Column, Sheet, parse_number
from hounsfield.data.words import part_of

_KNOWN = {"ds1": "train", "ds2": "test"}
"""The division of MIT-BIH by de Chazal (2004)."""


def part_word(text: str) -> str | None:
    """Return ``train``, ``val`` or ``test`` where a text names a part, also DS1 and DS2."""
    return part_of(text) or _KNOWN.get(text.strip().casefold())


def with_part_words(sheet: Sheet, roles: Roles) -> Sheet:
    """Return a table whose column of parts says train, val and test.

    Parameters
    ----------
    sheet : Sheet
    roles : Roles
        Its `split` names the column; otherwise only DS1 and DS2 are understood.

    Raises
    ------
    CohortError
        If the named column has other values than parts, and not two either.
    UnknownNameError
        If there is no such column.
    """
    if roles.split is not None:
        if roles.split not in sheet.columns:
            raise unknown_name("column", roles.split, sheet.columns)
        words, note = _words(roles.split, sheet.columns[roles.split], sheet)
        return _with(sheet, roles.split, words, note)
    for name, cells in sheet.columns.items():
        values = {v.strip().casefold() for v in cells if v is not None}
        if values == set(_KNOWN):
            words = {v: _KNOWN[v.strip().casefold()] for v in cells if v is not None}
            return _with(sheet, name, words, f"Column {name!r}: DS1 is the training part, DS2 the test part.")
    return sheet


def _words(name: str, cells: Column, sheet: Sheet) -> tuple[dict[str, str], str]:
    values = sorted({v for v in cells if v is not None})
    words = {v: w for v in values if (w := part_word(v)) is not None}
    if len(words) == len(values):
        return words, "" if all(part_of(v) for v in values) else f"Column {name!r}: DS1 is train, DS2 is test."
    numbers = [n for v in values if (n := parse_number(v)) is not None]
    if "fold" in name.casefold() and len(numbers) == len(values) >= 5:
        last = sorted(numbers)[-2:]
        words = {
            v: "test" if parse_number(v) == last[1] else "val" if parse_number(v) == last[0] else "train"
            for v in values
        }
        return (
            words,
            f"Column {name!r}: fold {last[1]:g} is the test part, fold {last[0]:g} validation, the others train.",
        )
    if len(values) == 2 and not words:
        first, second = values
        return {first: "train", second: "test"}, (
            f"Column {name!r}: {first!r} is taken for the training part, {second!r} for the test part."
        )
    raise CohortError(
        f"Column {name!r} of {sheet.name!r} holds {', '.join(values[:5])} where parts are expected.",
        expected="train, val and test; or two values, the training part first",
        next_step="name another column with --split, or write the parts into it",
    )


def _with(sheet: Sheet, name: str, words: dict[str, str], note: str) -> Sheet:
    cells = tuple(None if v is None else words[v] for v in sheet.columns[name])
    notes = (*sheet.notes, note) if note else sheet.notes
    return replace(sheet, columns={**sheet.columns, name: cells}, notes=notes)
