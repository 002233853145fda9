"""Say what a sealed forecaster and the cheap forecasts beside it are worth, as a report and as a table."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, Sample, SetAside, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.report import Baseline, Caveat, Curve, Figure, PartFigures, Report, TargetReport
from hounsfield.learn.forecast.preparing import clean
from hounsfield.science.forecasting.outcomes import span
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.comparing import recommend, ties
from hounsfield.stages.evaluation.forecast_figures import (
    ForecastFigures,
    MethodFigures,
    OutcomeFigures,
    RatePoint,
    WarningFigures,
)
from hounsfield.stages.evaluation.forecasts import Judging, Said, judge_forecasts
from hounsfield.workflow.evaluating import unseen
from hounsfield.workflow.fitting import TRAINING
from hounsfield.workflow.forecast.asking import asked_of
from hounsfield.workflow.forecast.cohorts import asked_cohort
from hounsfield.workflow.forecast.courses import read_courses
from hounsfield.workflow.forecast.fitting import TRIED, open_forecaster
from hounsfield.workflow.forecast.predicting import written_hours
from hounsfield.workflow.forecast.saying import METHOD, said_of
from hounsfield.workflow.forecast.sections import forecast_of, shape_of
from hounsfield.workflow.reports import Ran, heading_elsewhere, heading_of_run
from hounsfield.workflow.roads import Asking
from hounsfield.workflow.study import Source, with_roles
from hounsfield.workflow.wishes import Wishes

ENDS = ("low", "median", "high")


@dataclass(frozen=True)
class Part:
    """What was said of one part.

    Parameters
    ----------
    name : str
    said : tuple of Said
    samples : tuple of str
        Sample id of each.
    aside : tuple of SetAside
        Samples that cannot be forecast.
    """

    name: str
    said: tuple[Said, ...]
    samples: tuple[str, ...]
    aside: tuple[SetAside, ...] = ()


def report_forecast(
    contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
) -> tuple[Report, str]:
    """Forecast validation and test part with the sealed bundle, judge, and compose the report.

    Parameters
    ----------
    contents : BundleContents
        As opened from disk.
    ran : Ran
    elapsed : callable
        Seconds since the command began.
    progress : Progress

    Returns
    -------
    (Report, str)
        The report and the text of ``predictions.csv``.
    """
    known, plan = ran.known, ran.plan
    parts: dict[str, Part] = {}
    for name in ("val", "test"):
        samples = known.samples(known.split.ids(name))
        parts[name] = said_of_part(
            contents, known.cohort, samples, name=name, groups=dict(known.split.groups), progress=progress
        )
    progress.say("Judging")
    targets = judged_targets(plan, parts["test"].said, parts["val"].said)
    first = next(iter(targets.values()))
    told = contents.documents.get(TRAINING)
    report = Report(
        **heading_of_run(ran, contents, targets, judged="test", seconds=elapsed()),
        shortcut=None,
        alternatives=alternatives_of(contents),
        caveats=(
            *_not_forecast(parts["test"]),
            *caveats(
                CaveatFacts(
                    target=first.target,
                    figures=first.parts["test"],
                    audit=known.audit,
                    patients_known=known.cohort.schema.patients_known,
                    grouped=known.split.grouped,
                    validation_samples=known.fingerprint.val_samples,
                    stopped_by_clock=isinstance(told, dict) and bool(told.get("stopped_by_clock")),
                )
            ),
        ),
    )
    return report, written(parts.values(), plan)


def alternatives_of(contents: BundleContents) -> tuple[dict[str, str], ...]:
    """Return what was chosen from on the validation part, a line for each way."""
    told = contents.documents.get(TRIED)
    lines = told if isinstance(told, list) else []
    return tuple({str(k): str(v) for k, v in line.items()} for line in lines if isinstance(line, dict))


def _not_forecast(part: Part) -> tuple[Caveat, ...]:
    if not part.aside:
        return ()
    count, reason = len(part.aside), part.aside[0].reason
    english = f"{count} series of the judged part cannot be forecast and are in no figure; the first: {reason}"
    return (
        Caveat(level="note", en=english, zh=f"评估集中有 {count} 个序列无法预测，未计入任何指标；第一个：{reason}"),
    )


def said_of_part(
    contents: BundleContents,
    cohort: Cohort,
    samples: Sequence[Sample],
    *,
    name: str,
    groups: dict[str, str],
    progress: Progress,
) -> Part:
    """Return what a bundle's methods say at every reading of some samples.

    Raises
    ------
    CohortError
        If none of them can be used.
    """
    forecaster, cheap = open_forecaster(contents)
    found = read_courses(cohort, samples, shape_of(contents.plan), groups=groups, progress=progress)
    target = forecaster.spec.target
    kept = [i for i, c in enumerate(found.courses) if len(clean(c, forecaster.spec).readings(target))]
    said = said_of(forecaster, cheap, [found.courses[i] for i in kept], [found.patients[i] for i in kept])
    if not said:
        raise CohortError(
            f"No series of the part {name!r} can be forecast.",
            expected=f"series with readings of {forecast_of(contents.plan).variable}",
            next_step="run hu inspect on the folder and correct what it names",
        )
    heard = {found.samples[i] for i in kept}
    why = f"{forecast_of(contents.plan).variable} was never measured"
    silent = [SetAside(sample=s, reason=why) for s in dict.fromkeys(found.samples) if s not in heard]
    return Part(name, tuple(said), tuple(found.samples[i] for i in kept), (*found.aside, *silent))


def judged_targets(plan: Plan, judged: Sequence[Said], held: Sequence[Said]) -> dict[str, TargetReport]:
    """Judge every question of a plan.

    Parameters
    ----------
    plan : Plan
    judged, held : sequence of Said
        Of the judged part, and of the one that thresholds of warnings are fixed on.
    """
    asked = forecast_of(plan)
    unit = plan.targets[0].unit
    how = Judging(asked.asked, asked.levels, METHOD, asked.below, unit, plan.seed)
    figures = judge_forecasts(judged, held, how)
    return {
        f"{asked.variable}: {one.name}": _target(figures, one, f"{asked.variable}: {one.name}", "test")
        for one in figures.outcomes
    }


def _target(figures: ForecastFigures, outcome: OutcomeFigures, name: str, part: str) -> TargetReport:
    target = TargetSpec(name=name, kind="forecast", unit=figures.unit)
    warning = next((w for w in figures.warnings if w.name == outcome.name), None)
    own = outcome.methods[figures.method]
    metrics = _metrics(own)
    if outcome.saved is not None:
        metrics["saved"] = outcome.saved
    for group, figure in outcome.coverage_by.items():
        metrics[f"coverage_{_percent(own)}:{group}"] = figure
    curves: dict[str, Curve] = {}
    if warning is not None:
        metrics |= _onsets(warning) | _warned(warning, figures.method)
        for point, chance in zip(warning.at[figures.method], warning.chance, strict=True):
            metrics[f"warned_by_chance:{_rate(point)}"] = _plain(chance, "alarms at random are never so few")
        for method, points in warning.curves.items():
            key = "warning" if method == figures.method else f"warning:{method}"
            curves[key] = Curve(x=tuple(x for x, _ in points), y=tuple(y for _, y in points))
    baselines: dict[str, Baseline] = {}
    for method, found in outcome.methods.items():
        if method == figures.method:
            continue
        less = outcome.less[method]
        beside = _metrics(found) | (_warned(warning, method) if warning is not None else {})
        baselines[method] = Baseline(metrics=beside, difference={"mae": less}, ties=ties(less))
    return TargetReport(
        target=target,
        parts={part: PartFigures(samples=outcome.questions, patients=outcome.patients, metrics=metrics, curves=curves)},
        baselines=baselines,
        recommended=recommend(target, baselines),
    )


def _metrics(found: MethodFigures) -> dict[str, Figure]:
    told = {"mae": found.mae, "pinball": found.pinball, f"coverage_{_percent(found)}": found.coverage}
    if found.coverage_half is not None:
        told["coverage_50"] = found.coverage_half
    told[f"width_{_percent(found)}"] = _plain(found.width, "nothing was asked")
    return told


def _percent(found: MethodFigures) -> str:
    """Return what the outermost interval should hold, in percent: 90 unless a plan says otherwise."""
    return f"{100 * found.level:.4g}"


def _onsets(warning: WarningFigures) -> dict[str, Figure]:
    return {
        "onsets": Figure(value=warning.onsets),
        "onsets_again": Figure(value=warning.again),
        "onsets_unforeseen": Figure(value=warning.unforeseen),
        "hours_judged": Figure(value=warning.hours),
    }


def _warned(warning: WarningFigures, method: str) -> dict[str, Figure]:
    told: dict[str, Figure] = {}
    for point in warning.at[method]:
        where = _rate(point)
        told[f"warned:{where}"] = point.sensitivity
        told[f"lead_min:{where}"] = _plain(None if point.lead_h is None else 60 * point.lead_h)
        told[f"precision:{where}"] = _plain(point.precision)
        if point.fixed_sensitivity is not None:
            told[f"warned_fixed:{where}"] = _plain(point.fixed_sensitivity)
            told[f"alarms_fixed:{where}"] = _plain(point.fixed_per_hour)
    return told


def _rate(point: RatePoint) -> str:
    return f"one false alarm in {span(1 / point.per_hour)}"


def _plain(value: float | None, why: str = "nothing was warned of") -> Figure:
    return Figure(value=value, note="" if value is not None else why)


def written(parts: Iterable[Part], plan: Plan) -> str:
    """Return ``predictions.csv``: a row for each reading, with what came and what was said of it."""
    asked = forecast_of(plan)
    places = (0, asked.levels.index(0.5), len(asked.levels) - 1)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    heads = [f"{outcome.name}/{end}" for outcome in asked.asked for end in ("came", *ENDS)]
    writer.writerow(["sample", "patient", "part", "time_h", asked.variable, *heads])
    for part in parts:
        for one, sample in zip(part.said, part.samples, strict=True):
            quantiles = one.quantiles[METHOD]
            for row, (hours, value) in enumerate(zip(one.times_h, one.values, strict=True)):
                cells = [
                    _cell(v) for k in range(len(asked.asked)) for v in (one.truth[row, k], *quantiles[row, k, places])
                ]
                writer.writerow([sample, one.patient, part.name, written_hours(hours), f"{value:.6g}", *cells])
    return file.getvalue()


def _cell(value: float) -> str:
    return f"{value:.5g}" if np.isfinite(value) else ""


def judged_forecast(
    contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
) -> tuple[Report, str, Audit]:
    """Judge a bundle on other series, or on the test part of its own.

    Parameters
    ----------
    contents : BundleContents
    source : str, Path or list of samples
    wishes : Wishes
    asking : Asking

    Raises
    ------
    CohortError
        If no series is left that the model has not learned from.
    """
    plan, progress = contents.plan, asking.progress
    variable = forecast_of(plan).variable
    if wishes.target not in ((), (variable,)):
        raise CohortError(
            f"The bundle forecasts {variable}, not {', '.join(wishes.target)}.",
            expected=f"--target {variable}, or none",
            next_step="leave --target out, or train a model for the other variable",
        )
    cohort = asked_cohort(source, replace(with_roles(wishes, plan.roles), target=(variable,)))
    found, seen, findings = asked_of(plan, cohort, progress=progress)
    asked, notes = unseen(found, seen, asking.learned)
    samples = asked.cohort.samples
    part = said_of_part(
        contents, cohort, samples, name="test", groups={s.id: s.patient for s in samples}, progress=progress
    )
    progress.say("Judging")
    targets = judged_targets(plan, part.said, ())
    first = next(iter(targets.values()))
    report = Report(
        **heading_elsewhere(plan, targets, cohort=cohort.name, rule=asked.rule, audit=findings, began=asking.began),
        shortcut=None,
        caveats=(
            *notes,
            *_not_forecast(part),
            *caveats(
                CaveatFacts(
                    target=first.target,
                    figures=first.parts["test"],
                    judged_part="test" if asked.own else "elsewhere",
                    audit=findings,
                    patients_known=cohort.schema.patients_known,
                )
            ),
        ),
    )
    return report, written([part], plan), findings
