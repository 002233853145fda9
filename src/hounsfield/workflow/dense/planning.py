"""Plan dense answers: decide by rule, measure real steps and windows, turn minutes into steps."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import InputError, MinutesError
from hounsfield.core.plan import Budget, Decision, Facts, Machine, Plan, PlanValue
from hounsfield.core.progress import Progress
from hounsfield.core.types import Json
from hounsfield.learn.dense.job import dense_json
from hounsfield.learn.dense.learner import probe, start
from hounsfield.learn.dense.model import DenseRunner, labels_of
from hounsfield.learn.dense.running import best_engine
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.stages.planning.dense import draft_dense, redecide_dense
from hounsfield.workflow.dense.baselines import MOST, applied, fit_baseline, grey, names_of
from hounsfield.workflow.dense.jobs import (
    Answering,
    DensePrepared,
    Together,
    check_dense,
    dense_job_of,
    named,
    prepare_dense,
    structures_of,
    windows_of,
)
from hounsfield.workflow.machine import machine
from hounsfield.workflow.members import Assignment, Crew
from hounsfield.workflow.memory import peak_mib
from hounsfield.workflow.planning import SHARE, processes
from hounsfield.workflow.stepping import most_steps
from hounsfield.workflow.study import Study, roles_said
from hounsfield.workflow.turns import START_SECONDS, ended, wrapped
from hounsfield.workflow.wishes import Wishes
from hounsfield.workflow.worker import PROBE_SECONDS

REPORT_SECONDS = 6.0
"""An allowance for evaluation and rendering besides what each case takes: 2,000 replicates of all figures."""
TRIALS = 3


@dataclass(frozen=True)
class Speed:
    """What was measured, seconds.

    Parameters
    ----------
    step : float
        Of one step with all threads.
    side : float
        Of one step of one thread with as many processes as there are threads; 0 where not measured.
    read : float
        To decode and prepare a case.
    run : float
        To judge a case by one network, put it back, and score it.
    opened : float
        To make an engine ready.
    cheap : float
        To fit all baselines to a few cases: they draw as many pixels from few as from many.
    each : float
        To apply all baselines to a case, which is also what a further case costs when they are fitted.
    peak_mib, side_mib : float
        Peak memory here, and of one process beside.
    """

    step: float
    side: float
    read: float
    run: float
    opened: float
    peak_mib: float
    cheap: float
    each: float
    side_mib: float = 0.0


def plan_dense(
    known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress
) -> tuple[Plan, DensePrepared]:
    """Draft by rule, prepare the cases, measure, fix the steps, predict the cost.

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
    _refuse(wishes)
    here = machine()
    plan = dense_draft(known, wishes, here)
    check_dense(plan)
    began = time.perf_counter()
    prepared = prepare_dense(plan, known, work=work, progress=progress)
    read = (time.perf_counter() - began) / max(1, len(prepared.ids))
    progress.say("Measuring speed on this machine")
    plan, speed = _measured(plan, known, prepared, work=work, read=read)
    plan = _fixed(plan, known, wishes, here, speed=speed, elapsed=elapsed())
    check_dense(plan)
    return plan, prepared


UNUSED = {
    "unlabelled": "--unlabelled",
    "encoder": "--encoder",
    "sensitivity": "--sensitivity",
    "specificity": "--specificity",
    "prevalence": "--prevalence",
    "learning_curve": "--learning-curve",
    "causal": "--causal",
}
"""Wishes that mean nothing where every voxel is answered."""


def _refuse(wishes: Wishes) -> None:
    """Refuse wishes that would be ignored.

    Raises
    ------
    InputError
        If there is one.
    """
    asked = [option for name, option in UNUSED.items() if getattr(wishes, name)]
    if asked:
        raise InputError(
            f"{', '.join(asked)} mean nothing for the task annotate.",
            expected="options that masks are learned with: --minutes, --folds, --members, --seed, --threads",
            next_step=f"leave {asked[0]} out",
        )


