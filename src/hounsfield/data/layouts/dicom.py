"""A disk from a PACS: a tree or archive of DICOM files, alone or with a table of answers."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Roles, Sample, Schema, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.data.dicom.archives import archive_kind
from hounsfield.data.dicom.choosing import Choice, choose
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.headers import HEAD_BYTES, looks_like_dicom, read_header
from hounsfield.data.dicom.index import Index, index_tree
from hounsfield.data.dicom.labels import Join, join
from hounsfield.data.dicom.query import parse_query
from hounsfield.data.file_columns import file_columns
from hounsfield.data.files import TABLE_ENDINGS, Files, ending, is_ignored, list_files
from hounsfield.data.layouts.dicom_listing import listings
from hounsfield.data.layouts.dicom_units import Unit, days_after, first_days, units
from hounsfield.data.layouts.manifest import tables_in
from hounsfield.data.roles import infer_roles
from hounsfield.data.rows import cohort_of_rows, unique_ids
from hounsfield.data.table import Sheet, read_table

_PROBED = 48
_COLUMN = "(DICOM)"
NAME = "dicom"


class DicomLayout:
    """What a PACS exports, with the answers keyed by patient, study, series, image or accession number."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .97 for DICOM files and a table that is keyed by them, .85 for series, .7 for single pictures.

        Notes
        -----
        A few dozen files are looked at. A table that names the files themselves is the manifest layout's, and pictures
        of several patients in one folder may lie in folders of classes.
        """
        try:
            if root.is_file():
                return 0.9 if archive_kind(root) and index_tree(root).entries else 0.0
            seen = _probe(root)
            if seen is None:
                return 0.0
            if roles.labels is not None:
                sheet = _table(root, roles.labels)
                return 0.0 if _names_files(sheet, list_files(root)) else 0.97
            return 0.85 if _in_series(seen) else 0.7
        except (HounsfieldError, OSError):
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort: one sample for each row with files, or for each study where there is no table."""
        disk = _disk(root, roles)
        sheets = [_table(root, roles.labels)] if roles.labels is not None else tables_in(disk.files)[0]
        joined = join(sheets, disk.index.entries)
        if joined is None and roles.labels is not None:
            raise _no_key(sheets[0])
        return _labelled(disk, joined, sheets, roles) if joined is not None else _alone(disk)


def disk_without_answers(root: Path, roles: Roles) -> Cohort | None:
    """Return the cohort of a DICOM disk for prediction, None where the path is none.

    Raises
    ------
    CohortError
        If it is one and none of its studies can be looked at.
    """
    if DicomLayout().claims(root, replace(roles, labels=None)) <= 0:
        return None
    return _alone(_disk(root, roles))


def _disk(root: Path, roles: Roles) -> "_Disk":
    index = index_tree(root, cache=Path(roles.index) if roles.index is not None else None)
    if not index.entries:
        raise CohortError("There is no DICOM file.", expected="a folder or archive of DICOM files")
    studies = sorted(index.studies(), key=lambda s: (s.patient, s.issuer, s.date, s.uid))
    choices = choose(studies, parse_query(roles.series) if roles.series is not None else None)
    return _Disk(root, index, choices, list_files(root) if root.is_dir() else _only(root))


def _only(root: Path) -> Files:
    return Files(root.resolve().parent, (root.name,))


@dataclass(frozen=True)
class _Disk:
    root: Path
    index: Index
    choices: tuple[Choice, ...]
    files: Files

    @property
    def name(self) -> str:
        return self.root.resolve().name

    def aside(self) -> tuple[SetAside, ...]:
        return self.index.problems

    def listings(self) -> tuple[Listing, ...]:
        return listings(self.index, self.choices)


