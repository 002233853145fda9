"""A disk from a PACS as a layout sees it: its index, what is chosen of each study, and what samples look at."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hounsfield.core.cohort import InputSpec, Listing, Reading, Roles, Sample, SetAside
from hounsfield.core.errors import CohortError, unknown_name
from hounsfield.data.dicom.choosing import Choice, choose
from hounsfield.data.dicom.groups import Study
from hounsfield.data.dicom.index import Index, index_tree
from hounsfield.data.dicom.query import Query, parse_query
from hounsfield.data.dicom.used import uptake_of
from hounsfield.data.files import Files, list_files
from hounsfield.data.layouts.cases import MOST
from hounsfield.data.layouts.dicom_listing import listings
from hounsfield.data.layouts.dicom_units import Unit, days_after

PHASES = "phases"
"""What the user says for ``--image`` to look at every phase of a series, each as an input."""
MOST_PHASES = 12
"""Each input has an encoder of its own; more of them than this are no wish but a mistake."""
ENOUGH_SAMPLES = 4
"""From so many samples on, one identifier for all of them is taken for that of whoever removed the others."""


@dataclass(frozen=True)
class Disk:
    """An indexed disk.

    Parameters
    ----------
    root : pathlib.Path
        Folder or archive.
    index : Index
    choices : tuple of Choice
        One of each study.
    query : Query or None
        Which series, and which of their phases, the user means.
    files : Files
        What lies in the folder, tables among it.
    """

    root: Path
    index: Index
    choices: tuple[Choice, ...]
    query: Query | None
    files: Files

    @property
    def name(self) -> str:
        """Name of the folder or archive."""
        return self.root.resolve().name

    def listings(self) -> tuple[Listing, ...]:
        """Return what the disk holds as tables for a person."""
        return listings(self.index, self.choices, self.files.root, self.query)

    def preferring(self, drawn: frozenset[str]) -> "Disk":
        """Return the disk with the series chosen on which masks were drawn, given their UIDs."""
        return replace(self, choices=choose(_studies(self.index), self.query, drawn=drawn)) if drawn else self

    def notes(self) -> tuple[str, ...]:
        """Return how much there is, and of how much something is wrong."""
        index = self.index
        counts = f"{len(index.patients())} patients, {len(index.studies())} studies, {len(index.series())} series"
        used = sum(c.chosen is not None for c in self.choices)
        notes = [f"{len(index.entries)} DICOM files: {counts}; of {used} studies one series each is used."]
        if index.problems:
            notes.append(f"{len(index.problems)} files cannot be used, or in part only.")
        return tuple(notes)

    def doubts(self, found: Mapping[str, Unit]) -> tuple[str, ...]:
        """Return what a person should check of the series that are used: PET values in different units."""
        series = [s for u in found.values() for s in u.series if s.first.modality == "PT"]
        units = Counter("SUV" if (u := uptake_of(s, self.files.root)).factor is not None else u.units for s in series)
        if len(units) < 2:
            return ()
        told = ", ".join(f"{n} in {unit}" for unit, n in units.most_common())
        return (f"The values of PET series are in different units: {told}; leave out what has no SUV.",)

    def unused(self, found: Mapping[str, Unit], ndim: int) -> tuple[SetAside, ...]:
        """Return the studies without a series to look at, the units of another shape, and the files with problems."""
        aside = [
            SetAside(sample=c.study.accession or c.study.uid, reason=f"no series to look at: {c.reason}")
            for c in self.choices
            if c.chosen is None
        ]
        aside += [
            SetAside(sample=u.last.accession or u.key, reason=f"{u.ndim}D, where most studies are {ndim}D")
            for u in found.values()
            if u.ndim != ndim
        ]
        return (*aside, *self.index.problems)


def disk_of(root: Path, roles: Roles) -> Disk:
    """Index a folder or archive and choose one series of each study.

    Raises
    ------
    CohortError
        If there is no DICOM file.
    """
    index = index_tree(root, cache=Path(roles.index) if roles.index is not None else None)
    if not index.entries:
        raise CohortError("There is no DICOM file.", expected="a folder or archive of DICOM files")
    query = parse_query(roles.series) if roles.series is not None else None
    files = list_files(root) if root.is_dir() else Files(root.resolve().parent, (root.name,))
    return Disk(root, index, choose(_studies(index), query), query, files)


def _studies(index: Index) -> list[Study]:
    return sorted(index.studies(), key=lambda s: (s.patient, s.issuer, s.date, s.uid))


def usual_ndim(found: Mapping[str, Unit]) -> int:
    """Return 2 or 3, whichever most units have."""
    return Counter(u.ndim for u in found.values()).most_common(1)[0][0] if found else 3


def input_specs(disk: Disk, found: Mapping[str, Unit], asked: str | None) -> tuple[InputSpec, ...]:
    """Return what each sample looks at: one image, or every phase of its series as an input of its own.

    Parameters
    ----------
    disk : Disk
    found : mapping of str to Unit
        Of one number of space axes.
    asked : str or None
        What the user said for ``--image``: nothing, ``image`` or ``phases``.

    Raises
    ------
    CohortError
        If phases are asked for and the series have none, or too many.
    UnknownNameError
        If something else is asked for.
    """
    modality = Counter(u.last.modality for u in found.values()).most_common(1)[0][0]
    ndim = usual_ndim(found)
    if asked in (None, "image"):
        return (InputSpec(name="image", ndim=ndim, modality=modality),)
    if asked != PHASES:
        raise unknown_name("image", asked or "", ("image", PHASES))
    counts = Counter(name for unit in found.values() for name in unit.used(disk.files.root)[-1].all_phases)
    names = [n for n, count in counts.items() if count >= MOST * max(counts.values())]
    if not 2 <= len(names) <= MOST_PHASES:
        raise CohortError(
            f"The series have {len(names)} phases each, and --image {PHASES} makes an input of every one.",
            expected=f"2 to {MOST_PHASES} phases that nearly all series have",
            next_step="leave --image out, and choose a phase with --series, such as --series "
            '"DiffusionBValue == 1000" or "TemporalPositionIdentifier == 3"',
        )
    return tuple(InputSpec(name=n, ndim=ndim, modality=modality) for n in names)


def looking(unit: Unit, specs: Sequence[InputSpec], root: Path, first_day: str) -> dict[str, tuple[Reading, ...]] | str:
    """Return what a sample looks at, by input; or in one clause what is missing."""
    if [s.name for s in specs] == ["image"]:
        return {"image": unit.readings(root, first_day)}
    readings = {s.name: unit.readings(root, first_day, s.name) for s in specs}
    lacking = [name for name, found in readings.items() if not found]
    return f"no image {', '.join(lacking)}" if lacking else readings


def with_unit(sample: Sample, unit: Unit, inputs: Mapping[str, tuple[Reading, ...]], first_day: str) -> Sample:
    """Return a sample that looks at a unit, with what its header tells of the patient."""
    entry = unit.last
    told = {name.casefold() for name in sample.attributes}
    said = {k: v for k, v in unit.attributes().items() if k not in told}
    times = [r.time_days for readings in inputs.values() for r in readings]
    return replace(
        sample,
        inputs=dict(inputs),
        attributes={**sample.attributes, **said},
        time_days=max(sample.time_days, *times, days_after(first_day, entry.study_date)),
    )


def patients_of_units(found: Sequence[Unit]) -> tuple[list[str], str]:
    """Return whose each unit is, empty where the header does not tell, and what a person should know of it.

    Notes
    -----
    One identifier in all files of many samples is what a careless removal of identifiers leaves: it is not believed.
    """
    names = []
    for unit in found:
        entry = unit.last
        names.append(f"{entry.issuer}/{entry.patient_id}" if entry.issuer and entry.patient_id else entry.patient_id)
    if len(names) >= ENOUGH_SAMPLES and len(set(names)) == 1 and names[0]:
        told = f"All {len(names)} samples have one PatientID, as if it had been overwritten; it is not used."
        return [""] * len(names), told
    return names, ""
