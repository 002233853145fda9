"""Which series of a source a forecaster is judged on or explained for."""

from dataclasses import replace

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort
from hounsfield.core.plan import Plan
from hounsfield.core.progress import Progress
from hounsfield.workflow.asking import Asked
from hounsfield.workflow.survey import Survey, survey


def is_own(plan: Plan, cohort: Cohort) -> bool:
    """Return whether a cohort of one forecast is the one that a plan was made for."""
    from hounsfield.data.cohorts import digest

    return digest(cohort) == plan.cohort_digest


def asked_of(plan: Plan, cohort: Cohort, *, progress: Progress) -> tuple[Asked, Survey, Audit]:
    """Look at every series; return the test part of the bundle's own data, all of others.

    Parameters
    ----------
    plan : Plan
    cohort : Cohort
        As `hounsfield.workflow.forecast.cohorts.asked_cohort` gives it.
    progress : Progress

    Returns
    -------
    (Asked, Survey, Audit)
        Without what cannot be read.
    """
    from hounsfield.stages.auditing.findings import audit
    from hounsfield.stages.splitting.parts import split

    seen = survey(cohort, progress=progress)
    findings = audit(cohort, seen.glances, seen.unreadable, seed=plan.seed)
    gone = {a.sample for a in findings.unreadable}
    usable = replace(cohort, samples=tuple(s for s in cohort.samples if s.id not in gone))
    if not is_own(plan, cohort):
        return Asked(usable, "all series", own=False), seen, findings
    divided = split(usable, findings, seed=plan.seed)
    return Asked(usable.select(divided.ids("test")), "the test part, divided as in training", own=True), seen, findings
