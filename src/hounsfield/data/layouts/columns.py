"""A folder of series as tables, one CSV or TSV for each record, with a table of answers or class folders."""

from collections import defaultdict
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.data.files import Files, ending, list_files, stem
from hounsfield.data.layouts.record_cohort import cohort_of_records, understood_records
from hounsfield.data.layouts.record_tables import record_table
from hounsfield.data.layouts.records import Record, look_at, record_files, signal_inputs
from hounsfield.data.signal.columnar import ENDINGS
from hounsfield.data.signal.columns import head_of
from hounsfield.data.signal.event_heads import event_heads
from hounsfield.data.table import parse_number
from hounsfield.data.words import part_of, tokens

FEWEST_TIMED, FEWEST = 3, 8
"""Tables with the same heads are series where one head is a time and there are 3 of them, or without one 8."""
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
        own = record_files(files, paths)
        records = look_at(own, paths[:HEADERS_READ], "columns")
        header = next((r.header for r in records if r.header is not None), None)
        records += tuple(Record(p, header) for p in paths[HEADERS_READ:])
        inputs = signal_inputs(records, "columns")
        table = record_table(own, roles)
        understood = understood_records(own, table, roles)
        return cohort_of_records(understood, own, inputs, table=table, roles=roles, layout="columns")


def series_tables(files: Files) -> list[str]:
    """Return the tables that are series: many with the same heads, below which only numbers and times stand."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in files.paths:
        if ending(path) in ENDINGS and not ending(path).endswith(".gz"):
            heads = _heads(files.root / path)
            if heads is not None:
                alike[heads].append(path)
    able = []
    for heads, paths in alike.items():
        timed = any(head_of(h).seconds is not None for h in heads)
        if all(any(part_of(t) for t in tokens(stem(p))) for p in paths):
            continue  # one table in parts: its rows are samples
        if len(paths) >= (FEWEST_TIMED if timed else FEWEST) and event_heads(heads) is None:
            able.append(paths)
    return max(able, key=len, default=[])


def _heads(path: Path) -> tuple[str, ...] | None:
    """Return the heads of a table whose first rows hold numbers and times; None where it is another file."""
    try:
        with path.open("rb") as stream:
            text = stream.read(1 << 13).decode("utf-8-sig", "replace")
    except OSError:
        return None
    lines = [line for line in text.splitlines() if line.strip()][:4]
    if len(lines) < 2 or "\0" in text:
        return None
    mark = max(",;\t", key=lines[0].count)
    heads = tuple(c.strip().strip("'\"") for c in lines[0].split(mark))
    if any(parse_number(h) is not None for h in heads):
        return None
    timed = [head_of(h).seconds is not None for h in heads]
    body = [line.split(mark) for line in lines[1:]]
    whole = body[:-1] if len(body) > 1 else body
    rows = [r for r in whole if len(r) == len(heads)]
    plain = [c.strip().strip("'\"[]") for r in rows for c, t in zip(r, timed, strict=True) if not t]
    numbers = sum(parse_number(c) is not None or c in ("", "-", "NaN", "nan") for c in plain)
    return heads if plain and numbers >= 0.5 * len(plain) else None
