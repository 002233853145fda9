"""Findings: every piece of a mask measured."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.geometry.affines import apply, closest_axes, spacing_mm
from hounsfield.geometry.components import CONNECTIVITY, Component, Connectivity, components, largest
from hounsfield.geometry.diameters import plane_diameters, volume_diameters

MIDDLE_MM = 5.0
"""A centre nearer than this to the plane through the middle lies in the middle: the plane is not known better."""
AIR_HU = -300.0
"""What is less dense is outside the body, or in its lungs and bowels."""
_NARROWEST_MM = 140.0
_FAINT = 0.1
_MOST = 2_000_000


@dataclass(frozen=True)
class Finding:
    """One piece of a mask, measured.

    Parameters
    ----------
    component : Component
        The piece.
    volume_mm3, area_mm2 : float or None
        Volume of a piece in a volume, area of one in a plane; None where no spacing is known.
    longest_mm, across_mm : float or None
        In the slice where it is longest, and at right angles to that: see `diameters.plane_diameters`.
    longest_3d_mm : float or None
        Through the volume; None in a plane.
    ends : numpy.ndarray
        ``2 2``: row and column of the ends of the longest diameter in its slice, in voxels.
    slice : int
        Index of that slice, from 0; 0 in a plane.
    centroid : tuple of float
        Mean of its voxels in voxels, ``z y x`` or ``y x``.
    centroid_ras : tuple of float or None
        The same in the patient, mm to the right, the front and the head.
    mean, std : float or None
        Of the image's values in it.
    """

    component: Component
    volume_mm3: float | None
    area_mm2: float | None
    longest_mm: float | None
    across_mm: float | None
    longest_3d_mm: float | None
    ends: Float64Array
    slice: int
    centroid: tuple[float, ...]
    centroid_ras: tuple[float, float, float] | None
    mean: float | None = None
    std: float | None = None


def findings(
    mask: AnyArray,
    affine_ras: Float64Array | None,
    *,
    values: AnyArray | None = None,
    connectivity: Connectivity = CONNECTIVITY,
) -> tuple[Finding, ...]:
    """Measure every piece of a mask.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x`` or ``z y x``; 0 is outside.
    affine_ras : numpy.ndarray or None
        4 x 4 of the grid; None where the scale is unknown, and nothing is then said in millimetres.
    values : numpy.ndarray or None
        Of the mask's shape: intensities to be averaged.
    connectivity : {"face", "edge", "corner"}
        What makes voxels one piece.

    Returns
    -------
    tuple of Finding
        The largest first, equal ones in scan order.

    Notes
    -----
    Slices are those along the array's first axis, as they were acquired or stored. Volumes are exact on a sheared grid
    (gantry tilt) too; the longest diameter through the volume takes the slices to be stacked at right angles.
    """
    found = [_measured(piece, affine_ras, values) for piece in components(mask, connectivity=connectivity)]
    return tuple(sorted(found, key=lambda f: -f.component.voxels))


def _measured(piece: Component, affine_ras: Float64Array | None, values: AnyArray | None) -> Finding:
    flat = piece.inside.ndim == 2
    start = np.array([s.start for s in piece.box], dtype=np.float64)
    centre = np.argwhere(piece.inside).mean(axis=0) + start
    steps = None if affine_ras is None else spacing_mm(affine_ras)[::-1]
    used = (1.0,) * piece.inside.ndim if steps is None else steps[-piece.inside.ndim :]
    plane = plane_diameters(piece.inside, used)
    through = None if flat or steps is None else volume_diameters(piece.inside, used)
    if plane is None or plane.slice is None:
        raise ValueError("a component without voxels")
    place = np.zeros(3)
    place[: centre.size] = centre[::-1]
    there = None if affine_ras is None else apply(affine_ras, place[None])[0]
    held = None if values is None else np.asarray(values[piece.box][piece.inside], dtype=np.float64)
    volume = None if affine_ras is None else abs(float(np.linalg.det(np.asarray(affine_ras)[:3, :3])))
    return Finding(
        component=piece,
        volume_mm3=None if flat or volume is None else piece.voxels * volume,
        area_mm2=piece.voxels * used[-1] * used[-2] if flat and steps is not None else None,
        longest_mm=None if steps is None else plane.longest_mm,
        across_mm=None if steps is None else plane.across_mm,
        longest_3d_mm=None if through is None else through.longest_mm,
        ends=plane.ends + start[-2:],
        slice=0 if flat else plane.slice + int(start[0]),
        centroid=tuple(float(v) for v in centre),
        centroid_ras=None if there is None else (float(there[0]), float(there[1]), float(there[2])),
        mean=None if held is None else float(held.mean()),
        std=None if held is None else float(held.std()),
    )


def midline_mm(values: AnyArray, affine_ras: Float64Array, *, air: float | None = None) -> float | None:
    """Return where the middle of the body lies along the axis to the patient's right.

    Parameters
    ----------
    values : numpy.ndarray
        ``z y x``: the image.
    affine_ras : numpy.ndarray
        4 x 4.
    air : float or None
        Values below are outside the body, -300 for CT in HU; None takes a tenth of the way from the 1st to the 99th
        percentile.

    Returns
    -------
    float or None
        mm in RAS; None where it is not known: the body reaches the edge of the image on a side (a part was imaged,
        such as one knee or one temporal lobe), or is narrower than 140 mm (a limb).

    Notes
    -----
    The median of the body's voxels, the largest piece of what is not air. Left and right from it are sides of what was
    imaged, in the patient's own sense; an asymmetric position of the body shifts it by millimetres, and a scan of one
    thigh wide enough to pass for a trunk would be halved wrongly.
    """
    if values.ndim != 3 or min(values.shape) < 2:
        return None
    skip = max(1, int(np.ceil((values.size / _MOST) ** (1 / 3))))
    thin = tuple(slice(None, None, skip if n >= 8 * skip else 1) for n in values.shape)
    part = np.asarray(values[thin], dtype=np.float32)
    if air is None:
        low, high = (float(v) for v in np.percentile(part, [1, 99]))
        air = low + _FAINT * (high - low)
    body = largest(part > air, connectivity="face")
    axis = next(n for n, (toward, _) in enumerate(closest_axes(affine_ras)) if toward == 0)
    edges = np.moveaxis(body, 2 - axis, 0)
    if not body.any() or edges[0].any() or edges[-1].any():
        return None
    steps = [s.step or 1 for s in thin]
    places = (np.argwhere(body) * steps)[:, ::-1].astype(np.float64)
    right = apply(affine_ras, places)[:, 0]
    low, high = (float(v) for v in np.percentile(right, [1, 99]))
    return float(np.median(right)) if high - low >= _NARROWEST_MM else None


def side(centroid_ras: tuple[float, float, float] | None, midline: float | None) -> str:
    """Return ``"right"``, ``"left"`` or ``"middle"`` of the patient, or ``""`` where that is not known."""
    if centroid_ras is None or midline is None:
        return ""
    beside = centroid_ras[0] - midline
    return "middle" if abs(beside) < MIDDLE_MM else "right" if beside > 0 else "left"
