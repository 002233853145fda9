"""Records of signals as files: which there are, what is wrong with them, which leads they share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Reading, Ref, Schema
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.core.leads import STANDARD, common_name, on_the_head, place_of, standard_lead
from hounsfield.core.signal import SignalHeader
from hounsfield.data.files import Files, ending, folded, plain_key, stem
from hounsfield.data.inputs import Inputs
from hounsfield.data.signal.readers import signal_header
from hounsfield.data.table import Sheet

SIGNAL_ENDINGS = (".hea", ".edf", ".bdf", ".rec")
INPUT = "signal"
"""Name of the input that records of signals are."""
MOST_HAVE = 0.9
"""A lead that so many records have is looked at; a record without it is set aside."""


@dataclass(frozen=True)
class RecordFiles(Files):
    """The files of a folder where tables name records of signals.

    Parameters
    ----------
    records : tuple of str
        Paths of the records' main files.
    sorted_by_hand : bool
        Whether folders may be classes; those that a PACS makes are not.
    """

    records: tuple[str, ...] = field(default=(), repr=False)
    sorted_by_hand: bool = True

    def by_record(self, sheet: Sheet) -> Sheet:
        """Return a table whose rows name records by their files, as most do already."""
        return sheet

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The records: what the rows of a table mean here."""
        return self.records

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Paths that may be tables of answers; no record is one."""
        own = set(self.records)
        return tuple(p for p in Files(self.root, self.paths).tables if p not in own)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.records:
            found.setdefault(folded(path.rsplit("/", 1)[-1]), []).append(path)
        return found

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.records:
            found.setdefault(plain_key(folded(record_name(path))), []).append(path)
        return found


def record_files(files: Files, records: Sequence[str]) -> RecordFiles:
    """Return the files of a folder with the records among them."""
    return RecordFiles(files.root, files.paths, files.escaping, tuple(records))


def record_name(path: str) -> str:
    """Return the name of a record: its file's name without folder and ending."""
    name = stem(path)
    return name[: -len(ending(name))] if ending(name) in SIGNAL_ENDINGS else name


@dataclass(frozen=True)
class Record:
    """One record.

    Parameters
    ----------
    path : str
        Of its main file, relative to the root.
    header : SignalHeader or None
        None where it cannot be read.
    fault : str
        Why not.
    assumed : bool
        Whether the header is that of another record with the same leads: its length and rate are not this one's.
    """

    path: str
    header: SignalHeader | None
    fault: str = ""
    assumed: bool = False


def look_at(files: Files, paths: Sequence[str], reader: str) -> tuple[Record, ...]:
    """Read the header of each record; one that cannot be read keeps the reason."""
    here = Cohort("", str(files.root), (), Schema())
    found: list[Record] = []
    for path in paths:
        try:
            found.append(Record(path, signal_header(here, Ref(reader, path))))
        except ReadError as error:
            found.append(Record(path, None, error.found.partition(": ")[2] or error.found))
    return tuple(found)


@dataclass(frozen=True)
class SignalInputs(Inputs):
    """What a sample of a record looks at.

    Parameters
    ----------
    reader : str
    own : mapping of str to str
        Path of a record to its own name of the one lead that is looked at, where it has more.
    faults : mapping of str to str
        Path of a record that cannot be used to the reason.
    notes : tuple of str
        What a person should know of leads, rates and lengths.
    headers : mapping of str to SignalHeader
        Of the records that can be used, by path.
    """

    reader: str = ""
    own: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    headers: dict[str, SignalHeader] = field(default_factory=dict, repr=False)

    def part(self, path: str) -> tuple[tuple[str, str], ...]:
        """Return the part of a ref that says which lead is meant."""
        return (("lead", self.own[path]),) if path in self.own else ()

    def readings(self, path: str, time_days: float) -> dict[str, tuple[Reading, ...]]:
        """Return the inputs of one sample: its record."""
        return {INPUT: (Reading(Ref(self.reader, path, self.part(path)), time_days),)}


