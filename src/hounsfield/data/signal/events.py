"""Long tables of events: record, time, variable, value, one row for each measurement (CSV or Parquet)."""

from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.data.files import ending, inside
from hounsfield.data.signal.event_heads import ENDINGS, event_heads, heads_in
from hounsfield.data.signal.event_table import EventTable, load
from hounsfield.data.signal.windows import chosen_leads, damaged, window_of

MAX_BYTES = 4 << 30


class EventsReader:
    """Reads one record (part ``record``) of a long table: its variables are the leads, its times stay irregular."""

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the four column names of a CSV; a Parquet file by its signature and a name with ``event``."""
        if head[:4] == b"PAR1":
            return ending(name) == ".parquet" and "event" in name.casefold()
        if ending(name) not in ENDINGS or b"\0" in head:
            return False
        return event_heads(heads_in(head.decode("utf-8-sig", "replace").split("\n")[0])) is not None

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return the variables of the whole table, and the number of times of the record."""
        path, table = _table(cohort, ref)
        rows = chosen_leads(ref, table.variables)
        times = np.unique(table.times_s[table.rows_of(_record(ref), ref)])
        leads, units = tuple(table.variables[r] for r in rows), tuple(table.units[r] for r in rows)
        kind = "PARQUET" if ending(path.name) == ".parquet" else "CSV"
        return SignalHeader(leads, units, len(times), None, f"{kind} events", path.stat().st_size, table.notes)

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return the record, one column for each time at which anything was measured, NaN where a variable was not.

        Where one variable has two values at one time, the later row that tells one counts.
        """
        _, table = _table(cohort, ref)
        rows = table.rows_of(_record(ref), ref)
        times, at = np.unique(table.times_s[rows], return_inverse=True)
        chosen = chosen_leads(ref, table.variables)
        begin, end = window_of(ref, len(times), start, stop)
        array = np.full((len(table.variables), len(times)), np.nan, np.float32)
        told = np.isfinite(table.values[rows])
        array[table.codes[rows][told], at[told]] = table.values[rows][told]
        return Signal(
            np.ascontiguousarray(array[chosen, begin:end]),
            tuple(table.variables[r] for r in chosen),
            tuple(table.units[r] for r in chosen),
            times_s=times[begin:end],
            start_s=float(times[begin]),
        )


def event_records(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the records of a table of events, in the order of their first row.

    Parameters
    ----------
    cohort : Cohort
    ref : Ref
        Its path; a record in its part does not matter.
    """
    return _table(cohort, ref)[1].records


def event_variables(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return the variables of a table of events, as `event_records` its records."""
    return _table(cohort, ref)[1].variables


def event_patients(cohort: Cohort, ref: Ref) -> dict[str, str]:
    """Return record to patient, for those of a table of events that tells whose its records are."""
    return dict(_table(cohort, ref)[1].patients)


def event_notes(cohort: Cohort, ref: Ref) -> tuple[str, ...]:
    """Return what was remarkable about a table of events, such as rows that were set aside."""
    return _table(cohort, ref)[1].notes


def _record(ref: Ref) -> str:
    parts = dict(ref.part)
    if "record" not in parts:
        raise damaged(ref, "the ref does not say which record.", "a part record=...", "correct the cohort")
    return str(parts["record"])


def _table(cohort: Cohort, ref: Ref) -> tuple[Path, EventTable]:
    path = inside(Path(cohort.root), ref.path)
    try:
        stat = path.stat()
    except OSError as error:
        raise damaged(ref, f"the table cannot be opened ({error.strerror}).", "a readable file") from error
    if stat.st_size > MAX_BYTES:
        raise damaged(ref, "the table is too large.", f"at most {MAX_BYTES >> 30} GiB", "divide it")
    return path, load(path, Ref(ref.reader, ref.path), (stat.st_mtime_ns, stat.st_size))
