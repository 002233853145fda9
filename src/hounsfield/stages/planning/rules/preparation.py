"""Rules for bringing images to the network."""

from collections.abc import Callable

from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule, spacing

SMALL = 64
"""Images up to this edge are left at their own size: enlarging adds cost and no information."""
EDGES_2D = (96, 128, 160, 192, 224)
EDGES_3D = (32, 48, 64, 80, 96)
UNLIKE = 3.0
"""Ratio of the 95th to the 5th percentile of the volumes' own brightest values from which they share no unit."""
ASPECT_SPREAD = 1.25
"""Largest ratio of the 95th to the 5th percentile of the aspect for which padding shows the same bars to all."""


def rules(name: str, seen: ImageFacts | None = None, *, own: bool = True) -> dict[str, Rule]:
    """Return the rules of section ``preparation.<name>`` for an image input.

    Parameters
    ----------
    name : str
        Input name.
    seen : ImageFacts or None
        What is known of it: volumes that say how they lie in the patient are turned and resampled.
    own : bool
        Whether the size is the rules' own to decide, and not fixed by a network's protocol.
    """

    def about(rule: Callable[[ImageFacts, Facts], Decision]) -> Rule:
        return lambda facts: rule(facts.fingerprint.images[name], facts)

    def within(rule: Callable[[ImageFacts, spacing.Room], Decision]) -> Rule:
        return about(lambda seen, facts: rule(seen, spacing.Room(edge(seen, facts), SMALL)))

    placed = seen is not None and seen.spacing_median is not None and own
    return {
        "ndim": about(_ndim),
        "channels": about(_channels),
        **({"orientation": within(spacing.orientation), "spacing_mm": within(spacing.spacing_mm)} if placed else {}),
        "size": within(spacing.size) if placed else about(_size),
        "fit": within(spacing.fit) if placed else about(_fit),
        "scale": about(_scale),
        "low": about(_low),
        "high": about(_high),
        "storage": about(_storage),
    }


