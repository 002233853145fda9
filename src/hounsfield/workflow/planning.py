"""Plan: every decision with its reason, speed measured on this machine, cost predicted."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

import numpy as np

from hounsfield.bundle.plans import write_plan
from hounsfield.core.errors import MinutesError, RunExistsError
from hounsfield.core.plan import Budget, Decision, Facts, Machine, Plan, PlanValue
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Json
from hounsfield.stages.evaluation.subgroups import MOST_ATTRIBUTES
from hounsfield.stages.planning.draft import draft, redecide, redecide_ensemble
from hounsfield.stages.planning.recipes import recipe
from hounsfield.stages.planning.rules.ensemble import LEAN
from hounsfield.workflow.jobs import (
    Ensemble,
    Prepared,
    check_plan,
    job_of,
    normalisation,
    preparations_of,
    prepare_feed,
)
from hounsfield.workflow.machine import machine
from hounsfield.workflow.members import Assignment, Crew, write_feed
from hounsfield.workflow.memory import give_back, peak_mib
from hounsfield.workflow.planned_maps import MAPS, maps_seconds, planned_maps
from hounsfield.workflow.repeating import Repeating, with_repeats
from hounsfield.workflow.roads import road_of
from hounsfield.workflow.stepping import most_steps
from hounsfield.workflow.study import Source, Study, roles_said, study
from hounsfield.workflow.turns import START_SECONDS, ended, free_at, wrapped
from hounsfield.workflow.warming import settled, with_beside, with_match
from hounsfield.workflow.wishes import Wishes
from hounsfield.workflow.worker import PROBE_SECONDS, PROBES

if TYPE_CHECKING:
    from hounsfield.learn.learners.protocol import Job, Learner

SHARE = 0.94
"""Share of the minutes that is planned for: the rest is for what measuring cannot foresee."""
REPORT_SECONDS = 0.3
TARGET_SECONDS = 0.4
"""Allowances for evaluation and rendering, in all and for each target: 256 samples took 0.4 s with one target and 1.5 s
with four."""
JUDGED_SECONDS = 0.00015
COMPARED_SECONDS = 0.0001
GROUPED_SECONDS = 0.00003
"""Of one thread, per sample and output: the network judged, calibrated and not, a baseline beside it, and the groups of
one attribute. Single runs: 0.06 to 0.10 ms, 0.02 to 0.09 ms and half of that for 4,000 to 50,000 samples, classes,
labels and numbers."""
FIT_SECONDS = 0.0004
CURVE_FIT_SECONDS = 0.0013
"""Of one thread, per sample and output: to fit the linear baseline, and to measure its learning curve. 360 samples of
two classes took 0.3 s in all; 539 samples with ten outputs took 1.3 and 7 s."""
TIMED_ROWS = (64, 256)
"""Training samples that another learner is fitted to, to be timed; what it takes for all follows from both."""
MOST_OF_BUDGET = 0.2
"""Share of the minutes that another learner may take as a baseline."""
COUNTED = ("prevalence", "logistic")
"""Baselines whose cost is known by the number of samples."""
DESCRIBED = 24
"""Samples whose texture is timed."""
COMPARED = 32
"""Samples in a step that compares precisions, at most: with 64 images of 64 pixels the float32 step, made only to be
compared, was the peak of a whole run."""
FEW_STEPS = 20
"""Fewer steps of a whole plan are not worth it where a lean one would do."""
LEAST_STEPS = 5
"""Fewest steps of a lean plan."""


@dataclass(frozen=True)
class Planned:
    """A plan and the arrays that were prepared to measure it.

    Parameters
    ----------
    plan : Plan
    prepared : Prepared
    """

    plan: Plan
    prepared: Prepared


@dataclass(frozen=True)
class Speed:
    """What was measured.

    Parameters
    ----------
    step : float
        Seconds per optimisation step.
    run : float
        Seconds per sample of inference, guard included.
    baselines : float
        Seconds per training sample of the baselines.
    read : float
        Seconds per sample to decode and prepare.
    peak_mib : float
        Peak memory of the process while measuring.
    side : float
        Seconds per step of one thread while as many processes as there are threads make steps; 0 where not measured.
    side_mib : float
        Peak memory of one such process.
    features : float
        Seconds of one thread per sample to compute the fixed features; 0 where the plan has none.
    heads : float
        Seconds to fit the heads on fixed features, or another learner beside the networks, one fold; 0 where the plan
        has none.
    others : float
        Seconds to fit the baselines that are not `COUNTED`, one fold.
    """

    step: float
    run: float
    baselines: float
    read: float
    peak_mib: float
    side: float = 0.0
    side_mib: float = 0.0
    features: float = 0.0
    heads: float = 0.0
    others: float = 0.0


def plan(source: Source, *, wishes: Wishes = Wishes(), out: Path | None = None, progress: Progress = SILENT) -> Plan:
    """Decide how a cohort would be learned, measure speed, predict cost; train nothing.

    Parameters
    ----------
    source : str, Path or iterable
        Folder, file or samples.
    wishes : Wishes
    out : Path or None
        Where to write ``plan.yaml``; an existing file is not overwritten.
    progress : Progress

    Returns
    -------
    Plan

    Raises
    ------
    RunExistsError
        If `out` exists.
    """
    if out is not None and out.exists():
        raise RunExistsError(
            f"{out.name} exists already.", expected="a new file", next_step="choose another --out or move it away"
        )
    began = time.perf_counter()
    settle(wishes)
    known = study(source, wishes, progress=progress)
    with TemporaryDirectory(prefix="hounsfield-") as work:
        made, _ = road_of(known.task).make_plan(
            known, wishes, work=Path(work), elapsed=lambda: time.perf_counter() - began, progress=progress
        )
    if out is not None and isinstance(source, str | Path):
        made = made.model_copy(update={"source": _relative(Path(source), out.parent)})
        write_plan(out, made)
    return made


def processes() -> int:
    """Return how many processes ``torchrun`` started."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def settle(wishes: Wishes, *, processes: int = 1) -> int:
    """Fix threads and deterministic kernels for this process and return the number of threads."""
    from hounsfield.learn.threads import settle_threads

    threads = wishes.threads or max(1, machine().cores // processes)
    settle_threads(threads)
    return threads


def make_plan(known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress) -> Planned:
    """Draft by rule, prepare the arrays, measure, fix the steps, predict the cost.

    Parameters
    ----------
    known : Study
    wishes : Wishes
    work : Path
        Folder for memory maps.
    elapsed : callable
        Seconds since the command began.
    progress : Progress
    """
    here = machine()
    drafted = first_draft(known, wishes, here)
    began = time.perf_counter()
    divided = known.split
    parts = {"train": divided.ids("train"), "val": divided.ids("val")}
    if divided.folds:
        parts = {"train": tuple(divided.folds), "val": ()}
    prepared = prepare_feed(
        known.cohort, drafted, known.task, parts=parts, groups=divided.groups, work=work, progress=progress
    )
    read = (time.perf_counter() - began) / max(1, len(prepared.ids))
    drafted = _with_normalisation(drafted, known, prepared)
    fed = with_beside(prepared.feed, drafted, known.beside, work=work, progress=progress)
    prepared = replace(prepared, feed=fed)
    check_plan(drafted, known.task, known.fingerprint)
    progress.say("Measuring speed on this machine")
    drafted, speed = _measured(drafted, known, prepared, read=read)
    drafted = with_repeats(drafted, known, wishes, quick=_is_quick(drafted, wishes))
    speed = _measured_side_by_side(drafted, known, prepared, speed=speed, work=work)
    fixed = _fixed(drafted, known, wishes, here, speed=speed, elapsed=elapsed())
    if fixed.sections["ensemble"]["members"].rule == LEAN:
        progress.say(f"At the speed measured here the minutes hold no whole plan: one network of {_steps(fixed)} steps")
    fixed = with_match(fixed, fed, job_of(fixed, known.task, known.fingerprint))
    check_plan(fixed, known.task, known.fingerprint)
    return Planned(fixed, prepared)


def first_draft(known: Study, wishes: Wishes, here: Machine) -> Plan:
    """Return the plan as the rules alone make it."""
    from hounsfield import __version__

    budget = Budget(
        minutes=wishes.minutes,
        threads=wishes.threads or here.cores,
        device=here.device,
        memory_gib=round(here.memory_gib, 1),
        processes=processes(),
    )
    return Plan(
        hounsfield=__version__,
        cohort=known.cohort.name,
        cohort_digest=known.digest,
        task=known.task.name,
        targets=known.cohort.schema.targets,
        roles=roles_said(wishes),
        seed=wishes.seed,
        folds=wishes.folds,
        budget=budget,
        sections=draft(_facts(known, wishes, here, budget, {})),
    )


def _facts(
    known: Study, wishes: Wishes, here: Machine, budget: Budget, decided: Mapping[tuple[str, str], PlanValue]
) -> Facts:
    named = ("sensitivity", "specificity", "members", "max_steps", "alone")
    asked = {n: str(v) for n in named if (v := getattr(wishes, n)) is not None} | {"folds": str(wishes.folds)}
    asked |= {"causal": "yes"} if wishes.causal else {}
    asked |= known.beside.wishes
    return Facts(known.fingerprint, budget, here, known.cohort.schema.targets, wishes.network, asked, decided)


def _with_normalisation(plan_: Plan, known: Study, prepared: Prepared) -> Plan:
    specs = preparations_of(plan_, known.fingerprint)
    for name in prepared.feed.inputs:
        section = dict(plan_.sections[f"preparation.{name}"])
        if specs[name].measured and "mean" not in section:
            mean, std = normalisation(prepared.feed, name)
            rule = "zero mean, unit variance over the prepared training values"
            section["mean"] = Decision(value=round(mean, 6), rule=rule, evidence=f"{len(prepared.feed.train)} images")
            section["std"] = Decision(value=round(std, 6), rule=rule, evidence=f"{len(prepared.feed.train)} images")
            plan_ = plan_.with_section(f"preparation.{name}", section)
    return plan_


def _measured(drafted: Plan, known: Study, prepared: Prepared, *, read: float) -> tuple[Plan, Speed]:
    """Time real steps in the precisions that are in question, then inference and baseline features."""
    from hounsfield.learn.features.timing import heads_seconds, seconds_each
    from hounsfield.learn.learners.features import MOST_ROWS

    decision = drafted.sections["optimisation"]["precision"]
    candidates = [str(decision.value)]
    if decision.value == "bfloat16" and drafted.budget.device == "cpu":
        candidates.append("float32")
    batch = drafted.sections["optimisation"]["batch"]
    few = batch.model_copy(update={"value": min(COMPARED, int(str(batch.value)))})
    compared = _with_value(drafted, "optimisation", "batch", few) if len(candidates) > 1 else drafted
    seconds = {name: _step_seconds(compared, known, prepared, precision=name) for name in candidates}
    best = min(seconds, key=lambda n: seconds[n])
    shown = ", ".join(f"{n} {s * 1000:.0f} ms per step" for n, s in seconds.items())
    if len(candidates) > 1 and few.value != batch.value:
        shown += f" of {few.value}"
        seconds[best] = _step_seconds(drafted, known, prepared, precision=best)
    chosen = Decision(
        value=best,
        rule=decision.rule if len(candidates) == 1 else "the faster of the two, measured on this machine",
        evidence=f"{decision.evidence}; {shown}",
    )
    drafted = _with_value(drafted, "optimisation", "precision", chosen)
    rows, specs = prepared.feed.train[: DESCRIBED + 1], preparations_of(drafted, known.fingerprint)
    began = time.perf_counter()
    for place, row in enumerate(rows):
        if place == 1:  # the first imports what it needs
            began = time.perf_counter()
        for name, stored in prepared.feed.inputs.items():
            specs[name].described(stored[row])
    described = (time.perf_counter() - began) / max(1, len(rows) - 1)
    job = job_of(drafted, known.task, known.fingerprint)
    features = heads = others = 0.0
    timed = _timed(drafted, known, prepared, job)
    drafted, others = _with_affordable(drafted, timed)
    if Ensemble.of(drafted).features:
        beside = Ensemble.of(drafted).beside
        if beside == "features":
            features = seconds_each(prepared.feed, job, clock=time.perf_counter)
            rows_fitted = min(known.fingerprint.samples, MOST_ROWS)
            heads = heads_seconds(rows_fitted, _questions(drafted), clock=time.perf_counter)
        else:
            heads = timed[beside]
    run = _inference(drafted, known, prepared) + features
    found = Speed(seconds[best], run, described, read, peak_mib(), features=features, heads=heads, others=others)
    return drafted, found


def _timed(drafted: Plan, known: Study, prepared: Prepared, job: "Job") -> dict[str, float]:
    """Return about how many seconds each other learner of the plan takes to be fitted to the training part of a fold.

    Notes
    -----
    A line through the times of two small fits, after one that compiles. For trees and kernels a further sample costs
    about the same; where it costs less, as above their own bounds on rows, too much time is kept free.
    """
    from hounsfield.learn.learners import LEARNERS
    from hounsfield.learn.loop import Watch

    names = [n for n in _baseline_names(drafted) if n not in COUNTED]
    ensemble = Ensemble.of(drafted)
    if ensemble.features and ensemble.beside != "features":
        names = list(dict.fromkeys([*names, ensemble.beside]))
    rows, found = prepared.feed.train, {}
    for name in names:
        learner = cast("Learner", LEARNERS.resolve(name))
        sizes, taken = sorted({min(len(rows), n) for n in TIMED_ROWS}), []
        for size in (sizes[0], *sizes):
            few = rows[np.linspace(0, len(rows) - 1, size).round().astype(np.int64)]
            began = time.perf_counter()
            learner.fit(prepared.feed.with_parts(few, prepared.feed.val[:0]), job, watch=Watch())
            taken.append(time.perf_counter() - began)
        each = (taken[-1] - taken[1]) / max(1, sizes[-1] - sizes[0])
        found[name] = taken[-1] + max(0.0, each) * max(0, known.fingerprint.samples - sizes[-1])
    return found


def _baseline_names(plan_: Plan) -> list[str]:
    names = plan_.value("baselines", "names")
    return [str(n) for n in names] if isinstance(names, list) else []


def _with_affordable(drafted: Plan, timed: Mapping[str, float]) -> tuple[Plan, float]:
    """Leave out other baselines that would take too much of the minutes; return what the others take, seconds."""
    minutes, folds = drafted.budget.minutes, max(1, drafted.folds)
    limit = float("inf") if minutes is None else minutes * 60.0 * MOST_OF_BUDGET / folds
    names = [n for n in _baseline_names(drafted) if n in COUNTED or timed[n] <= limit]
    if len(names) < len(_baseline_names(drafted)):
        decision = drafted.sections["baselines"]["names"]
        told = ", ".join(f"{n} {s:.0f} s" for n, s in timed.items())
        kept: list[PlanValue] = [*names]
        rule = f"{decision.rule}; none that takes more than {MOST_OF_BUDGET:.0%} of the minutes"
        fresh = Decision(value=kept, rule=rule, evidence=f"{decision.evidence}; {told}")
        drafted = _with_value(drafted, "baselines", "names", fresh)
    return drafted, sum(timed[n] for n in names if n not in COUNTED)


def _questions(plan_: Plan) -> int:
    """Return how many yes-no questions and numbers all targets come to: two classes are one, k levels k - 1."""
    asked = 0
    for target in plan_.targets:
        classes = len(target.classes)
        joined_ends = target.kind == "ordinal" or (target.kind == "categorical" and classes == 2)
        asked += max(1, classes - joined_ends)
    return asked


def _step_seconds(plan_: Plan, known: Study, prepared: Prepared, *, precision: str) -> float:
    """Return the median of real steps in a precision."""
    from hounsfield.learn.learners.supervised import probe

    decision = plan_.sections["optimisation"]["precision"].model_copy(update={"value": precision})
    job = job_of(_with_value(plan_, "optimisation", "precision", decision), known.task, known.fingerprint)
    taken = probe(prepared.feed, job, steps=PROBES, seconds=PROBE_SECONDS / 2, clock=time.perf_counter)
    give_back()  # else what is measured next, and training, would stand on top of it
    return float(np.median(taken))


def _measured_side_by_side(drafted: Plan, known: Study, prepared: Prepared, *, speed: Speed, work: Path) -> Speed:
    """Time steps in as many processes of one thread as there are threads, all at once."""
    workers = Ensemble.of(drafted).workers
    if workers < 2:
        return speed
    write_feed(work, prepared.feed)
    rows = prepared.feed.train
    seconds: list[float] = []
    peaks: list[float] = []

    def heard(assignment: Assignment, told: Mapping[str, Json]) -> None:
        del assignment
        taken, peak = told.get("seconds"), told.get("peak_mib")
        if isinstance(taken, list) and isinstance(peak, float):
            seconds.append(float(np.median([t for t in taken if isinstance(t, float)])))
            peaks.append(peak)

    jobs = [job_of(drafted, known.task, known.fingerprint, place=n) for n in range(workers)]
    several = [Assignment(-1, n + 1, "supervised", j, rows, prepared.feed.val, 0) for n, j in enumerate(jobs)]
    Crew(work, workers=workers).run(several, left=lambda: 60.0, heard=heard, mode="probe")
    slowest = max(seconds) if Ensemble.of(drafted).variant else float(np.mean(seconds))
    return replace(speed, side=slowest, side_mib=max(peaks))


def _inference(drafted: Plan, known: Study, prepared: Prepared) -> float:
    from hounsfield.learn.learners.network_runner import NetworkRunner
    from hounsfield.learn.learners.supervised import start

    job = job_of(drafted, known.task, known.fingerprint)
    runner = NetworkRunner(start(prepared.feed, job), job.preparation)
    inputs = {name: stored[prepared.feed.train[: runner.size]] for name, stored in prepared.feed.inputs.items()}
    runner.run(inputs)
    began = time.perf_counter()
    runner.run(inputs)
    return (time.perf_counter() - began) / len(next(iter(inputs.values())))


def _fixed(
    drafted: Plan,
    known: Study,
    wishes: Wishes,
    here: Machine,
    *,
    speed: Speed,
    elapsed: float,
    lean: bool = False,
) -> Plan:
    """Turn minutes into networks and steps, and write down what all will cost; a step with its share of a warm-up.

    A lean plan has one network alone, and nothing that a trial does without.
    """
    given, measured = drafted, speed
    fitting = 1.0 - settled(drafted).share
    speed = replace(speed, step=speed.step / fitting, side=speed.side / fitting)
    facts = _facts(known, wishes, here, drafted.budget, _decided(drafted))
    facts = replace(facts, wishes={**facts.wishes, "lean": "yes"}) if lean else facts
    folds, quick = max(1, wishes.folds), lean or _is_quick(drafted, wishes)
    free = wishes.minutes * 60.0 * SHARE - elapsed if wishes.minutes is not None else None
    if free is not None and not recipe(wishes.network):
        around = _around(known, drafted, wishes, networks=2, speed=speed, quick=quick)
        left = free - around.before - around.after
        lanes, start = (drafted.budget.threads, START_SECONDS) if speed.side else (1, 0.0)
        total = int(max(0.0, left * lanes - folds * 2 * start) / (speed.side or speed.step))
        cost: dict[tuple[str, str], PlanValue] = {("cost", "total_steps"): total, ("cost", "beside"): speed.heads}
        facts = replace(facts, decided={**facts.decided, **cost})
        drafted = drafted.model_copy(update={"sections": redecide_ensemble(drafted.sections, facts)})
    ensemble = Ensemble.of(drafted)
    around = _around(known, drafted, wishes, networks=ensemble.members, speed=speed, quick=quick)
    decided = _decided(drafted)
    if free is not None:
        left = free - around.before - around.after
        left *= 1.0 - CURVE_SHARE if wishes.learning_curve else 1.0
        allowed = most_steps(lambda steps: _training_seconds(steps, drafted, known, speed=speed), left)
        if wishes.brief and not lean and allowed < FEW_STEPS:
            networks = replace(measured, run=measured.run - measured.features, features=0.0)
            return _fixed(given, known, wishes, here, speed=networks, elapsed=elapsed, lean=True)
        if allowed < (LEAST_STEPS if lean else 1):
            spent = elapsed + around.before + around.after
            raise _too_few(wishes, spent, _training_seconds(FEW_STEPS, drafted, known, speed=speed))
        decided[("cost", "allowed_steps")] = allowed
    sections = drafted.sections
    if not recipe(wishes.network):
        sections = _kept_precision(drafted, redecide(drafted.sections, replace(facts, decided=decided)))
    fixed = drafted.model_copy(update={"sections": sections})
    steps = _steps(fixed)
    if wishes.max_steps is not None and steps > wishes.max_steps:
        why = Decision(value=wishes.max_steps, rule="an upper bound was asked for", evidence=f"{steps} by rule")
        fixed, steps = _with_value(fixed, "optimisation", "steps", why), wishes.max_steps
    total_seconds = elapsed + around.before + around.after + _training_seconds(steps, fixed, known, speed=speed)
    spare = free - total_seconds + elapsed if free is not None else float("inf")
    fixed, more = _with_curve(fixed, wishes, steps=steps, spare=spare, per_step=speed.step, baseline=around.curve)
    total_seconds += more
    fixed = fixed.with_section(MAPS, {"cases": _maps(fixed, known, ensemble.members * speed.run, quick=quick)})
    looks = _looks_per_step(known, fixed, speed)
    told = replace(speed, step=speed.step + looks, side=speed.side + looks if speed.side else 0.0)
    return fixed.with_section("cost", _cost(total_seconds, told, after=around.after, steps=steps, ensemble=ensemble))


def _too_few(wishes: Wishes, spent: float, training: float) -> MinutesError:
    return MinutesError(
        f"{wishes.minutes:g} minutes are not enough: reading, baselines and report alone take about {spent / 60:.1f}.",
        expected=f"at least {(spent + training) / 60 / SHARE:.1f} minutes",
        next_step="raise --minutes, or leave it out",
    )


def _is_quick(plan_: Plan, wishes: Wishes) -> bool:
    """Return whether a run is a trial that learning curves would only lengthen."""
    if "ensemble" in plan_.sections and plan_.sections["ensemble"]["members"].rule == LEAN:
        return True
    return wishes.max_steps is not None or plan_.budget.processes > 1 or bool(recipe(wishes.network))


def _with_curve(
    fixed: Plan, wishes: Wishes, *, steps: int, spare: float, per_step: float, baseline: float
) -> tuple[Plan, float]:
    """Decide on the learning curves; return what the network's will take, seconds."""
    quick = _is_quick(fixed, wishes)
    fits = FITS_OF_CURVE * max(1, fixed.folds)
    wanted = int(steps * CURVE_STEPS)
    if wishes.learning_curve:
        wanted = max(20, min(wanted, int(spare / (fits * per_step)))) if np.isfinite(spare) else wanted
    elif not np.isfinite(spare) or fits * wanted * per_step > spare:
        wanted = 0
    wanted = 0 if quick and not wishes.learning_curve else wanted
    section = {
        "baseline": Decision(
            value=baseline > 0,
            rule="the curve of the linear model costs seconds: always, but in quick trials, and where it would take "
            f"more than {MOST_OF_CURVE:.0%} of the minutes from the networks",
            evidence="a quick trial" if quick else f"{baseline:.0f} s" if baseline else "more than that",
        ),
        "network_steps": Decision(
            value=wanted,
            rule=f"the network's curve, {FITS_OF_CURVE} fits of subsets in each fold, where it was asked for or time "
            f"is left over; each with {CURVE_STEPS:.0%} of a member's steps",
            evidence="--learning-curve" if wishes.learning_curve else f"{max(0.0, spare):.0f} s are left over",
        ),
    }
    return fixed.with_section("curve", section), fits * wanted * per_step


def _maps(plan_: Plan, known: Study, seconds: float, *, quick: bool) -> Decision:
    return planned_maps(plan_, known.fingerprint.kinds, seconds=seconds, quick=quick)


FITS_OF_CURVE = 6
"""Fits of a network's learning curve: three of a quarter of the patients, two of a half, one of all."""
CURVE_STEPS = 0.25
MOST_OF_CURVE = 0.05
"""Share of the minutes that the learning curve of the linear model may take."""
CURVE_SHARE = 0.4
"""Share of the time of training that a learning curve takes where it is asked for."""


def _decided(plan_: Plan) -> dict[tuple[str, str], PlanValue]:
    return {(section, key): d.value for section, made in plan_.sections.items() for key, d in made.items()}


def _training_seconds(steps: int, plan_: Plan, known: Study, *, speed: Speed) -> float:
    """Return the wall time in which all members are fitted, each with so many steps."""
    ensemble, folds = Ensemble.of(plan_), max(1, plan_.folds)
    fixed = known.fingerprint.samples * speed.features + speed.heads if ensemble.features else 0.0
    if ensemble.workers < 2:
        per_step = speed.step + _looks_per_step(known, plan_, speed)
        return folds * (ensemble.members * steps * per_step + fixed)
    per_step = speed.side + _looks_per_step(known, plan_, speed)
    first = free_at([fixed + START_SECONDS] * (folds if ensemble.features else 0), ensemble.workers)
    lanes = wrapped([steps] * (folds * ensemble.members), ensemble.workers)
    return ended(lanes, first, step=per_step, start=START_SECONDS)


def _steps(plan_: Plan) -> int:
    value = plan_.value("optimisation", "steps")
    return value if isinstance(value, int) else 0


def _cost(total: float, speed: Speed, *, after: float, steps: int, ensemble: Ensemble) -> dict[str, Decision]:
    beside = ensemble.workers * speed.side_mib if ensemble.workers > 1 else 0.0
    return {
        "seconds": Decision(
            value=round(total, 1),
            rule="time so far, plus steps, looks at the validation part, baselines, predictions, report",
            evidence=f"{ensemble.members} network(s) of {steps} steps per fold, {ensemble.workers} at a time",
        ),
        "after_seconds": Decision(
            value=round(after, 1),
            rule="guard, predictions and report, kept free when the clock has to end the training",
            evidence=f"{speed.run * 1000:.0f} ms per sample to run, {speed.baselines * 1000:.0f} ms to describe",
        ),
        "seconds_per_step": Decision(
            value=round(speed.side if ensemble.workers > 1 else speed.step, 5),
            rule="median of real steps on this machine, each with its share of looks at the validation part"
            + (f", {ensemble.workers} processes of one thread at a time" if ensemble.workers > 1 else ""),
            evidence=f"{speed.step * 1000:.0f} ms with all threads on one network, "
            + (f"{speed.side * 1000:.0f} ms with one thread side by side" if speed.side else "nothing side by side"),
        ),
        "peak_mib": Decision(
            value=round(speed.peak_mib + beside + PEAK_REPORT_MIB),
            rule="peak while measuring real steps, of the processes side by side too, plus an allowance for evaluation "
            "and pictures",
            evidence=f"{speed.peak_mib:.0f} MiB here, {speed.side_mib:.0f} MiB in each process beside",
        ),
    }


PEAK_REPORT_MIB = 60.0
"""An allowance for what evaluation and report add to the peak of training: in the first four runs that was nothing."""


def _kept_precision(drafted: Plan, sections: dict[str, dict[str, Decision]]) -> dict[str, dict[str, Decision]]:
    optimisation = {**sections["optimisation"], "precision": drafted.sections["optimisation"]["precision"]}
    return {**sections, "optimisation": optimisation}


def _looks_per_step(known: Study, drafted: Plan, speed: Speed) -> float:
    steps, every = drafted.value("optimisation", "steps"), drafted.value("optimisation", "validate_every")
    looks = 20 if not (isinstance(steps, int) and isinstance(every, int) and every) else max(1, steps // every)
    count = steps if isinstance(steps, int) and steps else 1
    return looks * known.fingerprint.val_samples * speed.run * 0.6 / count


@dataclass(frozen=True)
class _Around:
    """Seconds of what is not optimisation.

    Before it (baselines) and after it (guard, predictions, repeats, report); what of the first is of the linear model's
    learning curve, 0 where none is measured.
    """

    before: float
    after: float
    curve: float


def _around(known: Study, drafted: Plan, wishes: Wishes, *, networks: int, speed: Speed, quick: bool) -> _Around:
    """Estimate from measured speed what the rest of a run will take.

    Notes
    -----
    Judging takes `JUDGED_SECONDS` for each sample and output of every part, `GROUPED_SECONDS` more for each attribute
    by which it is divided, and `COMPARED_SECONDS` for each baseline, which stands beside the network on the judged part
    alone.
    """
    from hounsfield.learn.learners.logistic import MOST_ROWS

    names = drafted.value("baselines", "names")
    baselines = len(names) if isinstance(names, list) else 0
    outputs = sum(max(1, len(t.classes)) for t in known.cohort.schema.targets)
    attributes = min(MOST_ATTRIBUTES, len({name for s in known.cohort.samples for name in s.attributes}))
    folds = max(1, drafted.folds)
    views = 1 + len(Ensemble.of(drafted).views)
    model = networks * views * speed.run + speed.baselines
    train, val = known.fingerprint.samples, known.fingerprint.val_samples * folds
    judged = len(known.split.folds) or len(known.split.ids("val"))
    tests = len(known.split.ids("test")) if not known.split.folds or "test" in known.split.official else 0
    rows = min(train, MOST_ROWS)
    curve = 0.0 if quick else folds * CURVE_FIT_SECONDS * outputs * rows
    if wishes.minutes is not None and not wishes.learning_curve and curve > MOST_OF_CURVE * 60.0 * wishes.minutes:
        curve = 0.0
    before = folds * (rows * speed.baselines / folds + FIT_SECONDS * outputs * rows + 0.2 + speed.others) + curve
    guard = (train - rows) * speed.baselines + val * (model + 2 * speed.baselines)
    predicting = (judged + tests) * (speed.read + model) + tests * (folds - 1) * networks * views * speed.run
    report = (
        REPORT_SECONDS
        + TARGET_SECONDS * len(known.cohort.schema.targets)
        + outputs * (JUDGED_SECONDS + GROUPED_SECONDS * attributes) * (judged + tests)
        + outputs * COMPARED_SECONDS * (tests or judged) * baselines
        + maps_seconds(_maps(drafted, known, networks * speed.run, quick=quick), networks * speed.run)
    )
    return _Around(before, guard + predicting + report + Repeating.of(drafted).seconds, curve)


def _with_value(plan_: Plan, section: str, key: str, decision: Decision) -> Plan:
    return plan_.with_section(section, {**plan_.sections[section], key: decision})


def _relative(source: Path, folder: Path) -> str:
    import os.path

    return Path(os.path.relpath(source.resolve(), folder.resolve())).as_posix()
