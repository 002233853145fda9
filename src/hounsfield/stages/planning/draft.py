"""All rules applied in order: a draft of the plan's sections."""

from collections.abc import Mapping
from dataclasses import replace

from hounsfield.core.errors import PlanError
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.recipes import recipe
from hounsfield.stages.planning.rules import (
    Rule,
    augmentation,
    ensemble,
    judging,
    network,
    optimisation,
    preparation,
    warmup,
)

Sections = dict[str, dict[str, Decision]]
PLANNED = ("residual", "slices")
"""Networks whose options the rules decide; another one has its own defaults."""


def draft(facts: Facts) -> Sections:
    """Decide everything that needs no measurement.

    Parameters
    ----------
    facts : Facts
        With the wishes; `facts.decided` may hold measurements in section ``cost``.

    Returns
    -------
    dict
        Section to key to decision, in the order of the rules. Sections: ``preparation.<input>``, ``network``,
        ``augmentation``, ``optimisation``, ``warmup``, ``ensemble``, ``operating_point``, ``baselines``.
    """
    sections: Sections = {}
    for name in facts.fingerprint.inputs:
        _check_axes(name, facts)
        section = f"preparation.{name}"
        own = "size" not in (_fixed(section, facts) or {})
        facts = _decide(sections, section, preparation.rules(name, facts.fingerprint.inputs[name], own=own), facts)
    facts = _decide(sections, "network", network.RULES, facts)
    facts = _decide(sections, "augmentation", augmentation.RULES, facts)
    facts = _decide(sections, "optimisation", optimisation.RULES, facts)
    facts = _decide(sections, "warmup", warmup.RULES, facts)
    facts = _decide(sections, "ensemble", ensemble.RULES, facts)
    facts = _decide(sections, "operating_point", judging.OPERATING_POINT, facts)
    _decide(sections, "baselines", judging.BASELINES, facts)
    return sections


def redecide_ensemble(sections: Sections, facts: Facts) -> Sections:
    """Decide again how many networks there are, once it is known how many steps fit in all."""
    fresh: Sections = dict(sections)
    _decide(fresh, "ensemble", ensemble.RULES, facts)
    return fresh


def redecide(sections: Sections, facts: Facts) -> Sections:
    """Decide the optimisation, and the warm-up before it, again once measurements are known."""
    fresh: Sections = dict(sections)
    facts = _decide(fresh, "optimisation", optimisation.RULES, facts)
    _decide(fresh, "warmup", warmup.RULES, facts)
    return fresh


def _check_axes(name: str, facts: Facts) -> None:
    """Refuse a network whose protocol fixes a size of other axes than the images have."""
    size = (_fixed(f"preparation.{name}", facts) or {}).get("size")
    axes = facts.fingerprint.inputs[name].ndim
    if size is not None and isinstance(size.value, list) and len(size.value) != axes:
        raise PlanError(
            f"The network {facts.network!r} is for {len(size.value)}D images; input {name!r} is {axes}D.",
            expected=f"a network for {axes}D images",
            next_step="leave --network out, or write --network residual",
        )


def _decide(sections: Sections, section: str, rules: Mapping[str, Rule], facts: Facts) -> Facts:
    fixed = _fixed(section, facts)
    decided = dict(facts.decided)
    made: dict[str, Decision] = {}
    for key, rule in rules.items():
        if fixed is not None and key not in fixed and section == "augmentation":
            continue
        decision = fixed[key] if fixed is not None and key in fixed else rule(replace(facts, decided=decided))
        made[key] = decision
        decided[(section, key)] = decision.value
    for key, decision in (fixed or {}).items():
        if key not in made and key != "epochs":
            made[key] = decision
            decided[(section, key)] = decision.value
    if section == "network" and facts.network and facts.network not in PLANNED:
        made = {"family": made["family"]}
    if fixed is not None and "epochs" in fixed:
        made["steps"] = _epochs(fixed["epochs"], made, facts)
    sections[section] = made
    return replace(facts, decided=decided)


def _fixed(section: str, facts: Facts) -> dict[str, Decision] | None:
    made = recipe(facts.network)
    if not made:
        return None
    return made.get("preparation.*" if section.startswith("preparation.") else section)


def _epochs(epochs: Decision, made: Mapping[str, Decision], facts: Facts) -> Decision:
    count, size = epochs.value, made["batch"].value
    if not isinstance(count, int) or not isinstance(size, int):
        return epochs
    n = facts.fingerprint.samples
    steps = count * max(1, n // min(size, n))
    return Decision(value=steps, rule=epochs.rule, evidence=f"{count} epochs of {n} training samples")