def dense_draft(known: Study, wishes: Wishes, here: Machine) -> Plan:
    """Return the plan as the rules alone make it.

    Parameters
    ----------
    known : Study
    wishes : Wishes
    here : Machine
    """
    from hounsfield import __version__

    budget = Budget(
        minutes=wishes.minutes,
        threads=wishes.threads or here.cores,
        device=here.device,
        memory_gib=round(here.memory_gib, 1),
        processes=processes(),
    )
    sections = draft_dense(_facts(known, wishes, here, budget, {}))
    targets = tuple(named(t, sections[f"structures.{t.name}"]["classes"].value) for t in known.cohort.schema.targets)
    return Plan(
        hounsfield=__version__,
        cohort=known.cohort.name,
        cohort_digest=known.digest,
        task=known.task.name,
        targets=targets,
        roles=roles_said(wishes),
        seed=wishes.seed,
        folds=wishes.folds,
        budget=budget,
        sections=sections,
    )


def _facts(
    known: Study, wishes: Wishes, here: Machine, budget: Budget, decided: Mapping[tuple[str, str], PlanValue]
) -> Facts:
    asked = {n: str(v) for n in ("members", "max_steps") if (v := getattr(wishes, n)) is not None}
    asked["folds"] = str(wishes.folds)
    return Facts(known.fingerprint, budget, here, known.cohort.schema.targets, wishes.network, asked, decided)


def _measured(plan: Plan, known: Study, prepared: DensePrepared, *, work: Path, read: float) -> tuple[Plan, Speed]:
    decision = plan.sections["optimisation"]["precision"]
    candidates = [str(decision.value)]
    if decision.value == "bfloat16" and plan.budget.device == "cpu":
        candidates.append("float32")
    seconds: dict[str, float] = {}
    for name in candidates:
        trial = _with(plan, "optimisation", "precision", decision.model_copy(update={"value": name}))
        taken = probe(prepared.feed, dense_job_of(trial), steps=TRIALS, seconds=PROBE_SECONDS, clock=time.perf_counter)
        seconds[name] = float(np.median(taken))
    best = min(seconds, key=lambda n: seconds[n])
    shown = ", ".join(f"{n} {s * 1000:.0f} ms per step" for n, s in seconds.items())
    chosen = Decision(
        value=best,
        rule=decision.rule if len(candidates) == 1 else "the faster of the two, measured on this machine",
        evidence=f"{decision.evidence}; {shown}",
    )
    plan = _with(plan, "optimisation", "precision", chosen)
    opened, run = _answering(plan, prepared)
    side, side_mib = _side_by_side(plan, prepared, work)
    cheap, each = _cheap(plan, prepared)
    return plan, Speed(seconds[best], side, read, run, opened, peak_mib(), cheap, each, side_mib)


def _answering(plan: Plan, prepared: DensePrepared) -> tuple[float, float]:
    """Return the seconds to open an engine, and to judge and score a case with it."""
    job = dense_job_of(plan)
    network = start(prepared.feed, job)
    arrays = {k: v.contiguous().cpu().numpy() for k, v in network.state_dict().items()}
    began = time.perf_counter()
    runner = runner_of(plan, [Member("dense", arrays, dense_json(job, None))])
    opened = time.perf_counter() - began
    rows = prepared.feed.train[np.linspace(0, len(prepared.feed.train) - 1, 4).astype(np.int64)]
    structures = structures_of(plan)
    taken = []
    for row in rows:
        began = time.perf_counter()
        found = runner.dense(prepared.feed.cases.image(int(row)))
        for name, said in found.items():
            labels = labels_of(said.astype(np.float32), structures[name], [0.5] * len(said))
            marked = structures[name].masks(labels)
            truth = prepared.feed.cases.label(int(row))[0] != 0
            for one in marked:
                mask_figures(one, truth, [1.0] * truth.ndim, tolerance_mm=1.0)
        taken.append(time.perf_counter() - began)
    return opened, float(np.mean(taken[1:]))


def _cheap(plan: Plan, prepared: DensePrepared) -> tuple[float, float]:
    """Return the seconds to fit all baselines to a few cases, and to apply them to one."""
    rows = prepared.feed.train[np.linspace(0, len(prepared.feed.train) - 1, 4).astype(np.int64)]
    few = prepared.feed.with_parts(rows, rows[:0])
    began = time.perf_counter()
    made = [fit_baseline(name, few, structures_of(plan), seed=plan.seed) for name in names_of(plan)]
    fitted = time.perf_counter() - began
    seen = grey(prepared.feed.cases.image(int(rows[0])))
    for member in made:
        for place, target in enumerate(structures_of(plan)):
            applied(member, target, place, seen)
    return fitted, time.perf_counter() - began - fitted


