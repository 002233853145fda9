"""Rules: pure functions from facts to a decision, one file per group.

Enters: `Facts` with the decisions made so far.
Leaves: one `Decision` each.
"""

from collections.abc import Callable

from hounsfield.core.plan import Decision, Facts, PlanValue

Rule = Callable[[Facts], Decision]


def training_samples(facts: Facts) -> str:
    """Return the evidence of what rests on how much there is to learn from."""
    return f"{facts.fingerprint.samples} training samples"


def fixed(value: PlanValue, rule: str, evidence: Callable[[Facts], str] = training_samples) -> Rule:
    """Return a rule that always decides alike."""
    return lambda facts: Decision(value=value, rule=rule, evidence=evidence(facts))
