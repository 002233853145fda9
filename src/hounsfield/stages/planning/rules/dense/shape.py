"""Rules for the grid that is worked on, and for the patches that are cut from it."""

import math
from collections.abc import Sequence

from hounsfield.core.fingerprint import MaskFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.core.split import INNER_SHARE
from hounsfield.stages.planning.rules import Rule
from hounsfield.stages.planning.rules.dense.slicing import (
    axes_seen,
    in_plane,
    neighbours,
    primary,
    slice_axis,
    slices,
)

THIN = 2.2
"""Marked voxels over those at the border, below which a structure is a line: resizing would break it."""
VOXELS_PER_CORE_MINUTE = {2: 4.0e7, 3: 4.0e7}
"""Voxels of patches that one core learns from in a minute, of the U-Net with 16 channels and bfloat16 in hardware. 0.77
million a second in planes, 0.6 in volumes, were measured on one core of a Sapphire Rapids."""
ACCELERATED = 60.0
EPOCHS = 50.0
"""Times that training should see all of its voxels (busi, first of 5 folds, one seed, alike in cost: Dice .719 at an
edge of 96, .732 at 128, .697 at 160, .721 at 256 behind a stride)."""
EPOCHS_SMALL = 65.0
"""The same where the median image is marked in less than `SMALL` of its area: such a thing has to be found among much
else before its outline matters."""
SMALL = 0.1
PASSES_HALVED = 125.0
"""The same of pictures that the network's first stage halves, as `halved` decides, all networks of a fold together."""
QUICKER = 1.7
"""Pixels a second behind such a stage, with 24 channels, over those of 16 channels without it (busi, one core: 1.02
million against 0.59)."""
EDGES = (96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512)
COARSEST = 2.5
"""Most by which volumes are shrunk for the sake of time."""
STEEP = 2.0
"""Ratio of the coarsest to the finest spacing from which slices are treated apart."""
MOST_VOXELS = {("cpu", 2): 256 * 256, ("cpu", 3): 64 * 64 * 64, ("cuda", 2): 512 * 512, ("cuda", 3): 128 * 128 * 96}
"""Voxels of a patch at most."""
LEAST_BOTTOM = 4
"""Voxels along an axis of the deepest stage at least."""


def masks(facts: Facts) -> list[MaskFacts]:
    """Return what is known of the masks of all targets."""
    return [facts.fingerprint.targets[t.name].mask or MaskFacts() for t in facts.targets]


def thin(facts: Facts) -> bool:
    """Return whether something is a line rather than a body."""
    return any(0 < found.fill < THIN for found in masks(facts))


def halved(facts: Facts) -> bool:
    """Return whether the network's first stage halves pictures: where a small thing has to be found in little time."""
    seen = primary(facts)
    if seen.ndim != 2 or thin(facts) or facts.budget.device != "cpu":
        return False
    rare = min((f.share for f in masks(facts)), default=0.0)
    return 0.0 < rare < SMALL and power(facts) < math.prod(seen.size_median) * _counted(facts) * EPOCHS_SMALL


def _counted(facts: Facts) -> int:
    return max(facts.fingerprint.samples, 50)


def trained(facts: Facts) -> float:
    """Return how many samples one network learns from; of folds, what they leave it."""
    folds = int(facts.wishes.get("folds", "0"))
    share = (1.0 - INNER_SHARE) * (folds - 1) / folds if folds > 1 else 1.0
    return max(facts.fingerprint.samples * share, 50.0)


def power(facts: Facts) -> float:
    """Return the voxels of patches that a member can learn from within the minutes."""
    minutes = facts.budget.minutes if facts.budget.minutes is not None else 60.0
    cores = max(1, facts.budget.threads) * (ACCELERATED if facts.budget.device == "cuda" else 1.0)
    slow = 1.0 if facts.machine.bfloat16 or facts.budget.device == "cuda" else 0.4
    folds = max(1, int(facts.wishes.get("folds", "0")))
    return 0.8 * minutes * cores * slow * VOXELS_PER_CORE_MINUTE[axes_seen(facts)] / folds


def _ndim(facts: Facts) -> Decision:
    seen = primary(facts)
    return Decision(value=seen.ndim, rule="as many space axes as the images have", evidence=f"{seen.ndim}D")


