"""A folder of series as tables, one CSV or TSV for each record, with a table of answers or class folders."""

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.leads import common_name
from hounsfield.data.files import Files, ending, list_files, stem
from hounsfield.data.layouts.record_cohort import cohort_of_records, understood_records
from hounsfield.data.layouts.record_tables import record_table
from hounsfield.data.layouts.records import Record, look_at, record_files, record_name, signal_inputs
from hounsfield.data.signal.columnar import ENDINGS
from hounsfield.data.signal.columns import head_of
from hounsfield.data.signal.event_heads import event_heads
from hounsfield.data.table import Sheet, parse_number, read_table
from hounsfield.data.words import group_strength, is_id, part_of, target_strength, tokens

FEWEST_TIMED, FEWEST = 3, 8
"""Tables with the same heads are series where one head is a time and there are 3 of them, or without one 8.

Two with a time are enough where another table names them."""
MOST_LABELS_BYTES = 4 << 20
HEADERS_READ = 200
"""Tables are read whole for their headers; of more records only the first are, the others when they are used."""


class ColumnsLayout:
    """One sample for each table."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .75 where several tables with the same heads hold numbers only; no pictures lie beside them."""
        if not root.is_dir():
            return 0.0
        files = list_files(root)
        return 0.75 if not files.images and series_tables(files) else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort.

        Raises
        ------
        CohortError
            If no table can be read, or several columns could be the answer.
        """
        files = list_files(root)
        paths = series_tables(files)
        more, faults = beside(files, paths)
        own = record_files(files, sorted([*paths, *more, *faults]))
        records = look_at(own, [*more, *paths[:HEADERS_READ]], "columns")
        header = next((r.header for r in records if r.header is not None), None)
        records += tuple(Record(p, header, assumed=True) for p in paths[HEADERS_READ:])
        records += tuple(Record(p, None, fault) for p, fault in faults.items())
        inputs = signal_inputs(records, "columns")
        table = record_table(own, roles)
        understood = understood_records(own, table, roles)
        return cohort_of_records(understood, own, inputs, table=table, roles=roles, layout="columns")


def series_tables(files: Files) -> list[str]:
    """Return the tables that are series: many with the same heads, below which only numbers and times stand."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in _tables(files):
        top = Top.of(files.root / path)
        if top is not None and not top.fault:
            alike[top.heads].append(path)
    able = []
    for heads, paths in alike.items():
        timed = Top(heads, ()).timed
        if all(any(part_of(t) for t in tokens(stem(p))) for p in paths):
            continue  # one table in parts: its rows are samples
        enough = len(paths) >= (FEWEST_TIMED if timed else FEWEST)
        if event_heads(heads) is None and (enough or (timed and len(paths) > 1 and _are_named(files, paths))):
            able.append(paths)
    return max(able, key=len, default=[])


