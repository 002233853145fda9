"""A disk from a PACS: a tree or archive of DICOM files, alone, in folders of classes, or with a table of answers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles, Sample, Schema, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError, unknown_name
from hounsfield.data.dicom.apart import reason_no_picture
from hounsfield.data.dicom.archives import archive_kind
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.dicom.named import FILE, FOLDER
from hounsfield.data.file_columns import file_columns
from hounsfield.data.files import Files, ending, list_files
from hounsfield.data.layouts.described import MASK
from hounsfield.data.layouts.dicom_disk import Disk, disk_of, input_specs, looking, usual_ndim, with_unit
from hounsfield.data.layouts.dicom_folders import folder_levels, sorted_cohort
from hounsfield.data.layouts.dicom_masked import with_masks, with_structures_listed
from hounsfield.data.layouts.dicom_masks import Drawn, drawn_on_disk
from hounsfield.data.layouts.dicom_probing import in_series, probe
from hounsfield.data.layouts.dicom_reports import Reports, reports_on_disk, with_report_answers, with_reports
from hounsfield.data.layouts.dicom_table import labelled, table_join
from hounsfield.data.layouts.dicom_units import first_days, single_units
from hounsfield.data.layouts.manifest import tables_in
from hounsfield.data.rows import unique_ids
from hounsfield.data.table import Sheet, read_table

NAME = "dicom"


class DicomLayout:
    """What a PACS exports, with answers by patient, study, series, image, accession number, file or folder."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .97 for DICOM files and a table that is keyed by them, .7 for pictures in class folders, else .85.

        Notes
        -----
        A few dozen files are looked at. A table that names files by endings that are known is the manifest layout's,
        and single pictures of several patients in folders of classes are the class folders'.
        """
        try:
            if root.is_file():
                return 0.9 if archive_kind(root) and index_tree(root).entries else 0.0
            seen = probe(root)
            if seen is None:
                return 0.0
            if roles.labels is not None:
                sheet = _table(root, roles.labels)
                return 0.0 if _names_files(sheet, list_files(root)) else 0.97
            pictures = [e for e in seen if e.frames > 0 and not reason_no_picture(e)]
            return 0.7 if not in_series(seen) and folder_levels(pictures) is not None else 0.85
        except (HounsfieldError, OSError):
            return 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort: a sample for each row with files, without a table for each study (by class folders).

        Masks that were drawn on the images, and what reports answer in codes and numbers, are answers too: masks where
        the user names nothing else, and both by their names.
        """
        disk = disk_of(root, roles)
        sheets = [_table(root, roles.labels)] if roles.labels is not None else tables_in(disk.files)[0]
        where = disk.files.root
        drawn, reports = drawn_on_disk(disk.index, where), reports_on_disk(disk.index, where)
        asked = _asked(roles, sheets, drawn, reports)
        if asked.structures:
            disk = disk.preferring(drawn.series)
        plain = replace(roles, target=asked.columns, positive=None if asked.only_reports else roles.positive)
        made = _answered(disk, sheets, plain)
        if not roles.target and drawn.series and (made is None or not made.schema.targets):
            disk = disk.preferring(drawn.series)  # masks are the question: the series that they are on are meant
            made = _answered(disk, sheets, plain) if made is not None else None
        if made is None:
            if asked.columns:
                known = [c for s in sheets for c in s.columns] + drawn.shown() + reports.shown()
                raise unknown_name("target", asked.columns[0], known)
            made = replace(_alone(disk, roles), listings=disk.listings())
        if roles.target and not asked.columns:
            made = _without_answers(made)
        made = with_reports(made, disk.index, reports)
        if asked.concepts:
            made = with_report_answers(made, disk.index, reports, asked.concepts, positive=roles.positive)
        if roles.target and not asked.structures:
            return with_structures_listed(made, disk, drawn)
        return _in_order(with_masks(made, disk, drawn, asked.structures), roles.target)


@dataclass(frozen=True)
class _Asked:
    """What the user asked for: columns of a table, structures of masks, concepts of reports."""

    columns: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()

    @property
    def only_reports(self) -> bool:
        """Whether the positive class is one of a report's answers."""
        return bool(self.concepts) and not self.columns