def lead_header(root: Path, record: Record, inputs: SignalInputs) -> SignalHeader | None:
    """Return the header of what a sample of a record looks at, None where it cannot be read.

    Parameters
    ----------
    root : pathlib.Path
    record : Record
    inputs : SignalInputs

    Raises
    ------
    ReadError
        If the record cannot be read any more.

    Notes
    -----
    One lead of several has a rate and a length of its own: that of the whole record is its fastest lead's.
    """
    part = inputs.part(record.path)
    if record.header is None or not part:
        return record.header
    return signal_header(Cohort("", str(root), (), Schema()), Ref(inputs.reader, record.path, part))


def signal_inputs(records: Sequence[Record], reader: str) -> SignalInputs:
    """Find out which leads the records share and what is remarkable about them.

    Raises
    ------
    CohortError
        If no record can be read; the message tells the most frequent reason.
    """
    known = [(r.path, r.header) for r in records if r.header is not None]
    if not known:
        if not records:
            raise CohortError(
                "Every header in the folder is that of a segment.",
                expected="a header that names the segments of a record",
                next_step="copy the header of the whole record",
            )
        reasons = Counter(r.fault for r in records).most_common(1)
        raise CohortError(
            f"None of the {len(records)} records can be read" + (f": {reasons[0][0]}" if reasons else "."),
            expected="records whose header and samples are there",
            next_step="copy all files of the records",
        )
    wanted = _wanted([h for _, h in known])
    faults = {r.path: r.fault for r in records if r.header is None}
    own: dict[str, str] = {}
    for path, header in known:
        lacking = [n for n in wanted if place_of(n, header.leads) is None]
        if lacking:
            faults[path] = f"it has no lead {', '.join(lacking)}, which the others have"
        elif len(wanted) == 1 and len(header.leads) > 1:
            own[path] = header.leads[place_of(wanted[0], header.leads) or 0]
    looked = {r.path for r in records if not r.assumed}
    heads = {p: h for p, h in known if p not in faults and p in looked}
    heart = any(standard_lead(n, beside=wanted) for n in wanted) and not on_the_head(wanted)
    spec = InputSpec(name=INPUT, kind="signal", ndim=1, modality="ECG" if heart else "", leads=wanted)
    notes = _notes(list(heads.values()), wanted, own)
    if len(looked) < len(records):
        more = len(records) - len(looked)
        notes = (*notes, f"Lengths and rates of {more} further records are not listed: their leads are alike.")
    return SignalInputs((spec,), reader=reader, own=own, faults=faults, notes=notes, headers=heads)


def _wanted(headers: Sequence[SignalHeader]) -> tuple[str, ...]:
    """Return the leads that nearly all records have, standard ones first and in the standard order."""
    counts: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for header in headers:
        names = list(dict.fromkeys(common_name(n, beside=header.leads) for n in header.leads))
        counts.update(names)
        for lead in header.leads:
            shown.setdefault(common_name(lead, beside=header.leads), lead)
    most = [n for n, c in counts.items() if c >= MOST_HAVE * len(headers)] or [counts.most_common(1)[0][0]]
    first = [n for n in STANDARD if n in most]
    return (*first, *(shown[n] for n in most if n not in first))


def _notes(headers: Sequence[SignalHeader], wanted: tuple[str, ...], own: dict[str, str]) -> tuple[str, ...]:
    said: list[str] = []
    if own:
        names = Counter(own.values()).most_common(4)
        said.append(f"Records have several leads; {wanted[0]} is the one they share: {_counted(names)}.")
    rates = Counter(h.rate_hz for h in headers)
    if len(rates) > 1:
        shown = _counted([("no rate" if r is None else f"{r:g} Hz", n) for r, n in rates.most_common(6)])
        said.append(f"Records have different rates: {shown}.")
    for note, count in Counter(n for h in headers for n in h.notes).most_common(8):
        said.append(f"{count} record{'s' if count > 1 else ''}: {note}.")
    return tuple(said)


def _counted(pairs: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in pairs)
