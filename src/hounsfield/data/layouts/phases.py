"""Files of several moments in a cohort: which of them is looked at, or every one as an input of its own."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hounsfield.core.cohort import Cohort, InputSpec, Listing, Reading, Sample, SetAside
from hounsfield.core.errors import CohortError
from hounsfield.data.layouts.cases import MOST
from hounsfield.data.layouts.dicom_disk import MOST_PHASES, PHASES
from hounsfield.data.volume.moments import Moments, moment, moments_of


def with_chosen_moments(cohort: Cohort) -> Cohort:
    """Return a cohort that looks at one moment of each file, lists the others, and says why that one."""
    found = _moments(cohort, asked=False)
    if not found:
        return cohort
    root = Path(cohort.root)
    samples = tuple(
        replace(s, inputs={name: _chosen(root, readings, found) for name, readings in s.inputs.items()})
        for s in cohort.samples
    )
    counted: Counter[tuple[str, str, str]] = Counter()
    for sample in cohort.samples:
        for name, readings in sample.inputs.items():
            for reading in readings:
                held = found.get(reading.ref.key())
                if held is not None:
                    counted[name, _told(held), held.reason] += 1
    rows = tuple((name, str(n), what, why) for (name, what, why), n in counted.most_common())
    note = f"{len(found)} files hold several moments, one of each is looked at; --image {PHASES} makes each an input."
    schema = cohort.schema.model_copy(update={"notes": (*cohort.schema.notes, note)})
    listing = Listing("Files of several moments", ("input", "files", "moments", "looked at"), rows)
    return replace(cohort, samples=samples, schema=schema, listings=(*cohort.listings, listing))


def with_moments_as_inputs(cohort: Cohort) -> Cohort:
    """Return a cohort in which every moment that nearly all files have is an input of its own.

    Raises
    ------
    CohortError
        If the files have no moments, or too many.
    """
    found = _moments(cohort, asked=True)
    wanted: dict[str, list[str]] = {}
    for spec in cohort.schema.inputs:
        held = [m for s in cohort.samples if (m := found.get(s.inputs[spec.name][-1].ref.key())) is not None]
        counts = Counter(name for m in held for name in m.names)
        most = max(counts.values(), default=0)
        wanted[spec.name] = [n for n, count in counts.items() if count >= MOST * most]
    count = sum(len(names) for names in wanted.values())
    if not 2 <= count <= MOST_PHASES:
        raise CohortError(
            f"The images have {count} moments each, and --image {PHASES} makes an input of every one.",
            expected=f"2 to {MOST_PHASES} moments along a fourth axis that nearly all images have",
            next_step="leave --image out, or write the moments that are meant as files of their own",
        )
    single = len(cohort.schema.inputs) == 1
    specs = tuple(
        InputSpec(name=n if single else f"{s.name}_{n}", ndim=s.ndim, modality=s.modality) if names else s
        for s in cohort.schema.inputs
        for names in (wanted[s.name],)
        for n in names or [s.name]
    )
    samples, aside = [], list(cohort.set_aside)
    for sample in cohort.samples:
        inputs = _inputs(Path(cohort.root), sample, (wanted, found), single=single)
        lacking = [s.name for s in specs if s.name not in inputs]
        if lacking:
            aside.append(SetAside(sample=sample.id, reason=f"no image {', '.join(lacking)}"))
        else:
            samples.append(replace(sample, inputs=inputs))
    schema = cohort.schema.model_copy(update={"inputs": specs})
    return replace(cohort, samples=tuple(samples), schema=schema, set_aside=tuple(aside))


def _inputs(
    root: Path, sample: Sample, about: tuple[Mapping[str, list[str]], Mapping[str, Moments]], *, single: bool
) -> dict[str, tuple[Reading, ...]]:
    wanted, found = about
    inputs: dict[str, tuple[Reading, ...]] = {}
    for name, readings in sample.inputs.items():
        if not wanted.get(name):
            inputs[name] = readings
            continue
        for phase in wanted[name]:
            able = [(r, found[r.ref.key()]) for r in readings if r.ref.key() in found]
            taken = tuple(
                Reading(moment(root, r.ref, m.names[phase]), r.time_days) for r, m in able if phase in m.names
            )
            if taken:
                inputs[phase if single else f"{name}_{phase}"] = taken
    return inputs


def _moments(cohort: Cohort, *, asked: bool) -> dict[str, Moments]:
    """Return the moments of the files that have several, by the key of their ref."""
    refs = {r.ref.key(): r.ref for s in cohort.samples for readings in s.inputs.values() for r in readings}
    held = ((key, moments_of(Path(cohort.root), ref, asked=asked)) for key, ref in refs.items())
    return {key: m for key, m in held if m is not None}


def _chosen(root: Path, readings: Sequence[Reading], found: Mapping[str, Moments]) -> tuple[Reading, ...]:
    return tuple(
        replace(r, ref=moment(root, r.ref, m.used)) if (m := found.get(r.ref.key())) is not None and m.used else r
        for r in readings
    )


def _told(found: Moments) -> str:
    names = list(found.names)
    return f"{found.count}: {', '.join(names)}" if len(names) <= 6 else f"{found.count}: {names[0]} to {names[-1]}"
