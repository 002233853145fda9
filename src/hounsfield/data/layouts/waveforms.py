"""A folder of DICOM waveforms, such as electrocardiograms, with a table of answers or class folders."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, Roles, SetAside
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.data.dicom.apart import is_waveform, reason_no_picture
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.index import Index, index_tree
from hounsfield.data.dicom.labels import KEYS, Join, join
from hounsfield.data.files import list_files
from hounsfield.data.layouts.dicom_disk import ENOUGH_SAMPLES
from hounsfield.data.layouts.dicom_folders import folder_levels
from hounsfield.data.layouts.dicom_probing import probe
from hounsfield.data.layouts.record_cohort import cohort_of_records, understood_records
from hounsfield.data.layouts.record_tables import KEY, key_column, record_table
from hounsfield.data.layouts.records import RecordFiles, look_at, record_name, signal_inputs
from hounsfield.data.signal.readers import signal_reader
from hounsfield.data.table import Sheet

NAME = "waveforms"
READER = "dicom-waveform"
_HEAD_BYTES = 512


class WaveformsLayout:
    """One sample for each object; tables name it by file, UID, accession number or patient."""

    def claims(self, root: Path, roles: Roles) -> float:
        """Return .98 for an object, and where more waveforms than pictures are among the DICOM files; else 0."""
        try:
            if root.is_file():
                with root.open("rb") as stream:
                    return 0.98 if signal_reader(READER).sniff(stream.read(_HEAD_BYTES), root.name) else 0.0
            seen = probe(root) if root.is_dir() else None
        except (HounsfieldError, OSError):
            return 0.0
        waves = sum(is_waveform(e) for e in seen or ())
        pictures = sum(e.frames > 0 and not reason_no_picture(e) for e in seen or ())
        return 0.98 if waves > pictures else 0.0

    def cohort(self, root: Path, roles: Roles) -> Cohort:
        """Return the cohort.

        Raises
        ------
        CohortError
            If no waveform can be read, or several columns could be the answer.
        """
        files = list_files(root if root.is_dir() else root.parent)
        index = index_tree(root, cache=Path(roles.index) if roles.index is not None else None)
        waves = {e.path: e for e in index.entries if is_waveform(e) and not e.member}
        if not waves:
            raise CohortError(
                "None of the DICOM files can be read as a waveform.",
                expected="waveform objects, not packed into an archive",
                next_step="unpack the archive, or copy the files again",
            )
        own = WaveformFiles(
            files.root, files.paths, files.escaping, tuple(waves), entries=tuple(waves.values()),
            sorted_by_hand=folder_levels(list(waves.values())) is not None,
        )  # fmt: skip
        inputs = signal_inputs(look_at(own, list(waves), READER), READER)
        table = record_table(own, roles, said=_headers(waves))
        notes = (*table.sheet.notes, *_notes(index, waves))
        table = replace(table, sheet=replace(table.sheet, notes=notes))
        made = cohort_of_records(
            understood_records(own, table, roles), own, inputs, table=table, roles=roles, layout=NAME
        )
        return replace(made, set_aside=(*made.set_aside, *_unused(index, waves)))


@dataclass(frozen=True)
class WaveformFiles(RecordFiles):
    """Waveforms that tables may also name by what their headers hold.

    Parameters
    ----------
    entries : tuple of Entry
        Their headers.
    """

    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def by_record(self, sheet: Sheet) -> Sheet:
        """Return a table with a row for each record of each key of the headers; as it is where it names files.

        Notes
        -----
        A row of a patient or study with several records comes once for each. A key that several patients share (an
        accession number given twice, an identifier of two issuers) means none of them.
        """
        found = join([sheet], self.entries)
        if found is None:
            return sheet
        named = key_column(sheet, self)
        if named is not None and (named.explicit or sum(p is not None for p in named.paths) >= found.matched):
            return sheet
        return self._expanded(sheet, found)

    def _expanded(self, sheet: Sheet, found: Join) -> Sheet:
        paths: dict[str, list[str]] = {}
        owners: dict[str, set[tuple[str, str]]] = {}
        for entry in self.entries:
            own: str = getattr(entry, KEYS[found.key][0])
            paths.setdefault(own, []).append(entry.path)
            owners.setdefault(own, set()).add((entry.issuer, entry.patient_id))
        shared = {v for v, whose in owners.items() if len(whose) > 1}
        rows: list[int] = []
        cells: list[str | None] = []
        for row, value in enumerate(found.values):
            several = paths.get(value, []) if value is not None and value not in shared else []
            rows += [row] * max(1, len(several))
            key = sheet.columns[found.column][row]
            # not the bare key, which may be another record's file name by chance
            cells += several or [f"{found.key} {key}" if key is not None else None]
        name = KEY if KEY not in sheet.columns else f"({KEY})"
        told = [f"{sheet.name} is joined by {found.key} ({found.column}): {found.matched} of {sheet.rows} rows have "
                f"files; one sample per waveform."]  # fmt: skip
        lost = sum(v in shared for v in found.values)
        if lost:
            told.append(f"{lost} rows of {sheet.name} are not used: several patients have their {found.key}.")
        taken = sheet.take(rows)
        return Sheet(sheet.name, {name: tuple(cells), **taken.columns}, (*sheet.notes, *told))


def _headers(waves: Mapping[str, Entry]) -> dict[str, dict[str, str]]:
    """Return what the headers say of each record: whose it is, age, sex, place and device."""
    whose = {path: f"{e.issuer}/{e.patient_id}" if e.issuer else e.patient_id for path, e in waves.items()}
    known = any(e.patient_id for e in waves.values()) and not _overwritten(waves)
    said: dict[str, dict[str, str]] = {}
    for path, entry in waves.items():
        facts = {
            "PatientID": "" if not known else whose[path] if entry.patient_id else path,
            "age": "" if entry.age_years is None else f"{entry.age_years:g}",
            "sex": entry.sex,
            "site": entry.institution,
            "device": " ".join(w for w in (entry.manufacturer, entry.model) if w),
        }
        said[path] = {name: text for name, text in facts.items() if text}
    return said


def _overwritten(waves: Mapping[str, Entry]) -> bool:
    """Tell whether all have one identifier, as a careless removal of identifiers leaves it: it is not believed."""
    names = {(e.issuer, e.patient_id) for e in waves.values()}
    return len(waves) >= ENOUGH_SAMPLES and len(names) == 1


def _notes(index: Index, waves: Mapping[str, Entry]) -> list[str]:
    said: list[str] = []
    if _overwritten(waves) and next(iter(waves.values())).patient_id:
        said.append(f"All {len(waves)} waveforms have one PatientID, as if it had been overwritten; it is not used.")
    others = Counter(e.modality or "no modality" for e in index.entries if not is_waveform(e))
    if others:
        told = ", ".join(f"{n} {what}" for what, n in others.most_common(6))
        said.append(f"Other DICOM files lie beside the waveforms and are not looked at: {told}.")
    return said


def _unused(index: Index, waves: Mapping[str, Entry]) -> tuple[SetAside, ...]:
    packed = (
        SetAside(sample=record_name(e.member), reason="it lies in an archive, where waveforms are not read: unpack it")
        for e in index.entries
        if e.member and is_waveform(e)
    )
    damaged = (SetAside(sample=record_name(p.sample), reason=p.reason) for p in index.problems if p.sample not in waves)
    return (*packed, *damaged)
