"""From an understood table to samples: refs, answers, parts, patients, records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hounsfield.core.cohort import (
    Cohort,
    ColumnRole,
    Part,
    Ref,
    Roles,
    Sample,
    Schema,
    SetAside,
    TargetSpec,
)
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.core.types import Attribute, TargetValue
from hounsfield.data.answers import Answers
from hounsfield.data.files import Files, reader_by_ending, stem
from hounsfield.data.inputs import Inputs, Told
from hounsfield.data.roles import Understood
from hounsfield.data.row_beside import with_row
from hounsfield.data.side_tables import is_pair_list, presence
from hounsfield.data.table import Column, Sheet, parse_number
from hounsfield.data.target_columns import target_columns
from hounsfield.data.words import is_attribute, part_of, target_strength

_PARTS: dict[str, Part] = {"train": "train", "val": "val", "test": "test"}


def cohort_of_rows(
    understood: Understood,
    files: Files,
    roles: Roles,
    *,
    side: Sequence[Sheet] = (),
    declared: Sequence[TargetSpec] = (),
    inputs: Inputs | None = None,
) -> Cohort:
    """Make the cohort of a table whose columns are understood.

    Parameters
    ----------
    understood : Understood
        The table.
    files : Files
        What lies in the folder.
    roles : Roles
        What the user said.
    side : sequence of Sheet
        Other tables in the folder.
    declared : sequence of TargetSpec
        Targets declared in ``cohort.yaml``.
    inputs : Inputs, optional
        What the files hold, where the layout knows; else they are looked into.

    Raises
    ------
    CohortError
        If no row can be used.
    """
    told = Told(list(understood.notes), list(understood.unsure))
    image = understood.column("image")
    if image is None:
        raise CohortError("No column names the images.", expected="an image column", next_step="name it with --image")
    paths = understood.files[image].paths
    parts = parts_of_rows(understood, told)
    known = [p != "test" for p in parts] if any(p != "test" for p in parts) else [True] * len(parts)
    answers = target_columns(understood, paths, roles, declared=declared, known=known, told=told)
    own = inputs is None
    inputs = inputs or Inputs.of(paths, files, told)
    masks = [c for c in understood.columns("mask") if c in understood.files]
    records, side_notes = _records(understood, side)
    told.notes += side_notes
    specs = [a.spec for a in answers]
    specs += [TargetSpec(name=m, kind="mask") for m in masks]
    told.unsure += [
        f"{len(gone)} rows of column {m!r} name a mask file that is not there (first in row {min(gone) + 2}): their "
        "images are left to be annotated; add the files, or correct the column."
        for m in masks
        if (gone := (*understood.files[m].missing, *understood.files[m].outside))
    ]
    if inputs.mask is not None:
        specs.append(TargetSpec(name=inputs.mask, kind="mask"))
    if specs and all(s.kind == "mask" for s in specs):
        told.notes.append(f"The answer {specs[0].name!r} is a mask: there is nothing to classify here.")
    builder = _Builder(understood, paths, answers, parts, inputs, masks, records)
    samples, aside = builder.samples(told)
    if not samples:
        raise CohortError(
            f"None of the {understood.sheet.rows} rows of {understood.sheet.name!r} can be used"
            + (f": {Counter(a.reason for a in aside).most_common(1)[0][0]}." if aside else "."),
            expected="rows with an image and an answer",
            next_step="correct the table, or name the columns with --image and --target",
        )
    official = tuple(p for p in ("train", "val", "test") if any(s.part == p for s in samples))
    schema = Schema(
        targets=tuple(specs),
        inputs=inputs.specs,
        layout="manifest",
        official_parts=official,
        patients_known=understood.column("patient") is not None,
        columns=understood.roles,
        side_tables=tuple(s.name for s in side),
        notes=tuple(told.notes),
        unsure=tuple(told.unsure),
    )
    name = files.root.name
    made = Cohort(name=name, root=str(files.root), samples=samples, schema=schema, set_aside=aside)
    places = {sample: row for row, sample in enumerate(builder.ids())}
    return with_row(made, understood, files, places) if own else made


def parts_of_rows(understood: Understood, told: Told) -> list[Part | None]:
    """Return the official part of each row, None where it has none; raise CohortError where a cell is no part."""
    column = understood.column("split")
    if column is None:
        return [None] * understood.sheet.rows
    cells = understood.sheet.columns[column]
    unknown = sorted({c for c in cells if c is not None and part_of(c) is None})
    if unknown:
        raise CohortError(
            f"Column {column!r} holds {', '.join(unknown[:5])} where parts are expected.",
            expected="train, val and test",
            next_step="name another column with --split",
        )
    empty = sum(c is None for c in cells)
    if empty:
        told.unsure.append(f"{empty} rows have no part in {column!r}; they are divided like data without parts.")
    return [_PARTS[part_of(c) or ""] if c is not None else None for c in cells]


def _records(understood: Understood, side: Sequence[Sheet]) -> tuple[dict[str, tuple[Attribute, ...]], list[str]]:
    sheet = understood.sheet
    records = {c: values_of(sheet.columns[c]) for c in understood.columns("record", "leaks the answer")}
    notes = [
        f"Column {r.column!r} gives the answer away ({r.reason}); it is never used."
        for r in understood.roles
        if r.role == "leaks the answer"
    ]
    unique = [c for c, v in sheet.columns.items() if len({x for x in v if x}) == sheet.rows]
    for table in side:
        keys = [sheet.columns[c] for c in unique]
        if is_pair_list(table, keys):
            notes.append(f"{table.name} lies beside the manifest: a list of pairs, not used.")
            continue
        found = presence(table, sheet, unique)
        if found is None:
            notes.append(f"{table.name} lies beside the manifest and shares no key with it.")
            continue
        count = sum(found.listed)
        notes.append(
            f"{table.name} lies beside the manifest and lists {count} of {sheet.rows} samples (by {found.key})."
        )
        if 0 < count < sheet.rows:
            records[f"in:{table.name}"] = tuple(1.0 if v else 0.0 for v in found.listed)
    return records, notes


def kept_for_subgroups(understood: Understood) -> tuple[str, ...]:
    """Return the columns that become attributes: those that are nothing else, and age, sex and the like always."""
    also = [c for c in understood.columns("input", "covariate") if is_attribute(c)]
    return tuple(c for c in understood.sheet.columns if c in also or c in understood.columns("attribute", "site"))


def values_of(cells: Column) -> tuple[Attribute, ...]:
    """Return numbers where nearly all cells are numbers (the others count as missing), else the texts."""
    numbers = [parse_number(c) for c in cells]
    present = sum(c is not None for c in cells)
    if present and sum(n is not None for n in numbers) >= 0.9 * present:
        return tuple(numbers)
    return cells


@dataclass(frozen=True)
class _Builder:
    understood: Understood
    paths: Column
    answers: Sequence[Answers]
    parts: Sequence[Part | None]
    inputs: Inputs
    masks: Sequence[str]
    records: dict[str, tuple[Attribute, ...]]

    def samples(self, told: Told) -> tuple[tuple[Sample, ...], tuple[SetAside, ...]]:
        ids = self.ids()
        columns = self.understood.sheet.columns
        attributes = {c: values_of(columns[c]) for c in kept_for_subgroups(self.understood)}
        patient = self.understood.column("patient")
        time = self.understood.column("time")
        seen: set[tuple[str, Part | None, tuple[TargetValue, ...]]] = set()
        samples, aside = [], []
        for i, name in enumerate(ids):
            path = self.paths[i]
            values = tuple(a.values[i] for a in self.answers)
            if path is None:
                aside.append(SetAside(sample=name, reason=self._why_no_image(i)))
                continue
            if self.answers and all(v is None for v in values):
                aside.append(SetAside(sample=name, reason="no answer"))
                continue
            # listed in two parts it stays in both: the audit names it, and training gives way to the test part
            if (path, self.parts[i], values) in seen:
                aside.append(SetAside(sample=name, reason="listed twice"))
                continue
            seen.add((path, self.parts[i], values))
            days = (parse_number(columns[time][i]) or 0.0) if time is not None else 0.0
            samples.append(
                Sample(
                    id=name,
                    patient=(columns[patient][i] or name) if patient is not None else name,
                    inputs=self.inputs.readings(path, days),
                    targets={a.spec.name: v for a, v in zip(self.answers, values, strict=True)},
                    part=self.parts[i],
                    opinions=self._refs("opinion", i),
                    regions=self._refs("region", i),
                    masks=self._masks(i, path),
                    attributes={c: v[i] for c, v in attributes.items()},
                    records={c: v[i] for c, v in self.records.items()},
                    time_days=days,
                )
            )
        self._tell(aside, told)
        return tuple(samples), tuple(aside)

    def ids(self) -> list[str]:
        """Return the sample id of each row."""
        columns = self.understood.sheet.columns
        column = self.understood.column("id")
        image = self.understood.column("image") or ""
        cells = columns[column] if column is not None else columns[image]
        if column is not None:
            wanted = [c or f"row {i + 2}" for i, c in enumerate(cells)]
        else:
            named = [p or c or f"row {i + 2}" for i, (p, c) in enumerate(zip(self.paths, cells, strict=True))]
            wanted = [stem(n) for n in named]
            if len(set(wanted)) < len(wanted):
                files: dict[str, set[str | None]] = {}
                for p, w in zip(self.paths, wanted, strict=True):
                    files.setdefault(w, set()).add(p)
                if any(len(v) > 1 for v in files.values()):
                    wanted = named
        return unique_ids(wanted)

    def _why_no_image(self, row: int) -> str:
        image = self.understood.column("image") or ""
        if self.understood.sheet.columns[image][row] is None:
            return "no image named"
        return "several files have this name" if row in self.understood.files[image].ambiguous else "image file missing"

    def _refs(self, role: str, row: int) -> dict[str, Ref]:
        found = {}
        for column in self.understood.columns(role):
            file = self.understood.files.get(column)
            path = file.paths[row] if file is not None else None
            if path is not None:
                found[column] = Ref(reader_by_ending(path), path)
        return found

    def _masks(self, row: int, image: str) -> dict[str, Ref]:
        found = self._refs("mask", row)
        if self.inputs.mask is not None:
            found[self.inputs.mask] = Ref("npz", image, (("array", self.inputs.mask),))
        return found

    def _tell(self, aside: list[SetAside], told: Told) -> None:
        for reason, count in Counter(a.reason for a in aside).most_common():
            told.notes.append(f"{count} rows are set aside: {reason}.")


def target_without_columns(roles: Roles, usual: str) -> str:
    """Return the name of the answer where a layout has no columns, and refuse roles that need some.

    Parameters
    ----------
    roles : Roles
        What the user said; ``target`` may give the answer another name that sounds like one.
    usual : str
        The name it has otherwise.

    Raises
    ------
    UnknownNameError
        If the user named a column: there are none.
    """
    for column in (roles.image, roles.group, roles.split):
        if column is not None:
            raise unknown_name("column", column, [usual])
    if not roles.target:
        return usual
    name = roles.target[0]
    if len(roles.target) > 1 or (name != usual and target_strength(name) < 2.0):
        raise unknown_name("column", roles.target[-1], [usual])
    return name


def unique_ids(wanted: Sequence[str]) -> list[str]:
    """Return the ids with ``#2``, ``#3`` behind those that come again."""
    seen: Counter[str] = Counter()
    out = []
    for name in wanted:
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return out


def columns_of(table: str, found: dict[str, tuple[str, str]]) -> tuple[ColumnRole, ...]:
    """Return roles of what is no table's column, such as a folder level or an array."""
    return tuple(ColumnRole(table=table, column=c, role=r, reason=why) for c, (r, why) in found.items())