def _ndim(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    return Decision(value=seen.ndim, rule="as many space axes as the images have", evidence=f"{seen.ndim}D")


def _channels(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    return Decision(
        value=seen.channels,
        rule="3 channels only where most images have real colour",
        evidence=f"{seen.colour_share:.0%} of the training images have colour",
    )


def edge(seen: ImageFacts, facts: Facts) -> int:
    """Return the edge of the network's input, pixels."""
    longest = max(seen.size_median)
    if longest <= SMALL:
        return longest
    edges = EDGES_2D if seen.ndim == 2 else EDGES_3D
    minutes = facts.budget.minutes if facts.budget.minutes is not None else 30.0
    power = minutes * max(facts.machine.cores, 1) * (20.0 if facts.machine.device == "cuda" else 1.0)
    pixels = power * PIXELS_PER_CORE_MINUTE / max(1, int(facts.wishes.get("folds", "0")))
    n = max(facts.fingerprint.samples, 200)

    def fits(wanted: int) -> bool:
        common = wanted <= COMMON or seen.ndim == 3
        return float(wanted**seen.ndim * n) * (EPOCHS if common else EPOCHS_ABOVE) <= pixels

    affordable = [e for e in edges if fits(e) and e <= longest * 1.1]
    return affordable[-1] if affordable else edges[0]


PIXELS_PER_CORE_MINUTE = 2.4e8
"""Training pixels per core and minute of the residual family: 0.11 s per step of 32 images of 128 x 128 behind the
wavelet stem, 0.18 s of 160 x 160 at width 24 behind a large one; one thread, bfloat16 with AVX-512."""
COMMON = 128
EPOCHS = 120.0
"""Epochs that must fit into the budget, over two networks of 60."""
EPOCHS_ABOVE = 1200.0
"""The same above the `COMMON` edge: only where four networks have all that brings anything (300 epochs) already."""


def _size(seen: ImageFacts, facts: Facts) -> Decision:
    side = edge(seen, facts)
    longest = max(seen.size_median)
    if longest <= SMALL:
        shape = [max(8, n) for n in seen.size_median]
        return Decision(
            value=list(shape),
            rule=f"images up to {SMALL} pixels keep their own size",
            evidence=f"median size {_by(seen.size_median)}",
        )
    shape = [min(side, max(16, round(side * n / longest / 16) * 16)) for n in seen.size_median]
    if seen.ndim == 2 and min(shape) / max(shape) > 0.7:
        shape = [side] * 2
    return Decision(
        value=list(shape),
        rule=f"the largest edge up to {COMMON} at which two networks of 60 epochs fit into the budget, in each fold; "
        "larger, not above the images' own, only where four of 300 do: that more pixels bring more than more steps was "
        "seen once only (covid-ct, 600 steps each, one seed: AUC .784 at 128, .796 at 160 for twice the time)",
        evidence=f"median size {_by(seen.size_median)}, {facts.fingerprint.samples} training samples, "
        f"{_budget(facts)} on {facts.machine.cores} cores",
    )


def _fit(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    low, high = (n[-1] / n[-2] for n in (seen.size_low, seen.size_high))
    spread = max(low, high) / min(low, high)
    varied = spread > ASPECT_SPREAD or seen.size_low != seen.size_high
    return Decision(
        value="stretch" if varied else "pad",
        rule="stretch where shapes vary: bars of padding would tell the network the shape of the file, "
        "which is a property of the source and not of the patient",
        evidence=f"5th to 95th percentile of size {_by(seen.size_low)} to {_by(seen.size_high)}",
    )


def _window(seen: ImageFacts) -> tuple[float, float, str, str]:
    if seen.bits <= 8:
        return 0.0, 255.0, "8-bit pictures are used on their whole range", f"{seen.bits} bits"
    if seen.modality == "CT" and seen.value_low < -500:
        return -1000.0, 400.0, "CT in HU: air to contrast-filled vessel", "modality CT, stored values reach air"
    hounsfield = -4096 <= seen.value_low < -500 and seen.value_high < 4096
    if not seen.modality and seen.spacing_median is not None and hounsfield:
        return (
            -1000.0,
            400.0,
            "CT in HU: air to contrast-filled vessel; nothing else is stored from about -1000 to 4000",
            f"modality unknown, percentiles {seen.value_low:g} and {seen.value_high:g}",
        )
    return (
        seen.value_low,
        max(seen.value_high, seen.value_low + 1e-6),
        "the training part's 0.5th to 99.5th percentile",
        f"{seen.bits} bits, percentiles {seen.value_low:g} and {seen.value_high:g}",
    )


def _scale(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    if seen.modality == "MR":
        return Decision(
            value="percentile",
            rule="MR has no unit: each image by its own 0.5th and 99.5th percentile",
            evidence="modality MR",
        )
    if not seen.modality and seen.bits > 8 and seen.brightness_ratio > UNLIKE:
        return Decision(
            value="percentile",
            rule="volumes without a unit whose brightness differs this much share none, as those of MR: each by "
            "its own 0.5th and 99.5th percentile",
            evidence=f"modality unknown, brightest values differ {seen.brightness_ratio:.1f}-fold",
        )
    return Decision(
        value="window",
        rule="one window for all, so that brightness keeps its meaning",
        evidence=seen.modality or "modality unknown",
    )


def _low(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    low, _, rule, evidence = _window(seen)
    return Decision(value=low, rule=rule, evidence=evidence)


def _high(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    _, high, rule, evidence = _window(seen)
    return Decision(value=high, rule=rule, evidence=evidence)


def _storage(seen: ImageFacts, facts: Facts) -> Decision:
    del facts
    return Decision(
        value="uint8" if seen.bits <= 8 else "float16",
        rule="uint8 loses nothing of 8-bit sources; float16 keeps 11 bits of deeper ones",
        evidence=f"{seen.bits} bits",
    )


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in size)


def _budget(facts: Facts) -> str:
    return f"{facts.budget.minutes:g} minutes" if facts.budget.minutes is not None else "no limit of time"
