"""Fit members and baselines, calibrate on validation outputs, and put a bundle together."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import Plan
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.protocols import Decoding
from hounsfield.core.types import AnyArray, Float64Array, IntArray, Json
from hounsfield.learn.blend import Shared, share
from hounsfield.learn.feed import Feed
from hounsfield.learn.guard import FEWEST_PATIENTS, GuardLimits, crossed_distances, distances, fit_guard, limits
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.network_runner import RUN_BATCH
from hounsfield.learn.learners.protocol import Job, Learner, State
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.merge import MERGE, Merge, merged
from hounsfield.learn.model import GUARD, SELF_TEST, member_json, runner, self_test_inputs
from hounsfield.science.statistics import operating_point
from hounsfield.science.statistics.logit_adjustment import class_factors
from hounsfield.science.statistics.operating_point import OperatingPoint
from hounsfield.stages.evaluation.class_points import fit_class_points
from hounsfield.workflow.card import card
from hounsfield.workflow.checkpoints import FileStore
from hounsfield.workflow.jobs import Calling, Ensemble, job_of, start_decodings
from hounsfield.workflow.members import Assignment, Crew, Shown, keep_state, kept_state, write_feed
from hounsfield.workflow.sets import set_rule
from hounsfield.workflow.study import Study
from hounsfield.workflow.turns import whole, wrapped

NETWORK = "network"
TRAINING = "training"
ROWS_AT_A_TIME = 16 * RUN_BATCH
"""Images that are copied out of the memory map at a time: whole calls of the runner, which are the same among all."""
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
        Of all members.
    stopped_by_clock : bool
    seconds_per_step : float
        Mean over the optimisation of all members, looks at the validation part included.
    folds : tuple of int
        Fold of each member; empty where each fold has one.
    workers_mib : float
        Peak memory of the processes that trained side by side, together; 0 where there were none.
    """

    members: tuple[Member, ...]
    baselines: Mapping[str, tuple[Member, ...]]
    history: Mapping[str, list[float]]
    steps: int
    stopped_by_clock: bool
    seconds_per_step: float | None
    folds: tuple[int, ...] = ()
    workers_mib: float = 0.0

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


@dataclass(frozen=True)
class Hands:
    """Who fits, and until when.

    Parameters
    ----------
    work : Path
        Folder for checkpoints.
    watching : callable
        ``watching(waiting, name, store) -> Watch`` of a member that is fitted in this process, when so many wait,
        itself included.
    clock : callable
        Seconds.
    left : callable
        Seconds that are left for all members.
    progress : Progress
    """

    work: Path
    watching: Callable[[int, str, FileStore], Watch]
    clock: Callable[[], float]
    left: Callable[[], float] = lambda: float("inf")
    progress: Progress = SILENT


def assignments(plan: Plan, known: Study, folds: Sequence[Fold]) -> list[Assignment]:
    """Return all members of a plan, fold by fold: its networks, then the learner beside them where it has one."""
    made: list[Assignment] = []
    ensemble = Ensemble.of(plan)
    for fold, rows in enumerate(folds):
        for place in range(ensemble.members + ensemble.features):
            number = fold + len(folds) * place
            network = place < ensemble.members
            job = job_of(plan, known.task, known.fingerprint, member=number, place=place if network else 0)
            made.append(
                Assignment(
                    fold=fold,
                    place=place,
                    learner="supervised" if network else ensemble.beside,
                    job=job,
                    train=rows.train,
                    val=rows.val,
                    steps=job.optimisation.steps if network else 0,
                )
            )
    return made


