"""Planes: single slices with their place in the patient, whether they came as files, frames or tiles of a mosaic."""

from dataclasses import dataclass, replace

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.data.dicom.entries import Entry

NEAR_COSINE = 1e-3
"""Headers give directions with as few as four digits; 0.001 is 0.06 degrees."""
NEAR_SPACING = 1e-3
SAME_PLACE_MM = 0.01
_RIGHT_ANGLE = 0.02
_FARTHEST_MM, _WIDEST_MM = 1e6, 1e4


@dataclass(frozen=True, slots=True)
class Plane:
    """One slice: which pixels, and where they lie.

    Parameters
    ----------
    entry : Entry
        File it is in.
    frame : int
        Number of the frame in the file, from 0.
    tile : int
        Number of the tile in a mosaic, from 0; -1 where the slice is the whole frame.
    size : (int, int)
        ``y x``.
    position_lps : tuple of float
        Centre of the first pixel in mm.
    orientation_lps : tuple of float
        Direction of a row, then of a column.
    spacing_mm : (float, float)
        Between rows, between columns.
    depth_mm : float or None
        Distance to the next slice as the header claims it (between slices, else thickness).
    image_type : tuple of str
    echo_ms, b_value : float or None
    stack : str
        Stack ID of a multi-frame file.
    temporal, acquisition : int or None
    trigger_ms : float or None
    dimensions : tuple of int
        Dimension indices of a frame without those of its place.
    """

    entry: Entry
    frame: int
    tile: int
    size: tuple[int, int]
    position_lps: tuple[float, float, float]
    orientation_lps: tuple[float, float, float, float, float, float]
    spacing_mm: tuple[float, float]
    depth_mm: float | None = None
    image_type: tuple[str, ...] = ()
    echo_ms: float | None = None
    b_value: float | None = None
    stack: str = ""
    temporal: int | None = None
    acquisition: int | None = None
    trigger_ms: float | None = None
    dimensions: tuple[int, ...] = ()

    @property
    def normal(self) -> Float64Array:
        """Unit vector at right angles to the slice, LPS."""
        return normal_of(self.orientation_lps)

    @property
    def order(self) -> tuple[object, ...]:
        """Key for a stable order that no file name decides before an identifier has."""
        entry = self.entry
        number = entry.instance_number if entry.instance_number is not None else 1 << 31
        return (number, entry.sop_uid, entry.path, entry.member, self.frame, self.tile)


def normal_of(orientation: tuple[float, ...]) -> Float64Array:
    """Return the unit vector at right angles to a slice whose row and column directions are given."""
    across = np.cross(np.array(orientation[:3]), np.array(orientation[3:]))
    return np.asarray(across / np.linalg.norm(across), dtype=np.float64)


def fault_of(
    position: tuple[float, ...] | None, orientation: tuple[float, ...] | None, spacing: tuple[float, ...] | None
) -> str:
    """Say in one clause why a place in space cannot be used; empty where it can."""
    if position is None or orientation is None:
        return "no place in space (a plain picture)"
    if not np.isfinite([*position, *orientation]).all():
        return "a position or orientation that is no number"
    if spacing is None or not np.isfinite(spacing).all() or min(spacing) <= 0:
        return "no usable pixel spacing"
    if max(map(abs, position)) > _FARTHEST_MM or max(spacing) > _WIDEST_MM:
        return "a position or spacing that is in no patient"
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    unit = abs(np.linalg.norm(row) - 1) < _RIGHT_ANGLE and abs(np.linalg.norm(column) - 1) < _RIGHT_ANGLE
    if not unit or abs(float(row @ column)) > _RIGHT_ANGLE:
        return "an orientation that is not two directions at right angles"
    return ""


def plane_of(entry: Entry) -> Plane | str:
    """Return the plane of a single-frame file, or in one clause why it has none."""
    position, orientation, spacing = entry.position_lps, entry.orientation_lps, entry.spacing_mm
    fault = fault_of(position, orientation, spacing)
    if fault or position is None or orientation is None or spacing is None:
        return fault
    return Plane(
        entry,
        frame=0,
        tile=-1,
        size=(entry.rows, entry.columns),
        position_lps=position,
        orientation_lps=orientation,
        spacing_mm=spacing,
        depth_mm=entry.between_mm or entry.thickness_mm,
        image_type=entry.image_type,
        echo_ms=entry.echo_time_ms,
        b_value=entry.b_value,
        stack=f"echo {entry.echo_number}" if entry.echo_number is not None else "",
        temporal=entry.temporal_position,
        acquisition=entry.acquisition_number,
        trigger_ms=entry.trigger_time_ms,
    )


def moved(plane: Plane, position: Float64Array, **changes: int) -> Plane:
    """Return a plane at another position (LPS, mm), with another tile or frame where given."""
    x, y, z = (float(v) for v in position)
    return replace(plane, position_lps=(x, y, z), frame=changes.get("frame", plane.frame), tile=changes.get("tile", -1))


def parallel(one: Plane, other: Plane) -> bool:
    """Tell whether two planes have the same directions and the same spacing, within rounding."""
    turned = max(abs(a - b) for a, b in zip(one.orientation_lps, other.orientation_lps, strict=True))
    scaled = max(abs(a / b - 1) for a, b in zip(one.spacing_mm, other.spacing_mm, strict=True))
    return turned <= NEAR_COSINE and scaled <= NEAR_SPACING
