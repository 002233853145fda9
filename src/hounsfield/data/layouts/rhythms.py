"""Rhythms of annotated WFDB records: stretches of one rhythm cut into windows of one length."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hounsfield.core.cohort import Cohort, Listing, Reading, Ref, Sample, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, ReadError, unknown_name
from hounsfield.data.layouts.record_cohort import Said, checked, finished
from hounsfield.data.layouts.record_tables import RecordTable
from hounsfield.data.layouts.records import INPUT, Record, RecordFiles, SignalInputs, lead_header
from hounsfield.data.signal.wfdb.annotations import Span, read_annotations, rhythms
from hounsfield.data.signal.wfdb.header import parse_header
from hounsfield.data.table import parse_number

RHYTHM = "rhythm"
WINDOW_S = 10.0
"""Seconds of a window unless said otherwise: as long as a diagnostic electrocardiogram."""
OTHER = "other"
FEWEST_PATIENTS = 2
"""A rhythm of fewer patients outside the test part cannot be learned and judged."""


@dataclass(frozen=True)
class _Stretch:
    record: Record
    span: Span
    rate_hz: float


def cohort_of_rhythms(
    files: RecordFiles,
    records: Sequence[Record],
    inputs: SignalInputs,
    *,
    said: Said,
    table: RecordTable,
    ending: str,
    asked: tuple[str, float],
) -> Cohort:
    """Return the cohort with one sample for each window that lies in one rhythm.

    Parameters
    ----------
    files : RecordFiles
    records : sequence of Record
    inputs : SignalInputs
    said : Said
        Patient, part and attributes of each record.
    table : RecordTable
    ending : str
        Of the annotation files.
    asked : tuple of (str, float)
        ``rhythm`` for all rhythms, or one of them (``AFIB``) against all others; and the seconds of a window.

    Raises
    ------
    CohortError
        If no stretch is as long as a window.
    UnknownNameError
        If no record has the rhythm that is asked.
    """
    target, seconds = asked
    aside: list[SetAside] = []
    stretches: list[_Stretch] = []
    for record in records:
        about = said.about.get(record.path)
        if about is None:
            continue
        try:
            stretches += _stretches(files, record, inputs, ending)
        except ReadError as error:
            aside.append(SetAside(sample=about.name, reason=error.found.partition(": ")[2] or error.found))
    labels = sorted({s.span.label for s in stretches})
    single = target if target != RHYTHM else None
    if single is not None and single not in labels:
        raise unknown_name("rhythm", single, labels)
    if stretches and all(s.span.stop - s.span.start < round(seconds * s.rate_hz) for s in stretches):
        raise CohortError(
            f"No stretch of one rhythm is {seconds:g} s long.",
            expected="stretches as long as a window",
            next_step=f"name shorter windows: --target {target}:5",
        )
    rare = set() if single else _rare(stretches, said, seconds)
    kept = [s for s in stretches if s.span.label not in rare]
    if single is None and stretches and len(set(labels) - rare) < 2:
        raise CohortError(
            f"Of the rhythms {', '.join(labels)} all but {len(set(labels) - rare)} are those of fewer than "
            f"{FEWEST_PATIENTS} patients outside the test part.",
            expected="two rhythms of several patients",
            next_step=f"ask for one of them against all others: --target {labels[0]}",
        )
    classes = (OTHER, single) if single else tuple(c for c in labels if c not in rare)
    samples = [w for s in kept for w in _windows(s, said, inputs, asked)]
    notes = [f"Stretches of one rhythm are cut into windows of {seconds:g} s; what is left at their end is not used."]
    if rare:
        shown = ", ".join(sorted(rare))
        notes.append(f"Rhythms with a window of fewer than {FEWEST_PATIENTS} patients are left out: {shown}.")
    schema = finished(said.schema, layout="wfdb", inputs=inputs, table=table, aside=aside)
    spec = TargetSpec(
        name=target,
        kind="categorical",
        classes=classes,
        positive=single,
        positive_source="declared" if single else "",
    )
    schema = schema.model_copy(update={"targets": (spec,), "inputs": inputs.specs, "notes": (*schema.notes, *notes)})
    cohort = Cohort(
        files.root.name, str(files.root), tuple(samples), schema, tuple(aside), listings=(_listing(stretches, seconds),)
    )
    return checked(cohort)


def window_seconds(text: str) -> float:
    """Return the seconds of a window as ``rhythm:30`` tells them.

    Raises
    ------
    CohortError
        If it is no positive number.
    """
    seconds = parse_number(text)
    if seconds is None or not 0 < seconds <= 86400:
        raise CohortError(
            f"Windows of {text!r} seconds were asked for.",
            expected="seconds as a number, up to a day",
            next_step="write --target rhythm:30 for windows of 30 s",
        )
    return seconds


def _stretches(files: RecordFiles, record: Record, inputs: SignalInputs, ending: str) -> list[_Stretch]:
    fault = inputs.faults.get(record.path)
    header = lead_header(files.root, record, inputs) if fault is None else None
    if header is None or header.rate_hz is None:
        raise ReadError(fault or record.fault or "it has no rate")
    path = files.root / record.path
    frames_hz = parse_header(path, Ref("wfdb", record.path)).frames_hz
    marks = read_annotations(path.with_name(f"{path.name[: -len('.hea')]}.{ending}"), rate_hz=frames_hz)
    finer = max(1, round(header.rate_hz / frames_hz))
    spans = rhythms(marks, header.samples // finer)
    return [
        _Stretch(record, Span(s.start * finer, min(s.stop * finer, header.samples), s.label), header.rate_hz)
        for s in spans
        if 0 <= s.start * finer < header.samples
    ]


def _rare(stretches: Sequence[_Stretch], said: Said, seconds: float) -> set[str]:
    """Return the rhythms of which too few patients outside the test part have a whole window."""
    patients: dict[str, set[str]] = defaultdict(set)
    for s in stretches:
        about = said.about[s.record.path]
        if about.part != "test" and s.span.stop - s.span.start >= round(seconds * s.rate_hz):
            patients[s.span.label].add(about.patient)
    return {s.span.label for s in stretches if len(patients[s.span.label]) < FEWEST_PATIENTS}


def _windows(stretch: _Stretch, said: Said, inputs: SignalInputs, asked: tuple[str, float]) -> Iterator[Sample]:
    target, seconds = asked
    length = max(1, round(seconds * stretch.rate_hz))
    about = said.about[stretch.record.path]
    label = stretch.span.label
    answer = {target: label if target in (RHYTHM, label) else OTHER}
    for start in range(stretch.span.start, stretch.span.stop - length + 1, length):
        part: tuple[tuple[str, str | int], ...] = (("start", start), ("stop", start + length))
        part += inputs.part(stretch.record.path)
        yield Sample(
            id=f"{about.name}_{start}",
            patient=about.patient,
            inputs={INPUT: (Reading(Ref("wfdb", stretch.record.path, part)),)},
            targets=answer,
            part=about.part,
            attributes=about.attributes,
        )


def _listing(stretches: Sequence[_Stretch], seconds: float) -> Listing:
    count: Counter[str] = Counter()
    length: dict[str, float] = defaultdict(float)
    windows: Counter[str] = Counter()
    where: dict[str, set[str]] = defaultdict(set)
    for s in stretches:
        here = (s.span.stop - s.span.start) / s.rate_hz
        count[s.span.label] += 1
        length[s.span.label] += here
        windows[s.span.label] += int(here // seconds)
        where[s.span.label].add(s.record.path)
    rows = tuple(
        (c, str(n), f"{length[c] / 60:.1f}", str(windows[c]), str(len(where[c]))) for c, n in count.most_common()
    )
    return Listing("Rhythms", ("rhythm", "stretches", "minutes", "windows", "records"), rows)
