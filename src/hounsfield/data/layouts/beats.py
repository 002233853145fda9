"""Beats of annotated WFDB records: one sample for each, with its place in the record, the rhythm and its form."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Ref, Sample, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.data.beat_inputs import FORM_INPUT, READER, RHYTHM_INPUT, BeatInputs, BeatsOf
from hounsfield.data.layouts.record_cohort import About, Said, checked, finished
from hounsfield.data.layouts.record_tables import RecordTable
from hounsfield.data.layouts.records import Record, RecordFiles, SignalInputs, lead_header
from hounsfield.data.row.form import FORM
from hounsfield.data.row.rhythm import RHYTHM
from hounsfield.data.signal.wfdb.aami import AAMI_CLASSES, CLASS_OF, beats_of
from hounsfield.data.signal.wfdb.annotations import Annotation, read_annotations
from hounsfield.data.signal.wfdb.header import parse_header

BEATS = "beats"
ROWS = (
    InputSpec(name=RHYTHM_INPUT, kind="row", ndim=0, columns=RHYTHM),
    InputSpec(name=FORM_INPUT, kind="row", ndim=0, columns=FORM),
)
"""What stands beside the signal of a beat."""


def asked_classes(target: str) -> tuple[str, ...]:
    """Return the classes that ``beats`` or ``beats:NSVF`` asks for.

    Raises
    ------
    CohortError
        If a letter is no class, or only one is left.
    """
    letters = target.partition(":")[2] or "".join(AAMI_CLASSES)
    wrong = [c for c in letters if c not in AAMI_CLASSES]
    if wrong or len(set(letters)) < 2:
        raise CohortError(
            f"Beats of the classes {letters!r} were asked for.",
            expected="letters among N, S, V, F, Q, at least two",
            next_step="write --target beats, or --target beats:NSVF to leave unclassifiable and paced beats out",
        )
    return tuple(c for c in AAMI_CLASSES if c in letters)


def cohort_of_beats(
    files: RecordFiles,
    records: Sequence[Record],
    inputs: SignalInputs,
    *,
    said: Said,
    table: RecordTable,
    ending: str,
    classes: tuple[str, ...],
) -> Cohort:
    """Return the cohort with one sample for each beat.

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
    classes : tuple of str
        AAMI classes that are asked; beats of others are left out.

    Raises
    ------
    CohortError
        If no record has a beat of these classes.
    """
    samples: list[Sample] = []
    aside: list[SetAside] = []
    counts: dict[str, Counter[str]] = {}
    lost = 0
    answers = {c: {BEATS: c} for c in classes}
    for record in records:
        about = said.about.get(record.path)
        if about is None:
            continue
        try:
            marks, finer, length = annotations_of(files, ending, record, inputs)
        except ReadError as error:
            aside.append(SetAside(sample=about.name, reason=error.found.partition(": ")[2] or error.found))
            continue
        place = BeatsOf(record.path, inputs.part(record.path), finer, ending)
        here = [a for a in marks if 0 <= a.sample * finer < length]
        lost += len(marks) - len(here)
        counts[about.name] = Counter(CLASS_OF[a.symbol] for a in here)
        samples += _samples(here, about, place, answers)
    held = Counter(c for count in counts.values() for c in count.elements())
    left_out = {c: n for c, n in held.items() if c not in classes}
    schema = finished(said.schema, layout="wfdb", inputs=inputs, table=table, aside=aside)
    notes = [*schema.notes, f"Beats are those of the .{ending} files, their classes those of ANSI/AAMI EC57."]
    if left_out:
        notes.append("Beats left out: " + ", ".join(f"{n} of class {c}" for c, n in left_out.items()) + ".")
    if lost:
        notes.append(f"{lost} beats lie outside their record and are left out.")
    schema = schema.model_copy(
        update={
            "targets": (TargetSpec(name=BEATS, kind="categorical", classes=classes),),
            "inputs": (*inputs.specs, *ROWS),
            "notes": tuple(notes),
        }
    )
    listing = _listing(said, counts, records)
    name, root = files.root.name, str(files.root)
    return checked(Cohort(name, root, tuple(samples), schema, tuple(aside), listings=(listing,)))


def annotations_of(
    files: RecordFiles, ending: str, record: Record, inputs: SignalInputs
) -> tuple[tuple[Annotation, ...], int, int]:
    """Return the beats of a record, how many samples of its lead lie in each frame, and how many samples it has.

    Raises
    ------
    ReadError
        If the record or its annotations cannot be used.
    """
    fault = inputs.faults.get(record.path)
    header = lead_header(files.root, record, inputs) if fault is None else None
    if header is None:
        raise ReadError(fault or record.fault)
    path = files.root / record.path
    frames_hz = parse_header(path, Ref(READER, record.path)).frames_hz
    marks = read_annotations(path.with_name(f"{path.name[: -len('.hea')]}.{ending}"), rate_hz=frames_hz)
    finer = max(1, round((header.rate_hz or frames_hz) / frames_hz))
    return beats_of(marks), finer, header.samples


def _samples(
    marks: Sequence[Annotation], about: About, place: BeatsOf, answers: Mapping[str, Mapping[str, str]]
) -> Iterator[Sample]:
    taken: Counter[int] = Counter()
    for mark in marks:
        answer = answers.get(CLASS_OF[mark.symbol])
        if answer is None:
            continue
        taken[mark.sample] += 1
        again = f"#{taken[mark.sample]}" if taken[mark.sample] > 1 else ""
        yield Sample(
            id=f"{about.name}_{mark.sample}{again}",
            patient=about.patient,
            inputs=BeatInputs(place, mark.sample),
            targets=answer,
            part=about.part,
            attributes=about.attributes,
        )


def _listing(said: Said, counts: Mapping[str, Counter[str]], records: Sequence[Record]) -> Listing:
    rows: list[tuple[str, ...]] = []
    for record in records:
        about = said.about.get(record.path)
        if about is None or about.name not in counts or record.header is None:
            continue
        count = counts[about.name]
        minutes = record.header.samples / (record.header.rate_hz or 1) / 60
        cells = [about.name, about.part or "", f"{minutes:.1f}", str(sum(count.values()))]
        rows.append((*cells, *(str(count[c]) for c in AAMI_CLASSES)))
    heads = ("record", "part", "minutes", "beats", *AAMI_CLASSES)
    return Listing("Beats of each record", heads, tuple(rows))
