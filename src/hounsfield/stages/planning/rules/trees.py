"""Rules for boosted trees: how fine they may divide the rows that there are."""

from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule, fixed

FEW, MANY = 200, 10_000
"""Training rows below which trees are stumps, and from which they are larger than usual."""
MOST_LEAST = 20
"""Rows that a leaf of many rows has at least."""
OF_RARER = 4
"""Parts of the rarer answers, one of which is enough for a leaf."""


def rarer(facts: Facts) -> int:
    """Return the number of answers of the rarest kind that trees are asked for, over all targets.

    Notes
    -----
    Of classes and levels the fewest answers that any has, of a label those with or without it, whichever are fewer,
    of a number half of the answers. A class without any answer asks nothing.
    """
    return min((_rarer(seen, facts.fingerprint.samples) for seen in facts.fingerprint.targets.values()), default=0)


def _rarer(seen: TargetFacts, samples: int) -> int:
    known = samples - seen.missing
    if seen.kind == "multilabel":
        return min((min(n, known - n) for n in seen.counts.values() if 0 < n < known), default=known // 2)
    return min((n for n in seen.counts.values() if n), default=known // 2)


def _told(facts: Facts) -> str:
    return f"{facts.fingerprint.samples} training rows, {rarer(facts)} answers of the rarest kind"


def _least(facts: Facts) -> Decision:
    return Decision(
        value=max(2, min(MOST_LEAST, rarer(facts) // OF_RARER)),
        rule="a quarter of the answers of the rarest kind, at least 2 and at most 20: leaves of 20 rows, good for "
        "many, cannot divide 40 rows less an inner fold at all",
        evidence=_told(facts),
    )


def _leaves(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    return Decision(
        value=2 if n < FEW else 8 if n < MANY else 16,
        rule=f"2 below {FEW} rows, so that each tree looks at one variable: what two do together so few do not tell "
        f"(diabetes above its upper third, 40 and 100 rows: AUC .804 and .805 with 2, .785 and .788 with 4); 8 below "
        f"{MANY:,}, else 16 (40,000 drawn rows: .779 with 8, .783 with 16)",
        evidence=_told(facts),
    )


def _rounds(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    return Decision(
        value=100 if n < FEW else 150 if n < MANY else 300,
        rule=f"at most 100 below {FEW} rows, 150 below {MANY:,}, else 300; made are those after which the log loss (of "
        "numbers the squared error) of rows held out inside the training part is least, which may be none",
        evidence=_told(facts),
    )


def _divisions(facts: Facts) -> Decision:
    few = facts.fingerprint.samples < FEW
    return Decision(
        value=3 if few else 1,
        rule=f"below {FEW} rows three divisions into inner folds choose the number of rounds together: what one of "
        "them says is chance; else one",
        evidence=_told(facts),
    )


RULES: dict[str, Rule] = {
    "rounds": _rounds,
    "rate": fixed(
        0.1,
        "0.1 for any number of rows: how far trees go is said by the number of rounds, which is chosen, and a "
        "slower way there costs as many times more",
        _told,
    ),
    "leaves": _leaves,
    "least": _least,
    "penalty": fixed(
        5.0,
        "5 on the squares of leaves: a leaf of few rows says less (one of 4 even ones a sixth of what its rows "
        "say), one of many hardly",
        _told,
    ),
    "share": fixed(
        0.1,
        "every split chooses from a tenth of the numbers, others each time: of many that go together not always "
        "the same",
        _told,
    ),
    "fewest": fixed(8, "from 8 numbers at least, where there are so many", _told),
    "divisions": _divisions,
}
"""Rules of section ``trees``."""
