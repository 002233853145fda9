"""The audit: all findings over all parts, in one value and in plain sentences."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from hounsfield.core.audit import Audit, Shortcut
from hounsfield.core.cohort import INSIDE_KINDS, PARTS, Cohort, Sample, SetAside, TargetSpec
from hounsfield.stages.auditing.duplicates import Repeats, find_repeats
from hounsfield.stages.auditing.exclusions import Exclusions, exclusions
from hounsfield.stages.auditing.probe import probe
from hounsfield.stages.auditing.thumbnails import Glance

_MOST_SIZES = 10
_RARE = 0.05
_FEW = 10
_NOUNS = {"image": "picture"}
"""How a sentence names what repeats, where it is not the kind's own name."""


def audit(cohort: Cohort, glances: Sequence[Glance], unreadable: Sequence[SetAside], *, seed: int) -> Audit:
    """Look for what is wrong with a cohort.

    Parameters
    ----------
    cohort : Cohort
        With all its samples.
    glances : sequence of Glance
        One per sample whose image could be read, in any order.
    unreadable : sequence of SetAside
        Samples whose image could not be read, with the reason.
    seed : int
        Of the shortcut probe.

    Returns
    -------
    Audit
        Names of files are never interpreted and lists of duplicates that lie in the folder are never read.
    """
    target = cohort.schema.targets[0] if cohort.schema.targets else None
    place = {s.id: i for i, s in enumerate(cohort.samples)}
    looks = sorted((g for g in glances if g.sample in place), key=lambda look: place[look.sample])
    aside = _set_aside(cohort, looks, unreadable)
    gone = {a.sample for a in aside}
    samples = [s for s in cohort.samples if s.id not in gone]
    looks = [g for g in looks if g.sample not in gone]
    compared = target if target is not None and target.kind in ("categorical", "multilabel", "ordinal") else None
    repeats = find_repeats(samples, looks, target=compared)
    out = exclusions(samples, repeats)
    shortcut = probe(samples, looks, cohort.schema, target=compared, seed=seed) if compared else None
    straddling = patients_in_two_parts(samples)
    return Audit(
        samples=len(samples),
        patients=len({s.patient for s in samples}),
        balance=balance(samples, target) if target else {},
        sizes=_sizes(looks),
        unreadable=aside,
        duplicates=repeats.pairs,
        duplicates_across_parts=tuple((p.a, p.b) for p in repeats.pairs if p.part_a != p.part_b),
        contradictions=repeats.contradictions,
        clusters=repeats.clusters,
        patients_in_two_parts=len(straddling),
        removed_from_training=out.removed,
        flagged_in_test=out.flagged,
        in_doubt=tuple(SetAside(sample=g.sample, reason=g.doubt) for g in looks if g.doubt),
        shortcut=shortcut,
        warnings=_sentences(cohort, samples, aside, looks=looks, repeats=repeats, out=out, shortcut=shortcut),
    )


def balance(samples: Sequence[Sample], target: TargetSpec) -> dict[str, dict[str, int]]:
    """Count samples per part and class; a sample with several labels counts once for each.

    Parameters
    ----------
    samples : sequence of Sample
    target : TargetSpec
        With classes. A number has none, and what masks and boxes hold no sample says: their result is empty.
    """
    if not target.classes or target.kind in INSIDE_KINDS:
        return {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sample in samples:
        value = sample.targets.get(target.name)
        names = value if isinstance(value, tuple) else () if value is None else (str(value),)
        for part in ("all", sample.part) if sample.part else ("all",):
            counts[part].update(names)
    parts = [part for part in ("all", *PARTS) if part in counts]
    return {part: {c: counts[part][c] for c in target.classes} for part in parts}


def patients_in_two_parts(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the patients that an official division has in more than one part."""
    where: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.part:
            where[sample.patient].add(sample.part)
    return tuple(patient for patient, parts in where.items() if len(parts) > 1)


def _set_aside(cohort: Cohort, looks: Sequence[Glance], unreadable: Sequence[SetAside]) -> tuple[SetAside, ...]:
    found = {a.sample: a for a in cohort.set_aside}
    for item in unreadable:
        found.setdefault(item.sample, item)
    for look in looks:
        if look.fault:
            found.setdefault(look.sample, SetAside(sample=look.sample, reason=look.fault))
    names = [t.name for t in cohort.schema.targets if t.kind not in INSIDE_KINDS]
    for sample in cohort.samples:
        if names and all(sample.targets.get(name) is None for name in names):
            found.setdefault(sample.id, SetAside(sample=sample.id, reason="the answer is missing"))
    return tuple(found.values())


def _sizes(looks: Sequence[Glance]) -> dict[str, int]:
    counts = Counter(" x ".join(map(str, look.size)) for look in looks)
    return dict(counts.most_common(_MOST_SIZES))


def _sentences(
    cohort: Cohort,
    samples: Sequence[Sample],
    aside: Sequence[SetAside],
    *,
    looks: Sequence[Glance],
    repeats: Repeats,
    out: Exclusions,
    shortcut: Shortcut | None,
) -> tuple[str, ...]:
    said: list[str] = []
    if aside:
        gone = {a.sample for a in aside}
        lost = sum(s.part == "test" for s in cohort.samples if s.id in gone)
        held = f"; {lost} of them lie in the official test part and cannot be judged" if lost else ""
        said.append(f"{_cases(len(aside))} set aside (unreadable, faulty or without an answer){held}.")
    said.extend(_on_repeats(repeats, out, noun=_NOUNS.get(looks[0].kind, looks[0].kind) if looks else "picture"))
    doubts = sum(bool(look.doubt) for look in looks)
    if doubts:
        said.append(
            f"{doubts} of {len(looks)} records hold leads that contradict each other (swapped or upside down); they "
            "are used as they are."
        )
    straddling = patients_in_two_parts(samples)
    if straddling:
        said.append(f"The official division has {len(straddling)} patient(s) in more than one part.")
    said.extend(_on_balance(cohort, samples))
    said.extend(shortcut.warnings if shortcut else ())
    return tuple(said)


def _on_repeats(repeats: Repeats, out: Exclusions, *, noun: str) -> list[str]:
    said: list[str] = []
    across = sum(p.part_a != p.part_b for p in repeats.pairs)
    if repeats.pairs:
        exact = sum(p.kind == "exact" for p in repeats.pairs)
        where = f", {across} of them across parts" if across else ""
        said.append(f"{exact} exact and {len(repeats.pairs) - exact} near repeats of {noun}s were found{where}.")
    if repeats.contradictions:
        said.append(f"{len(repeats.contradictions)} {noun} pair(s) occur under different answers.")
    if out.removed:
        said.append(f"{_cases(len(out.removed))} left out of training because of repeats or contradictions.")
    if out.flagged:
        said.append(f"{len(out.flagged)} sample(s) of the official test part are contradicted; they stay, flagged.")
    return said


def _on_balance(cohort: Cohort, samples: Sequence[Sample]) -> list[str]:
    target = cohort.schema.targets[0] if cohort.schema.targets else None
    counts = balance(samples, target).get("all", {}) if target else {}
    total = max(1, len(samples))
    few = [f"{name} ({count})" for name, count in counts.items() if count < _FEW or count / total < _RARE]
    return [f"Few of the {total} samples have the answers {', '.join(few)}."] if few else []


def _cases(count: int) -> str:
    return f"{count} case was" if count == 1 else f"{count} cases were"
