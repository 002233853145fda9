"""Evaluate: judge a bundle on data with answers, such as its own test part or another hospital's."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hounsfield.bundle.atomic import write_json, write_text
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, TargetSpec
from hounsfield.core.errors import CohortError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.report import Cost, Report
from hounsfield.learn.model import Model
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.samples import JudgeOptions
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.judging import calibrations, judge_target
from hounsfield.workflow.opening import ensemble_baselines, open_bundle
from hounsfield.workflow.planning import peak_mib, settle
from hounsfield.workflow.predictions import run_part, written
from hounsfield.workflow.reports import (
    audit_block,
    environment,
    expected,
    first_fold_baselines,
    plan_lines,
    shortcut_block,
    wrongest,
)
from hounsfield.workflow.study import Source
from hounsfield.workflow.survey import survey
from hounsfield.workflow.tasks import task_named
from hounsfield.workflow.wishes import Wishes

FILES = ("predictions.csv", "report.json", "report.html", "audit.json")


def evaluate(
    bundle: str | Path,
    source: Source,
    *,
    out: Path | None = None,
    wishes: Wishes = Wishes(),
    progress: Progress = SILENT,
) -> Report:
    """Judge a bundle.

    Parameters
    ----------
    bundle : str or Path
        Run folder or bundle.
    source : str, Path or iterable
        Data with answers of the same names. Of the cohort that the bundle was trained on, the official or planned
        test part is judged; of any other data, all of it.
    out : Path or None
        Folder for ``report.html``, ``report.json``, ``predictions.csv`` and ``audit.json``.
    wishes : Wishes
        Column overrides, ``prevalence`` and ``lang``.
    progress : Progress

    Returns
    -------
    Report
        With the part ``test``.

    Raises
    ------
    BundleError
        If the bundle cannot be used.
    CohortError
        If the data do not answer the bundle's question.
    RunExistsError
        If `out` holds results already.
    """
    began = time.perf_counter()
    there = [n for n in FILES if out is not None and (out / n).exists()]
    if there:
        raise RunExistsError(
            f"{', '.join(there)} exist in the output folder already.",
            expected="a folder without them",
            next_step="choose another --out, or move them away",
        )
    settle(wishes)
    contents = open_bundle(bundle)
    if not isinstance(source, str | Path):
        source = list(source)  # looked at more than once below; a generator would be empty then
    report, table, findings = _judged(contents, source, wishes, progress, began)
    if out is not None:
        from hounsfield.stages.reporting.page import render_html

        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "predictions.csv", table)
        write_text(out / "report.html", render_html(report, lang=wishes.lang))
        write_json(out / "audit.json", findings)
        write_json(out / "report.json", report)
    return report


def _judged(
    contents: BundleContents, source: Source, wishes: Wishes, progress: Progress, began: float
) -> tuple[Report, str, Audit]:
    from hounsfield.stages.auditing.findings import audit

    plan, task = contents.plan, task_named(contents.plan.task)
    cohort, rule = _question(contents, source, wishes, progress)
    seen = survey(cohort, progress=progress)
    findings = audit(cohort, seen.glances, seen.unreadable, seed=plan.seed)
    gone = {a.sample for a in findings.unreadable}
    usable = [s for s in cohort.samples if s.id not in gone]
    if not usable:
        raise CohortError(
            "No sample can be judged.", expected="readable images with answers", next_step="run hu inspect"
        )
    names = ensemble_baselines(contents)
    model = Model(replace(contents, baselines=first_fold_baselines(contents, names)), baselines=names)
    rows = run_part(model, cohort, usable, part="test", progress=progress)
    if not rows.rows:
        raise CohortError(
            f"None of the {len(usable)} samples can be run by this model; the first: "
            f"{rows.failed[0].judgement.refusal}",
            expected="images like those that the model was trained on",
            next_step="check that this is the right model for the data",
        )
    fixed = calibrations(contents)
    options = JudgeOptions(seed=plan.seed, prevalence=wishes.prevalence)
    targets = {
        t.name: judge_target(t, {"test": rows}, task=task, fixed=fixed, judged_part="test", options=options)
        for t in plan.targets
    }
    first = targets[plan.targets[0].name]
    report = Report(
        hounsfield=plan.hounsfield,
        task=plan.task,
        cohort=cohort.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=plan.seed,
        target=first.target,
        parts=first.parts,
        baselines=first.baselines,
        shortcut=shortcut_block(findings),
        audit=audit_block(findings),
        cost=Cost(seconds=round(time.perf_counter() - began, 1), peak_mib=round(peak_mib(), 1)),
        environment=environment(),
        targets=targets,
        judged_part="test",
        split_rule=rule,
        expected_interval=expected(plan.targets[0], rows),
        caveats=caveats(
            CaveatFacts(
                target=first.target,
                figures=first.parts["test"],
                audit=findings,
                patients_known=cohort.schema.patients_known,
                validation_samples=first.operating_point.samples if first.operating_point else None,
            )
        ),
        plan=plan_lines(plan),
        errors=wrongest(rows, cohort, plan.targets[0], task=task, contents=contents),
    )
    return report, written([rows], plan.targets, task=task, decodings=fixed[NETWORK].decodings), findings


def _question(contents: BundleContents, source: Source, wishes: Wishes, progress: Progress) -> tuple[Cohort, str]:
    """Understand the source as an answer to the bundle's question, and keep what is to be judged."""
    from hounsfield.data.cohorts import digest, understand

    plan = contents.plan
    roles = replace(wishes.roles, target=wishes.target or _known_targets(source, plan.targets, wishes))
    cohort = understand(source, roles)
    own = digest(cohort) == plan.cohort_digest
    if own and plan.folds and not any(s.part == "test" for s in cohort.samples):
        raise CohortError(
            "The bundle was trained on these samples in folds: none of them is left to judge it on.",
            expected="other data, or a cohort with an official test part",
            next_step="see part cv of the run's report.json, where each sample was judged by a model without it",
        )
    if own:
        from hounsfield.workflow.study import study

        known = study(source, replace(wishes, seed=plan.seed), progress=progress)
        test = set(known.split.ids("test"))
        if test:
            return replace(
                known.cohort, samples=tuple(s for s in known.cohort.samples if s.id in test)
            ), known.split.rule
    _check_answers(cohort, plan.targets)
    schema = cohort.schema.model_copy(update={"targets": plan.targets})
    name = next(iter(contents.fingerprint.inputs))
    samples = tuple(
        replace(s, part=None, inputs={name: next(iter(s.inputs.values()))} if name not in s.inputs else s.inputs)
        for s in cohort.samples
    )
    rule = "all samples; a bundle keeps no list of what it was trained on, so some of them may have been"
    return replace(cohort, schema=schema, samples=samples), rule


