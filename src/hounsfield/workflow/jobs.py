"""From plan and samples to what a learner needs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Annotated, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hounsfield.core.cohort import Cohort, Sample, SetAside
from hounsfield.core.errors import PlanError, unknown_name
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.plan import Plan, PlanValue
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Decoding, Task
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.feed import Feed, fill
from hounsfield.learn.learners.protocol import HeadSpec, Job
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.spec import NetworkSpec, OptionValue
from hounsfield.learn.nn.table import check
from hounsfield.learn.prepare.protocol import Preparation, preparation_model
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.learn.series.boosting import Boosting
from hounsfield.science.statistics.operating_point import Rule
from hounsfield.workflow.record_blocks import TOGETHER, read_block, record_of
from hounsfield.workflow.survey import latest
from hounsfield.workflow.unfit import why_unfit
from hounsfield.workflow.warming import settled

FIXED_SECTIONS = (
    "network",
    "augmentation",
    "optimisation",
    "warmup",
    "curve",
    "ensemble",
    "repeated",
    "operating_point",
    "baselines",
    "trees",
    "cost",
    "maps",
)


SEQUENCE = "beat-sequence"
"""The family that reads rows of beats with others around them."""
SIGNAL_AXES = 3
"""Axes of prepared signals ``n c t``; of rows ``n c`` they are fewer, of images more."""
ROWS_AT_A_TIME = 1024


class Ensemble(BaseModel):
    """The plan's section ``ensemble``.

    Attributes
    ----------
    members : int
        Networks per fold; they differ in their seed.
    variant : dict of str to option
        Options of the network in which every second one differs from the plan's section ``network``.
    workers : int
        Processes of one thread each that fit them side by side; 1 fits in this process with all its threads.
    features : bool
        Whether a learner of fixed features stands beside the networks, with a weight from validation.
    beside : str
        Which learner that is.
    views : list of str
        Axes along which a mirrored view is judged too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    members: int = Field(default=1, ge=1, le=64)
    variant: dict[str, OptionValue] = {}
    workers: int = Field(default=1, ge=1)
    features: bool = False
    beside: str = "features"
    views: list[str] = []

    @classmethod
    def of(cls, plan: Plan) -> "Ensemble":
        """Read the section; one network alone where a plan has none."""
        return plan.section("ensemble", cls) if "ensemble" in plan.sections else cls()


class Calling(BaseModel):
    """The plan's section ``operating_point``.

    Attributes
    ----------
    rule : Rule
        What thresholds are chosen for: of two classes, of labels, and of each class against the rest.
    wanted : float or None
        The least sensitivity or specificity, where the rule is one of them.
    logit_adjustment : dict of str to float
        By target, of more than two classes that exclude each other: 0, also where it is absent, calls the most probable
        one, 1 the one that is likest as if all were as frequent, see
        `hounsfield.science.statistics.logit_adjustment.class_factors`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    rule: Rule = Rule.BALANCED_ACCURACY
    wanted: float | None = None
    logit_adjustment: dict[str, Annotated[float, Field(ge=0.0, le=1.0)]] = {}


def check_plan(plan: Plan, task: Task, fingerprint: Fingerprint) -> None:
    """Check every section of a plan against its schema.

    Raises
    ------
    PlanError
        If a section or a key is unknown (the nearest is named), missing, or does not fit.
    """
    from hounsfield.core.errors import nearest

    apart = fingerprint.inputs if len(fingerprint.kinds) > 1 else ()
    known = [
        *FIXED_SECTIONS,
        *(f"preparation.{name}" for name in fingerprint.inputs),
        *(f"encoder.{name}" for name in apart),
    ]
    for name in plan.sections:
        if name not in known:
            near = nearest(name, known)
            raise PlanError(
                f"The plan has the unknown section {name!r}.",
                expected=f"one of {', '.join(known)}",
                next_step=f"write {near!r} instead" if near else f"take {name!r} out of plan.yaml",
            )
    able = [t.name for t in plan.targets if t.kind == "categorical" and len(t.classes) > 2]
    for name in plan.section("operating_point", Calling).logit_adjustment:
        if name not in able:
            raise PlanError(
                f"operating_point.logit_adjustment names {name!r}, which is no target of more than two classes.",
                expected=f"one of {', '.join(able)}" if able else "nothing: no target has more than two classes",
                next_step=f"take {name!r} out of plan.yaml",
            )
    job_of(plan, task, fingerprint)


def start_decodings(plan: Plan, task: Task, fingerprint: Fingerprint) -> dict[str, Decoding]:
    """Return the decoding of each target before calibration."""
    return {t.name: task.kind(t).start(t, fingerprint.targets[t.name]) for t in plan.targets}


def preparations_of(plan: Plan, fingerprint: Fingerprint) -> dict[str, Preparation]:
    """Return how each input is prepared, by name, as its kind reads the plan's section."""
    return {
        name: plan.section(f"preparation.{name}", preparation_model(seen.kind))
        for name, seen in fingerprint.inputs.items()
    }


