"""Rules for the operating point and the baselines."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule


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


def _names(facts: Facts) -> Decision:
    del facts
    return Decision(
        value=["prevalence", "logistic"],
        rule="the share of each class, and a linear model on coarse pixels and texture: what a network must beat",
        evidence="",
    )


OPERATING_POINT: dict[str, Rule] = {"rule": _rule, "wanted": _wanted}
BASELINES: dict[str, Rule] = {"names": _names}
