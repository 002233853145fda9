"""What rules for signals ask of the facts: what is known of an input, and what was decided of it already."""

from typing import cast

from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.plan import Facts

MOST_STEPS = 4096
"""Steps that a network looks at in one signal, at most."""
STEPS_PER_CORE_MINUTE = 6e7
"""Time steps of a convolutional network of width 32 that one thread trains on in a minute: 1 microsecond each."""
SLOWER = 8.0
"""How many times longer a recurrent network takes for a step: it cannot begin one before the last is done."""
EPOCHS = 30.0
"""How often a network sees each series at least, to learn from it."""
FEWEST = 200
"""Fewer series than these are counted as so many: a network sees them more often."""


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


def affordable_steps(facts: Facts, *, slower: float) -> int:
    """Return of how many steps a series may be for the budget to hold `EPOCHS` passes over all of them.

    Parameters
    ----------
    facts : Facts
    slower : float
        How many times longer than a convolutional network takes for a step.
    """
    minutes = facts.budget.minutes if facts.budget.minutes is not None else 30.0
    power = minutes * max(facts.machine.cores, 1) * (20.0 if facts.machine.device == "cuda" else 1.0)
    n = max(facts.fingerprint.samples, FEWEST) * max(1, int(facts.wishes.get("folds", "0")))
    return int(power * STEPS_PER_CORE_MINUTE / slower / (EPOCHS * n))