def job_of(plan: Plan, task: Task, fingerprint: Fingerprint, *, member: int = 0, place: int = 0) -> Job:
    """Return what of the plan a learner needs.

    Parameters
    ----------
    plan : Plan
    task : Task
    fingerprint : Fingerprint
    member : int
        Number of the member; members differ in their seed.
    place : int
        Place among the members of its fold; every second one is the variant, where there is one.
    """
    preparation = preparations_of(plan, fingerprint)
    _check_covariates(plan, preparation)
    _check_neighbours(plan, preparation)
    decodings = start_decodings(plan, task, fingerprint)
    heads = []
    for target in plan.targets:
        kind, decoding = task.kind(target), decodings[target.name]
        heads.append(
            HeadSpec(target=target, loss=kind.loss, width=kind.width(target), mean=decoding.mean, std=decoding.std)
        )
    options = {k: d.value for k, d in plan.sections["network"].items() if k != "family"}
    encoders = {n: plan.sections[f"encoder.{n}"] for n in fingerprint.inputs if f"encoder.{n}" in plan.sections}
    if encoders:
        options["encoders"] = {n: {k: d.value for k, d in made.items()} for n, made in encoders.items()}
    if place % 2:
        options |= cast("dict[str, PlanValue]", Ensemble.of(plan).variant)
    network = NetworkSpec(
        family=str(plan.value("network", "family")),
        inputs={n: p.shape for n, p in preparation.items()},
        heads={h.target.name: h.width for h in heads},
        options=cast("dict[str, OptionValue]", options),
    )
    check(network)
    return Job(
        seed=plan.seed * 1000 + member,
        network=network,
        preparation=preparation,
        augmentation=plan.section("augmentation", AugmentSpec),
        optimisation=plan.section("optimisation", Optimisation),
        heads=tuple(heads),
        views=Ensemble.of(plan).views,
        warmup=settled(plan),
        alone=_alone(plan),
        trees=plan.section("trees", Boosting) if "trees" in plan.sections else Boosting(),
    )


def _check_neighbours(plan: Plan, preparation: Mapping[str, Preparation]) -> None:
    """Refuse rows of beats with others around them for a network that reads no sequence, and the other way round."""
    usual = plan.value("network", "family")
    for name, spec in preparation.items():
        family = plan.value(f"encoder.{name}", "family") if f"encoder.{name}" in plan.sections else usual
        around = spec.around if isinstance(spec, RowPreparation) else 0
        if around and family != SEQUENCE:
            raise PlanError(
                f"Of input {name!r} {around} beats on either side are read, and its network is {family!r}.",
                expected=f"family: {SEQUENCE}, or around: 0",
                next_step=f"correct preparation.{name} or the network in plan.yaml",
            )
        if family == SEQUENCE and not isinstance(spec, RowPreparation):
            raise PlanError(
                f"The network of input {name!r} is {SEQUENCE!r}, and the input is a {spec.kind_name}.",
                expected="rows of beats with others around them",
                next_step=f"choose another family for {name} in plan.yaml",
            )


