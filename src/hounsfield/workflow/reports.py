"""Judge a sealed bundle and put the report together."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, TargetSpec
from hounsfield.core.errors import CohortError, HounsfieldError
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.core.protocols import Task
from hounsfield.core.report import (
    AuditBlock,
    Caveat,
    Cost,
    Picture,
    PlanLine,
    Report,
    ShortcutBlock,
    TargetReport,
)
from hounsfield.core.types import Json
from hounsfield.learn.model import Model
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.expecting import expected_interval
from hounsfield.stages.evaluation.samples import JudgeOptions
from hounsfield.workflow.doctor import doctor
from hounsfield.workflow.fitting import NETWORK, TRAINING
from hounsfield.workflow.jobs import preparations_of
from hounsfield.workflow.judging import (
    answers,
    calibrations,
    fold_decodings,
    judge_target,
    merged,
    of_model,
    other_sites,
)
from hounsfield.workflow.learning_curve import curves_of
from hounsfield.workflow.memory import peak_mib
from hounsfield.workflow.opening import ensemble_baselines, of_fold
from hounsfield.workflow.pictures import picture_of
from hounsfield.workflow.predictions import Rows, run_part, written
from hounsfield.workflow.repeating import repeated_of
from hounsfield.workflow.study import Study
from hounsfield.workflow.survey import latest
from hounsfield.workflow.traces import traces

WRONGEST = 8


@dataclass(frozen=True)
class Ran:
    """What a run knows besides its bundle.

    Parameters
    ----------
    plan : Plan
    known : Study
    prevalence : float or None
    folds : mapping of str to int
        Sample id to the fold that it was held out of.
    created : str
        Time of the report, ISO 8601.
    seconds_per_step : float or None
        As measured while training; None where an earlier process trained. Not in the bundle, which is the same bytes
        however long training took.
    workers_mib : float
        Peak memory of the processes that trained side by side, together. This process slept meanwhile: its own peak
        and theirs add up to a bound.
    """

    plan: Plan
    known: Study
    prevalence: float | None
    folds: Mapping[str, int] = field(default_factory=dict)
    created: str = ""
    seconds_per_step: float | None = None
    workers_mib: float = 0.0


def report_run(
    contents: BundleContents, ran: Ran, *, elapsed: Callable[[], float], progress: Progress
) -> tuple[Report, str]:
    """Predict all judged parts from the sealed bundle, judge them, and compose the report.

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
    parts = predicted_parts(contents, ran, progress)
    judged = "test" if "test" in parts else "cv"
    fixed = calibrations(contents)
    options = JudgeOptions(
        seed=plan.seed,
        prevalence=ran.prevalence,
        faulty=frozenset(a.sample for a in known.audit.flagged_in_test),
        folds=dict(ran.folds),
    )
    progress.say("Judging")
    targets = {
        t.name: judge_target(
            t,
            parts,
            task=known.task,
            fixed=fixed,
            judged_part=judged,
            options=options,
            groups=known.split.groups,
        )
        for t in plan.targets
    }
    table = written(
        parts.values(),
        plan.targets,
        task=known.task,
        decodings=fixed[NETWORK].decodings,
        folds=fold_decodings(fixed),
    )
    first = targets[plan.targets[0].name]
    report = Report(
        **heading_of_run(ran, contents, targets, judged=judged, seconds=elapsed()),
        shortcut=shortcut_block(known.audit),
        expected_interval=expected(plan.targets[0], parts[judged]),
        caveats=_caveats(ran, contents, first, judged=judged, rows=parts[judged]),
        learning=curves_of(contents.documents),
        repeated=repeated_of(contents.documents),
        errors=wrongest(parts[judged], known.cohort, plan.targets[0], task=known.task, contents=contents),
        traces=traces(
            parts[judged],
            known.cohort,
            plan.targets[0],
            task=known.task,
            contents=contents,
            decodings={-1: fixed[NETWORK].decodings, **fold_decodings(fixed)},
            progress=progress,
        ),
    )
    return report, table


def heading_of_run(
    ran: Ran, contents: BundleContents, targets: Mapping[str, TargetReport], *, judged: str, seconds: float
) -> dict[str, Any]:
    """Return what the report of a run says on every road, as fields of a `Report`.

    Parameters
    ----------
    ran : Ran
    contents : BundleContents
    targets : mapping of str to TargetReport
    judged : str
    seconds : float
        Since the command began.
    """
    known = ran.known
    return {
        **_heading(ran.plan, targets, audit=known.audit, judged=judged),
        "cohort": ran.plan.cohort,
        "created": ran.created,
        "cost": cost_of(ran, contents, seconds),
        "split_rule": known.split.rule,
        "split_rule_zh": known.split.rule_zh,
        "history": history_of(contents),
    }


