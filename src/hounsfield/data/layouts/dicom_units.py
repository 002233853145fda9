"""What a sample of a DICOM disk looks at: the chosen series, as refs, and what its header says of the patient."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from hounsfield.core.cohort import Reading, Ref
from hounsfield.core.types import Attribute
from hounsfield.data.dicom.apart import ENHANCED
from hounsfield.data.dicom.assembling import assemble
from hounsfield.data.dicom.choosing import Choice
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.groups import Series, series_of
from hounsfield.data.dicom.mosaic import is_mosaic

_VOLUMES = frozenset(("CT", "MR", "PT", "NM"))


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
    """

    key: str
    series: tuple[Series, ...] = field(repr=False)
    ndim: int

    @property
    def last(self) -> Entry:
        """The header that stands for it: of the latest visit."""
        return self.series[-1].first

    def readings(self, root: Path, first_day: str) -> tuple[Reading, ...]:
        """Return what is looked at in the indexed folder, each at its day after `first_day`."""
        return tuple(Reading(ref_of(s, root), days_after(first_day, s.first.study_date)) for s in self.series)

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


def is_volume(series: Series) -> bool:
    """Tell whether the files of a series are slices of a volume and not pictures beside each other."""
    places = {e.position_lps for e in series.entries if e.frames == 1 and e.position_lps is not None}
    first = series.first
    return (first.modality in _VOLUMES and len(places) > 1) or first.sop_class in ENHANCED or is_mosaic(first)


def ref_of(series: Series, root: Path) -> Ref:
    """Return where a series is read from: the largest of its volumes, else its first picture or film."""
    entry = _first(series)
    part: tuple[tuple[str, str | int], ...] = (("member", entry.member),) if entry.member else ()
    if is_volume(series):
        part = (*part, ("series", series.uid), ("volume", _largest(series, root)))
    return Ref("dicom", entry.path, part)


def _largest(series: Series, root: Path) -> int:
    volumes = assemble(series.entries, root=root).volumes
    return max(volumes, key=lambda v: (len(v.planes), -v.number)).number if volumes else 0


def ndim_of(series: Series) -> int:
    """Return 3 for a volume and for a file of several frames, else 2."""
    return 3 if is_volume(series) or _first(series).frames > 1 else 2


def _first(series: Series) -> Entry:
    able = [e for e in series.entries if e.frames > 0] or list(series.entries)
    return min(able, key=lambda e: (e.instance_number if e.instance_number is not None else 1 << 40, e.path, e.member))


def units(level: str, key: str, choices: Sequence[Choice], entries: Iterable[Entry]) -> dict[str, Unit]:
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
    """
    if level == "image":
        singles = (series_of([e])[0] for e in entries if e.frames > 0)
        return {s.first.sop_uid: Unit(s.first.sop_uid, (s,), ndim_of(s)) for s in singles if s.first.sop_uid}
    if level == "series":
        every = [s for c in choices for s in (c.chosen, *(a for a, _ in c.apart)) if s is not None]
        return {s.uid: Unit(s.uid, (s,), ndim_of(s)) for s in every if s.images > 0}
    grouped: dict[str, list[Series]] = {}
    for choice in choices:
        if choice.chosen is not None:
            value: str = getattr(choice.chosen.first, key)
            grouped.setdefault(value, []).append(choice.chosen)
    found = {}
    for value, several in grouped.items():
        ordered = sorted(several, key=lambda s: (s.first.study_date, s.study))
        shape = ndim_of(ordered[-1])
        found[value] = Unit(value, tuple(s for s in ordered if ndim_of(s) == shape), shape)
    return found


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
