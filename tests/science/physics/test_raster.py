"""Drawn shapes against their areas."""

from math import pi

import numpy as np
import pytest

from hounsfield.science.physics.raster import Blob, Capsule, Ellipse, FineGrid, Shape, carve, paint

GRID = FineGrid(64, 2.0, oversampling=4)


@pytest.mark.parametrize(
    ("shape", "area_mm2"),
    [
        (Ellipse(3.3, -7.1, 20.0, 11.0, 0.6), pi * 20 * 11),
        (Ellipse(0.0, 0.0, 30.0, 30.0, exponent=40.0), 3600.0),
        (Capsule(-20.0, -10.0, 15.0, 22.0, 4.0), 8 * np.hypot(35, 32) + pi * 16),
        (Blob(5.0, 5.0, 15.0, 1.5, 0.8, 0.0, ()), pi * 225),
        (Blob(5.0, 5.0, 15.0, 1.0, 0.0, 6.0, ((0.1, 0.3),)), pi * 225 * (1 + 0.1**2 / 2) + pi * 6**2 / 12),
    ],
)
def test_coverage_sums_to_the_area(shape: Shape, area_mm2: float) -> None:
    canvas = np.zeros((256, 256), dtype=np.float32)
    paint(canvas, GRID, shape, value=1.0)
    assert GRID.average(canvas).sum() * GRID.pixel_mm**2 == pytest.approx(area_mm2, rel=0.015)
    assert canvas.max() == pytest.approx(1.0)


def test_shapes_lie_where_they_are_said_to_and_may_leave_the_field() -> None:
    canvas = np.zeros((256, 256), dtype=np.float32)
    paint(canvas, GRID, Ellipse(-30.0, 20.0, 8.0, 8.0), value=1.0)
    rows, columns = np.nonzero(canvas)
    assert GRID.axis_mm[rows].mean() == pytest.approx(-30.0, abs=0.3)
    assert GRID.axis_mm[columns].mean() == pytest.approx(20.0, abs=0.3)
    paint(canvas, GRID, Ellipse(500.0, 500.0, 8.0, 8.0), value=9.0)
    paint(canvas, GRID, Capsule(0.0, -70.0, 0.0, 70.0, 3.0), value=2.0)
    assert canvas.max() == pytest.approx(2.0)


def test_opacity_region_and_carving() -> None:
    canvas, region = np.full((256, 256), 10.0, dtype=np.float32), np.ones((256, 256), dtype=bool)
    carve(region, GRID, Ellipse(0.0, 20.0, 20.0, 20.0))
    paint(canvas, GRID, Ellipse(0.0, 0.0, 40.0, 40.0), value=30.0, opacity=0.5, within=region)
    assert canvas[128, 100] == pytest.approx(20.0)
    assert canvas[128, 168] == pytest.approx(10.0)