def heading_elsewhere(
    plan: Plan, targets: Mapping[str, TargetReport], *, cohort: str, rule: str, audit: Audit, began: float
) -> dict[str, Any]:
    """Return what the report of ``hu evaluate`` says on every road, as fields of a `Report`.

    Parameters
    ----------
    plan : Plan
        Of the bundle.
    targets : mapping of str to TargetReport
    cohort, rule : str
        What was judged, and how it was chosen.
    audit : Audit
    began : float
        ``time.perf_counter`` when the command began.
    """
    return {
        **_heading(plan, targets, audit=audit, judged="test"),
        "cohort": cohort,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "cost": Cost(seconds=round(time.perf_counter() - began, 1), peak_mib=round(peak_mib(), 1)),
        "split_rule": rule,
    }


def _heading(plan: Plan, targets: Mapping[str, TargetReport], *, audit: Audit, judged: str) -> dict[str, Any]:
    first = next(iter(targets.values()))  # the primary one: targets come in the plan's order
    return {
        "hounsfield": plan.hounsfield,
        "task": plan.task,
        "seed": plan.seed,
        "target": first.target,
        "parts": first.parts,
        "baselines": first.baselines,
        "audit": audit_block(audit),
        "environment": environment(),
        "targets": targets,
        "judged_part": judged,
        "plan": plan_lines(plan),
    }


def predicted_parts(contents: BundleContents, ran: Ran, progress: Progress) -> dict[str, Rows]:
    """Return rows by part: ``val`` and ``test``, or ``cv`` and an official ``test``."""
    known = ran.known
    names = ensemble_baselines(contents)
    parts: dict[str, Rows] = {}
    if ran.folds:
        groups = []
        for number in range(ran.plan.folds):
            model = _model(contents, names, fold=number)
            held = known.samples(i for i, fold in ran.folds.items() if fold == number)
            groups.append(run_part(model, known.cohort, held, part="cv", progress=progress, folds=dict(ran.folds)))
        pooled = merged(groups)
        if pooled.rows:
            parts["cv"] = pooled
        wanted = ["test"] if "test" in known.split.official else []
    else:
        wanted = ["val", "test"]
    model = _model(contents, names, fold=None)
    for part in wanted:
        samples = known.samples(known.split.ids(part))
        if samples:
            rows = run_part(model, known.cohort, samples, part=part, progress=progress)
            if rows.rows:
                parts[part] = rows
    if not {"test", "cv"} & set(parts):
        raise CohortError(
            "No sample of the test part could be predicted.",
            expected="a readable test part",
            next_step="look at audit.json for what was set aside, and correct the files",
        )
    return parts


def _model(contents: BundleContents, names: list[str], *, fold: int | None) -> Model:
    if fold is None:
        whole = replace(contents, baselines=baselines_named(contents, names))
        return Model(whole, baselines=names)
    return Model(of_fold(contents, fold, names), baselines=names)


def _caveats(ran: Ran, contents: BundleContents, first: TargetReport, *, judged: str, rows: Rows) -> tuple[Caveat, ...]:
    known = ran.known
    point = first.operating_point
    return caveats(
        CaveatFacts(
            target=first.target,
            figures=first.parts[judged],
            judged_part=judged,
            audit=known.audit,
            patients_known=known.cohort.schema.patients_known,
            grouped=known.split.grouped,
            validation_samples=_fixed_on(contents, first.target, judged) if point else known.fingerprint.val_samples,
            stopped_by_clock=bool(_training(contents).get("stopped_by_clock")),
            other_sites=other_sites(rows),
        )
    )


def _fixed_on(contents: BundleContents, target: TargetSpec, judged: str) -> int:
    """Return on how many validation samples the threshold rests that the judged part was called with."""
    fixed = calibrations(contents)
    own = [fixed[f"{NETWORK}.{fold}"] for fold in fold_decodings(fixed)] if judged == "cv" else []
    points = [c.points[target.name] for c in own or [fixed[NETWORK]]]
    return min(p.positives + p.negatives for p in points)


def expected(target: TargetSpec, rows: Rows) -> str:
    """Return in words the interval that this many samples can give."""
    counts: dict[str, int] = dict.fromkeys(target.classes, 0)
    for row in rows.rows:
        answer = row.sample.targets.get(target.name)
        for name in answer if isinstance(answer, tuple) else (str(answer),):
            if name in counts:
                counts[name] += 1
    return expected_interval(target, counts, total=len(rows.rows))


def baselines_named(contents: BundleContents, names: Sequence[str]) -> dict[str, Member]:
    """Return these baselines of every fold, ``name.0``, ``name.1``, ...; `Model` averages them as it does members."""
    return {k: member for k, member in contents.baselines.items() if k.rsplit(".", 1)[0] in names}


def _training(contents: BundleContents) -> dict[str, Json]:
    found = contents.documents.get(TRAINING)
    return found if isinstance(found, dict) else {}


