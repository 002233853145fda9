"""What lies in records and is not looked at otherwise: annotations of EDF+ files, checksums of WFDB headers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.data.files import Files
from hounsfield.data.layouts.records import Record, record_name
from hounsfield.data.scrubbers.edf import is_usual_event
from hounsfield.data.signal.edf import edf_annotations
from hounsfield.data.signal.wfdb.reader import checksum_faults

MOST_RECORDS = 40
"""Records that are looked into: what is wrong with many is wrong with some of these."""
MOST_DATA_RECORDS = 1000
MOST_BYTES = 32 << 20
_SHOWN = 5


def told_annotations(files: Files, records: Sequence[Record]) -> tuple[str, ...]:
    """Return in one sentence how many EDF+ annotations there are, so that nobody takes them for answers.

    Notes
    -----
    Up to 40 recordings are looked into, 1000 data records of each. Texts are shown where they are usual words and come
    in several recordings: others may hold anything, names among it.
    """
    plus = [r for r in records if r.header is not None and r.header.file_format.endswith("+")]
    some = _spread(plus)
    counts: Counter[str] = Counter()
    holders: Counter[str] = Counter()
    holding = 0
    for record in some:
        try:
            found = edf_annotations(_here(files), Ref("edf", record.path), records=MOST_DATA_RECORDS)
        except ReadError:
            continue
        counts.update(a.text for a in found)
        holders.update({a.text for a in found})
        holding += bool(found)
    if not holding:
        return ()
    usual = [f"{t} ({n})" for t, n in counts.most_common() if holders[t] > 1 and is_usual_event(t)][:_SHOWN]
    shown = f", such as {', '.join(usual)}" if usual else ""
    return (
        f"{holding} of {len(some)} recordings that were looked into hold {counts.total()} annotations{shown}; they are "
        "not taken for answers.",
    )


def told_checksums(files: Files, records: Sequence[Record]) -> tuple[str, ...]:
    """Return in one sentence which WFDB records do not add up to the checksums of their headers.

    Notes
    -----
    Up to 40 records and 32 MiB are read. Where header and file differ in length the sum must be wrong, and the length
    has been told.
    """
    faults: list[str] = []
    looked = 0
    for record in _within(_spread([r for r in records if r.header is not None])):
        if record.header is not None and any("frames" in note for note in record.header.notes):
            continue
        looked += 1
        try:
            leads = checksum_faults(_here(files), Ref("wfdb", record.path))
        except ReadError:
            continue
        if leads:
            faults.append(f"{record_name(record.path)} ({', '.join(leads[:3])})")
    if not faults:
        return ()
    more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return (
        f"{len(faults)} of {looked} records that were looked into do not add up to the checksum of their header: "
        f"{', '.join(faults[:_SHOWN])}{more}. Copy them again, unless they were changed on purpose.",
    )


def _here(files: Files) -> Cohort:
    return Cohort("", str(files.root), (), Schema())


def _spread(records: Sequence[Record]) -> list[Record]:
    step = max(1, -(-len(records) // MOST_RECORDS))
    return list(records[::step])


def _within(records: Iterable[Record]) -> Iterator[Record]:
    total = 0
    for record in records:
        total += record.header.bytes if record.header is not None else 0
        if total > MOST_BYTES:
            return
        yield record