def _asked(roles: Roles, sheets: Sequence[Sheet], drawn: Drawn, reports: Reports) -> _Asked:
    """Sort what the user asked for; a column of a table is believed before a structure, this before a concept."""
    columns, structures, concepts = [], [], []
    for name in roles.target:
        if any(name in s.columns for s in sheets):
            columns.append(name)
        elif drawn.files and (name.casefold() == MASK or drawn.names(name)):
            structures.append(name)
        elif reports.names(name):
            concepts.append(name)
        else:
            columns.append(name)
    return _Asked(tuple(columns), tuple(structures), tuple(concepts))


def _answered(disk: Disk, sheets: Sequence[Sheet], roles: Roles) -> Cohort | None:
    """Return the cohort of a table of answers or of folders of classes, None where there is neither."""
    joined = table_join(disk, sheets, roles)
    if joined is not None:
        made = labelled(disk, joined, sheets, roles)
        listed = joined.level in (FILE, FOLDER)  # of files, and answers nothing: an archive's list of contents
        if made.schema.targets or roles.labels is not None or not listed:
            return made
    elif roles.labels is not None:
        raise _no_key(sheets[0])
    return sorted_cohort(disk, roles)


def _without_answers(cohort: Cohort) -> Cohort:
    """Return a cohort without the answers that the user did not ask for."""
    schema = cohort.schema.model_copy(update={"targets": ()})
    return replace(cohort, samples=tuple(replace(s, targets={}) for s in cohort.samples), schema=schema)


def _in_order(cohort: Cohort, names: Sequence[str]) -> Cohort:
    """Return a cohort whose targets stand in the order in which the user named them."""
    place = {n: i for i, n in enumerate(names)}
    masks = min((i for n, i in place.items() if n not in {t.name for t in cohort.schema.targets}), default=len(place))
    ordered = sorted(cohort.schema.targets, key=lambda t: place.get(t.name, masks))
    return replace(cohort, schema=cohort.schema.model_copy(update={"targets": tuple(ordered)}))


def disk_without_answers(root: Path, roles: Roles) -> Cohort | None:
    """Return the cohort of a DICOM disk for prediction, None where the path is none.

    Raises
    ------
    CohortError
        If it is one and none of its studies can be looked at.
    """
    if DicomLayout().claims(root, replace(roles, labels=None)) <= 0:
        return None
    return _alone(disk_of(root, roles), roles)


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
        expected="a column of PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID or AccessionNumber, or of "
        "paths of files or folders",
        next_step="add the accession numbers, or check that table and disk belong together",
    )


def _alone(disk: Disk, roles: Roles) -> Cohort:
    """Return the cohort without answers: one sample for each study."""
    found = single_units(disk.choices, disk.query)
    if not found:
        reasons = Counter(c.reason for c in disk.choices).most_common(3)
        raise CohortError(
            f"None of the {len(disk.choices)} studies has a series to look at: {'; '.join(r for r, _ in reasons)}.",
            expected="studies with images",
            next_step="choose the series with --series, such as --series \"Modality == 'CT'\"",
        )
    ndim = usual_ndim(found)
    used = {k: u for k, u in found.items() if u.ndim == ndim}
    specs = input_specs(disk, used, roles.image)
    days = first_days(found)
    names = unique_ids([u.last.accession or u.last.patient_id or k or "study" for k, u in used.items()])
    samples, aside = [], []
    for name, unit in zip(names, used.values(), strict=True):
        first = days.get((unit.last.patient_id, unit.last.issuer), "")
        inputs = looking(unit, specs, disk.files.root, first)
        if isinstance(inputs, str):
            aside.append(SetAside(sample=name, reason=inputs))
            continue
        who = "/".join(w for w in (unit.last.issuer, unit.last.patient_id) if w and unit.last.patient_id)
        samples.append(with_unit(Sample(id=name, patient=who or name, inputs={}), unit, inputs, first))
    known = all(u.last.patient_id for u in used.values())
    schema = Schema(inputs=specs, layout=NAME, patients_known=known, notes=disk.notes(), unsure=disk.doubts(used))
    apart = (*aside, *disk.unused(found, ndim))
    return Cohort(disk.name, str(disk.files.root), tuple(samples), schema, apart)
