"""A DICOM disk with a table of answers: rows that are joined by a key, or that name files or folders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hounsfield.core.cohort import Cohort, Roles, SetAside
from hounsfield.core.errors import CohortError
from hounsfield.data.dicom.entries import Entry, place_of
from hounsfield.data.dicom.groups import series_of
from hounsfield.data.dicom.labels import Join, join
from hounsfield.data.dicom.named import FILE, FOLDER, join_named
from hounsfield.data.dicom.used import ndim_of
from hounsfield.data.files import Files
from hounsfield.data.layouts.dicom_disk import Disk, input_specs, looking, patients_of_units, usual_ndim, with_unit
from hounsfield.data.layouts.dicom_units import Unit, first_days, folder_units, shared_keys, units
from hounsfield.data.roles import infer_roles
from hounsfield.data.rows import cohort_of_rows
from hounsfield.data.table import Sheet

_COLUMN = "(DICOM)"
_FIELDS = {"image": "sop_uid", "series": "series_uid", "patient": "patient_id"}


def table_join(disk: Disk, sheets: Sequence[Sheet], roles: Roles) -> Join | None:
    """Return how a table belongs to the files: by a key of their headers, or by names of files or folders.

    Parameters
    ----------
    disk : Disk
    sheets : sequence of Sheet
        Tables that may be meant.
    roles : Roles
        ``image`` may name the column of files or folders.

    Notes
    -----
    A column that plainly names files or folders is believed before a key that other columns hold: it says which
    pictures are meant, a patient's number only whose.
    """
    by_key = join(sheets, disk.index.entries)
    asked = roles.image if any(roles.image in s.columns for s in sheets) else None
    by_name = join_named(sheets, disk.index.entries, column=asked)
    if by_name is None or by_key is None:
        return by_key if by_name is None else by_name.join
    plain = by_name.plain or asked == by_name.join.column
    return by_name.join if plain or by_name.join.matched > by_key.matched else by_key


def labelled(disk: Disk, joined: Join, sheets: Sequence[Sheet], roles: Roles) -> Cohort:
    """Return the cohort of a table; its columns are understood as those of any manifest.

    Raises
    ------
    CohortError
        If no row has something to look at.
    """
    field = "accession" if joined.key == "AccessionNumber" else _FIELDS.get(joined.level, "study_uid")
    named_places = joined.level in (FILE, FOLDER)
    found = _named_units(disk, joined) if named_places else _keyed_units(disk, joined, field)
    shared = frozenset() if named_places or joined.level == "image" else shared_keys(field, disk.choices)
    named = {found[v].key: found[v] for v in joined.values if v in found}
    ndim = usual_ndim(named)
    able = {k: u for k, u in named.items() if u.ndim == ndim}
    paths = {k: f"{n:07d}.dcm" for n, k in enumerate(able)}
    cells = tuple(paths.get(v) if v is not None else None for v in joined.values)
    if not able:
        raise CohortError(
            f"None of the {joined.sheet.rows} rows of {joined.sheet.name!r} has a series to look at.",
            expected=f"rows whose {joined.key} is on the disk, with images",
            next_step="look at hu inspect, and choose the series with --series",
        )
    asked = None if named_places and roles.image == joined.column else roles.image
    specs = input_specs(disk, able, asked)
    # samples are named as the files are, not as the spreadsheet made it of them (710.0 for 000710)
    written = joined.sheet.columns[joined.column]
    told = tuple(v if v is not None else w for v, w in zip(joined.values, written, strict=True))
    sheet = Sheet(joined.sheet.name, {**joined.sheet.columns, joined.column: told, _COLUMN: cells}, joined.sheet.notes)
    stand_in = Files(disk.files.root, tuple(paths.values()))
    keys = [v for v in joined.values if v is not None]
    role = "patient" if joined.level == "patient" else "id" if len(set(keys)) == len(keys) else "unused"
    forced = {} if roles.group == joined.column else {joined.column: role}
    understood = infer_roles(sheet, stand_in, replace(roles, image=_COLUMN), corrections=forced)
    others = [s for s in sheets if s.name != sheet.name]
    made = cohort_of_rows(understood, stand_in, roles, side=others)
    by_path = {p: able[k] for k, p in paths.items()}
    looked = [by_path[s.inputs["image"][0].ref.path] for s in made.samples]
    days = first_days(named)
    patients, doubt = patients_of_units(list(dict.fromkeys(looked)))
    owner = dict(zip(dict.fromkeys(looked), patients, strict=True))
    own = roles.group is not None
    samples, lacking = [], []
    for sample, unit in zip(made.samples, looked, strict=True):
        first = days.get((unit.last.patient_id, unit.last.issuer), "")
        inputs = looking(unit, specs, disk.files.root, first)
        if isinstance(inputs, str):
            lacking.append(SetAside(sample=sample.id, reason=inputs))
            continue
        who = sample.patient if own or not owner[unit] else owner[unit]
        samples.append(with_unit(replace(sample, patient=who), unit, inputs, first))
    notes = [n for n in made.schema.notes if "set aside: no image named" not in n and "DICOM files" not in n]
    notes.insert(0, f"{joined.sheet.name} is joined by {joined.key} ({joined.column}): {joined.matched} of "
                    f"{joined.sheet.rows} rows have files; one sample per {joined.level}.")  # fmt: skip
    if joined.missing:
        notes.append(f"{len(joined.missing)} keys on the disk have no row in {joined.sheet.name}.")
    schema = made.schema.model_copy(
        update={
            "layout": "dicom",
            "inputs": specs,
            "patients_known": own or (made.schema.patients_known if doubt else all(patients)),
            "columns": tuple(c for c in made.schema.columns if c.column != _COLUMN),
            "notes": (*notes, *disk.notes()),
            "unsure": (*made.schema.unsure, *((doubt,) if doubt else ()), *disk.doubts(able)),
        }
    )
    aside = (*_rows_aside(joined, made.set_aside, named, (ndim, shared)), *lacking, *disk.unused({}, ndim))
    aside += tuple(SetAside(sample=k, reason=f"no row in {joined.sheet.name}") for k in joined.missing)
    return replace(
        made, name=disk.name, samples=tuple(samples), schema=schema, set_aside=aside, listings=disk.listings()
    )


def _keyed_units(disk: Disk, joined: Join, field: str) -> dict[str, Unit]:
    return units(joined.level, field, disk.choices, disk.index.entries, query=disk.query)


def _named_units(disk: Disk, joined: Join) -> dict[str, Unit]:
    """Return what the named files and folders hold: a picture each, or the series chosen of each folder."""
    wanted = {v for v in joined.values if v is not None}
    inside: dict[str, list[Entry]] = {}
    for entry in disk.index.entries:
        place = place_of(entry)
        parts = place.split("/")
        names = [place] if joined.level == FILE else ["/".join(parts[:n]) for n in range(len(parts))]
        for name in names:
            if name in wanted:
                inside.setdefault(name, []).append(entry)
    if joined.level == FILE:
        singles = {name: series_of(entries)[0] for name, entries in inside.items() if entries[0].frames > 0}
        return {name: Unit(name, (s,), ndim_of(s), disk.query) for name, s in singles.items()}
    return folder_units(inside, disk.index, disk.query)


def _rows_aside(
    joined: Join, found: Sequence[SetAside], named: Mapping[str, Unit], about: tuple[int, frozenset[str]]
) -> list[SetAside]:
    """Say of each row without a picture why, in the words of the disk and not of the table."""
    ndim, shared = about
    why = {joined.sheet.columns[joined.column][row] or f"row {row + 2}": text for row, text in joined.unmatched}
    by_key: dict[str, str] = {}
    for value in joined.values:
        if value is not None:
            unit = named.get(value)
            other = f"{unit.ndim if unit else ndim}D, where the others are {ndim}D"
            none = f"several patients have this {joined.key}" if value in shared else "no series to look at"
            by_key[value] = none if unit is None else other
    out = []
    for entry in found:
        reason = why.get(entry.sample) or by_key.get(entry.sample, "no series to look at")
        out.append(entry if entry.reason != "no image named" else SetAside(sample=entry.sample, reason=reason))
    return out
