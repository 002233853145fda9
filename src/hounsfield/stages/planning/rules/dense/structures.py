"""Rules for what is outlined: which number in a file means what."""

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import MaskFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule

LEAST = 2
"""Training masks that must mark something at least."""


def rules(target: TargetSpec) -> dict[str, Rule]:
    """Return the rules of section ``structures.<target>``.

    Parameters
    ----------
    target : TargetSpec
    """
    return {
        "classes": lambda facts: _classes(target, facts),
        "layout": lambda facts: _layout(target, facts),
        "values": lambda facts: _values(target, facts),
    }


def mask_facts(target: TargetSpec, facts: Facts) -> MaskFacts:
    """Return what is known of a target's masks.

    Raises
    ------
    CohortError
        If hardly any of them marks anything.
    """
    found = facts.fingerprint.targets[target.name].mask or MaskFacts()
    marked = facts.fingerprint.samples - found.empty
    if not found.values or marked < LEAST:
        raise CohortError(
            f"{marked} of {facts.fingerprint.samples} training masks of {target.name!r} mark anything.",
            expected=f"at least {LEAST} masks with something marked: 0 is nothing, any other number is",
            next_step="check that these are the masks, and that they were not written empty",
        )
    return found


def _kind(target: TargetSpec, found: MaskFacts) -> str:
    if found.channels > 1:
        return "overlapping"
    return "exclusive" if _declared(target) > 1 or len(found.values) > 1 else "one"


def _declared(target: TargetSpec) -> int:
    """Return the number of declared classes; a data set that declares them counts the background among them."""
    return 0 if target.kind == "boxes" else max(0, len(target.classes) - 1)


def _layout(target: TargetSpec, facts: Facts) -> Decision:
    found = mask_facts(target, facts)
    rule = {
        "overlapping": "each channel of a mask, or class of boxes, is a structure of its own; they may overlap",
        "exclusive": "each number in a mask is a class; a voxel belongs to one at most",
        "one": "one number besides 0: it is there or it is not",
    }[_kind(target, found)]
    return Decision(value=_kind(target, found), rule=rule, evidence=_seen(found))


def _classes(target: TargetSpec, facts: Facts) -> Decision:
    found = mask_facts(target, facts)
    kind = _kind(target, found)
    names: list[PlanValue]
    if target.kind == "boxes":
        names, rule = [*target.classes], "as the table of boxes names them"
    elif kind == "one":
        names = [target.classes[-1] if _declared(target) == 1 else target.name]
        rule = "named after the target"
    elif kind == "exclusive" and _declared(target) > 1:
        names, rule = [*target.classes[1:]], "as the data set declares them, the background first"
    elif kind == "overlapping":
        names = [*target.classes] if len(target.classes) == found.channels else [str(n) for n in range(found.channels)]
        rule = "one for each channel"
    else:
        names, rule = [*found.values], "named after their numbers: the data set does not say what they mean"
    return Decision(value=names, rule=rule, evidence=_seen(found))


def _values(target: TargetSpec, facts: Facts) -> Decision:
    found = mask_facts(target, facts)
    kind = _kind(target, found)
    values: list[PlanValue] = []
    if kind == "overlapping":
        values = [*range(found.channels)]
    elif kind == "exclusive":
        values = [*range(1, _declared(target) + 1)] if _declared(target) > 1 else [int(v) for v in found.values]
    return Decision(
        value=values,
        rule="numbers that occur in training masks, or that are declared; a mask with another one is set aside",
        evidence=_seen(found),
    )


def _seen(found: MaskFacts) -> str:
    listed = ", ".join(f"{v} in {n}" for v, n in list(found.values.items())[:8])
    return f"{found.channels} channel(s); {listed} training masks"
