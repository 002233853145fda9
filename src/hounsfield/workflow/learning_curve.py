"""Measure what more data would bring: fit shares of the training patients, score what was held out."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.plan import Plan
from hounsfield.core.report import LearningCurve
from hounsfield.core.streams import address
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.logistic import MOST_ROWS
from hounsfield.learn.learners.protocol import Job, Learner
from hounsfield.learn.loop import Watch
from hounsfield.stages.evaluation.learning_curve import Measured, learning_curve, replicated
from hounsfield.stages.evaluation.samples import JudgedSample
from hounsfield.workflow.fitting import Fold
from hounsfield.workflow.jobs import Prepared, job_of
from hounsfield.workflow.judging import decoded
from hounsfield.workflow.study import Study

SHARES = (0.25, 0.5, 1.0)
RUNS = (3, 2, 1)
"""Subsets of each share: small ones differ more from one another."""
FITS = sum(share * runs for share, runs in zip(SHARES, RUNS, strict=True))
"""What all fits cost together, in fits to the whole training part, where a fit's time goes with its samples."""
DOCUMENT = "learning_curves"
"""Name of the bundle document with the curves."""
FEWEST_TRAINING = 32
"""With fewer training samples a quarter of them is nothing to learn from."""
FEWEST_GROUPS = 8
"""With fewer patients, or records of beats, a quarter of them is one or none: figures of one heart are no curve."""

Fit = Callable[[IntArray, IntArray], Float64Array]
"""``fit(train, held) -> answers``: learns from the rows `train`; probabilities ``n k``, or numbers ``n``, of `held`."""


@dataclass(frozen=True)
class Arm:
    """Rows to learn from and rows to be scored on: one for a validation part, one per fold out of fold.

    Parameters
    ----------
    train, held : numpy.ndarray
        Rows of the feed, int64, without a group in common.
    """

    train: IntArray
    held: IntArray


@dataclass(frozen=True)
class Question:
    """What a curve is asked of.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of Sample
        One per row of the feed.
    groups : sequence of str
        Group of each row; stays whole in a subset, and is what intervals draw.
    arms : sequence of Arm
    part : str
        ``val`` or ``cv``.
    seed : int
    """

    target: TargetSpec
    samples: Sequence[Sample]
    groups: Sequence[str]
    arms: Sequence[Arm]
    part: str
    seed: int


def question(plan: Plan, known: Study, prepared: Prepared, folds: Sequence[Fold]) -> Question:
    """Return what the curve of the primary target is asked of.

    Parameters
    ----------
    plan : Plan
    known : Study
    prepared : Prepared
    folds : sequence of Fold
        As they are fitted: with one, its validation rows are scored, with several those out of each fold.
    """
    by_id = {s.id: s for s in known.cohort.samples}
    arms = [Arm(f.train, f.val if len(folds) == 1 else f.out) for f in folds]
    return Question(
        target=plan.targets[0],
        samples=[by_id[i] for i in prepared.ids],
        groups=[known.split.groups[i] for i in prepared.ids],
        arms=arms,
        part="val" if len(folds) == 1 else "cv",
        seed=plan.seed,
    )


def answerable(asked: Question) -> bool:
    """Whether there is enough to learn from and something to score."""
    people = [len({asked.groups[int(r)] for r in a.train}) for a in asked.arms]
    return min(people) >= FEWEST_GROUPS and all(len(a.train) >= FEWEST_TRAINING and len(a.held) for a in asked.arms)


def measure_curve(
    fit: Fit, asked: Question, *, model: str, shares: Sequence[float] = SHARES, runs: Sequence[int] = RUNS
) -> LearningCurve:
    """Fit grouped, stratified subsets of the training rows by one protocol, and fit the law to their figures.

    Parameters
    ----------
    fit : callable
        See `Fit`.
    asked : Question
    model : str
        ``network`` or the name of a baseline.
    shares : sequence of float
        Of the training rows of each arm, above 0 to 1.
    runs : sequence of int
        Subsets drawn of each share.

    Notes
    -----
    With several arms the answers of all are judged together, as out-of-fold figures are.
    """
    rows = np.concatenate([arm.held for arm in asked.arms])
    held = [_judged(asked, int(r)) for r in rows]
    points = []
    for share, count in zip(shares, runs, strict=True):
        answers, sizes, patients = [], [], []
        for run in range(count):
            found = []
            for number, arm in enumerate(asked.arms):
                chosen = subset(asked, arm.train, share=share, seed=_seed(asked, share, run, number))
                found.append(fit(chosen, arm.held))
                sizes.append(len(chosen))
                patients.append(len({asked.groups[int(r)] for r in chosen}))
            answers.append(np.concatenate(found))
        figures = replicated(asked.target, held, answers, seed=asked.seed)
        points.append(Measured(share, float(np.mean(sizes)), float(np.mean(patients)), figures))
    return learning_curve(points, target=asked.target, model=model, part=asked.part, seed=asked.seed)


