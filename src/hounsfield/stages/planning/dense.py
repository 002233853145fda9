"""The draft of a plan for dense answers: all rules applied in order."""

from collections.abc import Mapping
from dataclasses import replace

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.dense import answering, loss, network, shape, structures, training

Sections = dict[str, dict[str, Decision]]


def draft_dense(facts: Facts) -> Sections:
    """Decide everything that needs no measurement.

    Parameters
    ----------
    facts : Facts

    Returns
    -------
    dict
        Section to key to decision: ``structures.<target>``, ``preparation``, ``patch``, ``network``, ``loss``,
        ``augmentation``, ``optimisation``, ``ensemble``, ``prediction``, ``operating_point``, ``baselines``.

    Raises
    ------
    CohortError
        If hardly any training mask marks anything.
    """
    sections: Sections = {}
    for target in facts.targets:
        facts = _decide(sections, f"structures.{target.name}", structures.rules(target), facts)
    for name, rules in (
        ("preparation", shape.PREPARATION),
        ("patch", shape.PATCH),
        ("network", network.NETWORK),
        ("loss", loss.LOSS),
        ("augmentation", training.AUGMENTATION),
        ("optimisation", training.OPTIMISATION),
        ("ensemble", training.ENSEMBLE),
        ("prediction", answering.PREDICTION),
        ("operating_point", answering.JUDGING),
        ("baselines", answering.BASELINES),
    ):
        facts = _decide(sections, name, rules, facts)
    return sections


def redecide_dense(sections: Sections, facts: Facts) -> Sections:
    """Decide ensemble and optimisation again, once it is known how many steps fit.

    Parameters
    ----------
    sections : mapping
        A draft.
    facts : Facts
        With ``cost/total_steps`` or ``cost/allowed_steps`` and all decisions so far.
    """
    fresh = dict(sections)
    facts = _decide(fresh, "ensemble", training.ENSEMBLE, facts)
    _decide(fresh, "optimisation", training.OPTIMISATION, facts)
    return fresh


def _decide(sections: Sections, section: str, rules: Mapping[str, Rule], facts: Facts) -> Facts:
    decided = dict(facts.decided)
    made: dict[str, Decision] = {}
    for key, rule in rules.items():
        decision = rule(replace(facts, decided=decided))
        made[key] = decision
        decided[(section, key)] = decision.value
    sections[section] = made
    return replace(facts, decided=decided)
