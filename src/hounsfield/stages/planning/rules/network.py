"""Rules for the network: family, stem, width, depth, regularisation."""

import math

from hounsfield.core.plan import Decision, Facts
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.preparation import SMALL

MEDIUM = 160
"""Images up to this edge have three stages, larger ones four."""
WAVELETS_FROM = 1000
"""Samples from which small images, too, are looked at through wavelets."""
TINY, COARSE = 16, 40
"""Volumes up to these edges go through a stem that leaves their size, or halves it once."""
MICROSECONDS = {(False, 2): 1.35, (False, 3): 2.0, (True, 2): 2.2, (True, 3): 2.2}
"""By large stem and axes: training time per pixel of the first stage and sample at width 16 with one block per stage,
microseconds of one thread (28 and 128 pixels bfloat16, volumes of 28 float32; AVX-512; large stems in 3D assumed)."""


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
    """Return the space axes that the network works on: the 2.5D one encodes slabs of a volume in two dimensions."""
    if facts.network == "slices":
        return 2
    return max(seen.ndim for seen in facts.fingerprint.images.values())


def _stem(facts: Facts) -> Decision:
    longest = _longest(facts)
    if _ndim(facts) == 3:
        return Decision(
            value="small" if longest <= TINY else "medium" if longest <= COARSE else "large",
            rule=f"volumes up to {TINY} voxels at full size, half the edge up to {COARSE}, else a quarter: a volume of "
            "28 costs 44 ms per step and sample at full size and width 16, 5.5 ms at half (measured, one thread)",
            evidence=f"longest edge {longest}, 3D",
        )
    number = next((t.name for t in facts.targets if t.kind == "number"), None)
    if number is not None and longest > SMALL:
        return Decision(
            value="medium" if longest <= MEDIUM else "large",
            rule="beside a number the first layer is learned: how large something is gets lost in the modulus of "
            "wavelets and its logarithm (simulated CT of 128 pixels, one seed, 50 validation slices: mean error of a "
            "diameter 2.7 mm, 4.0 behind wavelets, in equal minutes)",
            evidence=f"target {number!r}",
        )
    if longest <= SMALL and facts.fingerprint.samples < WAVELETS_FROM:
        return Decision(
            value="small",
            rule=f"a learned first layer at full size up to {SMALL} pixels and {WAVELETS_FROM:,} samples (breastmnist, "
            "3 folds, one seed: of 50 s of one thread each, AUC .881 and log loss .36 with it, .869 and .42 behind "
            "wavelets; of 15 s, .866 at full size, .842 and .849 at half)",
            evidence=f"longest edge {longest}, {facts.fingerprint.samples} training samples",
        )
    return Decision(
        value="wavelet",
        rule="edges and textures are fixed wavelets, only what is made of them is learned: some hundred images do not "
        "teach a first layer in minutes (one seed each, training and validation parts only, against a learned stem of "
        "width 16 in equal seconds of one thread: covid-ct, 128 pixels, 3 folds of 50 s: AUC .825 and .757; "
        "pneumoniamnist, 800 images to train on, 30 s: .990 and .986)",
        evidence=f"longest edge {longest}, {facts.fingerprint.samples} training samples",
    )


def _scales(facts: Facts) -> Decision:
    small = _longest(facts) <= SMALL
    return Decision(
        value=2 if small else 3,
        rule=f"two octaves up to {SMALL} pixels, three above: learned layers begin at half or a quarter of the edge",
        evidence=f"longest edge {_longest(facts)}",
    )


def _several_fit(facts: Facts, *, width: int, blocks: int) -> bool:
    """Return whether two networks of this size can see enough images within the minutes."""
    if facts.budget.minutes is None:
        return True
    stem, ndim = str(facts.decided.get(("network", "stem"), "large")), _ndim(facts)
    sizes = [v for (section, key), v in facts.decided.items() if key == "size" and section.startswith("preparation")]
    pixels = sum(math.prod(int(n) for n in size if isinstance(n, int)) for size in sizes if isinstance(size, list))
    octaves = 1 if _longest(facts) <= SMALL else 2
    halvings = {"small": 0, "medium": 1, "large": 2, "wavelet": octaves}.get(stem, 0)
    first = pixels / 2 ** (ndim * halvings)
    seconds = first * MICROSECONDS[stem == "large", ndim] * 1e-6 * (width / 16.0) ** 1.25 * (0.5 + 0.5 * blocks)
    n, folds = facts.fingerprint.samples, max(1, int(facts.wishes.get("folds", "0")))
    power = facts.machine.cores * (20.0 if facts.machine.device == "cuda" else 1.0)
    shown = facts.budget.minutes * 60.0 * 0.85 * power / (2 * folds * max(seconds, 1e-9))
    return bool(shown >= max(30.0 * n, min(60_000.0, 150.0 * n)))


def _sizes(facts: Facts) -> tuple[int, int]:
    """Return width and blocks per stage: the largest that the data can fill and the minutes hold."""
    n = facts.fingerprint.samples
    if _ndim(facts) == 3:
        return 24 if n >= 1000 and _several_fit(facts, width=24, blocks=1) else 16, 1
    if _longest(facts) <= SMALL and n < WAVELETS_FROM:
        return 16, 1
    if facts.decided.get(("network", "stem")) in ("medium", "large"):
        return 16 if n < 1000 else 24, 1
    width = max((w for w in (24, 32) if _several_fit(facts, width=w, blocks=1)), default=16)
    return width, 2 if n >= 3000 and width == 32 and _several_fit(facts, width=width, blocks=2) else 1


def _width(facts: Facts) -> Decision:
    return Decision(
        value=_sizes(facts)[0],
        rule="32 channels in 2D, less where two such networks cannot see 30 epochs and up to 60,000 images within the "
        "minutes; 16 for volumes (24 from 1,000 samples on) and for few small images (breastmnist, 3 folds, 15 s each, "
        "one seed: AUC .866, .861, .858 at 16, 24, 32)",
        evidence=f"{facts.fingerprint.samples} training samples, {_ndim(facts)}D, {_minutes(facts)}",
    )


def _depths(facts: Facts) -> Decision:
    stages = 3 if _longest(facts) <= MEDIUM else 4
    return Decision(
        value=[_sizes(facts)[1]] * stages,
        rule=f"three stages up to {MEDIUM} pixels, four above, of one block each; two blocks from 3,000 samples on "
        "where the minutes hold them",
        evidence=f"{facts.fingerprint.samples} training samples, longest edge {_longest(facts)}, {_minutes(facts)}",
    )


def _minutes(facts: Facts) -> str:
    return f"{facts.budget.minutes:g} minutes" if facts.budget.minutes is not None else "no limit of time"


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
    "scales": _scales,
    "width": _width,
    "depths": _depths,
    "norm": _norm,
    "pooling": _pooling,
    "dropout": _dropout,
}
"""Rules of section ``network``, in order."""