def _check_covariates(plan: Plan, preparation: Mapping[str, Preparation]) -> None:
    """Refuse a covariate of the harmonisation that is the answer, or no variable of any row."""
    rows = [spec for spec in preparation.values() if isinstance(spec, RowPreparation)]
    known = [c for spec in rows for c in spec.columns]
    for name in dict.fromkeys(c for spec in rows for c in spec.covariates):
        if name in (t.name for t in plan.targets):
            raise PlanError(
                f"The answer {name!r} is among the covariates of a harmonisation.",
                expected="what is known of a new patient: features harmonised with the answer in view carry it "
                "with them",
                next_step=f"take {name!r} out of covariates in plan.yaml",
            )
        if name not in known:
            raise unknown_name("covariate", name, known)


def _alone(plan: Plan) -> str:
    section = plan.sections.get("baselines", {})
    value = section["alone"].value if "alone" in section else ""
    return value if isinstance(value, str) else ""


@dataclass(frozen=True)
class Prepared:
    """Prepared arrays of training and validation samples.

    Parameters
    ----------
    feed : Feed
    ids : tuple of str
        Sample of each row.
    unfit : frozenset of int
        Rows that do not fit the plan (a record without a lead that all others have); nothing is learned from them.
    aside : tuple of SetAside
        The samples of these rows, with the reason.
    """

    feed: Feed
    ids: tuple[str, ...]
    unfit: frozenset[int] = frozenset()
    aside: tuple[SetAside, ...] = ()

    @property
    def parts(self) -> tuple[IntArray, IntArray]:
        """Rows of the training and of the validation part."""
        return self.feed.train, self.feed.val

    def rows(self, ids: Sequence[str]) -> IntArray:
        """Return the rows of samples, without those that do not fit."""
        place = {name: row for row, name in enumerate(self.ids) if row not in self.unfit}
        return np.array([place[i] for i in ids if i in place], dtype=np.int64)


def prepare_feed(
    cohort: Cohort,
    plan: Plan,
    task: Task,
    *,
    parts: Mapping[str, Sequence[str]],
    groups: Mapping[str, str],
    work: Path,
    progress: Progress,
) -> Prepared:
    """Decode training and validation samples into memory maps at the plan's size.

    Parameters
    ----------
    cohort : Cohort
    plan : Plan
    task : Task
    parts : mapping of str to sequence of str
        ``train`` and ``val`` sample ids; nothing else is ever read here.
    groups : mapping of str to str
        Sample to group.
    work : Path
        Folder for the memory maps.
    progress : Progress
    """
    training, validation = frozenset(parts["train"]), frozenset(parts["val"])
    wanted = training | validation
    samples = [s for s in cohort.samples if s.id in wanted]
    ids = tuple(s.id for s in samples)
    inputs: dict[str, AnyArray] = {}
    preparations: dict[str, Preparation] = {}
    for spec in cohort.schema.inputs:
        preparation = plan.section(f"preparation.{spec.name}", preparation_model(spec.kind))
        preparations[spec.name] = preparation
        path = work / f"input-{spec.name}.npy"
        shape = (len(samples), *preparation.stored_shape)
        inputs[spec.name] = fill(
            path, shape, preparation.dtype, prepared_rows(cohort, samples, spec.name, preparation, progress=progress)
        )
    targets = {t.name: task.kind(t).encode(t, [s.targets.get(t.name) for s in samples]) for t in plan.targets}
    unfit = _unfit(inputs, preparations)
    order = {g: i for i, g in enumerate(dict.fromkeys(groups[i] for i in ids))}
    feed = Feed(
        inputs,
        targets,
        np.array([r for r, i in enumerate(ids) if i in training and r not in unfit], dtype=np.int64),
        np.array([r for r, i in enumerate(ids) if i in validation and r not in unfit], dtype=np.int64),
        np.array([order[groups[i]] for i in ids], dtype=np.int64),
    )
    aside = tuple(
        SetAside(sample=ids[row], reason=why_unfit(cohort, samples[row], preparations)) for row in sorted(unfit)
    )
    if not len(feed.train):
        raise PlanError(
            f"None of the {len(training)} training samples fits the plan"
            + (f"; the first: {aside[0].reason}" if aside else "."),
            expected="inputs as the plan's section preparation says",
            next_step="compare that section with what hu inspect tells of the data, and plan again",
        )
    return Prepared(feed, ids, unfit, aside)


