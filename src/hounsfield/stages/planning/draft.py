"""All rules applied in order: a draft of the plan's sections."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.kinds import INPUT_KINDS, input_kind
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.kinds import planner
from hounsfield.stages.planning.recipes import recipe
from hounsfield.stages.planning.rules import Rule, augmentation, ensemble, joint, judging, optimisation, trees, warmup

Sections = dict[str, dict[str, Decision]]


def draft(facts: Facts) -> Sections:
    """Decide everything that needs no measurement.

    Parameters
    ----------
    facts : Facts
        With the wishes; `facts.decided` may hold measurements in section ``cost``.

    Returns
    -------
    dict
        Section to key to decision, in the order of the rules. Sections: ``preparation.<input>``, ``network`` (and
        ``encoder.<input>`` where inputs are of several kinds), ``augmentation``, ``optimisation``, ``warmup``,
        ``ensemble``, ``operating_point``, ``baselines``, and ``trees`` where there are any.
    """
    sections: Sections = {}
    _check_family(facts)
    _check_causal(facts)
    for name, seen in facts.fingerprint.inputs.items():
        _check_axes(name, facts)
        section = f"preparation.{name}"
        own = "size" not in (_fixed(section, facts) or {})
        facts = _decide(sections, section, planner(seen.kind).preparation(name, facts, own=own), facts)
    facts = _network(sections, facts)
    augmented = augmentation.RULES if facts.fingerprint.images else augmentation.NO_IMAGES
    facts = _decide(sections, "augmentation", augmented, facts)
    facts = _decide(sections, "optimisation", optimisation.RULES, facts)
    facts = _decide(sections, "warmup", warmup.RULES, facts)
    facts = _decide(sections, "ensemble", _together(facts), facts)
    facts = _decide(sections, "operating_point", judging.OPERATING_POINT, facts)
    facts = _decide(sections, "baselines", judging.baselines(facts), facts)
    if judging.grows_trees(facts):
        _decide(sections, "trees", trees.RULES, facts)
    return sections


def _network(sections: Sections, facts: Facts) -> Facts:
    """Decide on the network of one kind of input, or on an encoder for each of several kinds."""
    kinds = facts.fingerprint.kinds
    if len(kinds) == 1:
        names = tuple(facts.fingerprint.inputs)
        return _decide(sections, "network", planner(kinds[0]).network(names, facts), facts)
    for name, seen in facts.fingerprint.inputs.items():
        # the rules of a network read one another's decisions under its name; none of them is one on the joint network
        apart: Sections = {}
        own = replace(facts, network=facts.network if facts.network in planner(seen.kind).families else None)
        _decide(apart, "network", planner(seen.kind).network((name,), own), own)
        sections[f"encoder.{name}"] = apart["network"]
    return _decide(sections, "network", joint.RULES, replace(facts, network=None))


def _together(facts: Facts) -> dict[str, Rule]:
    return ensemble.RULES if set(facts.fingerprint.kinds) == {"image"} else ensemble.OTHERS


def redecide_ensemble(sections: Sections, facts: Facts) -> Sections:
    """Decide again how many networks there are, once it is known how many steps fit in all."""
    fresh: Sections = dict(sections)
    _decide(fresh, "ensemble", _together(facts), facts)
    return fresh


def redecide(sections: Sections, facts: Facts) -> Sections:
    """Decide the optimisation, and the warm-up before it, again once measurements are known."""
    fresh: Sections = dict(sections)
    facts = _decide(fresh, "optimisation", optimisation.RULES, facts)
    _decide(fresh, "warmup", warmup.RULES, facts)
    return fresh


def _check_family(facts: Facts) -> None:
    """Refuse a network that is for a kind of input that the samples do not have."""
    kinds = [name for name in INPUT_KINDS if facts.network in planner(name).families]
    if kinds and not set(kinds).intersection(facts.fingerprint.kinds):
        there = " and ".join(input_kind(k).plural for k in facts.fingerprint.kinds)
        usual = ", ".join(f for k in facts.fingerprint.kinds for f in planner(k).families)
        raise PlanError(
            f"The network {facts.network!r} is for {input_kind(kinds[0]).plural}; the samples have {there}.",
            expected=f"one of {usual}",
            next_step="leave --network out, or write one of these",
        )


def _check_causal(facts: Facts) -> None:
    """Refuse to plan for live series where the samples are none, or with a network that cannot follow one."""
    if "causal" not in facts.wishes:
        return
    seen = list(facts.fingerprint.inputs.values())
    fault = ""
    if len(seen) != 1 or not isinstance(seen[0], SignalFacts):
        there = " and ".join(f"{count} {kind}" for kind, count in Counter(s.kind for s in seen).items())
        fault = f"the samples have {there} as inputs"
    elif seen[0].anchored:
        fault = "the samples are beats, of which the following ones are looked at too"
    elif facts.network not in (None, "recurrent"):
        fault = f"the network {facts.network!r} looks at a whole stretch at once"
    if fault:
        raise PlanError(
            f"A causal plan was asked for, and {fault}.",
            expected="whole signals as the only input, and a recurrent network",
            next_step="leave --causal out, or ask for rhythms, records or stays without --network",
        )


def _check_axes(name: str, facts: Facts) -> None:
    """Refuse a network whose protocol fixes a size of other axes than the images have."""
    size = (_fixed(f"preparation.{name}", facts) or {}).get("size")
    seen = facts.fingerprint.inputs[name]
    if seen.kind != "image":
        return
    axes = seen.ndim
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
    if section == "network" and facts.network and not _planned(facts.network):
        made = {"family": made["family"]}
    if fixed is not None and "epochs" in fixed:
        made["steps"] = _epochs(fixed["epochs"], made, facts)
    sections[section] = made
    return replace(facts, decided=decided)


def _planned(network: str) -> bool:
    """Whether the rules decide the options of a network; another one has its own defaults."""
    return any(network in planner(kind).planned for kind in INPUT_KINDS)


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
