"""A plan as tables: what was decided, and why."""

from hounsfield.cli.output import heading, line, table
from hounsfield.cli.progress import duration
from hounsfield.core.plan import Plan, PlanValue

_NEXT_WRITTEN = "Written as plan.yaml. Next: edit it if you like, then hu train with that file."
_NEXT = "Nothing was written: --out plan.yaml writes it for editing. Next: hu train with the same options."


def show_plan(plan: Plan, *, written: bool) -> None:
    """Print every decision's value."""
    _head(plan)
    for name, decisions in plan.sections.items():
        table(name, ("decision", "value"), [(key, plain(d.value)) for key, d in decisions.items()])
    _foot(plan, written=written)
    line("The reasons: hu plan ... --why")


def show_reasons(plan: Plan, *, written: bool) -> None:
    """Print every decision's value, rule and evidence."""
    _head(plan)
    for name, decisions in plan.sections.items():
        rows = [(key, plain(d.value), d.rule, d.evidence) for key, d in decisions.items()]
        table(name, ("decision", "value", "rule", "evidence"), rows)
    _foot(plan, written=written)


def plain(value: PlanValue) -> str:
    """Return a decision's value as a person writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(f"[{plain(v)}]" if isinstance(v, list) else plain(v) for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(v)}" for key, v in value.items())
    return str(value)


def _head(plan: Plan) -> None:
    asked = ", ".join(f"{target.name} ({target.kind})" for target in plan.targets)
    heading(f"Plan for {plan.cohort}: {plan.task} {asked}")
    budget = plan.budget
    limit = "no limit of time given" if budget.minutes is None else f"at most {budget.minutes:g} minutes in all"
    line(f"{limit}; {budget.threads} threads on {budget.device}; seed {plan.seed}; folds {plan.folds or 'none'}")
    line()


def _foot(plan: Plan, *, written: bool) -> None:
    cost = {key: decision.value for key, decision in plan.sections.get("cost", {}).items()}
    words = []
    for key, value in cost.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if key in ("seconds", "predicted_seconds"):
            words.append(f"about {duration(value)} in all")
        elif key in ("peak_mib", "predicted_peak_mib"):
            words.append(f"about {value:.0f} MiB of memory at most")
    if words:
        heading(f"Predicted: {', '.join(words)}.")
    line(_NEXT_WRITTEN if written else _NEXT)
