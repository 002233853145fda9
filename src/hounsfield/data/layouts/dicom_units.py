"""What a sample of a DICOM disk looks at: the chosen series, as refs, and what its header says of the patient."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from hounsfield.core.cohort import Reading
from hounsfield.core.types import Attribute
from hounsfield.data.dicom.apart import is_mask
from hounsfield.data.dicom.choosing import Choice, choose
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.groups import Series, series_of, studies_of
from hounsfield.data.dicom.index import Index
from hounsfield.data.dicom.query import Query
from hounsfield.data.dicom.used import Used, ndim_of, used_of


@dataclass(frozen=True)
class Unit:
    """What one row of a table, or one study without a table, is about.

    Parameters
    ----------
    key : str
        Value of the key, as the files have it.
    series : tuple of Series
        One, or one for each visit in the order of their dates.
    ndim : int
        2 for a picture, 3 for a volume or a film.
    query : Query or None
        Which series, and which of their phases, the user means.
    folder : str
        Of a series whose files lie in several folders the one that is meant; else empty.
    """

    key: str
    series: tuple[Series, ...] = field(repr=False)
    ndim: int
    query: Query | None = field(default=None, repr=False)
    folder: str = field(default="", repr=False)

    @property
    def last(self) -> Entry:
        """The header that stands for it: of the latest visit."""
        return self.series[-1].first

    def used(self, root: Path) -> tuple[Used, ...]:
        """Return what is looked at of each series in the indexed folder."""
        return tuple(used_of(s, root, self.query, self.folder) for s in self.series)

    def readings(self, root: Path, first_day: str, phase: str | None = None) -> tuple[Reading, ...]:
        """Return what is looked at, each at its day after `first_day`; of one phase, where it is named, or none."""
        days = [days_after(first_day, s.first.study_date) for s in self.series]
        refs = [u.ref if phase is None else u.all_phases.get(phase) for u in self.used(root)]
        return tuple(Reading(r, d) for r, d in zip(refs, days, strict=True) if r is not None)

    def attributes(self) -> dict[str, Attribute]:
        """Return what is known for audit and subgroups; empty values are left out."""
        entry = self.last
        scanner = " ".join(w for w in (entry.manufacturer, entry.model) if w)
        said: dict[str, Attribute] = {
            "site": entry.institution,
            "scanner": scanner,
            "age": entry.age_years,
            "sex": entry.sex,
            "kernel": entry.kernel,
            "slice_thickness_mm": entry.thickness_mm,
        }
        return {name: value for name, value in said.items() if value not in ("", None)}


def units(
    level: str, key: str, choices: Sequence[Choice], entries: Iterable[Entry], *, query: Query | None = None
) -> dict[str, Unit]:
    """Return the units of one level, by their key.

    Parameters
    ----------
    level : str
        ``image``, ``series``, ``study`` or ``patient``.
    key : str
        Field of `Entry` that holds the key.
    choices : sequence of Choice
        One of each study.
    entries : iterable of Entry
        All files.
    query : Query or None
        What the user asked for.

    Notes
    -----
    A key that several patients share (an accession number given twice, an identifier of two issuers) stands for none
    of them: it is left out, see `shared_keys`.
    """
    if level == "image":
        singles = (series_of([e])[0] for e in entries if e.frames > 0 and not is_mask(e))
        return {s.first.sop_uid: Unit(s.first.sop_uid, (s,), ndim_of(s)) for s in singles if s.first.sop_uid}
    if level == "series":
        every = [s for c in choices for s in (c.chosen, *(a for a, _ in c.apart)) if s is not None]
        twice = {u for u, n in Counter(s.uid for s in every).items() if n > 1}
        able = [s for s in every if s.images > 0 and s.uid not in twice]
        return {s.uid: Unit(s.uid, (s,), ndim_of(s), query) for s in able}
    shared = shared_keys(key, choices)
    grouped: dict[str, list[Series]] = {}
    for choice in choices:
        if choice.chosen is not None:
            value: str = getattr(choice.chosen.first, key)
            if value and value not in shared:
                grouped.setdefault(value, []).append(choice.chosen)
    return {value: _visits(value, several, query) for value, several in grouped.items()}


def shared_keys(key: str, choices: Sequence[Choice]) -> frozenset[str]:
    """Return the values of a key that more than one patient has."""
    owners: dict[str, set[tuple[str, str]]] = {}
    for choice in choices:
        for series in choice.study.series:
            value: str = getattr(series.first, key)
            owners.setdefault(value, set()).add((series.patient, series.issuer))
    return frozenset(value for value, who in owners.items() if value and len(who) > 1)


def single_units(choices: Sequence[Choice], query: Query | None = None) -> dict[str, Unit]:
    """Return one unit for each study of each patient, whatever its identifiers are."""
    found: dict[str, Unit] = {}
    for choice in choices:
        if choice.chosen is not None:
            study = choice.study
            name = study.uid if study.uid and study.uid not in found else f"{study.uid}#{len(found) + 1}"
            found[name] = Unit(name, (choice.chosen,), ndim_of(choice.chosen), query)
    return found


def folder_units(inside: Mapping[str, Sequence[Entry]], index: Index, query: Query | None = None) -> dict[str, Unit]:
    """Return one unit for each folder: the series chosen of the study in it, or of each visit.

    Parameters
    ----------
    inside : mapping of str to sequence of Entry
        The files of each folder.
    index : Index
        Of the whole disk: a series that goes on in another folder is read from its own folder only.
    query : Query or None

    Notes
    -----
    A folder with series of several patients is left out.
    """
    owners = [(name, study) for name, entries in inside.items() for study in studies_of(series_of(entries))]
    whole = {(s.patient, s.issuer, s.study, s.uid): len(s.entries) for s in index.series()}
    chosen: dict[str, list[Series]] = {}
    for (name, _), choice in zip(owners, choose([study for _, study in owners], query), strict=True):
        if choice.chosen is not None:
            chosen.setdefault(name, []).append(choice.chosen)
    found = {}
    for name, several in chosen.items():
        if len({(s.patient, s.issuer) for s in several}) == 1:
            split = any(len(s.entries) < whole[s.patient, s.issuer, s.study, s.uid] for s in several)
            found[name] = replace(_visits(name, several, query), folder=name if split else "")
    return found


def _visits(key: str, several: Sequence[Series], query: Query | None) -> Unit:
    ordered = sorted(several, key=lambda s: (s.first.study_date, s.study))
    shape = ndim_of(ordered[-1])
    return Unit(key, tuple(s for s in ordered if ndim_of(s) == shape), shape, query)


def days_after(first: str, day: str) -> float:
    """Return the days from one DICOM date to another, 0 where one is missing or wrong."""
    try:
        return float((_date(day) - _date(first)).days)
    except ValueError:
        return 0.0


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def first_days(found: Mapping[str, Unit]) -> dict[tuple[str, str], str]:
    """Return each patient's first date."""
    days: dict[tuple[str, str], str] = {}
    for unit in found.values():
        for series in unit.series:
            day = series.first.study_date
            if len(day) == 8 and day.isdigit():
                who = (series.patient, series.issuer)
                days[who] = min(day, days.get(who, day))
    return days
