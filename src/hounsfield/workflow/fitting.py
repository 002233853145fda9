"""Fit members and baselines, calibrate on validation outputs, and put a bundle together."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.guard import FEWEST_PATIENTS, GuardLimits, distances, fit_guard, limits
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.protocol import Job, Learner, State
from hounsfield.learn.learners.texture import appearance
from hounsfield.learn.loop import Watch
from hounsfield.learn.model import GUARD, SELF_TEST, member_json, runner, self_test_inputs
from hounsfield.science.statistics import operating_point
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule
from hounsfield.workflow.card import card
from hounsfield.workflow.checkpoints import FileStore
from hounsfield.workflow.jobs import job_of, start_decodings
from hounsfield.workflow.study import Study

NETWORK = "network"
TRAINING = "training"
Outputs = Mapping[str, Float64Array]


@dataclass(frozen=True)
class Fold:
    """Rows of one member.

    Parameters
    ----------
    train, val : numpy.ndarray
        Rows of the feed, int64.
    out : numpy.ndarray
        Rows that the member has never seen, for part ``cv``; empty without folds.
    """

    train: IntArray
    val: IntArray
    out: IntArray


@dataclass(frozen=True)
class Fitted:
    """Members, baselines and what training left for the report.

    Parameters
    ----------
    members : tuple of Member
    baselines : mapping of str to tuple of Member
        One per fold.
    history : mapping of str to list of float
        Of the first member.
    steps : int
    stopped_by_clock : bool
    seconds_per_step : float
        Mean over the optimisation, looks at the validation part included.
    """

    members: tuple[Member, ...]
    baselines: Mapping[str, tuple[Member, ...]]
    history: Mapping[str, list[float]]
    steps: int
    stopped_by_clock: bool
    seconds_per_step: float | None

    def to_json(self) -> Json:
        """Return what the report tells of training; None in a curve where it is not a finite number."""
        history: dict[str, Json] = {
            k: [float(x) if math.isfinite(x) else None for x in v] for k, v in self.history.items()
        }
        return {
            "history": history,
            "steps": self.steps,
            "stopped_by_clock": self.stopped_by_clock,
        }


def fit_all(
    plan: Plan,
    known: Study,
    feed: Feed,
    folds: Sequence[Fold],
    *,
    work: Path,
    watching: Callable[[int, FileStore], Watch],
    clock: Callable[[], float],
) -> Fitted:
    """Fit baselines first, then one network per fold; what a killed run had finished is not done again.

    Parameters
    ----------
    plan : Plan
    known : Study
    feed : Feed
    folds : sequence of Fold
    work : Path
        Folder for checkpoints.
    watching : callable
        ``watching(member, store) -> Watch``.
    clock : callable
        Seconds.
    """
    names = _names(plan)
    baselines: dict[str, list[Member]] = {name: [] for name in names}
    members: list[Member] = []
    states: list[State] = []
    seconds, made = 0.0, 0
    for number, fold in enumerate(folds):
        part = feed.with_parts(fold.train, fold.val)
        job = job_of(plan, known.task, known.fingerprint, member=number)
        store = FileStore(work / f"member-{number}.safetensors")
        watch = watching(number, store)
        for name in names:
            kept = work / f"baseline-{name}-{number}.safetensors"
            baselines[name].append(_once(kept, name, part, job, watch))
        before = _steps_in(store)
        began = clock()
        state = cast(Learner, LEARNERS.resolve("supervised")).fit(part, job, watch=watch)
        seconds, made = seconds + clock() - began, made + state.steps - before
        states.append(state)
        members.append(Member("supervised", state.arrays, member_json(job, state.json)))
    return Fitted(
        tuple(members),
        {name: tuple(found) for name, found in baselines.items()},
        states[0].history,
        sum(s.steps for s in states),
        any(s.stopped_by_brake for s in states),
        seconds / made if made else None,
    )


def _steps_in(store: FileStore) -> int:
    found = store.load()
    facts = found[1] if found else None
    step = facts.get("step") if isinstance(facts, dict) else 0
    return step if isinstance(step, int) else 0


def _names(plan: Plan) -> list[str]:
    names = plan.value("baselines", "names")
    return [str(n) for n in names] if isinstance(names, list) else []


def _once(kept: Path, name: str, feed: Feed, job: Job, watch: Watch) -> Member:
    found = load_checkpoint(kept)
    if found is None:
        learner = cast(Learner, LEARNERS.resolve(name))
        state = learner.fit(feed, job, watch=watch)
        if watch.ranks.first:
            save_checkpoint(kept, state.arrays, state.json)
        found = (dict(state.arrays), state.json)
    return Member(name, found[0], member_json(job, found[1]))


@dataclass(frozen=True)
class Calibrated:
    """Decoding and operating point of one model for each target.

    Parameters
    ----------
    decodings : mapping of str to Decoding
    points : mapping of str to OperatingPoint
        Two-class targets only.
    """

    decodings: Mapping[str, Decoding]
    points: Mapping[str, OperatingPoint]

    def to_json(self) -> Json:
        """Return both as JSON."""
        return {
            "decodings": {k: cast(Json, v.model_dump(mode="json")) for k, v in self.decodings.items()},
            "operating_points": {k: cast(Json, v.model_dump(mode="json")) for k, v in self.points.items()},
        }

    @classmethod
    def from_json(cls, value: Json) -> "Calibrated":
        """Read what `to_json` wrote."""
        parts = value if isinstance(value, dict) else {}
        decodings, points = parts.get("decodings"), parts.get("operating_points")
        return cls(
            {k: Decoding.model_validate(v) for k, v in decodings.items()} if isinstance(decodings, dict) else {},
            {k: OperatingPoint.model_validate(v) for k, v in points.items()} if isinstance(points, dict) else {},
        )


def calibrate(plan: Plan, known: Study, outputs: Outputs, truth: Mapping[str, AnyArray]) -> Calibrated:
    """Fit temperatures and thresholds on validation outputs.

    Parameters
    ----------
    plan : Plan
    known : Study
    outputs : mapping of str to numpy.ndarray
        Target to raw outputs of validation samples, ``n w``.
    truth : mapping of str to numpy.ndarray
        Target to encoded answers of the same samples.
    """
    rule = Rule(str(plan.value("operating_point", "rule")))
    wanted = plan.value("operating_point", "wanted")
    decodings, points = {}, {}
    for target in plan.targets:
        kind = known.task.kind(target)
        decoding = start_decodings(plan, known.task, known.fingerprint)[target.name]
        if len(outputs[target.name]):
            decoding = kind.calibrate(target, outputs[target.name], truth[target.name], decoding)
        if target.kind == "categorical" and len(target.classes) == 2 and target.positive in target.classes:
            positive = target.classes.index(str(target.positive))
            probability = kind.decode(target, outputs[target.name], decoding)[:, positive]
            answers = np.asarray(truth[target.name], dtype=np.int64)
            hit = np.where(answers < 0, -1, (answers == positive).astype(np.int64))
            aim = float(wanted) if isinstance(wanted, int | float) else None
            point = operating_point.fit(hit[hit >= 0], probability[hit >= 0], rule=rule, wanted=aim)
            points[target.name] = point
            decoding = decoding.model_copy(update={"threshold": point.threshold, "rule": point.rule.value})
        decodings[target.name] = decoding
    return Calibrated(decodings, points)


def validation_outputs(
    members: Sequence[Member], feed: Feed, folds: Sequence[Fold]
) -> tuple[dict[str, Float64Array], IntArray]:
    """Return each member's raw outputs on its own validation rows, stacked, and those rows."""
    found: dict[str, list[Float64Array]] = {}
    for member, fold in zip(members, folds, strict=True):
        ready = runner(member)
        names = {h.target.name: h.width for h in _job(member).heads}
        if not len(fold.val):
            for name, width in names.items():
                found.setdefault(name, []).append(np.zeros((0, width)))
            continue
        outputs = ready.run({name: stored[fold.val] for name, stored in feed.inputs.items()})
        for name in names:
            found.setdefault(name, []).append(outputs[name])
    return {k: np.concatenate(v) for k, v in found.items()}, np.concatenate([f.val for f in folds])


