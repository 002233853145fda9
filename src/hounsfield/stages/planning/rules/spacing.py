"""Rules for volumes that say how they lie in the patient: orientation, spacing, field of view."""

import math
from dataclasses import dataclass

from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import Decision

ANISOTROPIC = 3.0
"""Ratio of the largest to the smallest spacing from which a volume counts as a stack of thick slices."""
LEAST = 8
SLACK = 0.05
"""Voxels by which a field of view may exceed a size: less than what rounding of spacings makes."""
STEP = 16
"""Larger sizes are multiples of this, so that every stage of a network halves them evenly."""


@dataclass(frozen=True)
class Room:
    """How large a volume may be made.

    Parameters
    ----------
    edge : int
        Largest edge that the budget holds.
    small : int
        Edge up to which volumes keep their own spacing.
    """

    edge: int
    small: int


def orientation(seen: ImageFacts, room: Room) -> Decision:
    """Turn every volume the same way."""
    del seen, room
    return Decision(
        value="RAS",
        rule="axes exchanged and mirrored until they run to the right, to the front and up: how a scanner or converter "
        "laid the voxels down is no property of the patient",
        evidence="every training volume says how it lies",
    )


def spacing_mm(seen: ImageFacts, room: Room) -> Decision:
    """Choose the spacing that volumes are resampled to."""
    own, target = native(seen), chosen(seen, room)
    coarser = any(t > n for t, n in zip(target, own, strict=True))
    ratio = max(own) / min(own)
    rule = "the training part's median spacing"
    if ratio > ANISOTROPIC:
        rule += ", the 10th percentile along the axis of thick slices (Isensee et al., Nat Methods 18, 2021)"
    if coarser:
        rule += (
            "; axes are made coarser, the finest first, until the field of view fits into the largest affordable edge"
        )
    return Decision(
        value=list(target),
        rule=rule,
        evidence=f"median {_mm(seen.spacing_median or ())}, ratio {ratio:.1f}, field of view "
        f"{_mm(seen.extent_high or ())} at the 95th percentile",
    )


def size(seen: ImageFacts, room: Room) -> Decision:
    """Choose the size that holds nearly every training volume at the chosen spacing."""
    target = chosen(seen, room)
    return Decision(
        value=list(_lengths(seen, room)),
        rule="the 95th percentile of the training volumes' field of view at that spacing",
        evidence=f"{_mm(seen.extent_high or ())} of {_mm(target)} each",
    )


def fit(seen: ImageFacts, room: Room) -> Decision:
    """Keep the scale."""
    del room
    return Decision(
        value="centre",
        rule="cut or padded about the centre: a millimetre stays as long in every volume, so that the size of an organ "
        "keeps its meaning",
        evidence=f"field of view from {_mm(seen.extent_low or ())} to {_mm(seen.extent_high or ())}",
    )


def native(seen: ImageFacts) -> tuple[float, ...]:
    """Return the spacing at which a volume is as its scanner made it: the median, finer along thick slices."""
    median, low = seen.spacing_median or (), seen.spacing_low or ()
    thick = max(median)
    if thick / min(median) <= ANISOTROPIC:
        return median
    others = max(m for m in median if m != thick)
    return tuple(max(fine, others) if m == thick else m for m, fine in zip(median, low, strict=True))


def chosen(seen: ImageFacts, room: Room) -> tuple[float, ...]:
    """Return the spacing at which the field of view fits into the edge that can be afforded."""
    own, extent = native(seen), seen.extent_high or ()
    if max(_exact(seen, own)) <= room.small:
        return own
    least = max(extent) / room.edge
    return tuple(round(max(n, least), 4) for n in own)


def _exact(seen: ImageFacts, spacing: tuple[float, ...]) -> tuple[int, ...]:
    return tuple(max(LEAST, math.ceil(e / s - SLACK)) for e, s in zip(seen.extent_high or (), spacing, strict=True))


def _lengths(seen: ImageFacts, room: Room) -> tuple[int, ...]:
    exact = _exact(seen, chosen(seen, room))
    return exact if max(exact) <= room.small else tuple(max(STEP, math.ceil(n / STEP) * STEP) for n in exact)


def _mm(values: tuple[float, ...]) -> str:
    return " x ".join(f"{v:.4g}" for v in values) + " mm"
