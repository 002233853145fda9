"""Contours: closed polygons turned into the voxels whose centres they enclose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.geometry.affines import apply, inverse

_FLAT = 0.05
"""Share of a slice step by which the points of one contour may leave their plane."""


def fill(polygons: Sequence[Float64Array], size: tuple[int, int]) -> BoolArray:
    """Return the pixels whose centres lie inside an odd number of polygons.

    Parameters
    ----------
    polygons : sequence of numpy.ndarray
        Each ``n 2``: column and row of its corners, in pixels, a pixel's centre at whole numbers; closed by itself.
    size : (int, int)
        ``y x``.

    Returns
    -------
    numpy.ndarray
        ``y x`` of bool.

    Notes
    -----
    Even-odd rule over all polygons together: a polygon inside another is a hole, one inside the hole is filled again,
    and an outline that runs into its own hole along a seam ("keyhole") is right too. Of centres exactly on an edge
    those on the left and upper side belong to the polygon: areas that share an edge never share a pixel, nor leave one
    out.

    The crossings of each row's centre line with the edges are toggles; a running sum along the row gives the parity.
    """
    rows, columns = size
    toggles = np.zeros((rows, columns + 1), dtype=np.int32)
    for polygon in polygons:
        points = np.asarray(polygon, dtype=np.float64)
        if len(points) < 3:
            continue
        x0, y0 = points[:, 0], points[:, 1]
        x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
        first = np.clip(np.ceil(np.minimum(y0, y1)), 0, rows).astype(np.int64)
        last = np.clip(np.ceil(np.maximum(y0, y1)), 0, rows).astype(np.int64)  # half open: a corner counts once
        counts = last - first
        edge = np.repeat(np.arange(len(points)), counts)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
        crossing = x0[edge] + (row - y0[edge]) * slope
        np.add.at(toggles, (row, np.clip(np.ceil(crossing), 0, columns).astype(np.int64)), 1)
    inside: BoolArray = np.cumsum(toggles[:, :columns], axis=1) % 2 == 1
    return inside


@dataclass(frozen=True)
class Filled:
    """What contours enclose, and what could not be used.

    Parameters
    ----------
    mask : numpy.ndarray
        ``z y x`` of bool.
    outside : int
        Contours on no slice of the grid.
    slanted : int
        Contours that do not lie in one slice.
    repeated : int
        Contours that came twice; the even-odd rule would have deleted both.
    slices : tuple of int
        Slices with a contour, ascending.
    """

    mask: BoolArray
    outside: int = 0
    slanted: int = 0
    repeated: int = 0
    slices: tuple[int, ...] = ()

    @property
    def skipped(self) -> tuple[int, ...]:
        """Slices without a contour between slices with one: drawn on every second slice, or two parts."""
        drawn = set(self.slices)
        return tuple(z for z in range(min(drawn, default=0), max(drawn, default=0)) if z not in drawn)


def fill_slices(contours: Sequence[Float64Array], affine: Float64Array, size: tuple[int, int, int]) -> Filled:
    """Return the voxels whose centres lie inside planar contours.

    Parameters
    ----------
    contours : sequence of numpy.ndarray
        Each ``n 3``: corners in mm, in the frame of the affine.
    affine : numpy.ndarray
        4 x 4 of the grid; may be sheared (gantry tilt).
    size : (int, int, int)
        ``z y x`` of the grid.

    Raises
    ------
    ValueError
        If the affine has no inverse.
    """
    back = inverse(affine)
    by_slice: dict[int, list[Float64Array]] = {}
    seen: set[bytes] = set()
    outside = slanted = repeated = 0
    for contour in contours:
        points = apply(back, contour)
        level = points[:, 2]
        place = round(float(level.mean()))
        if float(np.ptp(level)) > 2 * _FLAT:
            slanted += 1
        elif not 0 <= place < size[0] or abs(float(level.mean()) - place) > 0.5:
            outside += 1
        elif (key := _key(points)) in seen:
            repeated += 1
        else:
            seen.add(key)
            by_slice.setdefault(place, []).append(points[:, :2])
    mask = np.zeros(size, dtype=np.bool_)
    for place, polygons in by_slice.items():
        mask[place] = fill(polygons, size[1:])
    return Filled(mask, outside, slanted, repeated, tuple(sorted(by_slice)))


def _key(points: Float64Array) -> bytes:
    """Return what is the same for the same closed contour, wherever it starts and whichever way it runs."""
    rounded = np.round(points, 4) + 0.0
    return rounded[np.lexsort(rounded.T)].tobytes()
