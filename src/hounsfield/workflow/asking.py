"""Ask a bundle's question of data with answers: which samples are to be judged, and with which classes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hounsfield.core.cohort import DENSE_KINDS, Cohort, Reading, Sample, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.types import TargetValue
from hounsfield.workflow.study import Source, study, with_roles
from hounsfield.workflow.wishes import Wishes

SHOWN = 12
"""Most answers that a message lists."""


@dataclass(frozen=True)
class Asked:
    """Samples to judge.

    Parameters
    ----------
    cohort : Cohort
        With the bundle's own targets.
    rule : str
        Which samples they are, one sentence.
    own : bool
        Whether they are the test part of the cohort that the bundle was trained on.
    validation : tuple of Sample
        Where they are, the validation part beside them.
    """

    cohort: Cohort
    rule: str
    own: bool
    validation: tuple[Sample, ...] = ()


def ask(plan: Plan, fingerprint: Fingerprint, source: Source, wishes: Wishes, *, progress: Progress) -> Asked:
    """Understand a source as an answer to the bundle's question, and keep what is to be judged.

    Parameters
    ----------
    plan, fingerprint : Plan, Fingerprint
        Of the bundle.
    source : str, Path or list of samples
    wishes : Wishes
        What the user says of the data; the plan keeps what was said of the training data.
    progress : Progress

    Raises
    ------
    CohortError
        If the data do not answer the question, or the bundle has learned from all of them.
    """
    own = _own(plan, source, wishes)
    if own is not None:
        return _own_test(plan, source, wishes, own, progress)
    cohort = _understood(plan, source, wishes)
    samples = _in_our_words(cohort, plan.targets, wishes)
    names = tuple(fingerprint.inputs)
    samples = tuple(replace(s, part=None, inputs=_wanted(s, names)) for s in samples)
    schema = cohort.schema.model_copy(update={"targets": plan.targets})
    return Asked(replace(cohort, schema=schema, samples=samples), "all samples", own=False)


def _wanted(sample: Sample, names: tuple[str, ...]) -> Mapping[str, tuple[Reading, ...]]:
    """Return the inputs that the bundle looks at; a single one may have another name in these data."""
    missing = [name for name in names if name not in sample.inputs]
    if not missing:
        return {name: sample.inputs[name] for name in names}
    if len(names) == 1:
        return {names[0]: next(iter(sample.inputs.values()))}
    raise CohortError(
        f"The bundle looks at {', '.join(names)}, and the data have no image called {', '.join(missing)}.",
        expected="the same images for each case as in training",
        next_step="name the images as they were named in training, or judge data that have them",
    )


def _ways(plan: Plan, wishes: Wishes) -> list[Wishes]:
    """Return ways to read data that should answer the plan's targets, the likeliest first."""
    columns = tuple(
        c
        for t in plan.targets
        for c in (t.classes if t.kind == "multilabel" and t.name == "+".join(t.classes) else (t.name,))
    )
    defaults = with_roles(wishes, plan.roles)
    named = wishes.target or columns
    ways = [defaults, replace(defaults, target=named), replace(wishes, target=named), wishes]
    return [way for place, way in enumerate(ways) if way not in ways[:place]]


def _own(plan: Plan, source: Source, wishes: Wishes) -> tuple[Wishes, Cohort] | None:
    """Return how to read the data and what they are, if they are those that the bundle was trained on."""
    from hounsfield.data.cohorts import digest, understand

    names = {t.name for t in plan.targets}
    for way in _ways(plan, replace(wishes, target=())):
        try:
            cohort = understand(source, way.roles)
        except HounsfieldError:
            continue
        if names <= {t.name for t in cohort.schema.targets}:
            # with the plan's own targets: training left some out, and they may have been declared otherwise there
            schema = cohort.schema.model_copy(update={"targets": plan.targets})
            if digest(replace(cohort, schema=schema)) == plan.cohort_digest:
                return way, cohort
    return None


def _own_test(plan: Plan, source: Source, wishes: Wishes, own: tuple[Wishes, Cohort], progress: Progress) -> Asked:
    """Return the test part as it was divided off in training.

    Raises
    ------
    CohortError
        If another target is asked for, there is no such part, or the division cannot be made again.
    """
    way, cohort = own
    names = tuple(t.name for t in plan.targets)
    if wishes.target and wishes.target not in (names, with_roles(Wishes(), plan.roles).target):
        raise CohortError(
            f"The bundle was trained on these data to answer {', '.join(names)}, not {', '.join(wishes.target)}.",
            expected=f"--target {' --target '.join(names)}, or none",
            next_step="leave --target out, or train a model for the other target",
        )
    if plan.folds and not any(s.part == "test" for s in cohort.samples):
        raise CohortError(
            "The bundle was trained on these samples in folds: none of them is left to judge it on.",
            expected="other data, or a cohort with an official test part",
            next_step="see part cv of the run's report.json, where each sample was judged by a model without it",
        )
    # the positive class too as it was said then, whatever is said now: it has a part in the digest
    first = plan.targets[0]
    positive = first.positive if first.positive_source == "declared" else None
    then = with_roles(replace(way, positive=positive), plan.roles)
    known = study(source, replace(then, seed=plan.seed, folds=plan.folds, task=plan.task), progress=progress)
    test = known.cohort.select(known.split.ids("test"))
    schema = test.schema
    if known.digest != plan.cohort_digest or tuple(t.name for t in schema.targets) != names or not len(test):
        raise CohortError(
            "The bundle was trained on these data, but they cannot be divided as they were then.",
            expected="the same data and the same version of Hounsfield",
            next_step="see part test of the run's report.json, or train again",
        )
    asked = replace(test, schema=schema.model_copy(update={"targets": plan.targets}))
    return Asked(asked, known.split.rule, own=True, validation=known.samples(known.split.ids("val")))