def runner_of(plan: Plan, members: list[Member], *, engine: str | None = None) -> DenseRunner:
    """Return members ready to run as a plan says.

    Parameters
    ----------
    plan : Plan
    members : list of Member
    engine : str or None
        Name of an engine; None takes the plan's.
    """
    answering = plan.section("prediction", Answering)
    chosen = engine or answering.engine
    if chosen == "auto":
        chosen = best_engine(bfloat16=machine().bfloat16)
    return DenseRunner(members, windows=windows_of(plan), engine=chosen, views=answering.views)


def _side_by_side(plan: Plan, prepared: DensePrepared, work: Path) -> tuple[float, float]:
    """Time steps in as many processes of one thread as the plan has, all at once."""
    workers = plan.section("ensemble", Together).workers
    if workers < 2:
        return 0.0, 0.0
    seconds: list[float] = []
    peaks: list[float] = []

    def heard(assignment: Assignment, told: Mapping[str, Json]) -> None:
        del assignment
        taken, peak = told.get("seconds"), told.get("peak_mib")
        if isinstance(taken, list) and isinstance(peak, float):
            seconds.append(float(np.median([t for t in taken if isinstance(t, float)])))
            peaks.append(peak)

    job, rows = dense_job_of(plan), prepared.feed.train
    several = [Assignment(-1, n + 1, "dense", job, rows, prepared.feed.val, 0) for n in range(workers)]
    Crew(work, workers=workers).run(several, left=lambda: 120.0, heard=heard, mode="probe")
    return float(np.mean(seconds)), max(peaks)


def _fixed(plan: Plan, known: Study, wishes: Wishes, here: Machine, *, speed: Speed, elapsed: float) -> Plan:
    """Turn minutes into steps, and write down what all will cost."""
    plan = _arranged(plan, speed)
    free = wishes.minutes * 60.0 * SHARE - elapsed if wishes.minutes is not None else None
    after = _after(plan, known, speed)
    if free is not None:
        folds = max(1, plan.folds)
        workers = plan.section("ensemble", Together).workers
        total = int(max(0.0, free - after) / (speed.side / workers if workers > 1 and speed.side else speed.step))
        facts = _facts(known, wishes, here, plan.budget, {**_decided(plan), ("cost", "total_steps"): total})
        plan = plan.model_copy(update={"sections": _kept(plan, redecide_dense(plan.sections, facts))})
        after = _after(plan, known, speed)
        allowed = most_steps(lambda steps: _training(plan, steps, speed), free - after)
        if allowed < LEAST_STEPS:
            least = elapsed + after + _training(plan, LEAST_STEPS, speed)
            raise MinutesError(
                f"{wishes.minutes:g} minutes are not enough: reading, predicting and scoring alone take about "
                f"{(elapsed + after) / 60:.1f}, {folds} fold(s).",
                expected=f"at least {least / 60 / SHARE:.1f} minutes",
                next_step="raise --minutes, ask for fewer --folds, or leave --minutes out",
            )
        facts = _facts(
            known,
            wishes,
            here,
            plan.budget,
            {**_decided(plan), ("cost", "total_steps"): total, ("cost", "allowed_steps"): allowed},
        )
        plan = plan.model_copy(update={"sections": _kept(plan, redecide_dense(plan.sections, facts))})
    steps = _steps(plan)
    if wishes.max_steps is not None and steps > wishes.max_steps:
        why = Decision(value=wishes.max_steps, rule="an upper bound was asked for", evidence=f"{steps} by rule")
        plan, steps = _with(plan, "optimisation", "steps", why), wishes.max_steps
    training = _training(plan, steps, speed)
    together = plan.section("ensemble", Together)
    return plan.with_section(
        "cost",
        {
            "seconds": Decision(
                value=round(elapsed + training + after, 1),
                rule="time so far, plus steps, validation and judged cases, report",
                evidence=f"{together.members} network(s) of {steps} steps per fold, {together.workers} at a time",
            ),
            "after_seconds": Decision(
                value=round(after, 1),
                rule="guard, thresholds, predictions and report, kept free when the clock has to end the training",
                evidence=f"{speed.run:.2f} s to judge and score a case, {speed.read:.2f} s to read it",
            ),
            "seconds_per_step": Decision(
                value=round(speed.side if together.workers > 1 else speed.step, 5),
                rule="median of real steps on this machine",
                evidence=f"{speed.step * 1000:.0f} ms with all threads"
                + (f", {speed.side * 1000:.0f} ms side by side" if speed.side else ""),
            ),
            "peak_mib": Decision(
                value=round(speed.peak_mib + together.workers * speed.side_mib * (together.workers > 1)),
                rule="peak while measuring real steps, of the processes side by side too",
                evidence=f"{speed.peak_mib:.0f} MiB here",
            ),
        },
    )


