"""Shapes in millimetres, drawn on an oversampled grid and averaged over pixel areas."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, cos, floor, sin

import numpy as np
import numpy.typing as npt

Patch = tuple[slice, slice, npt.NDArray[np.float32]]
"""Rows and columns of a fine grid, and the share of each cell that a shape covers, 0 to 1."""


@dataclass(frozen=True)
class FineGrid:
    """A square field of view with `oversampling` cells per pixel and edge; the origin is its centre, y points down.

    Parameters
    ----------
    size : int
        Pixels along y and along x.
    pixel_mm : float
        Edge of a pixel in mm.
    oversampling : int, default 3
        Fine cells per pixel edge; the area of a shape in a pixel is resolved to its square.
    """

    size: int
    pixel_mm: float
    oversampling: int = 3

    @property
    def step_mm(self) -> float:
        """Edge of a fine cell in mm."""
        return self.pixel_mm / self.oversampling

    @cached_property
    def axis_mm(self) -> npt.NDArray[np.float32]:
        """Centres of the fine cells along either axis, shape (y,), in mm."""
        count = self.size * self.oversampling
        return ((np.arange(count) - (count - 1) / 2.0) * self.step_mm).astype(np.float32)

    def around(self, y_mm: float, x_mm: float, reach_mm: float) -> tuple[slice, slice]:
        """Return the rows and columns of fine cells within `reach_mm` of a point, clipped to the field."""
        return self._span(y_mm, reach_mm), self._span(x_mm, reach_mm)

    def _span(self, centre_mm: float, reach_mm: float) -> slice:
        count, step = self.size * self.oversampling, self.pixel_mm / self.oversampling
        low = floor(count / 2.0 + (centre_mm - reach_mm) / step) - 1
        high = ceil(count / 2.0 + (centre_mm + reach_mm) / step) + 1
        return slice(min(max(low, 0), count), min(max(high, 0), count))

    def average(self, fine: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Average fine cells over each pixel: (y * oversampling, x * oversampling) to (y, x)."""
        blocks = fine.astype(np.float32, copy=False).reshape(self.size, self.oversampling, self.size, self.oversampling)
        return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)


@dataclass(frozen=True)
class Ellipse:
    """A superellipse ``|u / rx|^p + |v / ry|^p <= 1``, turned by `angle_rad`; `exponent` p = 2 is an ellipse."""

    y_mm: float
    x_mm: float
    ry_mm: float
    rx_mm: float
    angle_rad: float = 0.0
    exponent: float = 2.0

    def patch(self, grid: FineGrid) -> Patch:
        """Return where the shape lies on the grid."""
        reach = max(self.ry_mm, self.rx_mm) * (1.0 if self.exponent == 2.0 else 2.0**0.5)
        rows, columns = grid.around(self.y_mm, self.x_mm, reach)
        y = (grid.axis_mm[rows] - np.float32(self.y_mm))[:, None]
        x = (grid.axis_mm[columns] - np.float32(self.x_mm))[None, :]
        if self.angle_rad:
            turn_c, turn_s = np.float32(cos(self.angle_rad)), np.float32(sin(self.angle_rad))
            x, y = x * turn_c + y * turn_s, y * turn_c - x * turn_s
        u, v = np.abs(x) / np.float32(self.rx_mm), np.abs(y) / np.float32(self.ry_mm)
        if self.exponent == 2.0:
            return rows, columns, (u * u + v * v <= 1.0).astype(np.float32)
        power = np.float32(self.exponent)
        return rows, columns, (u**power + v**power <= 1.0).astype(np.float32)