def _job(member: Member) -> Job:
    from hounsfield.learn.model import member_job

    return member_job(member)


def assemble(
    plan: Plan, known: Study, feed: Feed, folds: Sequence[Fold], *, fitted: Fitted, progress: Progress
) -> BundleContents:
    """Calibrate, fit the guard, record the self-test, and put everything into one bundle.

    Notes
    -----
    ``calibration_<model>`` belongs to the shipped mean of all members, and is fitted on the validation rows of all.
    With folds these rows are held-out samples of other members, so each member has a ``calibration_<model>.<i>`` of
    its own besides, from its own validation rows only: part ``cv`` is judged with these.

    Parameters
    ----------
    plan : Plan
    known : Study
    feed : Feed
    folds : sequence of Fold
    fitted : Fitted
    progress : Progress
    """
    documents: dict[str, Json] = {TRAINING: fitted.to_json()}
    for name, members in {NETWORK: fitted.members, **fitted.baselines}.items():
        outputs, rows = validation_outputs(members, feed, folds)
        truth = {target: values[rows] for target, values in feed.targets.items()}
        documents[f"calibration_{name}"] = calibrate(plan, known, outputs, truth).to_json()
        ends = np.cumsum([len(fold.val) for fold in folds])
        for number, end in enumerate(ends if len(folds) > 1 else ()):
            own = slice(int(end) - len(folds[number].val), int(end))
            said, right = {k: v[own] for k, v in outputs.items()}, {k: v[own] for k, v in truth.items()}
            documents[f"calibration_{name}.{number}"] = calibrate(plan, known, said, right).to_json()
    guard_arrays, guard_limits = _guard(known, feed, folds, progress)
    documents[GUARD] = cast(Json, guard_limits.model_dump(mode="json"))
    job = _job(fitted.members[0])
    inputs = self_test_inputs(job.preparation)
    found = [runner(member).run(inputs) for member in fitted.members]
    expected = {name: np.mean([f[name] for f in found], axis=0) for name in found[0]}
    baselines = {f"{n}.{i}": m for n, members in fitted.baselines.items() for i, m in enumerate(members)}
    return BundleContents(
        members=fitted.members,
        plan=plan.model_copy(update={"source": ""}),
        fingerprint=known.fingerprint,
        documents=documents,
        arrays={**({GUARD: guard_arrays} if guard_arrays else {}), SELF_TEST: expected},
        baselines=baselines,
        card=card(plan, known),
    )


