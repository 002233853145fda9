"""Which columns of a table are looked at as variables of a row, and as numbers, ordered levels or categories."""

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from hounsfield.core.cohort import ColumnRole
from hounsfield.core.row import RowColumn
from hounsfield.data.answers import fold
from hounsfield.data.roles import Understood
from hounsfield.data.signal.columns import clock_s, head_of, moment_s
from hounsfield.data.table import Column, parse_number
from hounsfield.data.words import is_id, tokens

AFTERWARDS = frozenset(
    {
        "death", "dead", "died", "mortality", "survival", "los", "stay", "slos", "discharge", "discharged", "outcome",
        "event", "censored", "censor", "censoring", "followup", "relapse", "recurrence", "recurred", "readmission",
        "readmitted", "time", "futime", "fustat", "deceased",
        "charges", "cost", "costs", "totcst", "totmcst", "hospdead", "progression", "lastcontact", "autopsy",
        "死亡", "生存", "出院", "随访", "复发",
    }
)  # fmt: skip
"""Words of a column that is known only after the question is asked: it would give the answer away."""
_ENDED = frozenset({"follow", "followup", "dead", "died", "death", "deceased", "survived"})
"""Words in the levels of a column that tell how it ended."""
_ROW_NAMES = frozenset({"index", "row", "rownames", "nr", "no", "number", "sno", "rownum", "序号"})
_TIMED = re.compile(r"(?:t|time|days|months|years|tte|dur)[._ -](?:to[._ -])?(?P<what>.+)")
PLACES = frozenset(
    {
        "site", "hospital", "centre", "center", "institution", "scanner", "manufacturer", "vendor", "device", "cohort",
        "study", "batch", "ward", "operator", "医院", "设备",
    }
)  # fmt: skip
"""Words of where and by what something was recorded: kept for subgroups, since learning from them is a shortcut."""
_ORDERS = (
    ("none", "mild", "moderate", "severe"),
    ("absent", "mild", "moderate", "severe"),
    ("low", "medium", "high"),
    ("low", "moderate", "high", "very high"),
    ("small", "medium", "large"),
    ("never", "rarely", "sometimes", "often", "always"),
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_STAGE = re.compile(r"(?P<word>stage|grade|class|level|ct|pt|t|n|m|g)?[ _-]?(?P<n>\d|iv|v|i{1,3})[ ]?(?P<sub>[a-d])?")
_SITES = (
    "site", "hospital", "centre", "center", "institution", "医院",
    "scanner", "manufacturer", "vendor", "device", "设备",
)  # fmt: skip
"""Words of the place that measured features are harmonised between, the one that says most first."""
ASKED_FOR = ("input", "covariate")
"""Roles with which a person says that a column is a variable."""
FEWEST_MEASURED = 10
"""Numbers of a row from which on it is one of measured features: only many of them tell what a site adds."""
FEWEST_OF_SITE = 5
MOST_SITES = 30
MOST_LEVELS = 50
MOST_TEXT = 0.1
"""A column with a larger share of cells that are no numbers holds texts."""


@dataclass(frozen=True)
class Variables:
    """The variables of a table.

    Parameters
    ----------
    columns : tuple of RowColumn
    roles : tuple of ColumnRole
        Of all columns, as the variables change them.
    notes, unsure : tuple of str
    site : RowColumn or None
        The place between which measured features can be harmonised, as a column; it is none of `columns`.
    """

    columns: tuple[RowColumn, ...]
    roles: tuple[ColumnRole, ...]
    notes: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    site: RowColumn | None = None


def variables(understood: Understood, rows: Sequence[int], *, apart: Collection[str] = ()) -> Variables:
    """Choose the variables among the columns of a table that have no other role.

    Parameters
    ----------
    understood : Understood
    rows : sequence of int
        Rows outside the test part: levels and what is constant are taken from them.
    apart : collection of str
        Columns that stay what they are.

    Returns
    -------
    Variables
        Left out are row numbers, dates, free texts, constants, what its name says is known only afterwards, and (kept
        as attributes) where something was recorded. A column with the role ``input`` or ``covariate`` is always a
        variable.
    """
    found: list[RowColumn] = []
    listed: list[ColumnRole] = []
    notes: list[str] = []
    unsure: list[str] = []
    known_later = _timed(understood.sheet.columns)
    for role in understood.roles:
        cells = understood.sheet.columns[role.column]
        if role.role not in ("attribute", *ASKED_FOR) or role.column in apart:
            listed.append(role)
            continue
        out = None if role.role in ASKED_FOR else _left_out(role.column, cells, rows, known_later)
        column = None if out is not None else _variable(role.column, cells, rows)
        if out is not None or column is None:
            name, why = out or ("unused", f"more than {MOST_LEVELS} different texts")
            listed.append(role.model_copy(update={"role": name, "reason": why}))
            continue
        kept = role.role == "covariate"
        found.append(column.model_copy(update={"covariate": kept}))
        listed.append(role.model_copy(update={"role": "covariate" if kept else "input", "reason": _said(column)}))
        if column.kind == "numeric" and (texts := sum(c is not None and parse_number(c) is None for c in cells)):
            notes.append(f"Column {role.column!r}: {texts} cells that are no numbers count as missing.")
        if column.kind == "numeric" and (count := _unknown(cells)):
            unsure.append(
                f"Column {role.column!r}: -1 stands {count} times where all else is above 0: does it mean unknown?"
            )
    hidden = [r.column for r in listed if r.reason == _AFTER]
    if hidden:
        notes.append(
            f"Known only afterwards by their names or levels, not looked at: {', '.join(hidden)} "
            "(columns: NAME: input in cohort.yaml uses one)."
        )
    return Variables(tuple(found), tuple(listed), tuple(notes), tuple(unsure), _site(understood, listed, rows))


def _site(understood: Understood, roles: Sequence[ColumnRole], rows: Sequence[int]) -> RowColumn | None:
    """Return the column that says where rows were recorded: the one with the role ``site``, else by its name.

    Two places at least have rows enough outside the test part; a place of the test part alone is none of the levels.
    """
    able = [r.column for r in roles if r.role == "site"]
    if not able:
        words = {r.column: set(tokens(r.column)) & set(_SITES) for r in roles if r.reason == _WHERE}
        ranked = {c: min(map(_SITES.index, own)) for c, own in words.items() if own}
        able = sorted(ranked, key=lambda c: ranked[c])
    for name in able:
        cells = understood.sheet.columns[name]
        known = [(fold(c), " ".join(c.split())) for i in rows if (c := cells[i]) is not None]
        counts = Counter(k for k, _ in known)
        if sum(n >= FEWEST_OF_SITE for n in counts.values()) >= 2 and len(counts) <= MOST_SITES:
            levels = dict(reversed(known))
            return RowColumn(name=name, kind="place", levels=tuple(levels[k] for k in sorted(levels)))
    return None


def with_site(columns: tuple[RowColumn, ...], site: RowColumn | None) -> tuple[RowColumn, ...]:
    """Return the variables of an input with the place behind them, where they are measured features.

    Parameters
    ----------
    columns : tuple of RowColumn
    site : RowColumn or None
    """
    measured = sum(c.kind == "numeric" for c in columns) >= FEWEST_MEASURED
    return (*columns, site) if site is not None and measured else columns


_WHERE = "where it was recorded: for subgroups, not for learning"
_AFTER = "its name or its levels say that it is known only afterwards"


def _timed(names: Iterable[str]) -> frozenset[str]:
    """Return events and their times, where a table has both: ``distant`` and ``t_distant``."""
    folded = {n.strip().casefold(): n for n in names}
    pairs = ((n, form["what"]) for n in folded if (form := _TIMED.fullmatch(n)) is not None)
    return frozenset(folded[n] for timed, what in pairs if what in folded for n in (timed, what))


def _left_out(name: str, cells: Column, rows: Sequence[int], known_later: Collection[str]) -> tuple[str, str] | None:
    words = set(tokens(name)) | {name.strip().casefold()}
    if words & AFTERWARDS or name in known_later:
        return "unused", _AFTER
    if words & PLACES:
        return "attribute", _WHERE
    if _numbers_rows(name, cells):
        return "id", "numbers the rows"
    known = [cells[i] for i in rows if cells[i] is not None]
    if len({fold(c) for c in known if c is not None}) < 2:
        return "constant", "one value outside the test part"
    if any(_ENDED & set(tokens(c)) for c in {c for c in known[:1000] if c is not None}):
        return "unused", _AFTER
    some = [c for c in known if c is not None][:50]
    if all(parse_number(c) is None and (moment_s(c) is not None or clock_s(c) is not None) for c in some):
        return "unused", "dates or hours"
    return None


def _unknown(cells: Column) -> int:
    """Return how often -1 stands in a column that has nothing else below 0, and is no code of -1, 0 and 1."""
    numbers = [n for c in cells if (n := parse_number(c)) is not None]
    low = [n for n in numbers if n < 0]
    return len(low) if low and set(low) == {-1.0} and max(numbers) > 1 else 0


def _numbers_rows(name: str, cells: Column) -> bool:
    """Tell whether a column is a running number, by its name or its steps of 1."""
    numbers = [parse_number(c) for c in cells]
    whole = [n for n in numbers if n is not None and n.is_integer()]
    if len(whole) == len(cells) and name.strip().casefold() in _ROW_NAMES:
        return True
    if len(whole) != len(cells) or len(cells) < 3 or len(set(whole)) != len(whole):
        return False
    return is_id(name) or all(b - a == 1 for a, b in itertools.pairwise(whole))


def _variable(name: str, cells: Column, rows: Sequence[int]) -> RowColumn | None:
    present = [c for c in cells if c is not None]
    texts = sum(parse_number(c) is None for c in present)
    head = head_of(name)
    if texts <= MOST_TEXT * len(present):
        return RowColumn(name=name, unit=head.unit)
    levels: dict[str, str] = {}
    for i in rows:
        cell = cells[i]
        if cell is not None:
            levels.setdefault(fold(cell), " ".join(cell.split()))
    if len(levels) > MOST_LEVELS:
        return None
    order = ordered(tuple(levels))
    if order is not None:
        return RowColumn(name=name, kind="ordinal", levels=tuple(levels[k] for k in order))
    return RowColumn(name=name, kind="categorical", levels=tuple(levels[k] for k in sorted(levels)))


def ordered(levels: Sequence[str]) -> tuple[str, ...] | None:
    """Return levels in the order that they are known to have (severity, stages), or None where they have none.

    Parameters
    ----------
    levels : sequence of str
        Folded, none twice.
    """
    if len(levels) < 3:
        return None
    for order in _ORDERS:
        if set(levels) <= set(order):
            return tuple(o for o in order if o in levels)
    forms = [_STAGE.fullmatch(v) for v in levels]
    if any(f is None for f in forms) or len({f["word"] for f in forms if f is not None}) > 1:
        return None
    keys = {}
    for level, form in zip(levels, forms, strict=True):
        if form is not None:
            number = int(form["n"]) if form["n"].isdigit() else _ROMAN[form["n"]]
            keys[level] = (number, form["sub"] or "")
    return tuple(sorted(levels, key=lambda v: keys[v])) if len(set(keys.values())) == len(levels) else None


def _said(column: RowColumn) -> str:
    if column.kind == "numeric":
        return "numbers"
    shown = " < ".join(column.levels) if column.kind == "ordinal" else ", ".join(column.levels)
    return f"{len(column.levels)} {'ordered ' if column.kind == 'ordinal' else ''}levels: {shown[:80]}"


def with_roles(understood: Understood, found: Variables) -> Understood:
    """Return the table with the roles that its variables have."""
    notes, unsure = (*understood.notes, *found.notes), (*understood.unsure, *found.unsure)
    return replace(understood, roles=found.roles, notes=notes, unsure=unsure)
