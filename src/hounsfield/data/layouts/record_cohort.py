"""From records and what is said of them to a cohort: a sample for each record, or facts for samples inside records."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hounsfield.core.cohort import Cohort, ColumnRole, Listing, Part, Roles, Sample, Schema, SetAside
from hounsfield.core.errors import CohortError
from hounsfield.core.types import Attribute
from hounsfield.data.inputs import Told
from hounsfield.data.layouts.record_tables import HEADERS, NAMES, RecordTable
from hounsfield.data.layouts.records import INPUT, RecordFiles, SignalInputs, record_name
from hounsfield.data.roles import Understood, infer_roles
from hounsfield.data.rows import cohort_of_rows, parts_of_rows, unique_ids, values_of
from hounsfield.data.signal.wfdb.comments import DIAGNOSIS
from hounsfield.data.words import target_strength

NO_RECORD = "no such record"
_REASONS = {"image file missing": NO_RECORD, "no image named": "no record is named"}


def understood_records(
    files: RecordFiles, table: RecordTable, roles: Roles, *, corrections: Mapping[str, str] | None = None
) -> Understood:
    """Find out what each column that is said of records is for.

    Raises
    ------
    CohortError
        If several columns could be the answer with equal right.
    """
    asked = replace(roles, image=table.key, labels=None)
    if not asked.target and not any(target_strength(c) > 0 for c in table.sheet.columns):
        folded = {c.casefold(): c for c in table.sheet.columns}
        first = next((folded[d] for d in DIAGNOSIS if d in folded), None)
        asked = replace(asked, target=(first,) if first is not None else ())
    named = {c: "split" if c == "split" else "attribute" for c, source in table.sources.items() if source == NAMES}
    said = {**named, **(corrections or {})}
    found = infer_roles(table.sheet, files, asked, corrections=said, subject="signals")
    while (own := found.column("id")) is not None and table.sources.get(own) == HEADERS:
        # a record is named by its file or a table: what differs in every header is what would identify
        said[own] = "unused"
        found = infer_roles(table.sheet, files, asked, corrections=said, subject="signals")
    listed = tuple(_role(r, table) for r in found.roles)
    return replace(found, roles=listed)


def _role(found: ColumnRole, table: RecordTable) -> ColumnRole:
    source = table.sources.get(found.column, found.table)
    if found.column == table.key:
        return found.model_copy(update={"reason": "names the records"})
    return found.model_copy(update={"table": source})


def cohort_of_records(
    understood: Understood, files: RecordFiles, inputs: SignalInputs, *, table: RecordTable, roles: Roles, layout: str
) -> Cohort:
    """Return the cohort with one sample for each record.

    Parameters
    ----------
    understood : Understood
        Of `understood_records`.
    files : RecordFiles
    inputs : SignalInputs
    table : RecordTable
    roles : Roles
    layout : str
        Name of the layout.

    Raises
    ------
    CohortError
        If no record can be used.
    """
    cohort = cohort_of_rows(understood, files, replace(roles, image=None), inputs=inputs)
    kept: list[Sample] = []
    aside = [SetAside(sample=record_name(a.sample), reason=_REASONS.get(a.reason, a.reason)) for a in cohort.set_aside]
    for sample in _named(cohort.samples):
        fault = inputs.faults.get(sample.inputs[INPUT][0].ref.path)
        if fault is None:
            kept.append(sample)
        else:
            aside.append(SetAside(sample=sample.id, reason=fault))
    schema = finished(cohort.schema, layout=layout, inputs=inputs, table=table, aside=aside)
    listings = (_records(kept, inputs),) if inputs.headers else ()
    return checked(replace(cohort, samples=tuple(kept), schema=schema, set_aside=tuple(aside), listings=listings))


def _records(samples: Sequence[Sample], inputs: SignalInputs) -> Listing:
    rows: list[tuple[str, ...]] = []
    for sample in samples:
        header = inputs.headers.get(sample.inputs[INPUT][0].ref.path)
        if header is None:
            continue
        rate = "" if header.rate_hz is None else f"{header.rate_hz:g} Hz"
        length = f"{header.samples} samples" if header.rate_hz is None else f"{header.samples / header.rate_hz:.4g} s"
        rows.append((sample.id, sample.part or "", length, rate, ", ".join(header.leads[:12]), "; ".join(header.notes)))
    return Listing("Records", ("record", "part", "length", "rate", "leads", "remarks"), tuple(rows))


def _named(samples: Sequence[Sample]) -> list[Sample]:
    """Return samples under their records' names, without the endings of files; with folders where names come again."""
    names = [record_name(s.id) for s in samples]
    if len(set(names)) < len(names):
        names = [s.id[: s.id.rfind("/") + 1] + n for s, n in zip(samples, names, strict=True)]
    ids = unique_ids(names)
    own = (s.patient if s.patient != s.id else i for i, s in zip(ids, samples, strict=True))
    return [replace(s, id=i, patient=p) for s, i, p in zip(samples, ids, own, strict=True)]


