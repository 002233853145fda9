"""Rules for the operating point and the baselines."""

from hounsfield.core.errors import PlanError, unknown_name
from hounsfield.core.fingerprint import RowFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.kinds import planner
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules import rows as rows_rules


def _rule(facts: Facts) -> Decision:
    for name in ("sensitivity", "specificity"):
        if name in facts.wishes:
            return Decision(
                value=name,
                rule=f"at least the {name} that was asked for, on validation predictions",
                evidence=f"--{name} {facts.wishes[name]}",
            )
    return Decision(
        value="balanced_accuracy",
        rule="highest balanced accuracy on validation predictions",
        evidence="nothing else was asked for",
    )


def _wanted(facts: Facts) -> Decision:
    for name in ("sensitivity", "specificity"):
        if name in facts.wishes:
            return Decision(value=float(facts.wishes[name]), rule="as asked for", evidence=f"--{name}")
    return Decision(value=None, rule="balanced accuracy needs no aim", evidence="")


def others(facts: Facts) -> tuple[str, ...]:
    """Return the learners beside the linear model; none beside an image.

    Those of the input with the most axes: learners on signals take rows beside them, not the other way round.
    """
    if facts.fingerprint.images:
        return ()
    richest = max(facts.fingerprint.inputs.values(), key=lambda seen: seen.ndim)
    return planner(richest.kind).baselines(facts)


def grows_trees(facts: Facts) -> bool:
    """Tell whether boosted trees are grown: beside networks, or on rows alone in a repeated validation."""
    rows = any(isinstance(seen, RowFacts) for seen in facts.fingerprint.inputs.values())
    return rows or "trees" in others(facts)


def _names(facts: Facts) -> Decision:
    kinds = facts.fingerprint.kinds
    if kinds != ("image",):
        beside: list[PlanValue] = list(others(facts))
        return Decision(
            value=["prevalence", "logistic", *beside, *(["alone"] if "alone" in facts.wishes else [])],
            rule="the share of each class, a linear model on simple numbers of each input"
            + "".join(f", {name}" for name in beside)
            + (f", {facts.wishes['alone']} alone" if "alone" in facts.wishes else "")
            + ": what a network must beat",
            evidence=", ".join(kinds),
        )
    return Decision(
        value=["prevalence", "logistic"],
        rule="the share of each class, and a linear model on coarse pixels and texture: what a network must beat",
        evidence="",
    )


def _alone(facts: Facts) -> Decision:
    named = facts.wishes["alone"]
    rows = {n: seen for n, seen in facts.fingerprint.inputs.items() if isinstance(seen, RowFacts)}
    known = [c for seen in rows.values() for c in rows_rules.kept(seen)]
    if named not in known:
        raise unknown_name("variable", named, known)
    if set(facts.fingerprint.kinds) != {"row"} or not {t.kind for t in facts.targets} <= {"categorical", "multilabel"}:
        raise PlanError(
            f"The variable {named!r} cannot be judged alone.",
            expected="rows alone as inputs, and classes or labels as answers",
            next_step="leave --alone out",
        )
    return Decision(value=named, rule="judged alone beside the models, as asked for", evidence=f"--alone {named}")


def baselines(facts: Facts) -> dict[str, Rule]:
    """Return the rules of section ``baselines``."""
    return {**BASELINES, "alone": _alone} if "alone" in facts.wishes else BASELINES


OPERATING_POINT: dict[str, Rule] = {"rule": _rule, "wanted": _wanted}
BASELINES: dict[str, Rule] = {"names": _names}
