"""Outlines: a mask turned into closed polygons that enclose the centres of its pixels and no others."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array


@dataclass(frozen=True)
class Outline:
    """One closed polygon with the holes inside it.

    Parameters
    ----------
    outer : numpy.ndarray
        ``n 2``: column and row of its corners in pixels, a pixel's centre at whole numbers; closed by itself.
    holes : tuple of numpy.ndarray
        The same of each hole.
    """

    outer: Float64Array
    holes: tuple[Float64Array, ...] = ()

    def keyholed(self) -> Float64Array:
        """Return one polygon ``n 2`` that runs from the outline into every hole and back along the same seam.

        Notes
        -----
        A seam is passed twice and encloses nothing, by the even-odd rule as by the winding number, for holes run the
        other way round. It is the way that the standard gives for structures with holes (DICOM PS3.3 C.8.8.6.3).
        """
        polygon = self.outer
        # the nearest hole first, so that no seam runs through a hole that is not yet joined
        for hole in sorted(self.holes, key=lambda h: float(_apart(self.outer, h).min())):
            distance = _apart(polygon, hole)
            leave, enter = (int(n) for n in np.unravel_index(int(distance.argmin()), distance.shape))
            way = np.concatenate([hole[enter:], hole[: enter + 1]])
            polygon = np.concatenate([polygon[: leave + 1], way, polygon[leave:]])
        return polygon


def outlines(mask: AnyArray) -> tuple[Outline, ...]:
    """Return the outlines of what is marked in a slice.

    Parameters
    ----------
    mask : numpy.ndarray
        ``y x``; 0 is outside.

    Returns
    -------
    tuple of Outline
        The corners lie halfway between a marked pixel and its unmarked neighbour (across a face), so that filling the
        polygons gives the same pixels again. Pixels that touch at a corner only have outlines of their own. Corners in
        the middle of a straight run are left out.

    References
    ----------
    Lorensen WE, Cline HE. Marching cubes. SIGGRAPH 1987 (in two dimensions: marching squares at one half).
    """
    from skimage.measure import find_contours

    inside = np.asarray(mask) != 0
    if not inside.any():
        return ()
    padded = np.pad(inside, 1).astype(np.float64)
    found = [_straightened(line[:-1, ::-1] - 1.0) for line in find_contours(padded, 0.5, fully_connected="low")]
    outer = [line for line in found if _area(line) * _OUTWARD > 0]
    holes = [line for line in found if _area(line) * _OUTWARD < 0]
    held: list[list[Float64Array]] = [[] for _ in outer]
    for hole in holes:
        around = [n for n, line in enumerate(outer) if _holds(line, hole[0])]
        held[min(around, key=lambda n: abs(_area(outer[n])))].append(hole)
    return tuple(Outline(line, tuple(inner)) for line, inner in zip(outer, held, strict=True))


_OUTWARD = 1.0
"""Sign of the area of an outer outline as marching squares runs around it: see `_area`."""


def _area(polygon: Float64Array) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def _holds(polygon: Float64Array, point: Float64Array) -> bool:
    """Tell whether a point that is no corner lies inside a polygon (even-odd rule)."""
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    level = point[1]
    crossed = (y0 <= level) != (y1 <= level)
    at = x0[crossed] + (level - y0[crossed]) * (x1[crossed] - x0[crossed]) / (y1[crossed] - y0[crossed])
    return bool(np.count_nonzero(at > point[0]) % 2)


def _straightened(polygon: Float64Array) -> Float64Array:
    """Return a polygon without the corners at which it does not turn."""
    into, out = polygon - np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0) - polygon
    turns = np.abs(into[:, 0] * out[:, 1] - into[:, 1] * out[:, 0]) > 1e-9
    return np.asarray(polygon[turns])


def _apart(one: Float64Array, other: Float64Array) -> Float64Array:
    """Return the squared distances between the corners of two polygons, ``n m``."""
    return np.asarray(((one[:, None] - other[None]) ** 2).sum(axis=2))
