"""Plan a forecast: read the series, decide by rule, measure real steps, turn minutes into steps."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import SetAside
from hounsfield.core.errors import CohortError, InputError, PlanError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Budget, Decision, Plan
from hounsfield.core.progress import Progress
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.core.units import change
from hounsfield.learn.forecast.learner import draft, probe
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.lookback import features
from hounsfield.science.forecasting.thinning import factor
from hounsfield.stages.planning.forecast import (
    MOST_HZ,
    Asked,
    SeriesSeen,
    draft_forecast,
    longest_piece,
    tree_seconds,
    with_steps,
    with_trees,
)
from hounsfield.tasks.prognose.variable import Variable, around, variable
from hounsfield.workflow.forecast.courses import Courses, Shape, read_courses
from hounsfield.workflow.forecast.sections import check_forecast, optimisation_of, request_of, shape_of
from hounsfield.workflow.machine import machine
from hounsfield.workflow.memory import peak_mib
from hounsfield.workflow.planning import SHARE, processes
from hounsfield.workflow.study import Study, roles_said
from hounsfield.workflow.wishes import Wishes

REPORT_SECONDS = 10.0
EACH_PATIENT = 0.012
"""Allowances for judging: 2,000 replicates of all figures took 20 s with 2,788 patients of five questions."""
BASELINES_SECONDS = 6.0
TRIALS = 5
UNUSED = {
    "folds": "--folds",
    "members": "--members",
    "network": "--network",
    "unlabelled": "--unlabelled",
    "encoder": "--encoder",
    "sensitivity": "--sensitivity",
    "specificity": "--specificity",
    "prevalence": "--prevalence",
    "learning_curve": "--learning-curve",
}
"""Wishes that mean nothing for a forecast."""


@dataclass(frozen=True)
class Series:
    """The series of training and validation samples.

    Parameters
    ----------
    courses : Courses
    train, val : tuple of str
        Sample ids.
    """

    courses: Courses
    train: tuple[str, ...]
    val: tuple[str, ...]

    @property
    def parts(self) -> tuple[IntArray, IntArray]:
        """Rows of the training and of the validation part."""
        return self.rows(self.train), self.rows(self.val)

    @property
    def aside(self) -> tuple[SetAside, ...]:
        """Samples that are no series as the plan has them, with the reason."""
        return self.courses.aside

    def rows(self, ids: Sequence[str]) -> IntArray:
        """Return the rows of samples."""
        wanted = set(ids)
        return np.array([i for i, s in enumerate(self.courses.samples) if s in wanted], dtype=np.int64)

    def chosen(self, rows: IntArray) -> list[Course]:
        """Return courses by row."""
        return [self.courses.courses[int(i)] for i in rows]


def read_series(known: Study, shape: Shape, *, progress: Progress) -> Series:
    """Read the training and validation samples.

    Raises
    ------
    CohortError
        If a part is left without a series.
    """
    train, val = known.split.ids("train"), known.split.ids("val")
    samples = known.samples((*train, *val))
    found = read_courses(known.cohort, samples, shape, groups=dict(known.split.groups), progress=progress)
    series = Series(found, tuple(train), tuple(val))
    if not all(len(rows) for rows in series.parts):
        raise CohortError(
            "No series of the training or of the validation part can be used.",
            expected=f"series with {shape.target}, and times or a rate",
            next_step="run hu inspect on the folder and correct what it names",
        )
    return series


def plan_forecast(
    known: Study, wishes: Wishes, *, work: Path, elapsed: Callable[[], float], progress: Progress
) -> tuple[Plan, Series]:
    """Decide by rule, measure, fix the steps, predict the cost.

    Parameters
    ----------
    known : Study
    wishes : Wishes
    work : Path
    elapsed : callable
        Seconds since the command began.
    progress : Progress

    Raises
    ------
    InputError
        If a wish means nothing here.
    PlanError
        If the minutes are not enough.
    """
    del work
    _refuse(wishes)
    began = time.perf_counter()
    name = known.cohort.schema.inputs[0].name
    facts = known.fingerprint.inputs[name]
    if not isinstance(facts, SignalFacts):
        raise CohortError("There is no series to forecast.", expected="series over time")
    target = known.cohort.schema.targets[0]
    rate = None
    if not facts.irregular and facts.rate_hz is not None:
        rate = facts.rate_hz / factor(facts.rate_hz, MOST_HZ)
    variables = _variables(facts, target.name)
    what = variable(variables, [target.unit] * len(variables), wanted=(target.name,))
    units, beside = units_of_plan(facts, variables, what)
    most = longest_piece(_steps_per_hour(facts, rate), wishes.ahead)
    shape = Shape(variables, target.name, target.unit, rate, most, units)
    series = read_series(known, shape, progress=progress)
    each = (time.perf_counter() - began) / max(1, len(series.courses.courses))
    plan = _drafted(known, wishes, _seen(series, shape, what, between=beside))
    check_forecast(plan)
    progress.say("Measuring speed on this machine")
    plan = _fixed(plan, known, wishes, series, each=each, elapsed=elapsed)
    check_forecast(plan)
    return plan, series


def _variables(facts: SignalFacts, target: str) -> tuple[str, ...]:
    """Return what the training series have; the forecast variable in any case."""
    return facts.leads if target in facts.leads else (target, *facts.leads)


def units_of_plan(
    facts: SignalFacts, variables: tuple[str, ...], what: Variable
) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """Return the unit of each variable, and the two that the forecast one lies between.

    Parameters
    ----------
    facts : SignalFacts
        Of the training part, whose most frequent units they are.
    variables : tuple of str
    what : Variable
        The one that is forecast. The two around it are compared with it: they are brought to its unit, and there are
        none where they cannot be.
    """
    told = dict(zip(facts.leads, facts.units, strict=True)) | {what.name: what.unit}
    between = around(variables, what)
    if between is not None and any(change(name, told.get(name, ""), what.unit) is None for name in between):
        between = None
    told |= {name: what.unit for name in between or () if told.get(name)}
    return tuple(told.get(name, "") for name in variables), between


def _steps_per_hour(facts: SignalFacts, rate_hz: float | None) -> float | None:
    """Return how many steps an hour of a training series has, about; None where nothing tells."""
    if rate_hz is not None:
        return 3600 * rate_hz
    return 3600 * facts.steps_median / facts.duration_median_s if facts.duration_median_s else None


def _refuse(wishes: Wishes) -> None:
    asked = [option for name, option in UNUSED.items() if getattr(wishes, name)]
    if asked:
        raise InputError(
            f"{', '.join(asked)} mean nothing for the task prognose.",
            expected="options of a forecast: --target, --ahead, --below, --minutes, --seed, --threads",
            next_step=f"leave {asked[0]} out",
        )


def _seen(series: Series, shape: Shape, what: Variable, *, between: tuple[str, str] | None) -> SeriesSeen:
    row = shape.variables.index(shape.target)
    train = series.chosen(series.parts[0])
    gaps: list[Float64Array] = []
    missing: list[float] = []
    readings = 0
    for course in train:
        steps = course.readings(row)
        readings += len(steps)
        gaps.append(np.diff(course.times_h[steps]))
        missing.append(1.0 - float(np.isfinite(course.values).mean()) if course.values.size else 1.0)
    every = np.concatenate(gaps)
    if not len(every):
        raise CohortError(
            f"No training series has two readings of {shape.target}.",
            expected="series in which the variable was measured again and again",
            next_step="name another variable with --target",
        )
    return SeriesSeen(
        name=shape.target,
        unit=shape.unit,
        variables=shape.variables,
        below=what.below,
        low=what.low,
        high=what.high,
        series=len(train),
        readings=readings,
        gap_h=float(np.median(every)),
        rate_hz=shape.rate_hz,
        missing_share=float(np.mean(missing)),
        aside=len(series.courses.aside),
        between=between,
        units=shape.units,
        most_steps=shape.most_steps,
    )


def _drafted(known: Study, wishes: Wishes, seen: SeriesSeen) -> Plan:
    from hounsfield import __version__

    here = machine()
    return Plan(
        hounsfield=__version__,
        cohort=known.cohort.name,
        cohort_digest=known.digest,
        task=known.task.name,
        targets=known.cohort.schema.targets,
        roles=roles_said(wishes),
        seed=wishes.seed,
        budget=Budget(
            minutes=wishes.minutes,
            threads=wishes.threads or here.cores,
            device="cpu",
            memory_gib=round(here.memory_gib, 1),
            processes=processes(),
        ),
        sections=draft_forecast(seen, Asked(wishes.ahead, wishes.below)),
    )


def _fixed(
    plan: Plan, known: Study, wishes: Wishes, series: Series, *, each: float, elapsed: Callable[[], float]
) -> Plan:
    """Turn minutes into steps and write down what all will cost."""
    plan, growing = _with_trees(plan, wishes, series)
    settings, (train, val) = optimisation_of(plan), series.parts
    courses = series.chosen(train)
    began = time.perf_counter()
    spec = draft(courses, request_of(plan))
    drafting = time.perf_counter() - began
    taken = probe(spec, courses[: 4 * settings.batch], settings, steps=TRIALS, clock=time.perf_counter)
    # A look goes forwards only, about a third of a step, over the validation part, ten times in all.
    step = float(np.median(taken))
    looks = 10 * len(val) / settings.batch * step / 3
    patients = len(set(series.courses.patients))
    tests = len(known.split.ids("test"))
    run = step / settings.batch
    after = REPORT_SECONDS + EACH_PATIENT * patients + tests * (each + run) + BASELINES_SECONDS
    spent = elapsed() + 2 * drafting + growing + looks + after
    steps = settings.steps
    if wishes.minutes is not None:
        most = int((wishes.minutes * 60.0 * SHARE - spent) / step)
        if most < TRIALS:
            raise PlanError(
                f"{wishes.minutes:g} minutes are not enough: all but the optimisation alone takes about "
                f"{spent / 60:.1f}.",
                expected=f"at least {(spent + 100 * step) / SHARE / 60:.1f} minutes",
                next_step="raise --minutes, or leave it out",
            )
        steps = min(steps, most)
    if wishes.max_steps is not None:
        steps = min(steps, wishes.max_steps)
    if steps < settings.steps:
        told = f"{settings.steps} by rule; {step * 1000:.0f} ms per step"
        plan = plan.model_copy(update={"sections": with_steps(plan.sections, steps, told)})
    cost = {
        "seconds": Decision(
            value=round(spent + steps * step, 1),
            rule="time so far, plus trees, steps, looks at the validation part, baselines, predictions, report",
            evidence=f"{steps} steps",
        ),
        "after_seconds": Decision(value=round(after, 1), rule="predictions and report, kept free for them"),
        "seconds_per_step": Decision(value=round(step, 5), rule="median of real steps on this machine"),
        "peak_mib": Decision(value=round(peak_mib() * 1.2), rule="peak while measuring, and a fifth"),
    }
    return plan.with_section("cost", cost)


def _with_trees(plan: Plan, wishes: Wishes, series: Series) -> tuple[Plan, float]:
    """Return the plan with as many trees as the minutes hold, and how long they take, seconds."""
    request = request_of(plan)
    readings = sum(len(c.readings(request.target)) for c in series.chosen(series.parts[0]))
    numbers = features(len(request.variables))
    sections = dict(plan.sections)
    if wishes.minutes is not None:
        sections = with_trees(sections, readings, numbers, minutes=wishes.minutes)
        plan = plan.model_copy(update={"sections": sections})
    return plan, tree_seconds(sections, readings, numbers)


def prepare_forecast(plan: Plan, known: Study, *, progress: Progress) -> Series:
    """Read training and validation series as a plan says."""
    return read_series(known, shape_of(plan), progress=progress)
