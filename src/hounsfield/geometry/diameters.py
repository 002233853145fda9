"""Diameters: how long a piece of a mask is, and how wide across its length, as a radiologist measures it.

A voxel is taken to reach half a step from its centre along each axis, so that a row of n voxels is n steps long and a
single voxel one step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array

_BLOCK = 256


@dataclass(frozen=True)
class Diameters:
    """A longest diameter and the longest across it.

    Parameters
    ----------
    longest_mm, across_mm : float
    slice : int or None
        Index of the slice where they were measured; None of a diameter through the volume.
    ends : numpy.ndarray
        ``2 2`` or ``2 3``: the ends of the longest one, in voxels, in the order of the mask's axes.
    """

    longest_mm: float
    across_mm: float
    slice: int | None
    ends: Float64Array


def plane_diameters(mask: AnyArray, spacing_mm: Sequence[float]) -> Diameters | None:
    """Measure a piece in the slice where it is longest, as RECIST and the WHO criteria do.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``, bool; slices are those along the first axis of a volume.
    spacing_mm : sequence of float
        In the order of the axes.

    Returns
    -------
    Diameters or None
        None of an empty mask. Of equally long slices the first.

    Notes
    -----
    Both are diameters of the convex hull of what is marked in the slice: of a crescent the longest runs from tip to
    tip. The one across is the longest chord of the hull at right angles to the longest diameter, not the width of its
    shadow.

    References
    ----------
    Eisenhauer EA et al. New response evaluation criteria in solid tumours (RECIST 1.1). Eur J Cancer 2009;45:228-247.
    """
    volume = np.asarray(mask).reshape((1, *mask.shape)[-3:]) != 0
    pixel = np.asarray(spacing_mm[-2:], dtype=np.float64)
    best: tuple[float, int, Float64Array, Float64Array] | None = None
    for number in np.flatnonzero(volume.any(axis=(1, 2))).tolist():
        corners = _hull(_rim(volume[number]), pixel)
        length, ends = _longest(corners * pixel)
        if best is None or length > best[0] + 1e-9:
            best = (length, number, corners, ends)
    if best is None:
        return None
    length, number, corners, ends = best
    return Diameters(length, _chord(corners * pixel, ends), number, ends / pixel)


def volume_diameters(mask: AnyArray, spacing_mm: Sequence[float]) -> Diameters | None:
    """Measure a piece through the volume.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``, bool.
    spacing_mm : sequence of float
        In the order of the axes.

    Returns
    -------
    Diameters or None
        None of an empty mask. The diameter across is the longest one of the shadow that the piece throws along its
        longest: of an ellipsoid the second axis.
    """
    inside = np.asarray(mask) != 0
    if inside.ndim == 2:
        return plane_diameters(inside, spacing_mm)
    if not inside.any():
        return None
    step = np.asarray(spacing_mm, dtype=np.float64)
    corners = _hull(_rim(inside), step) * step
    length, ends = _longest(corners)
    along = (ends[1] - ends[0]) / length
    shadow = corners - (corners @ along)[:, None] * along
    return Diameters(length, _longest(shadow)[0], None, ends / step)


def _rim(inside: AnyArray) -> Float64Array:
    """Return points that have the convex hull of the voxels: of each row the first and the last, half a step around."""
    held = np.flatnonzero(inside.reshape(-1, inside.shape[-1]).any(axis=1))
    rows = inside.reshape(-1, inside.shape[-1])[held]
    first, last = rows.argmax(axis=1), rows.shape[1] - 1 - rows[:, ::-1].argmax(axis=1)
    lead = np.stack(np.unravel_index(held, inside.shape[:-1]), axis=1)
    centres = np.concatenate([np.column_stack([lead, first]), np.column_stack([lead, last])]).astype(np.float64)
    halves = np.concatenate([np.eye(inside.ndim), -np.eye(inside.ndim)]) * 0.5
    return np.unique((centres[:, None] + halves).reshape(-1, inside.ndim), axis=0)


def _hull(points: Float64Array, step: Float64Array) -> Float64Array:
    """Return the corners of the convex hull, in voxels; in 2D in their order around it."""
    from scipy.spatial import ConvexHull

    return np.asarray(points[ConvexHull(points * step).vertices])


def _longest(points: Float64Array) -> tuple[float, Float64Array]:
    """Return the largest distance between two points, and the two."""
    best, pair = -1.0, (0, 0)
    for start in range(0, len(points), _BLOCK):
        part = points[start : start + _BLOCK]
        square = ((part[:, None] - points[None]) ** 2).sum(axis=2)
        place = int(square.argmax())
        if square.flat[place] > best + 1e-12:
            best, pair = float(square.flat[place]), (start + place // len(points), place % len(points))
    return float(np.sqrt(best)), points[list(pair)]


def _chord(corners: Float64Array, ends: Float64Array) -> float:
    """Return the longest chord of a convex polygon at right angles to the line between two of its corners.

    The chord's length is concave and linear between corners, so that it is longest at one of them.
    """
    along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across = np.array([-along[1], along[0]])
    t, s = corners @ along, corners @ across
    t1, s1 = np.roll(t, -1), np.roll(s, -1)
    longest = 0.0
    for place in np.unique(t):
        met = (np.minimum(t, t1) <= place) & (place <= np.maximum(t, t1))
        run = t1[met] - t[met]
        level = np.abs(run) < 1e-12
        share = np.where(level, 0.0, (place - t[met]) / np.where(level, 1.0, run))
        crossing = np.concatenate([s[met] + share * (s1[met] - s[met]), s1[met][level]])
        longest = max(longest, float(np.ptp(crossing)))
    return longest
