"""Plan: every decision with its reason, speed measured on this machine, cost predicted."""

import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hounsfield.bundle.plans import write_plan
from hounsfield.core.errors import PlanError, RunExistsError
from hounsfield.core.plan import Budget, Decision, Facts, Machine, Plan, PlanValue
from hounsfield.core.progress import SILENT, Progress
from hounsfield.stages.planning.draft import draft, redecide
from hounsfield.stages.planning.recipes import recipe
from hounsfield.workflow.jobs import Prepared, check_plan, job_of, normalisation, prepare_feed
from hounsfield.workflow.machine import machine
from hounsfield.workflow.study import Source, Study, roles_said, study
from hounsfield.workflow.wishes import Wishes

SHARE = 0.94
"""Share of the minutes that is planned for: the rest is for what measuring cannot foresee."""
REPORT_SECONDS = 6.0
"""An allowance for evaluation and rendering of a small cohort: 320 samples and four targets took about 4."""
PROBES = 6


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
    """

    step: float
    run: float
    baselines: float
    read: float
    peak_mib: float


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
        planned = make_plan(
            known, wishes, work=Path(work), elapsed=lambda: time.perf_counter() - began, progress=progress
        )
    made = planned.plan
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
    drafted = _with_normalisation(drafted, prepared)
    check_plan(drafted, known.task, known.fingerprint)
    progress.say("Measuring speed on this machine")
    drafted, speed = _measured(drafted, known, prepared, read=read)
    fixed = _fixed(drafted, known, wishes, here, speed=speed, elapsed=elapsed())
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
    asked = {n: str(v) for n in ("sensitivity", "specificity") if (v := getattr(wishes, n)) is not None}
    return Facts(known.fingerprint, budget, here, known.cohort.schema.targets, wishes.network, asked, decided)


def _with_normalisation(plan_: Plan, prepared: Prepared) -> Plan:
    for name in prepared.feed.inputs:
        section = dict(plan_.sections[f"preparation.{name}"])
        if "mean" not in section:
            mean, std = normalisation(prepared.feed, name)
            rule = "zero mean, unit variance over the prepared training values"
            section["mean"] = Decision(value=round(mean, 6), rule=rule, evidence=f"{len(prepared.feed.train)} images")
            section["std"] = Decision(value=round(std, 6), rule=rule, evidence=f"{len(prepared.feed.train)} images")
            plan_ = plan_.with_section(f"preparation.{name}", section)
    return plan_


def _measured(drafted: Plan, known: Study, prepared: Prepared, *, read: float) -> tuple[Plan, Speed]:
    """Time real steps in the precisions that are in question, then inference and baseline features."""
    from hounsfield.learn.learners.supervised import probe
    from hounsfield.learn.learners.texture import texture

    decision = drafted.sections["optimisation"]["precision"]
    candidates = [str(decision.value)]
    if decision.value == "bfloat16" and drafted.budget.device == "cpu":
        candidates.append("float32")
    seconds: dict[str, float] = {}
    for name in candidates:
        trial = _with_value(drafted, "optimisation", "precision", decision.model_copy(update={"value": name}))
        taken = probe(
            prepared.feed, job_of(trial, known.task, known.fingerprint), steps=PROBES, clock=time.perf_counter
        )
        seconds[name] = float(np.median(taken[2:]))
    best = min(seconds, key=lambda n: seconds[n])
    shown = ", ".join(f"{n} {s * 1000:.0f} ms per step" for n, s in seconds.items())
    chosen = Decision(
        value=best,
        rule=decision.rule if len(candidates) == 1 else "the faster of the two, measured on this machine",
        evidence=f"{decision.evidence}; {shown}",
    )
    drafted = _with_value(drafted, "optimisation", "precision", chosen)
    rows = prepared.feed.train[:8]
    began = time.perf_counter()
    for row in rows:
        for stored in prepared.feed.inputs.values():
            texture(stored[row])
    described = (time.perf_counter() - began) / len(rows)
    run = _inference(drafted, known, prepared)
    return drafted, Speed(seconds[best], run + described, described, read, peak_mib())


def _inference(drafted: Plan, known: Study, prepared: Prepared) -> float:
    from hounsfield.learn.learners.supervised import RUN_BATCH, NetworkRunner, start

    job = job_of(drafted, known.task, known.fingerprint)
    runner = NetworkRunner(start(prepared.feed, job), job.preparation)
    inputs = {name: stored[prepared.feed.train[:RUN_BATCH]] for name, stored in prepared.feed.inputs.items()}
    runner.run(inputs)
    began = time.perf_counter()
    runner.run(inputs)
    return (time.perf_counter() - began) / len(next(iter(inputs.values())))


def _fixed(drafted: Plan, known: Study, wishes: Wishes, here: Machine, *, speed: Speed, elapsed: float) -> Plan:
    """Turn minutes into steps and write down what all will cost."""
    members = max(1, wishes.folds)
    around = _around(known, drafted, members=members, speed=speed)
    fixed_part = elapsed + around.before + around.after
    per_step = speed.step + _looks_per_step(known, drafted, speed)
    decided: dict[tuple[str, str], PlanValue] = {
        (section, key): d.value for section, made in drafted.sections.items() for key, d in made.items()
    }
    if wishes.minutes is not None:
        left = wishes.minutes * 60.0 * SHARE - elapsed - around.before - around.after
        allowed = int(left / per_step / members)
        if allowed < 1:
            raise PlanError(
                f"{wishes.minutes:g} minutes are not enough: reading, baselines and report alone take about "
                f"{fixed_part / 60:.1f}.",
                expected=f"at least {(fixed_part + 20 * per_step * members) / 60 / SHARE:.1f} minutes",
                next_step="raise --minutes, or leave it out",
            )
        decided[("cost", "allowed_steps")] = allowed
    sections = drafted.sections
    if not recipe(wishes.network):
        sections = _kept_precision(
            drafted, redecide(drafted.sections, _facts(known, wishes, here, drafted.budget, decided))
        )
    fixed = drafted.model_copy(update={"sections": sections})
    steps = _steps(fixed)
    if wishes.max_steps is not None and steps > wishes.max_steps:
        why = Decision(value=wishes.max_steps, rule="an upper bound was asked for", evidence=f"{steps} by rule")
        fixed, steps = _with_value(fixed, "optimisation", "steps", why), wishes.max_steps
    total = fixed_part + steps * per_step * members
    return fixed.with_section("cost", _cost(total, speed, after=around.after, steps=steps, members=members))


def _steps(plan_: Plan) -> int:
    value = plan_.value("optimisation", "steps")
    return value if isinstance(value, int) else 0


def _cost(total: float, speed: Speed, *, after: float, steps: int, members: int) -> dict[str, Decision]:
    return {
        "seconds": Decision(
            value=round(total, 1),
            rule="time so far, plus steps, looks at the validation part, baselines, predictions, report",
            evidence=f"{members} x {steps} steps",
        ),
        "after_seconds": Decision(
            value=round(after, 1),
            rule="guard, predictions and report, kept free when the clock has to end the training",
            evidence=f"{speed.run * 1000:.0f} ms per sample to run, {speed.baselines * 1000:.0f} ms to describe",
        ),
        "seconds_per_step": Decision(
            value=round(speed.step, 5),
            rule="median of real steps on this machine",
            evidence=f"{PROBES - 2} steps timed",
        ),
        "peak_mib": Decision(
            value=round(speed.peak_mib + PEAK_REPORT_MIB),
            rule="peak while measuring real steps, plus an allowance for evaluation and pictures",
            evidence=f"{speed.peak_mib:.0f} MiB while measuring",
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
    """Seconds of what is not optimisation: before it (baselines), and after it (guard, predictions, report)."""

    before: float
    after: float


def _around(known: Study, drafted: Plan, *, members: int, speed: Speed) -> _Around:
    """Estimate from measured speed what the rest of a run will take.

    Notes
    -----
    Per sample and output: fitting the linear baseline 1.2 ms (on at most `MOST_ROWS` rows), judging 0.3 ms for the
    network and for each baseline: rounded up from single runs on one core (n = 4,000, and 14 labels of 8,000 samples).
    """
    from hounsfield.learn.learners.logistic import MOST_ROWS

    names = drafted.value("baselines", "names")
    baselines = len(names) if isinstance(names, list) else 0
    outputs = sum(max(1, len(t.classes)) for t in known.cohort.schema.targets)
    train, val = known.fingerprint.samples, known.fingerprint.val_samples * members
    judged = len(known.split.folds) or len(known.split.ids("val"))
    tests = len(known.split.ids("test")) if not known.split.folds or "test" in known.split.official else 0
    rows = min(train, MOST_ROWS)
    before = members * (rows * speed.baselines + 0.0012 * outputs * rows + 0.5)
    guard = (train - rows) * speed.baselines + val * (speed.run + 2 * speed.baselines)
    predicting = (judged + tests) * (speed.read + speed.run + speed.baselines) + tests * (members - 1) * speed.run
    report = REPORT_SECONDS + 0.0003 * outputs * (judged + tests) * (1 + baselines)
    return _Around(before, guard + predicting + report)


def _with_value(plan_: Plan, section: str, key: str, decision: Decision) -> Plan:
    return plan_.with_section(section, {**plan_.sections[section], key: decision})


def peak_mib() -> float:
    """Return the peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _relative(source: Path, folder: Path) -> str:
    import os.path

    return Path(os.path.relpath(source.resolve(), folder.resolve())).as_posix()