def finished(
    schema: Schema, *, layout: str, inputs: SignalInputs, table: RecordTable, aside: Sequence[SetAside]
) -> Schema:
    """Return a schema that says which layout it is and what was found of the records."""
    notes = [n for n in schema.notes if "set aside" not in n]
    notes += [*inputs.notes, *_told(aside)]
    columns = tuple(c.model_copy(update={"role": "signal"}) if c.role == "image" else c for c in schema.columns)
    update = {"layout": layout, "notes": tuple(notes), "columns": columns, "side_tables": table.side}
    return schema.model_copy(update=update)


def _told(aside: Sequence[SetAside]) -> list[str]:
    counts = Counter(a.reason for a in aside).most_common(8)
    return [f"{n} record{'s are' if n > 1 else ' is'} set aside: {reason.rstrip('.')}." for reason, n in counts]


def checked(cohort: Cohort) -> Cohort:
    """Return a cohort that has samples.

    Raises
    ------
    CohortError
        If it has none; the message tells the most frequent reason.
    """
    if cohort.samples:
        return cohort
    reasons = Counter(a.reason for a in cohort.set_aside).most_common(1)
    raise CohortError(
        "None of the records can be used" + (f": {reasons[0][0].rstrip('.')}." if reasons else "."),
        expected="records that can be read, and an answer for each",
        next_step="correct the table, or copy the records again",
    )


@dataclass(frozen=True)
class About:
    """What is said of one record, for the samples inside it.

    Parameters
    ----------
    name : str
        Unique among the records.
    patient : str
    part : str or None
    attributes : mapping of str to Attribute
    """

    name: str
    patient: str
    part: Part | None
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Said:
    """What is said of all records.

    Parameters
    ----------
    about : mapping of str to About
        By path.
    schema : Schema
        Roles of the columns, parts, whether patients are known, notes; without targets and inputs.
    """

    about: Mapping[str, About]
    schema: Schema


def said_of_records(
    files: RecordFiles, table: RecordTable, roles: Roles, *, asked: str, classes: Iterable[str] = ()
) -> Said:
    """Return patient, part and attributes of each record where the answers lie inside the records.

    Parameters
    ----------
    files : RecordFiles
    table : RecordTable
    roles : Roles
    asked : str
        What is asked, such as ``beats``.
    classes : iterable of str
        Columns of these names count the answers of a record: they are no attributes.
    """
    virtual = f"({asked})"
    rows = table.sheet.rows
    sheet = replace(table.sheet, columns={**table.sheet.columns, virtual: (asked,) * rows})
    own = replace(roles, target=(virtual,))
    counted = dict.fromkeys((c for c in classes if c in sheet.columns), "leaks the answer")
    found = understood_records(files, replace(table, sheet=sheet), own, corrections=counted)
    told = Told(list(found.notes), list(found.unsure))
    parts = parts_of_rows(found, told)
    patient = found.column("patient")
    attributes = {c: values_of(found.sheet.columns[c]) for c in found.columns("attribute")}
    paths = found.files[table.key].paths
    names = dict(zip(files.records, unique_ids(_names(files.records)), strict=True))
    about: dict[str, About] = {}
    for i, path in enumerate(paths):
        if path is not None and path not in about:
            who = found.sheet.columns[patient][i] if patient is not None else None
            here = {c: v[i] for c, v in attributes.items()}
            about[path] = About(names[path], who or names[path], parts[i], here)
    official: tuple[Part, ...] = ("train", "val", "test")
    schema = Schema(
        official_parts=tuple(p for p in official if any(a.part == p for a in about.values())),
        patients_known=patient is not None,
        columns=tuple(_counting(r, counted, asked) for r in found.roles if r.column != virtual),
        notes=tuple(told.notes),
        unsure=tuple(told.unsure),
    )
    return Said(about, schema)


def _counting(role: ColumnRole, counted: Mapping[str, str], asked: str) -> ColumnRole:
    return role.model_copy(update={"reason": f"counts the {asked} of a record"}) if role.column in counted else role


def _names(paths: Sequence[str]) -> list[str]:
    short = [record_name(p) for p in paths]
    return short if len(set(short)) == len(short) else [p.rpartition(".")[0] or p for p in paths]