def subset(asked: Question, rows: IntArray, *, share: float, seed: int) -> IntArray:
    """Return about a share of the rows, in whole groups and with each class's share; one group at least.

    Parameters
    ----------
    asked : Question
    rows : numpy.ndarray
        Training rows, int64.
    share : float
        Above 0; from 1 on, all rows.
    seed : int
    """
    from hounsfield.stages.splitting.dividing import divide
    from hounsfield.stages.splitting.strata import strata_of

    if share >= 1.0:
        return rows
    names = [str(int(r)) for r in rows]
    tags = strata_of([asked.samples[int(r)] for r in rows], asked.target)
    strata = {name: tags[asked.samples[int(name)].id] for name in names}
    groups = {name: asked.groups[int(name)] for name in names}
    parts = divide(names, groups, strata, shares=(share, 1.0 - share), seed=seed)
    if not any(part == 0 for part in parts.values()):  # groups larger than the share: the smallest is nearest to it
        counts = Counter(groups.values())
        smallest = min(counts, key=lambda group: counts[group])
        return np.array([int(name) for name in names if groups[name] == smallest], dtype=np.int64)
    return np.array([int(name) for name in names if parts[name] == 0], dtype=np.int64)


@dataclass(frozen=True)
class Room:
    """What a run can spare for curves.

    Parameters
    ----------
    left : float
        Seconds that nothing else needs; infinite without a budget.
    wanted : bool
        Whether curves were asked for by name: they are then measured whatever they take.
    steps : int
        Of each fit of the network; 0 measures no curve of it.
    per_step, run, describing : float
        Seconds of a step, of running one sample, of describing one image.
    """

    left: float
    wanted: bool = False
    steps: int = 0
    per_step: float = 0.0
    run: float = 0.0
    describing: float = 0.0


def affordable_curves(
    plan: Plan, known: Study, prepared: Prepared, folds: Sequence[Fold], *, room: Room, kept: Path | None = None
) -> tuple[LearningCurve, ...]:
    """Measure the baseline's curve, and the network's where there is time for it or it was asked for.

    Parameters
    ----------
    plan : Plan
    known : Study
    prepared : Prepared
    folds : sequence of Fold
    room : Room
    kept : Path or None
        See `network_curve`.
    """
    asked = question(plan, known, prepared, folds)
    if not answerable(asked):
        return ()
    made, left = [], room.left
    cheap = baseline_seconds(asked, describing=room.describing, described=True)
    if room.wanted or cheap <= left:
        made.append(baseline_curve(plan, known, prepared.feed, asked))
        left -= cheap
    dear = network_seconds(asked, steps=room.steps, per_step=room.per_step, run=room.run)
    if room.steps and (room.wanted or dear <= left):
        made.append(network_curve(plan, known, prepared.feed, asked, steps=room.steps, kept=kept))
    return tuple(made)


def baseline_curve(plan: Plan, known: Study, feed: Feed, asked: Question) -> LearningCurve:
    """Measure the curve of the linear baseline on texture: seconds, since each image is described once.

    Parameters
    ----------
    plan : Plan
    known : Study
    feed : Feed
        Its texture numbers are those that the baseline was fitted to, and are not computed again.
    asked : Question
    """
    job = job_of(plan, known.task, known.fingerprint)
    logistic = cast(Learner, LEARNERS.resolve("logistic"))

    def fit(train: IntArray, held: IntArray) -> Float64Array:
        state = logistic.fit(feed.with_parts(train, held[:0]), job, watch=Watch())
        described = np.stack([np.concatenate(feed.described(int(r), job.preparation)) for r in held])
        return _linear_answers(state.arrays, described, job)

    return measure_curve(fit, asked, model="logistic")


def baseline_seconds(asked: Question, *, describing: float, described: bool) -> float:
    """Return about how long `baseline_curve` takes.

    Parameters
    ----------
    asked : Question
    describing : float
        Seconds to describe one image.
    described : bool
        Whether the training rows have been described already, as after fitting the baseline.

    Notes
    -----
    1.2 ms per training sample and output, as the plan takes it for fitting the baseline.
    """
    outputs = max(1, len(asked.target.classes))
    train = sum(min(len(a.train), MOST_ROWS) for a in asked.arms)
    held = len(np.unique(np.concatenate([a.held for a in asked.arms])))
    fresh = held + (0 if described else len(np.unique(np.concatenate([a.train for a in asked.arms]))))
    return 0.5 + FITS * 0.0012 * outputs * train + fresh * describing