def fit_all(plan: Plan, known: Study, feed: Feed, folds: Sequence[Fold], hands: Hands) -> Fitted:
    """Fit baselines first, then all members; what a killed run had finished is not done again.

    Parameters
    ----------
    plan : Plan
    known : Study
    feed : Feed
    folds : sequence of Fold
    hands : Hands
    """
    names = _names(plan)
    wanted = assignments(plan, known, folds)
    baselines: dict[str, list[Member]] = {name: [] for name in names}
    for number, fold in enumerate(folds):
        job = job_of(plan, known.task, known.fingerprint, member=number)
        watch = hands.watching(len(wanted), "", FileStore(hands.work / "none.safetensors"))
        for name in names:
            kept = hands.work / f"baseline-{name}-{number}.safetensors"
            baselines[name].append(_once(kept, name, feed.with_parts(fold.train, fold.val), job, watch))
    workers = Ensemble.of(plan).workers
    if workers > 1:
        write_feed(hands.work, feed)
    made = fit_members(wanted, feed, hands, workers=workers)
    networks = [s for a, s in zip(wanted, made.states, strict=True) if a.learner == "supervised"]
    return Fitted(
        members=tuple(
            Member(a.learner, s.arrays, member_json(cast(Job, a.job), s.json))
            for a, s in zip(wanted, made.states, strict=True)
        ),
        baselines={name: tuple(found) for name, found in baselines.items()},
        history=networks[0].history,
        steps=sum(s.steps for s in networks),
        stopped_by_clock=any(s.stopped_by_brake for s in networks),
        seconds_per_step=made.seconds / made.steps if made.steps else None,
        folds=tuple(a.fold for a in wanted),
        workers_mib=made.peak_mib,
    )


class Divisible(Protocol):
    """A feed that can be divided otherwise."""

    def with_parts(self, train: IntArray, val: IntArray) -> "Divisible":
        """Return the same arrays with other parts."""


def fit_members(wanted: Sequence[Assignment], feed: Divisible, hands: Hands, *, workers: int) -> "Made":
    """Fit all members, side by side or one after the other; what is fitted already is not fitted again.

    Parameters
    ----------
    wanted : sequence of Assignment
    feed : Divisible
        Where several work, their processes find it in the work folder.
    hands : Hands
    workers : int
    """
    return _side_by_side(wanted, hands, workers) if workers > 1 else _in_turn(wanted, feed, hands)


@dataclass(frozen=True)
class Made:
    """States in the order of the assignments, and what they cost."""

    states: list[State]
    seconds: float
    steps: int
    peak_mib: float = 0.0


def _in_turn(wanted: Sequence[Assignment], feed: Divisible, hands: Hands) -> Made:
    """Fit one after another in this process, with all its threads; those without steps begin, as they do beside."""
    states: dict[str, State] = {}
    seconds, steps = 0.0, 0
    order = sorted(wanted, key=lambda a: a.steps > 0)
    for number, assignment in enumerate(order):
        store = FileStore(hands.work / f"{assignment.name}.safetensors")
        # What is left of the time is shared by those that the clock can end.
        watch = hands.watching(max(1, sum(a.steps > 0 for a in order[number:])), assignment.name, store)
        before, began = _steps_in(store), hands.clock()
        learner = cast(Learner, LEARNERS.resolve(assignment.learner))
        # a learner is handed the feed and the job that were made for it
        part, job = cast(Feed, feed.with_parts(assignment.train, assignment.val)), cast(Job, assignment.job)
        if assignment.steps:
            state = learner.fit(part, job, watch=watch)
            seconds, steps = seconds + hands.clock() - began, steps + state.steps - before
        else:
            kept = hands.work / f"{assignment.name}.fitted.safetensors"
            found = kept_state(kept)
            state = found if found is not None else learner.fit(part, job, watch=watch)
            if found is None and watch.ranks.first:
                keep_state(kept, state)
        states[assignment.name] = state
    return Made([states[a.name] for a in wanted], seconds, steps)


def _side_by_side(wanted: Sequence[Assignment], hands: Hands, workers: int) -> Made:
    """Fit in processes of one thread each; those without steps begin, since no clock can end them.

    What is left of the others is divided among the processes so that all end together, see `turns`.
    """
    kept = {a.name: hands.work / f"{a.name}.fitted.safetensors" for a in wanted}
    costs: list[tuple[float, int, float]] = []
    waiting = sorted((a for a in wanted if kept_state(kept[a.name]) is None), key=lambda a: a.steps > 0)
    with hands.progress.step("Training", float(sum(a.steps for a in waiting))) as step:
        shown = Shown(step)

        def heard(assignment: Assignment, told: Mapping[str, Json]) -> None:
            shown.heard(assignment, told)
            seconds, steps, peak = (told.get(k) for k in ("seconds", "made", "peak_mib"))
            if isinstance(seconds, float) and isinstance(steps, int) and isinstance(peak, float):
                costs.append((seconds if assignment.steps else 0.0, steps if assignment.steps else 0, peak))

        alone = [whole(place) for place, a in enumerate(waiting) if not a.steps]
        lanes = wrapped([_steps_left(a, hands.work) for a in waiting], workers)
        Crew(hands.work, workers=workers).run(waiting, left=hands.left, heard=heard, lanes=[*alone, *lanes])
    states = []
    for assignment in wanted:
        state = kept_state(kept[assignment.name])
        if state is None:
            raise PlanError(
                f"Member {assignment.name} left no result.",
                expected="a fitted member",
                next_step="give the same command again",
            )
        states.append(state)
    peaks = sorted((c[2] for c in costs), reverse=True)[:workers]
    return Made(states, sum(c[0] for c in costs), sum(c[1] for c in costs), sum(peaks))


