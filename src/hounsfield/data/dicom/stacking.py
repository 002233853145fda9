"""Stacking: planes of one kind in order along their normal, the affine of the stack, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.data.dicom.planes import SAME_PLACE_MM, Plane
from hounsfield.geometry.affines import lps_to_ras, shear_deg

_UNEVEN = 0.02
"""Share of the distance between slices by which one may lie beside its place; headers round to about 0.01 mm."""
_TILTED_DEG = 0.1
_MOST_NAMED = 8
_USUALLY = 0.5
"""Share of the distances that are the usual one, for longer ones to be gaps in it."""
_SPARSE = 3.0
"""Times its thickness that a slice may be from the next before it is told."""


@dataclass(frozen=True)
class Stack:
    """Planes in order, and the grid they form.

    Parameters
    ----------
    planes : tuple of Plane
        Ascending along the normal (the cross product of row and column direction).
    affine_ras : numpy.ndarray
        4 x 4; of an irregular stack that of its usual distance, good for looking only.
    regular : bool
        Whether all planes lie where the affine says.
    notes : tuple of str
        What a person should know: tilt, gaps, uneven distances, an assumed distance.
    """

    planes: tuple[Plane, ...]
    affine_ras: Float64Array = field(compare=False)
    regular: bool = True
    notes: tuple[str, ...] = ()


def heights(planes: Sequence[Plane]) -> Float64Array:
    """Return how far along the common normal each plane lies, in mm."""
    normal = planes[0].normal
    return np.array([float(np.dot(normal, p.position_lps)) for p in planes])


def places(planes: Sequence[Plane]) -> list[int]:
    """Return for each plane the number of its place: planes at the same height share one; numbered upwards."""
    height = heights(planes)
    order = np.argsort(height, kind="stable")
    steps = np.diff(height[order]) > SAME_PLACE_MM
    numbers = np.concatenate([[0], np.cumsum(steps)])
    result = np.empty(len(planes), dtype=np.int64)
    result[order] = numbers
    return [int(n) for n in result]


def stack(planes: Sequence[Plane]) -> Stack:
    """Put planes at different places in order and find the grid they form.

    Parameters
    ----------
    planes : sequence of Plane
        At least one, parallel, of one size, no two at the same place.

    Notes
    -----
    The third column of the affine is the step from one slice's position to the next, not the normal: of a tilted
    gantry it leans, and the shear stays in the affine. Where slices are missing, the smallest step that all others
    are multiples of is taken for the usual one.
    """
    order = np.argsort(heights(planes), kind="stable")
    ordered = tuple(planes[int(n)] for n in order)
    notes: list[str] = []
    step, regular = _step(ordered, notes)
    first = ordered[0]
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.orientation_lps[:3]) * first.spacing_mm[1]
    affine[:3, 1] = np.array(first.orientation_lps[3:]) * first.spacing_mm[0]
    affine[:3, 2] = step
    affine[:3, 3] = first.position_lps
    tilt = shear_deg(affine)
    apart, thick = float(np.linalg.norm(step)), first.entry.thickness_mm or 0.0
    if regular and len(ordered) > 1 and 0 < _SPARSE * thick < apart:
        notes.append(f"the slices are {apart:.4g} mm apart and {thick:.4g} mm thick: what lies between was not imaged")
    if regular and tilt > _TILTED_DEG:
        notes.append(f"the slices lean by {tilt:.1f} degrees (gantry tilt): kept as a shear in the affine")
    return Stack(ordered, lps_to_ras(affine), regular, tuple(notes))


def _step(planes: tuple[Plane, ...], notes: list[str]) -> tuple[Float64Array, bool]:
    """Return the step from slice to slice (LPS, mm), and whether every slice follows it."""
    if len(planes) == 1:
        depth = planes[0].depth_mm
        if not depth or not np.isfinite(depth) or depth <= 0:
            notes.append("a single slice of unknown thickness: 1 mm is assumed")
            depth = 1.0
        return planes[0].normal * depth, True
    positions = np.array([p.position_lps for p in planes])
    steps = np.diff(positions, axis=0)
    rise = steps @ planes[0].normal
    usual = _usual(rise)
    even = (positions[-1] - positions[0]) / (len(planes) - 1)
    tolerance = max(SAME_PLACE_MM, _UNEVEN * usual)
    line = positions[0] + np.arange(len(planes))[:, None] * even
    if float(np.linalg.norm(positions - line, axis=1).max()) <= tolerance:
        return np.asarray(even), True
    notes.append(_unevenness(planes, rise, usual))
    slant = steps[int(np.argmin(np.abs(rise - usual)))]
    return np.asarray(slant), False


def _usual(rise: Float64Array) -> float:
    """Return the usual distance: the median of those that are not much larger than the smallest."""
    small = rise[rise <= 1.5 * float(np.min(rise))]
    low, middle = float(np.median(small)), float(np.median(rise))
    # one pair of slices too near each other must not make all others look like gaps
    return low if len(small) >= 0.2 * len(rise) or len(rise) < 3 else middle


def _unevenness(planes: tuple[Plane, ...], rise: Float64Array, usual: float) -> str:
    normal = planes[0].normal
    multiples = np.rint(rise / usual)
    whole = np.abs(rise - multiples * usual) <= np.maximum(SAME_PLACE_MM, _UNEVEN * usual) * np.maximum(multiples, 1)
    usually = float((multiples == 1).mean())
    if not whole.all() or (multiples < 1).any() or usually < _USUALLY:
        return f"the slices are unevenly spaced: {rise.min():.3g} to {rise.max():.3g} mm"
    if (multiples == 1).all():
        return "the slices are shifted sideways against each other"
    missing = [
        float(np.dot(normal, p.position_lps)) + usual * (k + 1)
        for p, n in zip(planes[:-1], multiples, strict=True)
        for k in range(min(int(n) - 1, 10_000))
    ]
    named = ", ".join(f"{m:.4g}" for m in missing[:_MOST_NAMED])
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    what = "1 slice is missing" if len(missing) == 1 else f"{len(missing)} slices are missing"
    return f"{what}, at {named}{more} mm along the normal ({usual:.4g} mm apart)"