def _probe(root: Path) -> list[Entry] | None:
    """Return the headers of a few files spread over a folder; None where fewer than half of its files are DICOM."""
    seen: list[Entry] = []
    looked = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not is_ignored(f))
        able = sorted(n for n in names if not is_ignored(n) and ending(n) not in TABLE_ENDINGS)
        for name in able[:: max(1, len(able) // 6)][:6]:
            looked += 1
            place = Path(folder) / name
            with place.open("rb") as file:
                head = file.read(HEAD_BYTES)
            if looks_like_dicom(head):
                try:
                    seen.append(read_header(place, path=place.relative_to(root).as_posix()))
                except HounsfieldError:
                    continue
            elif archive_kind(place) and ending(name) not in TABLE_ENDINGS:
                seen += index_tree(place).entries[:6]
        if looked >= _PROBED:
            break
    return seen if 2 * len(seen) >= looked > 0 and seen else None


def _in_series(seen: Sequence[Entry]) -> bool:
    """Tell whether files form series, or each folder is one patient's: not folders of classes."""
    series = Counter(e.series_uid for e in seen)
    if 2 * len(series) <= len(seen):
        return True
    patients: dict[str, set[str]] = {}
    for entry in seen:
        patients.setdefault(entry.path.rpartition("/")[0], set()).add(entry.patient_id)
    return len(patients) > 1 and all(len(p) == 1 for p in patients.values()) and len(seen) < 3 * len(patients)


def _table(root: Path, named: str) -> Sheet:
    base = root if root.is_dir() else root.parent
    for path in (base / named, Path(named)):
        if path.is_file():
            return read_table(path, path.name)
    raise CohortError(
        f"There is no table named {Path(named).name!r}.", expected="a table of answers", next_step="correct --labels"
    )


def _names_files(sheet: Sheet, files: Files) -> bool:
    """Tell whether a column names files by their paths, so that no key is needed."""
    columns = file_columns(sheet, files).values()
    return any(c.explicit and c.share >= 0.5 and any(p and ending(p) for p in c.paths) for c in columns)


def _no_key(sheet: Sheet) -> CohortError:
    return CohortError(
        f"No column of {sheet.name!r} holds keys of the DICOM files: {', '.join(list(sheet.columns)[:20])}.",
        expected="a column of PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID or AccessionNumber",
        next_step="add the accession numbers, or check that table and disk belong together",
    )


def _alone(disk: _Disk) -> Cohort:
    """Return the cohort without answers: one sample for each study."""
    found = units("study", "study_uid", disk.choices, disk.index.entries)
    ndim = _usual(found)
    used = {k: u for k, u in found.items() if u.ndim == ndim}
    days = first_days(found)
    names = unique_ids([u.last.accession or u.last.patient_id or k or "study" for k, u in used.items()])
    samples = tuple(
        _with_unit(Sample(id=name, patient=name, inputs={}), unit, disk.files.root, days, own_patient=False)
        for name, unit in zip(names, used.values(), strict=True)
    )
    if not samples:
        reasons = Counter(c.reason for c in disk.choices).most_common(3)
        raise CohortError(
            f"None of the {len(disk.choices)} studies has a series to look at: {'; '.join(r for r, _ in reasons)}.",
            expected="studies with images",
            next_step="choose the series with --series, such as --series \"Modality == 'CT'\"",
        )
    schema = Schema(
        inputs=(_input(samples, used),), layout=NAME, patients_known=_patients_known(used), notes=_notes(disk)
    )
    root = str(disk.files.root)
    return Cohort(disk.name, root, samples, schema, _unused(disk, found, ndim), listings=disk.listings())


def _labelled(disk: _Disk, joined: Join, sheets: Sequence[Sheet], roles: Roles) -> Cohort:
    """Return the cohort of a table; its columns are understood as those of any manifest."""
    field = {"image": "sop_uid", "series": "series_uid", "patient": "patient_id"}.get(joined.level, "study_uid")
    if joined.key == "AccessionNumber":
        field = "accession"
    found = units(joined.level, field, disk.choices, disk.index.entries)
    named = {found[v].key: found[v] for v in joined.values if v in found}
    ndim = _usual(named)
    able = {k: u for k, u in named.items() if u.ndim == ndim}
    paths = {k: f"{n:07d}.dcm" for n, k in enumerate(able)}
    cells = tuple(paths.get(v) if v is not None else None for v in joined.values)
    if not able:
        raise CohortError(
            f"None of the {joined.sheet.rows} rows of {joined.sheet.name!r} has a series to look at.",
            expected=f"rows whose {joined.key} is on the disk, with images",
            next_step="look at hu inspect, and choose the series with --series",
        )
    sheet = Sheet(joined.sheet.name, {**joined.sheet.columns, _COLUMN: cells}, joined.sheet.notes)
    stand_in = Files(disk.files.root, tuple(paths.values()))
    forced = {joined.column: "patient" if joined.level == "patient" else "id"}
    forced = {c: r for c, r in forced.items() if r == "patient" or len(set(cells)) == len(cells)}
    if roles.group == joined.column:
        forced = {}
    understood = infer_roles(sheet, stand_in, replace(roles, image=_COLUMN), corrections=forced)
    others = [s for s in sheets if s.name != sheet.name]
    made = cohort_of_rows(understood, stand_in, roles, side=others)
    by_path = {p: able[k] for k, p in paths.items()}
    days = first_days(named)
    own = roles.group is not None
    samples = tuple(
        _with_unit(s, by_path[s.inputs["image"][0].ref.path], disk.files.root, days, own_patient=own)
        for s in made.samples
    )
    notes = [n for n in made.schema.notes if "set aside: no image named" not in n and "DICOM files" not in n]
    notes.insert(0, f"{joined.sheet.name} is joined by {joined.key} ({joined.column}): {joined.matched} of "
                    f"{joined.sheet.rows} rows have files; one sample per {joined.level}.")  # fmt: skip
    if joined.missing:
        notes.append(f"{len(joined.missing)} keys on the disk have no row in {joined.sheet.name}.")
    schema = made.schema.model_copy(
        update={
            "layout": NAME,
            "inputs": (_input(samples, able),),
            "patients_known": own or _patients_known(able),
            "columns": tuple(c for c in made.schema.columns if c.column != _COLUMN),
            "notes": (*notes, *_notes(disk)),
        }
    )
    aside = (*_rows_aside(joined, made.set_aside, named, ndim), *_unused(disk, {}, ndim))
    aside += tuple(SetAside(sample=k, reason=f"no row in {joined.sheet.name}") for k in joined.missing)
    return replace(made, name=disk.name, samples=samples, schema=schema, set_aside=aside, listings=disk.listings())


def _rows_aside(joined: Join, found: Sequence[SetAside], named: dict[str, Unit], ndim: int) -> list[SetAside]:
    """Say of each row without a picture why, in the words of the disk and not of the table."""
    why = {joined.sheet.columns[joined.column][row] or f"row {row + 2}": text for row, text in joined.unmatched}
    by_cell: dict[str, str] = {}
    for cell, value in zip(joined.sheet.columns[joined.column], joined.values, strict=True):
        if cell is not None and value is not None:
            unit = named.get(value)
            other = f"{unit.ndim if unit else ndim}D, where the others are {ndim}D"
            by_cell[cell] = "no series to look at" if unit is None else other
    out = []
    for entry in found:
        reason = why.get(entry.sample) or by_cell.get(entry.sample, "no series to look at")
        out.append(entry if entry.reason != "no image named" else SetAside(sample=entry.sample, reason=reason))
    return out


def _with_unit(
    sample: Sample, unit: Unit, root: Path, days: dict[tuple[str, str], str], *, own_patient: bool
) -> Sample:
    entry = unit.last
    first = days.get((entry.patient_id, entry.issuer), "")
    readings = unit.readings(root, first)
    who = f"{entry.issuer}/{entry.patient_id}" if entry.issuer and entry.patient_id else entry.patient_id
    told = {name.casefold() for name in sample.attributes}
    said = {k: v for k, v in unit.attributes().items() if k not in told}
    return replace(
        sample,
        patient=sample.patient if own_patient or not who else who,
        inputs={"image": readings},
        attributes={**sample.attributes, **said},
        time_days=max(sample.time_days, *(r.time_days for r in readings), days_after(first, entry.study_date)),
    )


def _usual(found: dict[str, Unit]) -> int:
    return Counter(u.ndim for u in found.values()).most_common(1)[0][0] if found else 3


def _patients_known(found: dict[str, Unit]) -> bool:
    return bool(found) and all(u.last.patient_id for u in found.values())


def _input(samples: Sequence[Sample], found: dict[str, Unit]) -> InputSpec:
    modality = Counter(u.last.modality for u in found.values()).most_common(1)[0][0]
    del samples
    return InputSpec(name="image", ndim=_usual(found), modality=modality)


def _notes(disk: _Disk) -> tuple[str, ...]:
    index = disk.index
    counts = f"{len(index.patients())} patients, {len(index.studies())} studies, {len(index.series())} series"
    used = sum(c.chosen is not None for c in disk.choices)
    notes = [f"{len(index.entries)} DICOM files: {counts}; of {used} studies one series each is used."]
    if index.problems:
        notes.append(f"{len(index.problems)} files cannot be used, or in part only.")
    return tuple(notes)


def _unused(disk: _Disk, found: dict[str, Unit], ndim: int) -> tuple[SetAside, ...]:
    aside = [
        SetAside(sample=c.study.accession or c.study.uid, reason=f"no series to look at: {c.reason}")
        for c in disk.choices
        if c.chosen is None
    ]
    aside += [
        SetAside(sample=u.last.accession or k, reason=f"{u.ndim}D, where most studies are {ndim}D")
        for k, u in found.items()
        if u.ndim != ndim
    ]
    return (*aside, *disk.aside())