def _steps_in(store: FileStore) -> int:
    return _steps_of(store)[0]


def _steps_of(store: FileStore) -> tuple[int, int]:
    """Return the step of a checkpoint and the step at which its training ends; 0 and 0 where there is none."""
    found = store.load()
    facts = found[1] if found else None
    step, ending = (facts.get(k) if isinstance(facts, dict) else 0 for k in ("step", "end"))
    return step if isinstance(step, int) else 0, ending if isinstance(ending, int) else 0


def _steps_left(assignment: Assignment, work: Path) -> int:
    """Return how many steps a member has to make, at least 1; 0 of a learner that makes none."""
    made, ending = _steps_of(FileStore(work / f"{assignment.name}.safetensors"))
    return max(1, (ending or assignment.steps) - made) if assignment.steps else 0


def _names(plan: Plan) -> list[str]:
    names = plan.value("baselines", "names")
    return [str(n) for n in names] if isinstance(names, list) else []


def _once(kept: Path, name: str, feed: Feed, job: Job, watch: Watch) -> Member:
    found = load_checkpoint(kept)
    if found is None:
        learner = cast(Learner, LEARNERS.resolve(name))
        if getattr(learner, "keeps_samples", False):
            raise PlanError(
                f"The baseline {name!r} keeps training samples as they are, and a bundle holds nothing of a patient.",
                expected="baselines that keep aggregates",
                next_step=f"take {name!r} out of baselines.names in plan.yaml",
            )
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
    class_points : mapping of str to mapping of str to OperatingPoint
        Target to class to the threshold of this class against the rest: more than two classes, and labels.
    """

    decodings: Mapping[str, Decoding]
    points: Mapping[str, OperatingPoint]
    class_points: Mapping[str, Mapping[str, OperatingPoint]] = field(default_factory=dict)

    def to_json(self) -> Json:
        """Return both as JSON."""
        return {
            "decodings": {k: cast(Json, v.model_dump(mode="json")) for k, v in self.decodings.items()},
            "operating_points": _as_json(self.points),
            "class_points": {name: _as_json(points) for name, points in self.class_points.items()},
        }

    @classmethod
    def from_json(cls, value: Json) -> "Calibrated":
        """Read what `to_json` wrote."""
        parts = value if isinstance(value, dict) else {}
        decodings, each = parts.get("decodings"), parts.get("class_points")
        return cls(
            {k: Decoding.model_validate(v) for k, v in decodings.items()} if isinstance(decodings, dict) else {},
            _as_points(parts.get("operating_points")),
            {k: _as_points(v) for k, v in each.items()} if isinstance(each, dict) else {},
        )


def _as_json(points: Mapping[str, OperatingPoint]) -> Json:
    return {name: cast(Json, point.model_dump(mode="json")) for name, point in points.items()}


def _as_points(value: Json) -> dict[str, OperatingPoint]:
    return {k: OperatingPoint.model_validate(v) for k, v in value.items()} if isinstance(value, dict) else {}


def calibrate(
    plan: Plan,
    known: Study,
    outputs: Outputs,
    truth: Mapping[str, AnyArray],
    *,
    of_networks: Mapping[str, float] | None = None,
) -> Calibrated:
    """Fit temperatures, thresholds and limits of prediction sets on validation outputs.

    Parameters
    ----------
    plan : Plan
    known : Study
    outputs : mapping of str to numpy.ndarray
        Target to raw outputs of validation samples, ``n w``.
    truth : mapping of str to numpy.ndarray
        Target to encoded answers of the same samples.
    of_networks : mapping of str to float or None
        By target, the share in the outputs of networks, whose loss had the plan's class weights; none where absent.
    """
    calling = plan.section("operating_point", Calling)
    rule, aim = calling.rule, calling.wanted
    decodings, points, of_classes = {}, {}, {}
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
            point = operating_point.fit(hit[hit >= 0], probability[hit >= 0], rule=rule, wanted=aim)
            points[target.name] = point
            decoding = decoding.model_copy(update={"threshold": point.threshold, "rule": point.rule.value})
        tau = calling.logit_adjustment.get(target.name, 0.0)
        if tau:
            counts = {name: known.fingerprint.targets[target.name].counts.get(name, 0) for name in target.classes}
            heard = _weights_of(plan, target, (of_networks or {}).get(target.name, 0.0))
            factors = class_factors(counts, tau=tau, weights=heard)
            decoding = decoding.model_copy(update={"class_factors": factors})
        if len(outputs[target.name]):
            decoded = kind.decode(target, outputs[target.name], decoding)
            decoding = decoding.model_copy(update={"sets": set_rule(target, decoded, truth[target.name])})
            each = fit_class_points(target, decoded, truth[target.name], rule=rule, wanted=aim)
            if each:
                of_classes[target.name] = each
                limits = {name: point.threshold for name, point in each.items()}
                decoding = decoding.model_copy(update={"class_thresholds": limits})
        decodings[target.name] = decoding
    return Calibrated(decodings, points, of_classes)


def _weights_of(plan: Plan, target: TargetSpec, share: float) -> list[float]:
    """Return what the loss weighed each class with, as a share of what is read of it; empty where it weighed nothing.

    Joined outputs are sums of logarithms: a weight that a share a of them heard is its power a in all.
    """
    if target.name != plan.targets[0].name:
        return []
    return [weight**share for weight in plan.section("optimisation", Optimisation).class_weights]


def validation_outputs(
    members: Sequence[Member], feed: Feed, folds: Sequence[Fold]
) -> tuple[dict[str, Float64Array], IntArray]:
    """Return each fold's member's raw outputs on its own validation rows, stacked, and those rows."""
    found = [_outputs(member, feed, fold.val) for member, fold in zip(members, folds, strict=True)]
    return {k: np.concatenate([f[k] for f in found]) for k in found[0]}, np.concatenate([f.val for f in folds])


def _outputs(member: Member, feed: Feed, rows: IntArray) -> dict[str, Float64Array]:
    names = {h.target.name: h.width for h in _job(member).heads}
    if not len(rows):
        return {name: np.zeros((0, width)) for name, width in names.items()}
    running = runner(member)
    found: dict[str, list[Float64Array]] = {name: [] for name in names}
    for first in range(0, len(rows), ROWS_AT_A_TIME):
        some = rows[first : first + ROWS_AT_A_TIME]
        outputs = running.run({name: stored[some] for name, stored in feed.inputs.items()})
        for name, parts in found.items():
            parts.append(outputs[name])
    return {name: np.concatenate(parts) for name, parts in found.items()}


@dataclass(frozen=True)
class Blended:
    """Members made one.

    Parameters
    ----------
    merge : Merge
    outputs : mapping of str to numpy.ndarray
        Target to merged raw outputs of the validation rows, ``n w``.
    rows : numpy.ndarray
        These rows, one fold after the other.
    of_networks : mapping of str to list of float
        Target to the share of the networks in each fold, 0 to 1; the rest is of the learner beside them.
    """

    merge: Merge
    outputs: dict[str, Float64Array]
    rows: IntArray
    of_networks: dict[str, list[float]]


def blended(fitted: Fitted, feed: Feed, folds: Sequence[Fold]) -> Blended:
    """Weigh each fold's members by its own validation rows, and return the merged raw outputs of these rows.

    Parameters
    ----------
    fitted : Fitted
    feed : Feed
    folds : sequence of Fold
    """
    own = list(fitted.folds) or list(range(len(folds)))
    weights: dict[str, list[float]] = {h.target.name: [0.0] * len(own) for h in _job(fitted.members[0]).heads}
    stacked: dict[str, list[Float64Array]] = {name: [] for name in weights}
    of_networks: dict[str, list[float]] = {}
    for number, fold in enumerate(folds):
        places = [p for p, f in enumerate(own) if f == number]
        outputs = {p: _outputs(fitted.members[p], feed, fold.val) for p in places}
        networks = [p for p in places if fitted.members[p].learner == "supervised"]
        others = [p for p in places if p not in networks]
        for head in _job(fitted.members[0]).heads:
            name = head.target.name
            shared = Shared((1.0, 0.0), 0.0)
            if others:
                first, second = (np.mean([outputs[p][name] for p in kind], axis=0) for kind in (networks, others))
                shared = share(first, second, feed.targets[name][fold.val], head)
            of_networks.setdefault(name, []).append(1.0 - shared.second)
            for kind, factor in zip((networks, others), shared.factors, strict=True):
                for p in kind:
                    weights[name][p] = round(factor / len(kind), 6)
            stacked[name].append(np.sum([weights[name][p] * outputs[p][name] for p in places], axis=0))
    joined = {k: np.concatenate(v) for k, v in stacked.items()}
    return Blended(Merge(folds=own, weights=weights), joined, np.concatenate([f.val for f in folds]), of_networks)


def _job(member: Member) -> Job:
    from hounsfield.learn.model import member_job

    return member_job(member)


def assemble(
    plan: Plan,
    known: Study,
    feed: Feed,
    folds: Sequence[Fold],
    *,
    fitted: Fitted,
    progress: Progress,
    notes: Mapping[str, Json] | None = None,
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
    notes : mapping of str to JSON
        Documents to be added, by name.
    """
    documents: dict[str, Json] = {TRAINING: fitted.to_json(), **(notes or {})}
    joined = blended(fitted, feed, folds)
    documents[MERGE] = cast(Json, joined.merge.model_dump(mode="json"))
    for name in (NETWORK, *fitted.baselines):
        outputs, rows = joined.outputs, joined.rows
        shares = joined.of_networks if name == NETWORK else {}
        if name != NETWORK:
            outputs, rows = validation_outputs(fitted.baselines[name], feed, folds)
        truth = {target: values[rows] for target, values in feed.targets.items()}
        mean = {target: float(np.mean(each)) for target, each in shares.items()}
        documents[f"calibration_{name}"] = calibrate(plan, known, outputs, truth, of_networks=mean).to_json()
        ends = np.cumsum([len(fold.val) for fold in folds])
        for number, end in enumerate(ends if len(folds) > 1 else ()):
            own = slice(int(end) - len(folds[number].val), int(end))
            said, right = {k: v[own] for k, v in outputs.items()}, {k: v[own] for k, v in truth.items()}
            here = {target: each[number] for target, each in shares.items()}
            documents[f"calibration_{name}.{number}"] = calibrate(plan, known, said, right, of_networks=here).to_json()
    guard_arrays, guard_limits = _guard(known, feed, folds, fitted=fitted, progress=progress)
    documents[GUARD] = cast(Json, guard_limits.model_dump(mode="json"))
    job = _job(fitted.members[0])
    inputs = self_test_inputs(job.preparation)
    expected = merged([runner(member).run(inputs) for member in fitted.members], joined.merge.whole())
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
    known: Study, feed: Feed, folds: Sequence[Fold], *, fitted: Fitted, progress: Progress
) -> tuple[dict[str, AnyArray], GuardLimits]:
    # Fitted to training images; the limits come from those of them that a fold left out, and from validation images.
    train = np.unique(np.concatenate([fold.train for fold in folds]))
    held = np.setdiff1d(np.concatenate([fold.val for fold in folds]), train)
    rows = np.concatenate([train, held])
    specs = _job(fitted.members[0]).preparation

    def seen_at(row: int) -> Float64Array:
        return np.concatenate([specs[name].looks(stored[row]) for name, stored in feed.inputs.items()])

    first = seen_at(int(rows[0]))
    described, groups = np.empty((len(rows), len(first))), feed.groups[rows]
    with progress.step("Input guard", float(len(rows))) as shown:
        for place, row in enumerate(rows):
            described[place] = seen_at(int(row))
            shown.advance()
    seen_rows, others = described[: len(train)], described[len(train) :]
    arrays = fit_guard(seen_rows)
    away = [crossed_distances(seen_rows, groups[: len(train)]), *([distances(arrays, others)] if len(held) else [])]
    flag, refuse = limits(np.concatenate(away), len(np.unique(groups)))
    if known.fingerprint.patients < FEWEST_PATIENTS:
        arrays, flag, refuse = {}, 1e9, 1e9
    seen = next(iter(known.fingerprint.inputs.values()))
    return arrays, GuardLimits(
        flag=min(flag, 1e9),
        refuse=min(refuse, 1e9),
        ndim=seen.ndim,
        size_low=seen.size_low,
        size_high=seen.size_high,
        colour=isinstance(seen, ImageFacts) and seen.colour_share > 0.05,
    )