def _arranged(plan: Plan, speed: Speed) -> Plan:
    """Fit one after the other with all threads where that ends sooner than side by side, as measured."""
    if not speed.side:
        return plan
    decision = plan.sections["ensemble"]["workers"]
    alone = _with(plan, "ensemble", "workers", decision.model_copy(update={"value": 1}))
    beside, turn = (_training(p, COMPARED, speed) for p in (plan, alone))
    told = f"{decision.evidence}; {COMPARED} steps of all: {beside:.0f} s side by side, {turn:.0f} s in turn"
    if beside <= turn:
        return _with(plan, "ensemble", "workers", decision.model_copy(update={"evidence": told}))
    rule = "one after the other with all threads, which ends sooner, measured on this machine"
    return _with(plan, "ensemble", "workers", Decision(value=1, rule=rule, evidence=told))


COMPARED = 1000
LEAST_STEPS = 20


def _after(plan: Plan, known: Study, speed: Speed) -> float:
    """Return the seconds of what comes after the training."""
    folds = max(1, plan.folds)
    members = plan.section("ensemble", Together).members
    judged = len(known.split.folds) or len(known.split.ids("val"))
    tests = len(known.split.ids("test")) if not known.split.folds or "test" in known.split.official else 0
    fixing = known.fingerprint.val_samples * folds if known.split.folds else len(known.split.ids("val"))
    cases = (fixing + judged) * members + tests * members * folds
    guard = 0.03 * known.fingerprint.samples
    few = min(MOST, known.fingerprint.samples)
    baselines = folds * (speed.cheap + few * speed.each) + (judged + folds * tests) * speed.each
    return (
        REPORT_SECONDS
        + 2 * folds * members * speed.opened
        + cases * speed.run
        + 2 * (fixing + judged + tests) * speed.read
        + guard
        + baselines
    )


def _training(plan: Plan, steps: int, speed: Speed) -> float:
    together, folds = plan.section("ensemble", Together), max(1, plan.folds)
    if together.workers < 2:
        return together.members * folds * steps * speed.step * LOOKS
    lanes = wrapped([steps] * (together.members * folds), together.workers)
    return ended(lanes, [0.0] * together.workers, step=speed.side * LOOKS, start=START_SECONDS)


LOOKS = 1.03
"""What looks at validation patches and the statistics of norms add to the steps."""


def _decided(plan: Plan) -> dict[tuple[str, str], PlanValue]:
    return {(section, key): d.value for section, made in plan.sections.items() for key, d in made.items()}


def _kept(plan: Plan, sections: dict[str, dict[str, Decision]]) -> dict[str, dict[str, Decision]]:
    """Return the sections with the precision that was measured, and as many processes as were measured."""
    optimisation = {**sections["optimisation"], "precision": plan.sections["optimisation"]["precision"]}
    ensemble = dict(sections["ensemble"])
    if plan.value("ensemble", "workers") == 1:
        ensemble["workers"] = plan.sections["ensemble"]["workers"]
    return {**sections, "optimisation": optimisation, "ensemble": ensemble}


def _with(plan: Plan, section: str, key: str, decision: Decision) -> Plan:
    return plan.with_section(section, {**plan.sections[section], key: decision})


def _steps(plan: Plan) -> int:
    value = plan.value("optimisation", "steps")
    return value if isinstance(value, int) else 0
