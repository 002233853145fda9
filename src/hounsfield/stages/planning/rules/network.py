"""Rules for the network: family, stem, width, depth, regularisation."""

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.preparation import SMALL

MEDIUM = 160
"""Images up to this edge go through a stem that halves them once."""


def _family(facts: Facts) -> Decision:
    if facts.network:
        return Decision(value=facts.network, rule="asked for by name", evidence=f"--network {facts.network}")
    return Decision(
        value="residual",
        rule="residual convolutions: the family that trains well from nothing on small data (He et al. 2016)",
        evidence=f"{facts.fingerprint.samples} training samples, no pretrained weights",
    )


def _longest(facts: Facts) -> int:
    sizes = [
        value for (section, key), value in facts.decided.items() if key == "size" and section.startswith("preparation")
    ]
    return max((int(n) for s in sizes if isinstance(s, list) for n in s if isinstance(n, int)), default=SMALL + 1)


def _ndim(facts: Facts) -> int:
    return max(seen.ndim for seen in facts.fingerprint.inputs.values())


def _stem(facts: Facts) -> Decision:
    longest = _longest(facts)
    return Decision(
        value="small" if longest <= SMALL else "medium" if longest <= MEDIUM else "large",
        rule=f"full size up to {SMALL} pixels, half the edge up to {MEDIUM}, else a quarter: small findings must "
        "survive the stem (simulated CT of 128 pixels, one seed, 100 validation slices: AUC .94 at half "
        "the edge and width 16, .84 at a quarter and width 24)",
        evidence=f"longest edge {longest}",
    )


def _width(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    width = 24 if n < 1000 else 32
    if _ndim(facts) == 3 or SMALL < _longest(facts) <= MEDIUM:
        width = 16 if n < 1000 else 24
    return Decision(
        value=width,
        rule="24 channels below 1,000 samples, 32 above; a third less where the first stage works on many pixels",
        evidence=f"{n} training samples, {_ndim(facts)}D",
    )


def _depths(facts: Facts) -> Decision:
    small = _longest(facts) <= SMALL
    value: list[int] = [1, 1, 1] if small else [1, 1, 1, 1]
    if facts.fingerprint.samples >= 3000:
        value = [2, 2, 2] if small else [2, 2, 2, 2]
    return Decision(
        value=list(value),
        rule="one block per stage, two from 3,000 samples on; one stage less for small images",
        evidence=f"{facts.fingerprint.samples} training samples, longest edge {_longest(facts)}",
    )


def _pooling(facts: Facts) -> Decision:
    del facts
    return Decision(
        value="mean+max",
        rule="mean and maximum over the image side by side: how much, and whether anywhere; a small finding drowns in "
        "a mean (simulated CT, one seed, 100 validation slices: AUC .95 against .93; no "
        "clear difference on covid-ct, .775 and .779)",
        evidence="",
    )


def _dropout(facts: Facts) -> Decision:
    few = facts.fingerprint.samples < 2000
    number = next((t.name for t in facts.targets if t.kind == "number"), None)
    if number is not None:
        return Decision(
            value=0.0,
            rule="none beside a number: dropped features change the scale of what a linear head adds up",
            evidence=f"target {number!r}",
        )
    return Decision(
        value=0.2 if few else 0.1,
        rule="0.2 below 2,000 samples, 0.1 above (Srivastava et al. 2014)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _norm(facts: Facts) -> Decision:
    several = facts.budget.processes > 1
    return Decision(
        value="group" if several else "batch",
        rule="batch norm; group norm where several processes share a batch and none sees all of it",
        evidence=f"{facts.budget.processes} processes" if several else "one process",
    )


RULES: dict[str, Rule] = {
    "family": _family,
    "stem": _stem,
    "width": _width,
    "depths": _depths,
    "norm": _norm,
    "pooling": _pooling,
    "dropout": _dropout,
}
"""Rules of section ``network``, in order."""