def _understood(plan: Plan, source: Source, wishes: Wishes) -> Cohort:
    """Return the data with answers to the plan's targets, where one way to read them has those."""
    from hounsfield.data.cohorts import understand

    read: Cohort | None = None
    first: HounsfieldError | None = None
    for way in _ways(plan, wishes):
        try:
            cohort = understand(source, way.roles)
        except HounsfieldError as error:
            first = first or error
            continue
        if all(_answering(t, cohort.schema.targets) for t in plan.targets):
            return cohort
        read = cohort if read is None else read
    if read is None:
        raise first or CohortError("The data cannot be understood.", next_step="run hu inspect on them")
    return read


def _answering(target: TargetSpec, found: Sequence[TargetSpec]) -> TargetSpec | None:
    """Return the target of the data that has the name, or consists of the same columns in another order."""
    for spec in found:
        if spec.name == target.name:
            return spec
        joined = spec.kind == target.kind == "multilabel" and spec.name == "+".join(spec.classes)
        if joined and set(spec.classes) == set(target.classes):
            return spec
    return None


def _in_our_words(cohort: Cohort, targets: Sequence[TargetSpec], wishes: Wishes) -> tuple[Sample, ...]:
    """Return the samples with answers under the bundle's names and in its classes.

    Raises
    ------
    CohortError
        If a target is missing, of another kind, or has answers that the bundle does not know.
    """
    there = cohort.schema.targets
    renamed = bool(wishes.target) and len(there) == len(targets)
    answers: dict[str, list[TargetValue]] = {}
    for place, target in enumerate(targets):
        found = _answering(target, there) or (there[place] if renamed else None)
        if found is None:
            raise CohortError(
                f"The data have no answers to {target.name!r}; they have {', '.join(t.name for t in there) or 'none'}.",
                expected=f"a column {target.name!r} ({target.kind}) with {', '.join(target.classes) or 'numbers'}",
                next_step="rename the column, or name it with --target and give it the same classes",
            )
        answers[target.name] = translated(target, found, [s.targets.get(found.name) for s in cohort.samples])
    return tuple(
        replace(s, targets={name: values[i] for name, values in answers.items()}) for i, s in enumerate(cohort.samples)
    )


def translated(target: TargetSpec, found: TargetSpec, values: Sequence[TargetValue]) -> list[TargetValue]:
    """Return answers of other data in the classes of the bundle.

    Parameters
    ----------
    target : TargetSpec
        Of the bundle.
    found : TargetSpec
        As the other data were understood.
    values : sequence of TargetValue
        Length n.

    Returns
    -------
    list of TargetValue
        Length n. Case, spaces and ``1`` against ``1.0`` do not matter.

    Raises
    ------
    CohortError
        If the kinds do not fit, or an answer is no class of the bundle; both lists are named.
    """
    from hounsfield.data.answers import fold
    from hounsfield.data.table import parse_number
    from hounsfield.data.words import NO_LABEL

    if target.kind == "number":
        numbers = [parse_number(str(v)) if isinstance(v, str) else v for v in values]
        if found.kind == "multilabel" or any(n is None and v is not None for n, v in zip(numbers, values, strict=True)):
            raise _unfitting(target, found, found.classes)
        return list(numbers)
    ours = {fold(c): c for c in target.classes}
    several = target.kind == "multilabel"
    if found.kind in DENSE_KINDS or (found.kind == "multilabel" and not several):
        raise _unfitting(target, found, found.classes)
    none = {fold(n) for n in NO_LABEL} if several else set()
    given = [_atoms(v) for v in values]
    strange = {a for atoms in given for a in atoms or () if fold(a) not in ours and fold(a) not in none}
    if strange:
        raise _unfitting(target, found, sorted(strange))
    mapped = [None if atoms is None else [ours[fold(a)] for a in atoms if fold(a) in ours] for atoms in given]
    if several:
        return [None if m is None else tuple(c for c in target.classes if c in m) for m in mapped]
    return [m[0] if m else None for m in mapped]


def _atoms(value: TargetValue) -> tuple[str, ...] | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return tuple(v.strip() for v in value) if isinstance(value, tuple) else (str(value).strip(),)


def _unfitting(target: TargetSpec, found: TargetSpec, strange: Sequence[str]) -> CohortError:
    listed = f" {', '.join(strange[:SHOWN])}{', ...' if len(strange) > SHOWN else ''}" if strange else ""
    wanted = ", ".join(target.classes) or "numbers"
    return CohortError(
        f"{target.name!r} ({found.kind}) has answers that the model does not know:{listed or ' other kinds'}.",
        expected=f"{target.kind}: {wanted}",
        next_step="use the same names for the classes, or leave these samples out",
    )
