"""``cohort.yaml`` and ``samples.csv``: what was understood, written so that a person can correct it."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from hounsfield.core.cohort import (
    Cohort,
    ColumnRole,
    InputSpec,
    Reading,
    Ref,
    Sample,
    Schema,
    SetAside,
    TargetKind,
    TargetSpec,
)
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.ref_text import ref_text
from hounsfield.data.sample_rows import SampleRows
from hounsfield.data.table import decode, delimiter_of


class DeclaredTarget(BaseModel):
    """One target as a person declares it.

    Attributes
    ----------
    name : str
        Column, or a new name where `columns` is given.
    kind : str or None
        None to infer from the column; ``ordinal`` is never inferred.
    classes : tuple of str
        Classes, labels or levels; the order of an ordinal target's levels.
    columns : tuple of str
        Columns of 0 and 1 that together are one multi-label answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: TargetKind | None = None
    classes: tuple[str, ...] = ()
    positive: str | None = None
    positive_source: Literal["declared", "name", "assumed", ""] = "declared"
    unit: str = ""
    columns: tuple[str, ...] = ()


class CohortFile(BaseModel):
    """The content of ``cohort.yaml``.

    Attributes
    ----------
    layout : str
        Name in the table of layouts; empty to find out.
    root : str
        Folder of the data, relative to the file.
    manifest : str or None
        Table of answers, relative to the root.
    samples : str or None
        Complete list of samples (``samples.csv``), relative to the file; then nothing is inferred.
    targets : tuple of DeclaredTarget
        What is asked, the primary target first.
    columns : dict of str to str
        Corrections: column to role.
    numbers : tuple of str
        Columns of `samples` that hold numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    name: str = ""
    layout: str = ""
    root: str = "."
    manifest: str | None = None
    samples: str | None = None
    targets: tuple[DeclaredTarget, ...] = ()
    columns: dict[str, str] = {}
    inputs: tuple[InputSpec, ...] = ()
    official_parts: tuple[str, ...] = ()
    patients_known: bool = False
    understood: tuple[ColumnRole, ...] = ()
    side_tables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    set_aside: tuple[SetAside, ...] = ()


def read_cohort_file(path: Path) -> CohortFile:
    """Read and check a ``cohort.yaml``.

    Raises
    ------
    CohortError
        If it is no YAML, of a future version, or has a wrong value.
    UnknownNameError
        If it has an unknown key; the nearest known one is named.
    """
    try:
        content = yaml.safe_load(decode(path.read_bytes()))
    except (OSError, yaml.YAMLError) as error:
        raise CohortError(
            f"{path.name} cannot be read as YAML.", expected="key: value lines", next_step="correct or remove it"
        ) from error
    if not isinstance(content, dict):
        raise CohortError(f"{path.name} holds no keys.", expected="schema_version: 1", next_step="correct or remove it")
    if content.get("schema_version", 1) != 1:
        raise CohortError(
            f"{path.name} has schema_version {content['schema_version']!r}.",
            expected="schema_version 1",
            next_step="update hounsfield, or write the file again with hu inspect",
        )
    try:
        return CohortFile.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(p) for p in first["loc"]]
        if first["type"] == "extra_forbidden":
            known = DeclaredTarget.model_fields if place[0] == "targets" else CohortFile.model_fields
            raise unknown_name(f"key in {path.name}", place[-1], known) from error
        raise CohortError(
            f"{path.name}: {'.'.join(place)} is wrong.",
            expected=str(first["msg"]),
            next_step="correct the value",
        ) from error


def cohort_yaml(cohort: Cohort, *, root: str = ".") -> str:
    """Return the text of ``cohort.yaml`` for a cohort; its samples are in `samples_csv`.

    Parameters
    ----------
    cohort : Cohort
    root : str
        Where the data lie, seen from the folder that the text is written to.
    """
    schema = cohort.schema
    table = _columns(cohort)
    file = CohortFile(
        name=cohort.name,
        layout=schema.layout,
        root=root,
        samples="samples.csv",
        targets=tuple(DeclaredTarget.model_validate(t.model_dump()) for t in schema.targets),
        inputs=schema.inputs,
        official_parts=schema.official_parts,
        patients_known=schema.patients_known,
        understood=schema.columns,
        side_tables=schema.side_tables,
        notes=schema.notes,
        unsure=schema.unsure,
        numbers=tuple(n for n, cells in table.items() if _is_numeric(n, cells)),
        set_aside=cohort.set_aside,
    )
    content = file.model_dump(mode="json", exclude_defaults=True)
    content = {"schema_version": 1, **content}
    head = "# What the folder is understood to be. Correct it; it belongs to the samples.csv beside it.\n"
    return head + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


def samples_csv(cohort: Cohort, beside: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> str:
    """Return the text of ``samples.csv``: one row per sample, everything that is known of it.

    Parameters
    ----------
    cohort : Cohort
    beside : mapping of str to mapping of str to str
        Further columns for a person, which are not read again: name to sample id to text.
    """
    table = _columns(cohort)
    for name, texts in beside.items():
        table[name] = [texts.get(s.id) for s in cohort.samples]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([_text(v) for v in row])
    return out.getvalue()


def read_samples(path: Path, file: CohortFile, root: Path) -> Cohort:
    """Return the cohort of a ``cohort.yaml`` with a complete list of samples.

    Parameters
    ----------
    path : pathlib.Path
        The list.
    file : CohortFile
        What the ``cohort.yaml`` says.
    root : pathlib.Path
        The folder that the refs are relative to.

    Raises
    ------
    CohortError
        If the list is damaged, or none of its files exists.
    """
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise CohortError(
            f"The list of samples {path.name!r} is missing.",
            expected="samples.csv beside cohort.yaml",
            next_step="put it back, or remove `samples` from cohort.yaml",
        ) from error
    rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)) if r]
    if not rows or "sample" not in rows[0]:
        raise CohortError(f"{path.name} has no column 'sample'.", expected="one row per sample", next_step="correct it")
    parser = SampleRows(rows[0], file, root)
    aside = list(file.set_aside)
    samples = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise CohortError(
                f"Row {number} of {path.name} has {len(row)} fields where the header has {len(rows[0])}.",
                expected="as many fields as columns",
                next_step="correct the row",
            )
        sample = parser.sample(row)
        if parser.missing(sample):
            aside.append(SetAside(sample=sample.id, reason="image file missing"))
        else:
            samples.append(sample)
    if not samples:
        raise CohortError(
            f"None of the files listed in {path.name} exists beside it.",
            expected="cohort.yaml and samples.csv in the folder of the data",
            next_step="copy both files there, or write `root: path/to/data` in cohort.yaml",
        )
    if len({s.id for s in samples}) < len(samples):
        raise CohortError(f"{path.name} lists a sample twice.", expected="unique names", next_step="correct the list")
    specs = tuple(
        TargetSpec.model_validate(
            t.model_dump(exclude={"columns"})
            | {"kind": t.kind or "categorical", "positive_source": t.positive_source if t.positive else ""}
        )
        for t in file.targets
    )
    schema = Schema(
        targets=specs,
        inputs=file.inputs or (InputSpec(name="image"),),
        layout=file.layout,
        official_parts=file.official_parts,
        patients_known=file.patients_known,
        columns=file.understood,
        side_tables=file.side_tables,
        notes=file.notes,
        unsure=file.unsure,
    )
    name = file.name or root.resolve().name
    return Cohort(name=name, root=str(root), samples=tuple(samples), schema=schema, set_aside=tuple(aside))


def _columns(cohort: Cohort) -> dict[str, list[object]]:
    """Return the columns of ``samples.csv`` with their values."""
    samples = cohort.samples
    table: dict[str, list[object]] = {
        "sample": [s.id for s in samples],
        "patient": [s.patient for s in samples],
        "part": [s.part for s in samples],
        "time_days": [s.time_days for s in samples],
    }
    kinds: list[tuple[str, Callable[[Sample], Mapping[str, object]]]] = [
        ("input", lambda s: {k: _readings(v, s.time_days) for k, v in s.inputs.items()}),
        ("target", lambda s: s.targets),
        ("mask", lambda s: s.masks),
        ("opinion", lambda s: s.opinions),
        ("region", lambda s: s.regions),
        ("attribute", lambda s: s.attributes),
        ("record", lambda s: s.records),
    ]
    for kind, get in kinds:
        found = [get(s) for s in samples]
        for name in dict.fromkeys(n for own in found for n in own):
            table[f"{kind}:{name}"] = [own.get(name) for own in found]
    return table


def _is_numeric(column: str, cells: Sequence[object]) -> bool:
    if column.split(":", 1)[0] not in ("attribute", "record", "opinion"):
        return False
    present = [c for c in cells if c is not None]
    return bool(present) and all(isinstance(c, float | int) for c in present)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Ref):
        return ref_text(value)
    if isinstance(value, tuple):
        return "[]" if not value else ";".join(value) if not any(";" in v for v in value) else json.dumps(value)
    return repr(value) if isinstance(value, float) else str(value)


def _readings(readings: tuple[Reading, ...], time_days: float) -> str:
    if len(readings) == 1 and readings[0].time_days == time_days:
        return ref_text(readings[0].ref)
    return json.dumps([[ref_text(r.ref), r.time_days] for r in readings], ensure_ascii=False)
