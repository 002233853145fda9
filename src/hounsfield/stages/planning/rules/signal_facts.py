"""What rules for signals ask of the facts: what is known of an input, and what was decided of it already."""

from typing import cast

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Facts

MOST_STEPS = 4096
"""Steps that a network looks at in one signal, at most."""


def causal(facts: Facts) -> bool:
    """Whether a plan was asked for that can follow a live series."""
    return "causal" in facts.wishes


def seen_of(facts: Facts, name: str) -> SignalFacts:
    """Return what is known of a signal input."""
    return cast(SignalFacts, facts.fingerprint.inputs[name])


def decided_steps(names: tuple[str, ...], facts: Facts) -> int:
    """Return the most steps that the prepared signals have."""
    found = [facts.decided.get((f"preparation.{name}", "steps")) for name in names]
    return max((int(v) for v in found if isinstance(v, int)), default=MOST_STEPS)


def decided_rate(name: str, facts: Facts) -> float:
    """Return the rate that an input is brought to; 0 where none is known."""
    rate = facts.decided.get((f"preparation.{name}", "rate_hz"))
    return float(rate) if isinstance(rate, int | float) else 0.0


def irregular(names: tuple[str, ...], facts: Facts) -> bool:
    """Whether any of the inputs has irregular times."""
    return any(seen_of(facts, name).irregular for name in names)


def most_leads(names: tuple[str, ...], facts: Facts) -> int:
    """Return how many leads the input has that has most."""
    return max(len(seen_of(facts, name).leads) for name in names)