def _channels(facts: Facts) -> Decision:
    found: dict[str, PlanValue] = {
        name: seen.channels if seen.ndim == 2 else seen.stored_channels
        for name, seen in facts.fingerprint.images.items()
    }
    return Decision(
        value=found,
        rule="all images of a case enter together; of pictures 3 channels only where most have real colour, of volumes "
        "as many as they have",
        evidence=", ".join(f"{n}: {s.colour_share:.0%} in colour" for n, s in facts.fingerprint.images.items()),
    )


def _orientation(facts: Facts) -> Decision:
    placed = primary(facts).ndim == 3 and primary(facts).spacing_median is not None
    return Decision(
        value="RAS" if placed else "stored",
        rule="volumes that say how they lie are turned alike: left is left in all of them",
        evidence="all training volumes have an affine" if placed else "pictures, or volumes without an affine",
    )


def _spacing(facts: Facts) -> Decision:
    seen = primary(facts)
    if seen.ndim == 2 or seen.spacing_median is None:
        return Decision(value=None, rule="only volumes that say so have a spacing", evidence="")
    if slice_axis(facts) is not None:
        return _plane_spacing(facts, seen.spacing_median, seen.extent_median)
    median = list(seen.spacing_median)
    low = list(seen.spacing_low or seen.spacing_median)
    target = [lo if m > STEEP * min(median) and m == max(median) else m for m, lo in zip(median, low, strict=True)]
    factor = 1.0
    if not thin(facts) and seen.extent_median is not None:
        voxels = math.prod(e / t for e, t in zip(seen.extent_median, target, strict=True))
        wanted = (voxels * facts.fingerprint.samples * EPOCHS / power(facts)) ** (1 / 3)
        if voxels <= MOST_VOXELS["cuda" if facts.budget.device == "cuda" else "cpu", 3]:
            wanted = 1.0
        factor = min(COARSEST, max(1.0, wanted))
    if factor < 1.1:
        factor = 1.0
    return Decision(
        value=[round(t * factor, 4) for t in target],
        rule="the median spacing, along slices that lie far apart the 10th percentile (Isensee et al. 2021); of "
        f"volumes larger than a patch coarser, up to {COARSEST:g} times, where {EPOCHS:g} passes over all voxels would "
        "not fit into the minutes",
        evidence=f"median {_by(median)} mm, {facts.fingerprint.samples} training samples, {_budget(facts)}",
    )


def _plane_spacing(facts: Facts, median: tuple[float, ...], extent: tuple[float, ...] | None) -> Decision:
    """Decide the spacing within slices; slices stay where they are."""
    factor = 1.0
    if not thin(facts) and extent is not None:
        plane = math.prod(e / m for e, m in zip(in_plane(extent, facts), in_plane(median, facts), strict=True))
        passes = plane * slices_of(facts) * facts.fingerprint.samples * EPOCHS / power(facts)
        wanted = passes ** (1 / 2) if plane > EDGES[0] ** 2 else 1.0
        factor = min(COARSEST, max(1.0, wanted))
    factor = 1.0 if factor < 1.1 else factor
    across = slice_axis(facts)
    return Decision(
        value=[None if axis == across else round(m * factor, 4) for axis, m in enumerate(median)],
        rule="slices stay where they are; within them the median spacing, of slices larger than a patch coarser, up to "
        f"{COARSEST:g} times, where {EPOCHS:g} passes over all pixels would not fit into the minutes",
        evidence=f"median {_by(median)} mm, {facts.fingerprint.samples} training samples, {_budget(facts)}",
    )


def slices_of(facts: Facts) -> int:
    """Return the median number of slices that volumes are cut into, 1 where they are not."""
    across = slice_axis(facts)
    return 1 if across is None else primary(facts).size_median[across]


