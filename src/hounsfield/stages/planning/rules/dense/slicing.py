"""Rules for whether volumes are judged as volumes (3D), or slice by slice with its neighbours (2.5D) or alone (2D)."""

from collections.abc import Sequence

from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import Decision, Facts

AXES = "zyx"
THICK = 4.0
"""Ratio of the distance of slices to the coarser spacing within them, above which a neighbour shows other anatomy more
than more of the same."""
FEW = 8
"""Slices below which a network of volumes cannot halve their axis once and have four left."""
ALONE = 2
"""Slices up to which there are no neighbours worth the name."""


def primary(facts: Facts) -> ImageFacts:
    """Return what is known of the first input."""
    return next(iter(facts.fingerprint.images.values()))


def slice_axis(facts: Facts) -> int | None:
    """Return the decided axis across slices as a place in ``z y x``; None where volumes are not cut."""
    name = facts.decided.get(("preparation", "slices"))
    return AXES.index(name) if isinstance(name, str) and name else None


def axes_seen(facts: Facts) -> int:
    """Return along how many space axes the network looks, 2 or 3."""
    return 2 if slice_axis(facts) is not None else primary(facts).ndim


def in_plane(values: Sequence[int | float], facts: Facts) -> list[int | float]:
    """Return numbers of the axes ``y x`` or ``z y x`` without that of the axis across slices."""
    across = slice_axis(facts)
    return [v for n, v in enumerate(values) if n != across]


def slices(facts: Facts) -> Decision:
    """Decide across which axis volumes are cut into slices, if at all."""
    seen = primary(facts)
    if seen.ndim == 2:
        return Decision(value="", rule="pictures are planes already (2D)", evidence="2D")
    across, count, ratio = _thickest(seen)
    others = [n for axis, n in enumerate(seen.size_median) if axis != across]
    told = f"{count} slices of {others[0]} x {others[1]} in median"
    if seen.spacing_median is not None:
        told += f", {ratio:.1f} times as far apart as their pixels"
    few = count <= ALONE or (count < FEW and 3 * count <= min(others))
    if few or ratio > THICK:
        how = "one by one (2D)" if count <= ALONE else "each with its neighbours as channels (2.5D)"
        return Decision(
            value=AXES[across],
            rule=f"slices are judged {how}, by a network of planes, where they are fewer than {FEW} (a network of "
            f"volumes could not halve their axis even once) or lie more than {THICK:g} times as far apart as the "
            "pixels within (half of what a cube would hold is interpolated, or other anatomy)",
            evidence=told,
        )
    return Decision(
        value="",
        rule=f"volumes are judged as volumes (3D) where they have {FEW} slices or more, that lie at most {THICK:g} "
        "times as far apart as the pixels within; up to there kernels and strides leave out the axis across slices "
        "at first (Isensee et al. 2021)",
        evidence=told,
    )


def neighbours(facts: Facts) -> Decision:
    """Decide how many slices on either side enter with each."""
    across = slice_axis(facts)
    if across is None:
        return Decision(value=0, rule="only slices have neighbours", evidence=f"{primary(facts).ndim}D")
    count = primary(facts).size_median[across]
    return Decision(
        value=0 if count <= ALONE else 1,
        rule=f"one on either side; none where volumes have {ALONE} slices or fewer",
        evidence=f"{count} slices in median",
    )


def _thickest(seen: ImageFacts) -> tuple[int, int, float]:
    """Return the axis across slices, their number, and the ratio of their distance to the coarser spacing within."""
    if seen.spacing_median is not None:
        steps = seen.spacing_median
        across = max(range(3), key=lambda axis: (steps[axis], -seen.size_median[axis], -axis))
        ratio = steps[across] / max(s for axis, s in enumerate(steps) if axis != across)
        if ratio < THICK:  # alike along all axes: the fewest voxels tell
            fewest = min(range(3), key=lambda axis: seen.size_median[axis])
            if seen.size_median[fewest] < FEW:
                others = [s for axis, s in enumerate(steps) if axis != fewest]
                return fewest, seen.size_median[fewest], steps[fewest] / max(others)
        return across, seen.size_median[across], ratio
    across = min(range(3), key=lambda axis: seen.size_median[axis])
    return across, seen.size_median[across], 1.0
