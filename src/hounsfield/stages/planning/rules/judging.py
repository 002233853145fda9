"""Rules for the operating point and the baselines."""

from hounsfield.core.errors import PlanError, unknown_name
from hounsfield.core.fingerprint import RowFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.science.statistics.logit_adjustment import LEAST
from hounsfield.stages.planning.kinds import planner
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules import rows as rows_rules

RARE = 20.0
"""Ratio of the most to the least frequent of more than two classes from which logits are adjusted; classes of too few
training samples to tell are left out."""
TAU = 0.5
"""By how much: 0 calls the most probable class, 1 the likest one as if all were as frequent."""


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


def _logit_adjustment(facts: Facts) -> Decision:
    ratios = {t.name: _ratio(facts, t.name) for t in facts.targets if t.kind == "categorical" and len(t.classes) > 2}
    rare: dict[str, PlanValue] = {name: TAU for name, ratio in ratios.items() if ratio >= RARE}
    evidence = ", ".join(f"{name}: ratio {ratio:.1f}" for name, ratio in ratios.items())
    if not rare:
        return Decision(
            value={},
            rule=f"the most probable class is called below a ratio of {RARE:g} between more than two classes: weights "
            "of the loss are enough there (phalanx outlines, 400 training samples, ratios 8.6 and 4.3, five folds: "
            "balanced accuracy .795 and .680, .791 and .681 at tau 0.5; accuracy .851 and .772, .836 and .770)",
            evidence=evidence or "no such target",
        )
    return Decision(
        value=rare,
        rule="a class is called by its probability over the root of its share in what was learned (Menon et al. 2021, "
        f"tau {TAU:g}): half way between the most probable class, which leaves rare ones unfound, and all classes "
        "alike, which pays with false calls (beats of MIT-BIH DS1, patients left out in four parts, one seed: accuracy "
        ".953, .944, .925, mean sensitivity .658, .720, .765 and jk .740, .725, .693 at tau 0, 0.5 and 1)",
        evidence=evidence,
    )


def _ratio(facts: Facts, target: str) -> float:
    present = [c for c in facts.fingerprint.targets[target].counts.values() if c >= LEAST]
    return max(present) / min(present) if present else 1.0


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


OPERATING_POINT: dict[str, Rule] = {"rule": _rule, "wanted": _wanted, "logit_adjustment": _logit_adjustment}
BASELINES: dict[str, Rule] = {"names": _names}