def _edge(facts: Facts) -> Decision:
    seen = primary(facts)
    longest = max(seen.size_median)
    if seen.ndim == 3:
        return Decision(value=None, rule="volumes are resampled by their spacing", evidence="3D")
    if thin(facts):
        same = seen.size_low == seen.size_high
        return Decision(
            value=None if same else longest,
            rule="thin structures keep every pixel: the pictures' own size, or their median where sizes differ",
            evidence=f"{min(f.fill for f in masks(facts)):.1f} marked pixels for each at a border",
        )
    small = min(seen.size_median) / longest
    count = _counted(facts)
    rare = min((f.share for f in masks(facts)), default=0.0)
    passes = EPOCHS_SMALL if rare < SMALL else EPOCHS
    if halved(facts):
        passes = PASSES_HALVED / QUICKER * trained(facts) / count
    fitting = [e for e in EDGES if e * e * small * count * passes <= power(facts) and e <= 1.1 * longest]
    chosen = max(fitting, default=min(EDGES[0], max(32, longest)))
    return Decision(
        value=chosen,
        rule=f"the largest edge up to the pictures' own at which {EPOCHS:g} passes over all pixels fit the minutes, "
        f"{EPOCHS_SMALL:g} where less than {SMALL:.0%} of the image is marked, {PASSES_HALVED:g} behind a stage that "
        "halves them",
        evidence=f"median size {_by(seen.size_median)}, {rare:.1%} marked, {count} training samples, {_budget(facts)}",
    )


def _window(facts: Facts) -> Decision:
    found: dict[str, PlanValue] = {}
    said = []
    for place, (name, seen) in enumerate(facts.fingerprint.images.items()):
        own = seen.modality == "CT" or (
            not seen.modality and seen.spacing_median is not None and -4096 <= seen.value_low < -500
        )
        if own and seen.bits > 8:
            inside = masks(facts)[0]
            low, high = (inside.inside_low, inside.inside_high) if place == 0 else (seen.value_low, seen.value_high)
            wide = max(high - low, 200.0)
            found[name] = [round(low - 0.1 * wide, 2), round(low + 1.1 * wide, 2)]
            said.append(f"{name}: {low:g} to {high:g} inside what is marked")
    return Decision(
        value=found,
        rule="CT by the values inside what is marked (0.5th to 99.5th percentile, a tenth wider on either side); "
        "anything else has no unit, and each image is brought to zero mean and unit deviation",
        evidence="; ".join(said) or "no CT numbers",
    )


PREPARATION: dict[str, Rule] = {
    "ndim": _ndim,
    "slices": slices,
    "neighbours": neighbours,
    "channels": _channels,
    "orientation": _orientation,
    "spacing_mm": _spacing,
    "edge": _edge,
    "window": _window,
}
"""Rules of section ``preparation``, in order."""


def prepared_sizes(facts: Facts) -> tuple[list[int], list[int]]:
    """Return the median size, and the largest usual one, of prepared images; of slices without the axis across them."""
    seen = primary(facts)
    spacing, edge = facts.decided.get(("preparation", "spacing_mm")), facts.decided.get(("preparation", "edge"))
    if isinstance(spacing, list) and seen.extent_median is not None and seen.extent_high is not None:
        steps = [float(s) for s in spacing if isinstance(s, int | float)]
        return (
            [max(1, round(e / s)) for e, s in zip(in_plane(seen.extent_median, facts), steps, strict=True)],
            [max(1, round(e / s)) for e, s in zip(in_plane(seen.extent_high, facts), steps, strict=True)],
        )
    if isinstance(edge, int):
        return (
            [max(1, round(n * edge / max(seen.size_median))) for n in seen.size_median],
            [edge] * 2
            if seen.size_low != seen.size_high
            else [round(n * edge / max(seen.size_high)) for n in seen.size_high],
        )
    return [int(n) for n in in_plane(seen.size_median, facts)], [int(n) for n in in_plane(seen.size_high, facts)]


def steps_of(facts: Facts) -> list[float]:
    """Return the relative distance of neighbours along each axis that the network looks along, the least 1."""
    spacing = facts.decided.get(("preparation", "spacing_mm"))
    if not isinstance(spacing, list):
        return [1.0] * axes_seen(facts)
    steps = [float(s) for s in spacing if isinstance(s, int | float)]
    return [s / min(steps) for s in steps]