def _known_targets(source: Source, targets: tuple[TargetSpec, ...], wishes: Wishes) -> tuple[str, ...]:
    """Return the bundle's targets where the source has columns of these names, else nothing: then it is inferred."""
    from hounsfield.core.errors import HounsfieldError
    from hounsfield.data.cohorts import understand

    names = tuple(t.name for t in targets)
    try:
        understand(source, replace(wishes.roles, target=names))
    except HounsfieldError:
        return ()
    return names


def _check_answers(cohort: Cohort, targets: tuple[TargetSpec, ...]) -> None:
    found = {t.name: t for t in cohort.schema.targets}
    for target in targets:
        if target.name not in found:
            raise CohortError(
                f"The data have no answers to {target.name!r}; they have {', '.join(found) or 'none'}.",
                expected=f"a column {target.name!r} ({target.kind}) with {', '.join(target.classes) or 'numbers'}",
                next_step="rename the column, or name it with --target and give it the same classes",
            )
        strange = sorted(set(found[target.name].classes) - set(target.classes)) if target.classes else []
        if strange:
            raise CohortError(
                f"{target.name!r} has the answers {', '.join(strange)}, which the model does not know.",
                expected=", ".join(target.classes),
                next_step="use the same names for the classes, or leave these samples out",
            )