def network_curve(
    plan: Plan, known: Study, feed: Feed, asked: Question, *, steps: int, kept: Path | None = None
) -> LearningCurve:
    """Measure the curve of one network of the plan, at the same number of steps for every share.

    Parameters
    ----------
    plan : Plan
    known : Study
    feed : Feed
    asked : Question
    steps : int
        Of every fit; 6 fits for each arm.
    kept : Path or None
        Folder where the answers of finished fits are kept, so that a killed run goes on behind them.
    """
    job = job_of(plan, known.task, known.fingerprint)
    fixed = {"steps": steps, "validate_every": 0, "selection": "last"}
    job = job.model_copy(update={"optimisation": job.optimisation.model_copy(update=fixed)})
    supervised = cast(Learner, LEARNERS.resolve("supervised"))
    decoding = _start(plan, known, asked)

    def fit(train: IntArray, held: IntArray) -> Float64Array:
        size = min(job.optimisation.batch, len(train))
        fitted = job.model_copy(update={"optimisation": job.optimisation.model_copy(update={"batch": size})})
        state = supervised.fit(feed.with_parts(train, held[:0]), fitted, watch=Watch())
        inputs = {name: stored[held] for name, stored in feed.inputs.items()}
        return decoding(supervised.open(state, fitted).run(inputs)[asked.target.name])

    return measure_curve(remembered(fit, kept) if kept else fit, asked, model="network")


def network_seconds(asked: Question, *, steps: int, per_step: float, run: float) -> float:
    """Return about how long `network_curve` takes.

    Parameters
    ----------
    asked : Question
    steps : int
    per_step : float
        Seconds of a step.
    run : float
        Seconds to run one sample.
    """
    return sum(RUNS) * sum(steps * per_step + len(a.held) * run for a in asked.arms)


def remembered(fit: Fit, folder: Path) -> Fit:
    """Return the same fit, which keeps its answers in a folder and does nothing twice.

    Parameters
    ----------
    fit : callable
    folder : Path
    """

    def once(train: IntArray, held: IntArray) -> Float64Array:
        name = hashlib.sha256(train.tobytes() + b"|" + held.tobytes()).hexdigest()[:16]
        path = folder / f"curve-{name}.safetensors"
        found = load_checkpoint(path)
        if found is None:
            folder.mkdir(parents=True, exist_ok=True)
            answers = fit(train, held)
            save_checkpoint(path, {"answers": answers}, None)
            return answers
        return np.asarray(found[0]["answers"], dtype=np.float64)

    return once


def curves_json(curves: Sequence[LearningCurve]) -> Json:
    """Return curves as the document `DOCUMENT` of a bundle holds them."""
    return [c.model_dump(mode="json") for c in curves]


def curves_of(documents: Mapping[str, Json]) -> tuple[LearningCurve, ...]:
    """Return the curves of a bundle's documents, for the report."""
    found = documents.get(DOCUMENT)
    return tuple(LearningCurve.model_validate(c) for c in found) if isinstance(found, list) else ()


def _start(plan: Plan, known: Study, asked: Question) -> Callable[[Float64Array], Float64Array]:
    from hounsfield.workflow.jobs import start_decodings

    decoding = start_decodings(plan, known.task, known.fingerprint)[asked.target.name]
    return lambda raw: decoded(known.task, asked.target, raw, decoding)


def _linear_answers(arrays: Mapping[str, AnyArray], described: Float64Array, job: Job) -> Float64Array:
    """Return probabilities ``n k``, or numbers ``n``, of the first head from texture numbers (n f)."""
    head = job.heads[0]
    mean, scale, weights, bias = (
        np.asarray(arrays[name], dtype=np.float64) for name in ("mean", "scale", "weights/0", "bias/0")
    )
    scores: Float64Array = (described - mean) / scale @ weights.T + bias
    if head.loss == "number":
        numbers: Float64Array = scores[:, 0] * head.std + head.mean
        return numbers
    if head.loss == "multilabel":
        labels: Float64Array = 1.0 / (1.0 + np.exp(-np.clip(scores, -60, 60)))
        return labels
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _judged(asked: Question, row: int) -> JudgedSample:
    sample = asked.samples[row]
    return JudgedSample(sample.id, sample.patient, sample.targets.get(asked.target.name), unit=asked.groups[row])


def _seed(asked: Question, share: float, run: int, arm: int) -> int:
    return address(asked.seed, f"learning curve, share {share:g}, arm {arm}", run) % 2**31
