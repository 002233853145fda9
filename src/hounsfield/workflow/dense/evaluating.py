"""Judge a dense bundle on data with masks: its own test part, or another hospital's."""

from dataclasses import replace

from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.audit import Audit
from hounsfield.core.cohort import DENSE_KINDS, Cohort, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.plan import Plan
from hounsfield.core.report import Report
from hounsfield.stages.evaluation.caveats import CaveatFacts, caveats
from hounsfield.workflow.asking import Asked
from hounsfield.workflow.dense.judging import Part, judge_cases
from hounsfield.workflow.dense.model import DenseModel, settled_of
from hounsfield.workflow.dense.reports import judge_target, typical_cases, worst_cases, written
from hounsfield.workflow.evaluating import unseen
from hounsfield.workflow.reports import heading_elsewhere
from hounsfield.workflow.roads import Asking
from hounsfield.workflow.study import Source, study, with_roles
from hounsfield.workflow.survey import survey
from hounsfield.workflow.wishes import Wishes


def judged_dense(
    contents: BundleContents, source: Source, wishes: Wishes, *, asking: Asking
) -> tuple[Report, str, Audit]:
    """Judge answers of every voxel.

    Parameters
    ----------
    contents : BundleContents
    source : str, Path or list of samples
    wishes : Wishes
    asking : Asking

    Returns
    -------
    (Report, str, Audit)
        With the part ``test``, the text of ``predictions.csv``, and what is wrong with the data.

    Raises
    ------
    CohortError
        If the data have no masks of the bundle's targets, or no case can be judged.
    """
    from hounsfield.stages.auditing.findings import audit

    plan = contents.plan
    asked = _asked(plan, source, wishes, asking)
    seen = survey(asked.cohort, progress=asking.progress)
    asked, told = unseen(asked, seen, asking.learned)
    findings = audit(asked.cohort, seen.glances, seen.unreadable, seed=plan.seed)
    gone = {a.sample for a in findings.unreadable}
    usable = [s for s in asked.cohort.samples if s.id not in gone]
    model = DenseModel(contents)
    rows = judge_cases(model, plan, asked.cohort, usable, part=Part("test", baselines=True), progress=asking.progress)
    if not any(r.scores for r in rows):
        first = next((r.refusal for r in rows if r.refusal), findings.unreadable[0].reason if gone else "no cases")
        raise CohortError(
            f"None of the {len(asked.cohort)} cases can be judged; the first: {first}",
            expected="readable images with masks of what the model marks",
            next_step="run hu inspect on the data",
        )
    groups = {s.id: s.patient for s in usable}
    parts = {"test": rows}
    targets = {
        t.name: judge_target(t, parts, plan=plan, contents=contents, groups=groups, judged="test") for t in plan.targets
    }
    primary = targets[plan.targets[0].name]
    report = Report(
        **heading_elsewhere(
            plan, targets, cohort=asked.cohort.name, rule=asked.rule, audit=findings, began=asking.began
        ),
        shortcut=None,
        caveats=(
            *told,
            *caveats(
                CaveatFacts(
                    target=primary.target,
                    figures=primary.parts["test"],
                    judged_part="test" if asked.own else "elsewhere",
                    audit=findings,
                    patients_known=asked.cohort.schema.patients_known,
                    validation_samples=settled_of(contents, -1)[primary.target.name].cases,
                )
            ),
        ),
        errors=worst_cases(rows, plan.targets[0]),
        typical=typical_cases(rows, plan.targets[0]),
    )
    return report, written(parts.values(), plan.targets), findings


def _asked(plan: Plan, source: Source, wishes: Wishes, asking: Asking) -> Asked:
    """Return the cases to judge: the test part of the bundle's own cohort, or all cases of another."""
    from hounsfield.data.cohorts import digest, understand

    way = with_roles(wishes, plan.roles)
    cohort = understand(source, way.roles)
    own = _with_targets(cohort, plan.targets)
    if digest(own) == plan.cohort_digest:
        if plan.folds and not any(s.part == "test" for s in own.samples):
            raise CohortError(
                "The bundle was trained on these cases in folds: none of them is left to judge it on.",
                expected="other data, or a cohort with an official test part",
                next_step="see part cv of the run's report.json, where each case was judged by a model without it",
            )
        again = replace(way, seed=plan.seed, folds=plan.folds, task=plan.task)
        known = study(source, again, progress=asking.progress)
        test = known.cohort.select(known.split.ids("test"))
        return Asked(_with_targets(test, plan.targets), known.split.rule, own=True)
    plain = replace(own, samples=tuple(s.with_part(None) for s in own.samples))
    return Asked(_with_targets(plain, plan.targets), "all cases", own=False)


def _with_targets(cohort: Cohort, targets: tuple[TargetSpec, ...]) -> Cohort:
    """Return a cohort that asks for the bundle's masks; a lone mask of another name is taken for a lone target.

    Raises
    ------
    CohortError
        If a mask is missing.
    """
    found = {t.name: t for t in cohort.schema.targets if t.kind in DENSE_KINDS}
    lacking = [t.name for t in targets if t.name not in found]
    samples = cohort.samples
    if lacking and len(targets) == len(found) == 1:
        other = next(iter(found))
        samples = tuple(
            replace(s, masks={targets[0].name: s.masks[other]} if other in s.masks else {}) for s in samples
        )
        found = {targets[0].name: found[other].model_copy(update={"name": targets[0].name})}
        lacking = []
    if lacking:
        raise CohortError(
            f"The data have no mask {', '.join(lacking)}.",
            expected=f"masks {', '.join(t.name for t in targets)}",
            next_step=f"they have {', '.join(found) or 'no masks at all'}; name the columns alike",
        )
    chosen = tuple(found[t.name] for t in targets)
    return replace(cohort, samples=samples, schema=cohort.schema.model_copy(update={"targets": chosen}))
