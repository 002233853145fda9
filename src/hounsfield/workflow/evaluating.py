"""Evaluate: judge a bundle on data with answers, such as its own test part or another hospital's."""

import time
from dataclasses import replace
from pathlib import Path

from hounsfield.bundle.atomic import write_json, write_text
from hounsfield.bundle.run_folder import find_bundle
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.errors import CohortError, RunExistsError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.report import Caveat, Report
from hounsfield.learn.model import Model
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.stages.evaluation.samples import JudgeOptions
from hounsfield.workflow.asking import Asked, ask
from hounsfield.workflow.fitting import NETWORK
from hounsfield.workflow.judging import calibrations, judge_target, other_sites
from hounsfield.workflow.opening import ensemble_baselines, open_bundle
from hounsfield.workflow.planning import settle
from hounsfield.workflow.predictions import run_part, written
from hounsfield.workflow.reports import (
    baselines_named,
    expected,
    heading_elsewhere,
    shortcut_block,
    wrongest,
)
from hounsfield.workflow.roads import Asking, road_of
from hounsfield.workflow.study import Source, learned_by, seen_digest
from hounsfield.workflow.survey import Survey, survey
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
        test part is judged; of any other data, all of it but the pictures that the model was trained on, as far as
        the run folder around the bundle says which those are.
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
    learned = learned_by(find_bundle(Path(bundle)).parent)
    asking = Asking(learned, began, progress)
    report, table, findings = road_of(task_named(contents.plan.task)).judged(contents, source, wishes, asking=asking)
    if out is not None:
        from hounsfield.stages.reporting.page import render_html

        out.mkdir(parents=True, exist_ok=True)
        write_text(out / "predictions.csv", table)
        write_text(out / "report.html", render_html(report, lang=wishes.lang))
        write_json(out / "audit.json", findings)
        write_json(out / "report.json", report)
    return report


def judged_vector(
    contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
) -> tuple[Report, str, Audit]:
    """Judge answers that are a few numbers for each sample.

    Parameters
    ----------
    contents : BundleContents
    source : str, Path or list of samples
    wishes : Wishes
    asking : Asking
    """
    from hounsfield.stages.auditing.findings import audit

    learned, progress, began = asking.learned, asking.progress, asking.began
    plan, task = contents.plan, task_named(contents.plan.task)
    asked = ask(plan, contents.fingerprint, source, wishes, progress=progress)
    seen = survey(asked.cohort, progress=progress)
    asked, told = unseen(asked, seen, learned)
    cohort = asked.cohort
    findings = audit(cohort, seen.glances, seen.unreadable, seed=plan.seed)
    gone = {a.sample for a in findings.unreadable}
    usable = [s for s in cohort.samples if s.id not in gone]
    if not usable:
        raise CohortError(
            "No sample can be judged.", expected="readable images with answers", next_step="run hu inspect"
        )
    names = ensemble_baselines(contents)
    whole = replace(contents, baselines=baselines_named(contents, names))
    model = Model(whole, baselines=names, samples=len(usable))
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
        **heading_elsewhere(plan, targets, cohort=cohort.name, rule=asked.rule, audit=findings, began=began),
        shortcut=shortcut_block(findings),
        expected_interval=expected(plan.targets[0], rows),
        caveats=_caveats(
            told,
            CaveatFacts(
                target=first.target,
                figures=first.parts["test"],
                judged_part="test" if asked.own else "elsewhere",
                audit=findings,
                patients_known=cohort.schema.patients_known,
                other_sites=other_sites(rows),
                validation_samples=first.operating_point.samples if first.operating_point else None,
            ),
        ),
        errors=wrongest(rows, cohort, plan.targets[0], task=task, contents=contents),
    )
    return report, written([rows], plan.targets, task=task, decodings=fixed[NETWORK].decodings), findings


def _caveats(told: tuple[Caveat, ...], facts: CaveatFacts) -> tuple[Caveat, ...]:
    return tuple(sorted((*told, *caveats(facts)), key=lambda caveat: caveat.level != "warning"))


def unseen(asked: Asked, found: Survey, learned: frozenset[str] | None) -> tuple[Asked, tuple[Caveat, ...]]:
    """Leave out what the bundle has learned from, and say so.

    Raises
    ------
    CohortError
        If nothing else is there.
    """
    if asked.own:
        return asked, ()
    if learned is None:
        return asked, (_UNCHECKED,)
    known = {g.sample for g in found.glances if seen_digest(g.digest) in learned}
    if not known:
        return replace(asked, rule=f"{asked.rule}; the bundle was trained on none of these pictures"), ()
    left = [s.id for s in asked.cohort.samples if s.id not in known]
    if not left:
        raise CohortError(
            f"The bundle was trained on all {len(known)} samples: none of them is left to judge it on.",
            expected="pictures that the model has not seen",
            next_step="give other data, or the whole cohort that it was trained on: then its test part is judged",
        )
    rule = f"{asked.rule} but {len(known)} that the bundle was trained on"
    return replace(asked, cohort=asked.cohort.select(left), rule=rule), (_learned(len(known), len(left)),)


def _learned(count: int, left: int) -> Caveat:
    return Caveat(
        level="warning",
        en=f"{count} of {count + left} samples show pictures that the model was trained on; they are left out. "
        "These data are not independent of the training data: pictures of the same patients may remain.",
        zh=f"{count + left} 个样本中有 {count} 个是模型训练时用过的图像，已排除。这些数据与训练数据并不独立，"
        "其中可能仍有同一患者的其他图像。",
    )


_UNCHECKED = Caveat(
    level="note",
    en="Whether the model was trained on some of these samples could not be checked: the bundle lies outside its run "
    "folder, or the run keeps no list.",
    zh="无法核对模型是否用过其中的样本进行训练：模型包不在其运行文件夹内，或该运行没有留下记录。",
)
