"""Long tables of events with a table of outcomes: one sample for each stay, its series irregular in time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Reading, Ref, Roles, Schema, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError, ReadError
from hounsfield.core.row import RowColumn
from hounsfield.data.files import Files, list_files
from hounsfield.data.inputs import Told
from hounsfield.data.layouts.named_records import NamedRecords
from hounsfield.data.layouts.record_cohort import NO_RECORD, cohort_of_records, understood_records
from hounsfield.data.layouts.record_tables import RecordTable, record_table, tells_patients
from hounsfield.data.layouts.records import INPUT, SignalInputs
from hounsfield.data.layouts.table import outside_test, variables_listing
from hounsfield.data.roles import Understood
from hounsfield.data.row_columns import variables, with_roles
from hounsfield.data.rows import parts_of_rows
from hounsfield.data.signal.event_heads import is_event_table
from hounsfield.data.signal.events import event_notes, event_patients, event_records, event_variables
from hounsfield.data.words import tokens

SCORES = frozenset({"saps", "sofa", "qsofa", "apache", "oasis", "mpm", "lods"})
"""Scores that sum up a stay: of what time they are is not told, so that they are kept for subgroups only."""
NO_EVENTS = "no events were recorded"
EVENTS = "(events)"
STATIC = "static"
"""Name of the row of what the table of outcomes says of a stay besides the outcome."""


class EventsLayout:
    """Events of many stays in long tables, outcomes in another."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .94 for a table of events by its heads, or a folder with one."""
        try:
            if root.is_file():
                return 0.97 if is_event_table(root) else 0.0
            if not root.is_dir():
                return 0.0
            files = list_files(root)
            return 0.94 if not files.images and _tables(files) else 0.0
        except HounsfieldError:
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort.

        Raises
        ------
        CohortError
            If a table cannot be read, a stay is in two tables of events, or no table has outcomes.
        """
        files = list_files(root if root.is_dir() else root.parent)
        tables = _tables(files) if root.is_dir() else [root.name]
        where, leads = _stays(files, tables)
        plain = tuple(p for p in files.paths if p not in tables)
        own = NamedRecords.of(files.root, plain, files.escaping, where)
        table = record_table(own, roles)
        whose = _whose(files, tables, own.names)
        if whose and not tells_patients(table):
            table = record_table(own, roles, said=whose, source=EVENTS)
        understood = understood_records(own, table, roles)
        parts = parts_of_rows(understood, Told([], []))
        heads = list(understood.sheet.columns)
        scores = [c for c in heads if SCORES & set(tokens(c)) and c not in dict(roles.columns)]
        apart = [*table.sources, *scores] if table.places else heads
        static = variables(understood, outside_test(parts), apart=apart)
        columns = static.columns
        inputs = EventInputs(
            (InputSpec(name=INPUT, kind="signal", ndim=1, leads=leads), *_static_spec(columns)),
            reader="events",
            where=where,
            names=own.names,
            rows=_rows(understood, table) if columns else {},
        )
        known = with_roles(understood, static)
        cohort = cohort_of_records(known, own, inputs, table=table, roles=roles, layout="events")
        listing = variables_listing(columns, understood.sheet)
        counts = Counter(where.values())
        more = [Listing("Tables of events", ("table", "stays"), tuple((t, str(counts[t])) for t in tables))]
        more += [listing] if listing is not None else []
        aside = tuple(
            SetAside(sample=own.shown(a.sample), reason=a.reason.replace(NO_RECORD, NO_EVENTS))
            for a in cohort.set_aside
        )
        samples = tuple(replace(s, id=own.shown(s.id), patient=own.shown(s.patient)) for s in cohort.samples)
        notes = tuple(n.replace(NO_RECORD, NO_EVENTS) for n in cohort.schema.notes)
        here = Cohort("", str(files.root), (), Schema())
        told = [f"{t}: {n}." for t in tables for n in event_notes(here, Ref("events", t))]
        notes += tuple(told)
        if scores:
            notes += (
                f"Scores of a whole stay are not looked at: {', '.join(scores)} (columns: NAME: input uses one).",
            )
        schema = cohort.schema.model_copy(update={"notes": notes})
        listings = (*cohort.listings, *more)
        return replace(cohort, samples=samples, listings=listings, set_aside=aside, schema=schema)


@dataclass(frozen=True)
class EventInputs(SignalInputs):
    """The series of a stay, and the row of what is said of it besides.

    Parameters
    ----------
    where : mapping of str to str
        Stay to its table of events.
    names : mapping of str to str
        What stands for a stay among files to its name.
    rows : mapping of str to (str, int)
        What stands for a stay to its table of outcomes and the row in it.
    """

    where: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    rows: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def readings(self, path: str, time_days: float) -> dict[str, tuple[Reading, ...]]:
        """Return the inputs of one stay."""
        stay = self.names[path]
        found: dict[str, tuple[Reading, ...]] = {
            INPUT: (Reading(Ref(self.reader, self.where[stay], (("record", stay),)), time_days),)
        }
        if path in self.rows:
            table, row = self.rows[path]
            found[STATIC] = (Reading(Ref("columns", table, (("table", STATIC), ("row", row))), time_days),)
        return found


def _tables(files: Files) -> list[str]:
    return [p for p in files.tables if is_event_table(files.root / p)]


def _stays(files: Files, tables: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return stay to table of events, and the variables of all."""
    here = Cohort("", str(files.root), (), Schema())
    where: dict[str, str] = {}
    variables: dict[str, None] = {}
    for table in tables:
        try:
            stays = event_records(here, Ref("events", table))
            variables.update(dict.fromkeys(event_variables(here, Ref("events", table))))
        except ReadError as error:
            raise CohortError(error.found, expected=error.expected, next_step=error.next_step) from error
        twice = sum(s in where for s in stays)
        if twice:
            raise CohortError(
                f"{twice} records are in {table!r} and in another table of events.",
                expected="each record in one table",
                next_step="take one of the tables out of the folder",
            )
        where.update(dict.fromkeys(stays, table))
    return where, tuple(sorted(variables))


def _whose(files: Files, tables: Sequence[str], names: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what stands for a stay to its patient, as the tables of events tell it."""
    here = Cohort("", str(files.root), (), Schema())
    patients: dict[str, str] = {}
    for table in tables:
        patients |= event_patients(here, Ref("events", table))
    return {standing: {"patient": patients[n]} for standing, n in names.items() if n in patients}


def _static_spec(columns: tuple[RowColumn, ...]) -> tuple[InputSpec, ...]:
    return (InputSpec(name=STATIC, kind="row", ndim=0, columns=columns),) if columns else ()


def _rows(understood: Understood, table: RecordTable) -> dict[str, tuple[str, int]]:
    paths = understood.files[table.key].paths
    return {p: place for p, place in zip(paths, table.places, strict=True) if p is not None and place is not None}