@dataclass(frozen=True)
class Capsule:
    """A line from one point to another, as thick as two radii, with round ends and an edge one fine cell soft."""

    y0_mm: float
    x0_mm: float
    y1_mm: float
    x1_mm: float
    radius_mm: float

    def patch(self, grid: FineGrid) -> Patch:
        """Return where the shape lies on the grid."""
        dy, dx = self.y1_mm - self.y0_mm, self.x1_mm - self.x0_mm
        length2 = max(dy * dy + dx * dx, 1e-6)
        rows = grid.around((self.y0_mm + self.y1_mm) / 2, 0.0, abs(dy) / 2 + self.radius_mm + grid.step_mm)[0]
        columns = grid.around(0.0, (self.x0_mm + self.x1_mm) / 2, abs(dx) / 2 + self.radius_mm + grid.step_mm)[1]
        y = (grid.axis_mm[rows] - np.float32(self.y0_mm))[:, None]
        x = (grid.axis_mm[columns] - np.float32(self.x0_mm))[None, :]
        along = np.clip((y * np.float32(dy) + x * np.float32(dx)) / np.float32(length2), 0.0, 1.0)
        distance = np.hypot(y - along * np.float32(dy), x - along * np.float32(dx))
        step = np.float32(grid.step_mm)
        return rows, columns, np.clip((np.float32(self.radius_mm) - distance) / step + np.float32(0.5), 0.0, 1.0)


@dataclass(frozen=True)
class Blob:
    """An ellipse with a wavy, possibly soft edge.

    Parameters
    ----------
    y_mm, x_mm : float
        Centre.
    radius_mm : float
        Geometric mean of the two semi-axes.
    aspect : float
        Long over short axis, at least 1.
    angle_rad : float
        Direction of the long axis, from x towards y.
    edge_mm : float
        Width over which coverage falls from 1 to 0, centred on the edge.
    waves : tuple of (amplitude, phase)
        Relative amplitude and phase of 2, 3, 4, ... lobes around the edge.
    """

    y_mm: float
    x_mm: float
    radius_mm: float
    aspect: float
    angle_rad: float
    edge_mm: float
    waves: tuple[tuple[float, float], ...]

    def patch(self, grid: FineGrid) -> Patch:
        """Return where the shape lies on the grid."""
        ripple = 1.0 + sum(abs(amplitude) for amplitude, _ in self.waves)
        reach = self.radius_mm * self.aspect**0.5 * ripple + self.edge_mm + grid.step_mm
        rows, columns = grid.around(self.y_mm, self.x_mm, reach)
        y = (grid.axis_mm[rows] - self.y_mm)[:, None]
        x = (grid.axis_mm[columns] - self.x_mm)[None, :]
        u = (x * cos(self.angle_rad) + y * sin(self.angle_rad)) / self.aspect**0.5
        v = (y * cos(self.angle_rad) - x * sin(self.angle_rad)) * self.aspect**0.5
        around = np.arctan2(v, u)
        edge = np.full(around.shape, self.radius_mm)
        for lobes, (amplitude, phase) in enumerate(self.waves, start=2):
            edge += self.radius_mm * amplitude * np.cos(lobes * around + phase)
        softness = max(self.edge_mm, grid.step_mm)
        return rows, columns, np.clip((edge - np.hypot(u, v)) / softness + 0.5, 0.0, 1.0).astype(np.float32)


Shape = Ellipse | Capsule | Blob


def paint(
    canvas: npt.NDArray[np.float32],
    grid: FineGrid,
    shape: Shape,
    *,
    value: float,
    opacity: float = 1.0,
    within: npt.NDArray[np.bool_] | None = None,
) -> None:
    """Blend a shape into a fine canvas, in place.

    Parameters
    ----------
    canvas : ndarray of float32, shape (y, x) of the fine grid
        Values in HU; changed.
    grid : FineGrid
        The grid of the canvas.
    shape : Ellipse, Capsule or Blob
        What to draw.
    value : float
        HU of the shape.
    opacity : float, default 1
        Share of the value at full coverage: less than 1 for a structure that only partly crosses the slice.
    within : ndarray of bool, shape (y, x), optional
        Draw only where true.
    """
    rows, columns, cover = shape.patch(grid)
    if opacity != 1.0:
        cover = cover * np.float32(opacity)
    if within is not None:
        cover = cover * within[rows, columns]
    target = canvas[rows, columns]
    target += cover * (np.float32(value) - target)


def carve(region: npt.NDArray[np.bool_], grid: FineGrid, shape: Shape) -> None:
    """Take a shape out of a fine region, in place."""
    rows, columns, cover = shape.patch(grid)
    region[rows, columns] &= cover < 0.5