def prepared_rows(
    cohort: Cohort, samples: Sequence[Sample], name: str, spec: Preparation, *, progress: Progress
) -> Iterator[tuple[int, AnyArray]]:
    """Read and prepare an input of samples, the beats of one record together.

    Parameters
    ----------
    cohort : Cohort
    samples : sequence of Sample
    name : str
        Of the input.
    spec : Preparation
    progress : Progress

    Yields
    ------
    tuple of int and numpy.ndarray
        Place of the sample, and its input as it is stored; of a signal or a row that does not fit the plan NaN.

    Raises
    ------
    ReadError
        If one cannot be read.
    PlanError
        If an image does not fit the plan.
    """
    with progress.step("Preparing", float(len(samples))) as shown:
        for record, group in groupby(enumerate(samples), key=lambda numbered: record_of(numbered[1])):
            while some := tuple(islice(group, TOGETHER)):
                stored = None if record is None else _prepared_together(cohort, some, name, spec)
                for place, (row, sample) in enumerate(some):
                    yield row, stored[place] if stored is not None else _prepared(cohort, sample, name, spec)
                    shown.advance()


def _prepared_together(
    cohort: Cohort, beats: Sequence[tuple[int, Sample]], name: str, spec: Preparation
) -> AnyArray | None:
    """Return beats of one record as they are stored, ``n c ...``; None where one by one tells what is wrong."""
    block = read_block(cohort, [sample for _, sample in beats], name, wanted=spec.wanted)
    try:
        return None if block is None else spec.prepared_block(block)
    except PlanError:
        return None


def _prepared(cohort: Cohort, sample: Sample, name: str, spec: Preparation) -> AnyArray:
    content = latest(cohort, sample, name, wanted=spec.wanted)
    try:
        return spec.prepared(content)
    except PlanError:
        if np.dtype(spec.dtype).kind != "f" or spec.kind_name == "image":
            raise
        return np.full(spec.stored_shape, np.nan)


def _unfit(inputs: Mapping[str, AnyArray], specs: Mapping[str, Preparation]) -> frozenset[int]:
    """Return the rows of which an input holds nothing that is required, or all inputs hold nothing."""
    empty = {name: set(_empty(stored, specs[name].shape.channels)) for name, stored in inputs.items()}
    lacking = [rows for name, rows in empty.items() if specs[name].required]
    return frozenset(set().union(*lacking) | set.intersection(*empty.values()))


def _empty(stored: AnyArray, channels: int) -> list[int]:
    """Return the rows in which nothing is known: what did not fit the plan. A stored image knows every pixel."""
    if stored.dtype.kind != "f" or stored.ndim > SIGNAL_AXES:
        return []
    found: list[int] = []
    for first in range(0, len(stored), ROWS_AT_A_TIME):
        some = np.asarray(stored[first : first + ROWS_AT_A_TIME, :channels], dtype=np.float32)
        known = np.isfinite(some).reshape(len(some), -1).any(axis=1)
        found += (first + np.flatnonzero(~known)).tolist()
    return found


def normalisation(feed: Feed, name: str) -> tuple[float, float]:
    """Return mean and deviation of the prepared training values on the scale 0 to 1."""
    stored = feed.inputs[name]
    scale = 255.0 if stored.dtype == np.uint8 else 1.0
    total, squares, count = 0.0, 0.0, 0
    for first in range(0, len(feed.train), 64):
        values = np.asarray(stored[feed.train[first : first + 64]], dtype=np.float64) / scale
        total += float(values.sum())
        squares += float((values**2).sum())
        count += values.size
    mean = total / max(count, 1)
    return mean, float(np.sqrt(max(squares / max(count, 1) - mean**2, 1e-8)))


def as_value(numbers: Sequence[float]) -> PlanValue:
    """Return numbers as a plan holds them."""
    return [float(n) for n in numbers]
