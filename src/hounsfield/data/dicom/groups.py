"""Patients, studies and series: how the entries of an index belong together."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hounsfield.data.dicom.entries import Entry


@dataclass(frozen=True)
class Series:
    """The files of one series.

    Parameters
    ----------
    uid : str
        SeriesInstanceUID; where it is missing, the folder, so that files of different folders stay apart.
    study, patient, issuer : str
        What it belongs to.
    entries : tuple of Entry
        In the order of their paths; what lies where in space is for `assembling` to find out.
    """

    uid: str
    study: str
    patient: str
    issuer: str
    entries: tuple[Entry, ...] = field(repr=False)

    @property
    def first(self) -> Entry:
        """The entry that stands for the series: the first with pixels, else the first."""
        return next((e for e in self.entries if e.frames > 0), self.entries[0])

    @property
    def images(self) -> int:
        """Pictures, each frame counted once however many copies of its file there are, one of a file with problems."""
        frames = {e.sop_uid or e.path + e.member: min(e.frames, 1) if e.problem else e.frames for e in self.entries}
        return sum(frames.values())


@dataclass(frozen=True)
class Study:
    """The series of one study."""

    uid: str
    patient: str
    issuer: str
    series: tuple[Series, ...] = field(repr=False)

    @property
    def accession(self) -> str:
        """The first accession number in it."""
        return next((e.accession for s in self.series for e in s.entries[:1] if e.accession), "")

    @property
    def date(self) -> str:
        """The first date in it, ``YYYYMMDD`` or empty."""
        return min((s.first.study_date for s in self.series if s.first.study_date), default="")


@dataclass(frozen=True)
class Patient:
    """The studies of one patient, who is one pair of identifier and issuer."""

    id: str
    issuer: str
    studies: tuple[Study, ...] = field(repr=False)


def series_of(entries: Iterable[Entry]) -> tuple[Series, ...]:
    """Return the series that entries form, in the order in which they come first."""
    groups: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in entries:
        series = entry.series_uid or f"no UID in {entry.path.rpartition('/')[0] or 'the folder'}"
        key = (entry.patient_id, entry.issuer, entry.study_uid, series)
        groups.setdefault(key, []).append(entry)
    return tuple(Series(uid, study, who, issuer, tuple(found)) for (who, issuer, study, uid), found in groups.items())


def studies_of(series: Iterable[Series]) -> tuple[Study, ...]:
    """Return the studies that series form, in the order in which they come first."""
    groups: dict[tuple[str, str, str], list[Series]] = {}
    for one in series:
        groups.setdefault((one.patient, one.issuer, one.study), []).append(one)
    return tuple(Study(uid, who, issuer, tuple(found)) for (who, issuer, uid), found in groups.items())


def patients_of(studies: Iterable[Study]) -> tuple[Patient, ...]:
    """Return the patients that studies form, in the order in which they come first."""
    groups: dict[tuple[str, str], list[Study]] = {}
    for study in studies:
        groups.setdefault((study.patient, study.issuer), []).append(study)
    return tuple(Patient(who, issuer, tuple(found)) for (who, issuer), found in groups.items())