def history_of(contents: BundleContents) -> dict[str, tuple[float, ...]]:
    """Return the training curves of the first member."""
    found = _training(contents).get("history")
    curves = found if isinstance(found, dict) else {}
    return {
        k: tuple(float(x) for x in v if isinstance(x, int | float)) for k, v in curves.items() if isinstance(v, list)
    }


def cost_of(ran: Ran, contents: BundleContents, seconds: float) -> Cost:
    """Return what was predicted and what the run took."""
    told = _training(contents)
    steps = told.get("steps")
    predicted = {k: d.value for k, d in ran.plan.sections.get("cost", {}).items()}

    def number(key: str) -> float | None:
        value = predicted.get(key)
        return float(value) if isinstance(value, int | float) else None

    return Cost(
        predicted_seconds=number("seconds"),
        seconds=round(seconds, 1),
        predicted_seconds_per_step=number("seconds_per_step"),
        predicted_peak_mib=number("peak_mib"),
        peak_mib=round(peak_mib() + ran.workers_mib, 1),
        seconds_per_step=ran.seconds_per_step,
        steps=steps if isinstance(steps, int) else 0,
        stopped_by_clock=bool(told.get("stopped_by_clock")),
    )


def environment() -> dict[str, str]:
    """Return versions and hardware, fit for publication."""
    found = doctor()
    features = ", ".join(name for name, has in found.features.items() if has)
    return {
        "hounsfield": found.hounsfield,
        "python": found.python,
        "system": found.system,
        "processor": found.processor,
        "features": features,
        "cores": str(found.usable_cores),
        "memory_gib": f"{found.memory_gib:.1f}",
        "device": found.device,
        **{f"package:{k}": v for k, v in found.packages.items()},
    }


def plan_lines(plan: Plan) -> tuple[PlanLine, ...]:
    """Return every decision with its reason."""
    return tuple(
        PlanLine(section=section, key=key, value=shown(d.value), rule=d.rule, evidence=d.evidence)
        for section, made in plan.sections.items()
        for key, d in made.items()
    )


def shown(value: object) -> str:
    """Return a decision's value as text."""
    if isinstance(value, list):
        return " x ".join(str(v) for v in value) if value else "none"
    return "none" if value is None else str(value)


def shortcut_block(audit: Audit) -> ShortcutBlock | None:
    """Return the shortcut probe as the report holds it."""
    found = audit.shortcut
    return ShortcutBlock(auroc=found.auroc, by=found.by, warnings=found.warnings) if found else None


def audit_block(audit: Audit) -> AuditBlock:
    """Return the audit as the report holds it."""
    return AuditBlock(
        unreadable=tuple({"sample": a.sample, "reason": a.reason} for a in audit.unreadable),
        duplicates_across_parts=audit.duplicates_across_parts,
        contradictions=audit.contradictions,
        removed_from_training=tuple({"sample": a.sample, "reason": a.reason} for a in audit.removed_from_training),
        flagged_in_test=tuple({"sample": a.sample, "reason": a.reason} for a in audit.flagged_in_test),
        in_doubt=tuple({"sample": a.sample, "reason": a.reason} for a in audit.in_doubt),
        near_duplicates=sum(d.kind == "near" for d in audit.duplicates),
        clusters=len(audit.clusters),
        balance=audit.balance,
        warnings=audit.warnings,
    )


def wrongest(
    rows: Rows, cohort: Cohort, target: TargetSpec, *, task: Task, contents: BundleContents
) -> tuple[Picture, ...]:
    """Return the errors that the model was surest of, as small pictures."""
    if target.kind not in ("categorical", "ordinal"):
        return ()
    fixed = calibrations(contents)
    kind = task.kind(target)
    probability = answers(rows, target, task=task, fixed=fixed)
    read = [of_model(fixed, NETWORK, row.fold).decodings[target.name] for row in rows.rows]
    told = [kind.say(target, row, decoding) for row, decoding in zip(probability, read, strict=True)]
    calls = [str(said.at_operating_point or said.value) for said in told]
    sure = np.array([row[target.classes.index(said)] for row, said in zip(probability, calls, strict=True)])
    order = np.argsort(-sure, kind="stable")
    specs = preparations_of(contents.plan, contents.fingerprint)
    name = next((n for n, spec in specs.items() if spec.kind_name != "row"), None)
    if name is None:
        return ()  # a row shows nothing
    pictures = []
    for place in order:
        row = rows.rows[int(place)]
        truth, said = row.sample.targets.get(target.name), calls[int(place)]
        if truth is None or str(truth) == said:
            continue
        try:
            png = picture_of(specs[name].shown(latest(cohort, row.sample, name, wanted=specs[name].wanted)))
        except HounsfieldError:
            continue
        if png is None:
            continue
        pictures.append(
            Picture(
                sample=row.sample.id,
                part=row.part,
                truth=str(truth),
                predicted=said,
                probability=float(sure[place]),
                png=png,
            )
        )
        if len(pictures) == WRONGEST:
            break
    return tuple(pictures)