def strides(size: list[int], steps: list[float], *, most: int) -> list[list[int]]:
    """Return by how much each stage of a U-Net shrinks each axis.

    Parameters
    ----------
    size : list of int
        Voxels that the patch is meant to have.
    steps : list of float
        Relative distance of neighbours.
    most : int
        Stages at most.
    """
    found = [[1] * len(size)]
    edges, steps = [float(n) for n in size], list(steps)
    while len(found) < most:
        finest = (
            min(s for s, e in zip(steps, edges, strict=True) if e >= 2 * LEAST_BOTTOM)
            if any(e >= 2 * LEAST_BOTTOM for e in edges)
            else None
        )
        if finest is None:
            break
        stride = [2 if e >= 2 * LEAST_BOTTOM and s <= STEEP * finest else 1 for s, e in zip(steps, edges, strict=True)]
        if max(stride) == 1:
            break
        found.append(stride)
        edges = [e / n for e, n in zip(edges, stride, strict=True)]
        steps = [s * n for s, n in zip(steps, stride, strict=True)]
    return found


STAGES = 6


def strides_of(facts: Facts, size: list[int]) -> list[list[int]]:
    """Return by how much each stage of this plan's U-Net shrinks each axis of a patch."""
    if not halved(facts):
        return strides(size, steps_of(facts), most=STAGES)
    inner = strides([n // 2 for n in size], steps_of(facts), most=STAGES)
    return [[2] * len(size), *inner[1:]]


def _patch(facts: Facts) -> Decision:
    median, high = prepared_sizes(facts)
    limit = MOST_VOXELS["cuda" if facts.budget.device == "cuda" else "cpu", len(median)]
    whole = [h if h <= 1.25 * m else m for m, h in zip(median, high, strict=True)]
    wanted = [float(n) for n in whole]
    if thin(facts) and len(median) == 2:
        limit = min(limit, 192 * 192)
    factor = min(1.0, (limit / math.prod(wanted)) ** (1 / len(wanted)))
    if factor < 1.0:
        # equal lengths in the patient rather than equal shares of the image
        steps = steps_of(facts)
        side = (limit * math.prod(steps)) ** (1 / len(wanted))
        for _ in range(4):
            wanted = [min(float(n), side / s) for n, s in zip(whole, steps, strict=True)]
            side *= (limit / math.prod(wanted)) ** (1 / len(wanted))
        wanted = [min(float(n), side / s) for n, s in zip(whole, steps, strict=True)]
    divisors = [math.prod(s[a] for s in strides_of(facts, [round(w) for w in wanted])) for a in range(len(wanted))]
    size = [max(d, round(w / d + (0.35 if factor == 1.0 else 0.0)) * d) for w, d in zip(wanted, divisors, strict=True)]
    return Decision(
        value=[*size],
        rule="the whole image where it fits, else equal lengths along all axes, as many voxels as this device learns "
        f"from at a good pace ({limit:,}); divisible by the network's strides",
        evidence=f"prepared size: median {_by(median)}, 95th percentile {_by(high)}",
    )


def _covers(facts: Facts) -> bool:
    size = facts.decided[("patch", "size")]
    median, _ = prepared_sizes(facts)
    return isinstance(size, list) and all(int(s) >= m for s, m in zip(size, median, strict=True) if isinstance(s, int))


def _marked(facts: Facts) -> Decision:
    whole = _covers(facts) and slice_axis(facts) is None
    rare = min((f.share for f in masks(facts)), default=0.0)
    value = 0.0 if whole else 0.5 if rare < 0.02 else 0.33
    return Decision(
        value=value,
        rule="a patch that holds the whole image lies anywhere; else a third of the patches, or half where less than "
        "2 % is marked, are centred near something marked (Isensee et al. 2021: a third)",
        evidence=f"median share marked {rare:.2%}, " + ("patch holds the image" if whole else "patch is part of it"),
    )


def _low_resolution(facts: Facts) -> Decision:
    value = 0.0 if thin(facts) else 0.15
    return Decision(
        value=value,
        rule="some patches as a coarser scan would show them; not where thin structures would vanish",
        evidence="thin structures" if thin(facts) else "no thin structures",
    )


PATCH: dict[str, Rule] = {"size": _patch, "marked": _marked, "low_resolution": _low_resolution}
"""Rules of section ``patch``, in order."""


def _by(size: Sequence[int | float]) -> str:
    return " x ".join(f"{n:g}" for n in size)


def _budget(facts: Facts) -> str:
    return f"{facts.budget.minutes:g} minutes" if facts.budget.minutes is not None else "no limit of time"
