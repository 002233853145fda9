"""Rules for the network over inputs of several kinds: an encoder for each input, side by side."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule


def _family(facts: Facts) -> Decision:
    told = ", ".join(f"{name}: {seen.kind}" for name, seen in facts.fingerprint.inputs.items())
    return Decision(
        value="joint",
        rule="an encoder of its own for each input, their embeddings side by side before the heads; see the sections "
        "encoder",
        evidence=told,
    )


def _dropout(facts: Facts) -> Decision:
    number = next((t.name for t in facts.targets if t.kind == "number"), None)
    return Decision(
        value=0.0 if number is not None else 0.2,
        rule="0.2: no head shall lean on one input alone; none beside a number",
        evidence=f"target {number!r}" if number is not None else "classes",
    )


RULES: dict[str, Rule] = {"family": _family, "dropout": _dropout}
"""Rules of section ``network`` where inputs are of several kinds."""
