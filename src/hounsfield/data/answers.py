"""From the texts of a column to a target: its kind, its classes, which one is positive, one answer per row."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hounsfield.core.cohort import TargetKind, TargetSpec
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.core.types import TargetValue
from hounsfield.data.table import REMEMBERED, Column, parse_number
from hounsfield.data.words import NO_LABEL, NOT_ANSWERED, positive_of

MAX_CLASSES = 100
"""More different texts than this are no classes."""
_SEPARATORS = (";", "|")
_FEW_NUMBERS = 20
_FEW_FRACTIONS = 10


@dataclass(frozen=True)
class Answers:
    """A target and its answers, row by row.

    Parameters
    ----------
    spec : TargetSpec
        What is asked.
    values : tuple of TargetValue
        One answer per row, None where missing.
    notes, unsure : tuple of str
        What was merged, mapped or assumed.
    """

    spec: TargetSpec
    values: tuple[TargetValue, ...]
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


@lru_cache(maxsize=REMEMBERED)
def fold(text: str) -> str:
    """Return the form in which answers are compared: spaces, case and ``1`` against ``1.0`` do not matter."""
    number = parse_number(text)
    if number is not None:
        return repr(number)
    return " ".join(text.split()).casefold()


def answered(column: Column) -> Column:
    """Return the column with "todo", "?" and the like as missing."""
    return tuple(None if v is None or v.strip().casefold() in NOT_ANSWERED else v for v in column)


def kind_of(column: Column) -> TargetKind | None:
    """Return the kind of answer that a column holds, or None where it holds none."""
    present = [v for v in answered(column) if v is not None]
    distinct = {fold(v) for v in present}
    if not distinct:
        return None
    numbers = [parse_number(v) for v in present]
    if all(n is not None for n in numbers):
        whole = all(n is not None and n.is_integer() for n in numbers)
        return "number" if len(distinct) > (_FEW_NUMBERS if whole else _FEW_FRACTIONS) else "categorical"
    if separator_of(present) is not None:
        return "multilabel"
    return "categorical" if len(distinct) <= min(MAX_CLASSES, max(2, len(present) // 2)) else None


def separator_of(present: Sequence[str]) -> str | None:
    """Return the mark that joins several labels in one cell, or None."""
    for mark in _SEPARATORS:
        joined = [v for v in present if mark in v]
        if len(joined) >= max(1, len(present) // 50):
            atoms = Counter(a for v in present for a in labels_in(v, mark))
            if 2 <= len(atoms) <= MAX_CLASSES and len(atoms) < len(present):
                return mark
    return None


def labels_in(text: str, mark: str) -> tuple[str, ...]:
    """Return the labels in one cell; "none" and "no finding" are no label."""
    found = (a.strip(" []'\"()") for a in text.split(mark))
    return tuple(dict.fromkeys(" ".join(a.split()) for a in found if a and a.casefold() not in NO_LABEL))


def make_answers(
    name: str,
    column: Column,
    *,
    declared: TargetSpec | None = None,
    names: Mapping[str, str] | None = None,
    order: Mapping[str, str] | None = None,
    positive: str | None = None,
    known: Sequence[bool] | None = None,
) -> Answers:
    """Turn a column into a target.

    Parameters
    ----------
    name : str
        Name of the target.
    column : tuple of (str or None)
        Cells as text.
    declared : TargetSpec, optional
        What a person declared of it: kind, classes in order, positive class, unit.
    names : mapping, optional
        Folded code to class name, from a folder or a sibling column.
    order : mapping, optional
        Folded class to code, so that classes stand in the order of their codes.
    positive : str, optional
        Positive class as the user named it: class name or code.
    known : sequence of bool, optional
        Rows that spellings are taken from; rows of a test part are left out so that its answers change nothing.

    Raises
    ------
    CohortError
        If the column cannot be an answer of that kind.
    """
    column = answered(column)
    kind = declared.kind if declared else kind_of(column)
    if kind is None:
        raise CohortError(
            f"Column {name!r} has {len({v for v in column if v})} different texts in {len(column)} rows.",
            expected="classes, labels or numbers",
            next_step="name another column with --target",
        )
    if kind == "number":
        return _number(name, column, declared)
    if kind == "multilabel":
        return _multilabel(name, column, declared)
    return _classes(name, column, _Wanted(kind, declared, names or {}, order or {}, positive), known)


@dataclass(frozen=True)
class _Wanted:
    kind: TargetKind
    declared: TargetSpec | None
    names: Mapping[str, str]
    order: Mapping[str, str]
    positive: str | None


def _number(name: str, column: Column, declared: TargetSpec | None) -> Answers:
    values = tuple(parse_number(v) for v in column)
    bad = sum(v is None and c is not None for v, c in zip(values, column, strict=True))
    if bad:
        raise CohortError(
            f"{bad} answers of {name!r} are not numbers.",
            expected="a number in every row, or an empty cell",
            next_step="correct the column, or declare it categorical in cohort.yaml",
        )
    return Answers(TargetSpec(name=name, kind="number", unit=declared.unit if declared else ""), values)


def _multilabel(name: str, column: Column, declared: TargetSpec | None) -> Answers:
    present = [v for v in column if v is not None]
    mark = separator_of(present) or next((m for m in _SEPARATORS if any(m in v for v in present)), ";")
    rows = [labels_in(v, mark) if v is not None else () for v in column]
    found: dict[str, str] = {}
    for label in sorted({a for row in rows for a in row}):
        found.setdefault(label.casefold(), label)
    if declared and declared.classes:
        wanted = {c.casefold(): c for c in declared.classes}
        for label in found.values():
            if label.casefold() not in wanted:
                raise unknown_name(f"label of {name!r}", label, declared.classes)
        found = wanted
    classes = tuple(found.values())
    values = tuple(tuple(c for c in classes if c.casefold() in {a.casefold() for a in row}) for row in rows)
    empty = sum(v is None for v in column)
    notes = (f"{name}: {empty} empty cells count as no label.",) if empty else ()
    return Answers(TargetSpec(name=name, kind="multilabel", classes=classes), values, notes)


def _classes(name: str, column: Column, wanted: _Wanted, known: Sequence[bool] | None) -> Answers:
    spellings: dict[str, Counter[str]] = {}
    for i, text in enumerate(column):
        if text is not None:
            weight = 1 if known is None or known[i] else 0
            spellings.setdefault(fold(text), Counter())[" ".join(text.split())] += weight
    shown = {k: wanted.names.get(k) or min(c, key=lambda s, c=c: (-c[s], s)) for k, c in spellings.items()}  # type: ignore[misc]  # the default binds the loop's own counter
    shown = {k: _code(k) if parse_number(k) is not None and k not in wanted.names else s for k, s in shown.items()}
    notes = [
        f"{name}: {len(c)} spellings of {shown[k]!r} count as one class."
        for k, c in spellings.items()
        if len(c) > 1 and not wanted.names.get(k)
    ]
    keys = sorted(shown, key=lambda k: _rank(wanted.order.get(k, k)))
    declared = wanted.declared
    if declared and declared.classes:
        keys = _declared_order(name, declared.classes, shown)
    classes = tuple(dict.fromkeys(shown[k] for k in keys))
    if declared and declared.classes:
        classes = declared.classes
        shown |= {fold(c): c for c in classes}
    if wanted.names and any(k in wanted.names for k in keys):
        pairs = ", ".join(f"{_code(k)} = {shown[k]}" for k in keys if fold(shown[k]) != k)
        if pairs:
            notes.append(f"{name}: {pairs}.")
    values: tuple[TargetValue, ...] = tuple(None if v is None else shown[fold(v)] for v in column)
    positive, source = _positive(name, classes, shown, wanted)
    unsure: tuple[str, ...] = ()
    if source == "assumed":
        unsure = (f"{name}: {positive!r} is assumed to be the positive class; say --positive if it is not.",)
    spec = TargetSpec.model_validate(
        {"name": name, "kind": wanted.kind, "classes": classes, "positive": positive, "positive_source": source}
    )
    return Answers(spec, values, tuple(notes), unsure)


def _declared_order(name: str, classes: tuple[str, ...], shown: dict[str, str]) -> list[str]:
    by_fold = {fold(c): c for c in classes}
    by_shown = {fold(s): k for k, s in shown.items()}
    for key, text in shown.items():
        if key not in by_fold and fold(text) not in by_fold:
            raise unknown_name(f"class of {name!r}", text, classes)
        shown[key] = by_fold.get(key) or by_fold[fold(text)]
    return [by_shown.get(f, f) for f in by_fold if by_shown.get(f, f) in shown]


def _positive(name: str, classes: tuple[str, ...], shown: Mapping[str, str], wanted: _Wanted) -> tuple[str | None, str]:
    asked = wanted.positive or (wanted.declared.positive if wanted.declared else None)
    if wanted.kind == "ordinal" or (asked is None and len(classes) != 2):
        return None, ""
    if asked is None:
        return positive_of(classes, name)
    by_fold = {fold(c): c for c in classes}
    found = by_fold.get(fold(asked)) or shown.get(fold(asked))
    if found is None:
        raise unknown_name(f"class of {name!r}", asked, classes)
    return found, "declared"


def _rank(key: str) -> tuple[int, float, str]:
    number = parse_number(key)
    return (0, number, "") if number is not None else (1, 0.0, key)


def _code(key: str) -> str:
    number = parse_number(key)
    return str(int(number)) if number is not None and number.is_integer() else key