def _guard(
    known: Study, feed: Feed, folds: Sequence[Fold], progress: Progress
) -> tuple[dict[str, AnyArray], GuardLimits]:
    train = folds[0].train if len(folds) == 1 else np.unique(np.concatenate([f.train for f in folds]))
    held = folds[0].val if len(folds) == 1 else train[::5]
    if len(folds) > 1:
        train = np.setdiff1d(train, held)
    dims = [stored.ndim - 2 for stored in feed.inputs.values()]
    described = {}
    for name, rows in (("train", train), ("held", held)):
        with progress.step("Input guard", float(len(rows))) as shown:
            found = []
            for row in rows:
                planes = zip(feed.described(int(row)), dims, strict=True)
                found.append(np.concatenate([appearance(numbers, ndim=n) for numbers, n in planes]))
                shown.advance()
        described[name] = np.stack(found) if found else np.zeros((0, 1))
    arrays = fit_guard(described["train"])
    far = distances(arrays, described["held"]) if len(held) else np.zeros(0)
    flag, refuse = limits(far)
    if known.fingerprint.patients < FEWEST_PATIENTS:
        arrays, flag, refuse = {}, 1e9, 1e9
    seen = next(iter(known.fingerprint.inputs.values()))
    return arrays, GuardLimits(
        flag=min(flag, 1e9),
        refuse=min(refuse, 1e9),
        ndim=seen.ndim,
        size_low=seen.size_low,
        size_high=seen.size_high,
        colour=seen.colour_share > 0.05,
    )