def beside(files: Files, paths: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return other tables that are records too, and those that would be but for a fault: path to the fault.

    Parameters
    ----------
    files : Files
    paths : sequence of str
        Of `series_tables`.

    Notes
    -----
    They lie in the same folders. One with the same heads is a record whatever stands below; one with other heads has a
    time and a lead of the others, and nothing that is an answer or the name of a case.
    """
    known = Top.of(files.root / paths[0]) if paths else None
    if known is None:
        return [], {}
    folders, own = {p.rpartition("/")[0] for p in paths}, set(paths)
    leads = known.leads
    more: list[str] = []
    faults: dict[str, str] = {}
    for path in _tables(files):
        top = Top.of(files.root / path) if path.rpartition("/")[0] in folders and path not in own else None
        if top is None or event_heads(top.heads) is not None:
            continue
        same = top.heads == known.heads
        others = [h for n, h in top.leads.items() if n not in leads]
        if not same and (not top.timed or not leads.keys() & top.leads.keys() or any(map(_is_said, others))):
            continue
        lacking = [h for n, h in leads.items() if n not in top.leads]
        if lacking:
            faults[path] = f"it lacks {', '.join(lacking)}, which the others have"
        elif not top.rows:
            faults[path] = "it holds no rows"
        else:
            more.append(path)
    return more, faults


def why_no_series(files: Files, sheet: Sheet) -> str | None:
    """Return why tables that a column names are not taken for series, as a sentence; None where none are named."""
    tables = (p for p in _tables(files) if p != sheet.name and part_of(record_name(p)) is None)
    by_name = {record_name(p).casefold(): p for p in tables}
    for column, cells in sheet.columns.items():
        told = {record_name(c).casefold() for c in cells if c is not None}
        named = [by_name[n] for n in sorted(told) if n in by_name]
        if len(named) < 2 or 2 * len(named) < len(told) or 2 * len(told) < len(cells):
            continue
        tops = [Top.of(files.root / p) for p in named]
        reasons = Counter("they are no tables with a line of heads" if t is None else t.fault for t in tops)
        reason, count = reasons.most_common(1)[0]
        if not reason:
            timed = any(t is not None and t.timed for t in tops)
            count = len(named)
            reason = f"fewer than {FEWEST_TIMED if timed else FEWEST} have the same heads"
            reason += "" if timed else ", and none of their columns is a time"
        which = "" if count == len(named) else f" (so {count} of them)"
        what = f"Column {column!r} of {sheet.name!r} names {len(named)} tables that are not taken for series"
        return f"{what}: {reason}{which}."
    return None


@dataclass(frozen=True)
class Top:
    """The first lines of a table.

    Parameters
    ----------
    heads : tuple of str
    rows : tuple of tuple of str
        At most the first three; a last one that may be cut off is left out where there are others.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, path: Path) -> "Top | None":
        """Return the top of a file; None where it is no table with heads of several columns, or of one."""
        try:
            with path.open("rb") as stream:
                text = stream.read(1 << 13).decode("utf-8-sig", "replace")
        except OSError:
            return None
        lines = [line for line in text.splitlines() if line.strip()][:4]
        if not lines or "\0" in text:
            return None
        mark = max(",;\t", key=lines[0].count)
        try:
            first, *others = csv.reader(lines, delimiter=mark)
        except csv.Error:
            return None
        heads = tuple(c.strip().strip("'\"") for c in first)
        body = [tuple(row) for row in others]
        whole = body[:-1] if len(body) > 1 else body
        return cls(heads, tuple(whole))

    @property
    def timed(self) -> bool:
        """Whether one of the columns is a time."""
        return any(head_of(h).seconds is not None for h in self.heads)

    @property
    def leads(self) -> dict[str, str]:
        """Leads, in a form in which they are compared, to their names."""
        found = (head_of(h) for h in self.heads)
        return {common_name(h.name).casefold(): h.name for h in found if h.seconds is None}

    @property
    def fault(self) -> str:
        """Why the table is no series by its first lines; empty where it may be one."""
        if any(parse_number(h) is not None for h in self.heads):
            return "their first line holds numbers where the names of the columns belong"
        rows = [r for r in self.rows if len(r) == len(self.heads)]
        if not rows:
            return "below their first line stand no rows of as many fields"
        timed = [head_of(h).seconds is not None for h in self.heads]
        plain = [c.strip().strip("'\"[]") for r in rows for c, t in zip(r, timed, strict=True) if not t]
        numbers = sum(parse_number(c) is not None or c in ("", "-", "NaN", "nan") for c in plain)
        if not plain:
            return "they have no column but times"
        return "" if numbers >= 0.5 * len(plain) else "text stands where numbers belong"


def _tables(files: Files) -> list[str]:
    return [p for p in files.paths if ending(p) in ENDINGS and not ending(p).endswith(".gz")]


def _is_said(head: str) -> bool:
    """Tell by its name whether a column says something of a case, so that its table is no record."""
    return target_strength(head) > 0 or group_strength(head) > 0 or is_id(head)


def _are_named(files: Files, paths: Sequence[str]) -> bool:
    """Tell whether another table has a column that names all of them."""
    wanted = {record_name(p).casefold() for p in paths}
    for path in _tables(files):
        if path in paths or (files.root / path).stat().st_size > MOST_LABELS_BYTES:
            continue
        try:
            columns = read_table(files.root / path, path).columns
        except CohortError:
            continue
        if any(wanted <= {record_name(c).casefold() for c in cells if c is not None} for cells in columns.values()):
            return True
    return False
