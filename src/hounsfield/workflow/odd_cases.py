"""Cases whose images, masks or signals are unlike those that are learned from: set aside with the reason."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, SetAside
from hounsfield.core.errors import CohortError, case_id
from hounsfield.core.split import Split
from hounsfield.stages.fingerprinting.looks import Look
from hounsfield.stages.fingerprinting.signals import SignalLook, unlike_unit, usual_units
from hounsfield.workflow.survey import Survey

MOST_OF_ANOTHER_SORT = 1 / 3
"""Share of the signals up to which those of another sort are set aside; more are no slip, and are asked about."""
_SHOWN = 5
_LONG = 20


def without_odd(cohort: Cohort, seen: Survey, findings: Audit, divided: Split) -> tuple[Cohort, Audit, Split]:
    """Take cases out of training and validation that cannot be learned from beside the others.

    Parameters
    ----------
    cohort : Cohort
        Usable samples.
    seen : Survey
    findings : Audit
    divided : Split

    Returns
    -------
    (Cohort, Audit, Split)
        Without these cases; the audit lists them with their reasons.

    Raises
    ------
    CohortError
        If more than `MOST_OF_ANOTHER_SORT` of the signals are of another sort than the others, or in another unit.

    Notes
    -----
    A test part is left as it is: what of it cannot be judged is counted there, with its reason, when it is judged.
    """
    odd = dict(_odd(cohort, seen, divided))
    if not odd:
        return cohort, findings, divided
    aside = tuple(SetAside(sample=name, reason=reason) for name, reason in odd.items())
    kept = tuple(s for s in cohort.samples if s.id not in odd)
    kinds = {spec.kind for spec in cohort.schema.inputs}
    what = "signals" if "signal" in kinds and not seen.masks else "images or masks"
    said = f"{len(odd)} set aside after dividing: {what} unlike those that are learned from."
    return (
        replace(cohort, samples=kept),
        findings.with_aside(aside, said),
        divided.model_copy(
            update={
                "parts": {k: v for k, v in divided.parts.items() if k not in odd},
                "groups": {k: v for k, v in divided.groups.items() if k not in odd},
                "folds": {k: v for k, v in divided.folds.items() if k not in odd},
            }
        ),
    )


def _odd(cohort: Cohort, seen: Survey, divided: Split) -> Iterator[tuple[str, str]]:
    train = _ids(cohort, divided, ("train",))
    both = _ids(cohort, divided, ("train", "val"))
    masks = [t.name for t in cohort.schema.targets if t.name in seen.masks]
    if not train:
        return
    told: set[str] = set()
    for name, reason in (
        *_of_signals(seen, train, both),
        *_of_units(seen, train, both),
        *(_of_images(seen, train, both) if masks else ()),
        *(found for target in masks for found in _of_masks(cohort, seen, target, train, both)),
    ):
        if name not in told:
            told.add(name)
            yield name, reason


def _of_signals(seen: Survey, train: list[str], both: list[str]) -> Iterator[tuple[str, str]]:
    for name, held in seen.looks.items():
        looks = {sample: one for sample, one in held.items() if isinstance(one, SignalLook)}
        if len(looks) < len(held):
            continue
        timed = bool(_most(int(looks[i].irregular) for i in train))
        others = [sample for sample in both if looks[sample].irregular != timed]
        most, few = ("irregular times", "a fixed rate") if timed else ("a fixed rate", "irregular times")
        if len(others) > MOST_OF_ANOTHER_SORT * len(both):
            shown = ", ".join(case_id(sample) for sample in others[:_SHOWN])
            raise CohortError(
                f"Input {name!r} mixes {len(both) - len(others)} signals with {most} and {len(others)} with {few} "
                f"(cases {shown}{', ...' if len(others) > _SHOWN else ''}).",
                expected="one sort in one cohort",
                next_step="put them into two folders, or close the gaps in their times",
            )
        for sample in others:
            yield (
                sample,
                f"Signal {name!r} has {few}, most training signals have {most}. Expected: {most}. Next: "
                + ("give its times as they were measured." if timed else "write missing values into its gaps."),
            )


def _of_units(seen: Survey, train: list[str], both: list[str]) -> Iterator[tuple[str, str]]:
    for name, held in seen.looks.items():
        looks = {sample: one for sample, one in held.items() if isinstance(one, SignalLook)}
        if len(looks) < len(held):
            continue
        usual = usual_units([looks[i] for i in train])
        found = {sample: unlike_unit(looks[sample], usual) for sample in both}
        others = {sample: odd for sample, odd in found.items() if odd is not None}
        if len(others) > MOST_OF_ANOTHER_SORT * len(both):
            lead, unit = Counter(others.values()).most_common(1)[0][0]
            shown = ", ".join(case_id(sample) for sample in list(others)[:_SHOWN])
            raise CohortError(
                f"In {len(others)} of {len(both)} signals {name!r} values are in a unit of another sort than in most, "
                f"such as {lead} in {unit[:_LONG]} where most have {usual[lead]} (cases {shown}"
                f"{', ...' if len(others) > _SHOWN else ''}).",
                expected="each lead in one unit, or in units that can be converted to one another",
                next_step="convert these records, correct their headers, or put them into a folder of their own",
            )
        for sample, (lead, unit) in others.items():
            yield (
                sample,
                f"Case {case_id(sample)}: {lead} of signal {name!r} is in {unit[:_LONG]}, most training signals have "
                f"it in {usual[lead]}. Expected: {usual[lead]}, or a unit that can be converted to it. Next: convert "
                "the record, or correct its header.",
            )


def _of_images(seen: Survey, train: list[str], both: list[str]) -> Iterator[tuple[str, str]]:
    for name, held in seen.looks.items():
        looks = {sample: one for sample, one in held.items() if isinstance(one, Look)}
        if len(looks) < len(held):
            continue  # no image: nothing of it lies under a mask
        axes = _most(len(looks[i].size) for i in train)
        usual = _most(looks[i].channels for i in train if len(looks[i].size) == axes)
        for sample in both:
            one = looks[sample]
            if len(one.size) != axes:
                yield (
                    sample,
                    f"Image {name!r} has {len(one.size)} space axes, most training images have {axes}: a volume of one "
                    f"slice is a plane. Expected: images of {axes} axes. Next: train on them in a folder of their own.",
                )
            elif axes == 3 and one.channels != usual:  # of pictures they are colours: one is made of the other
                yield (
                    sample,
                    f"Image {name!r} has {_channels(one.channels)}, most training images have {_channels(usual)}. "
                    f"Expected: {_channels(usual)}. Next: store the others as images of their own.",
                )


def _of_masks(
    cohort: Cohort, seen: Survey, target: str, train: list[str], both: list[str]
) -> Iterator[tuple[str, str]]:
    looks = seen.masks[target]
    usual = _most(looks[i].channels for i in train)
    known = {value for i in train if looks[i].channels == usual for value in looks[i].voxels}
    several = len(known) > 1 or usual > 1
    spec = cohort.schema.target(target)
    declared = spec.classes if spec.kind == "mask" else ()
    for sample in both:
        have = looks[sample].channels
        if have != usual:
            yield (
                sample,
                f"The mask {target!r} has {_channels(have)}, most training masks have {_channels(usual)}. Expected: "
                f"{_channels(usual)}. Next: write it again like the others.",
            )
            continue
        unknown = [v for v in looks[sample].voxels if v not in known]
        # one number alone may be another way to say the one structure; two of them are two structures
        if unknown and not declared and (several or len(looks[sample].voxels) > 1):
            shown = ", ".join(str(v) for v in unknown[:_SHOWN])
            yield (
                sample,
                f"The mask {target!r} holds the label {shown}, which no training mask holds: it cannot be learned. "
                f"Expected: {', '.join(str(v) for v in sorted(known))}. Next: correct the mask, declare the label, or "
                "put a case that holds it into the training part.",
            )


def _ids(cohort: Cohort, divided: Split, parts: tuple[str, ...]) -> list[str]:
    if divided.folds:
        return [s.id for s in cohort.samples if s.id in divided.folds and divided.parts.get(s.id) != "out"]
    return [s.id for s in cohort.samples if divided.parts.get(s.id) in parts]


def _most(counts: Iterable[int]) -> int:
    ranked: Mapping[int, int] = Counter(counts)
    return max(ranked, key=lambda n: (ranked[n], -n))


def _channels(count: int) -> str:
    return "1 channel" if count == 1 else f"{count} channels"
