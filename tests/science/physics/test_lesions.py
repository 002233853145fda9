"""Lesions: measured size, place, density, grade."""

from math import pi

import numpy as np
import pytest

from hounsfield.science.physics.lesions import (
    LESION_TYPES,
    Lesion,
    LesionType,
    distance_inside_mm,
    draw_lesion,
    grade_extent,
    place_lesion,
)
from hounsfield.science.physics.raster import Blob, FineGrid

GRID = FineGrid(100, 2.0)


@pytest.mark.parametrize(("involved", "grade"), [(0.0, 0), (0.001, 1), (0.025, 1), (0.03, 2), (0.06, 2), (0.2, 3)])
def test_grade_follows_the_involved_share(involved: float, grade: int) -> None:
    assert grade_extent(involved) == grade


@pytest.mark.parametrize(("aspect", "diameter"), [(1.0, 30.0), (1.44, 36.0)])
def test_a_smooth_lesion_measures_as_its_ellipse(aspect: float, diameter: float) -> None:
    hu, mask = np.full((300, 300), -850.0, dtype=np.float32), np.zeros((300, 300), dtype=bool)
    lesion = Lesion("nodule", Blob(4.0, -9.0, 15.0, aspect, 0.7, 0.0, ()), 40.0)
    finding = draw_lesion(hu, lesion, grid=GRID, lung=np.ones_like(mask), mask=mask)
    assert finding is not None
    assert finding.diameter_mm == pytest.approx(diameter, abs=1.0)
    assert finding.area_mm2 == pytest.approx(pi * 225, rel=0.02)
    assert mask.sum() * GRID.step_mm**2 == pytest.approx(finding.area_mm2)
    assert np.median(hu[mask]) == pytest.approx(40.0, abs=0.1)


def test_a_lesion_mostly_outside_the_lung_is_not_drawn() -> None:
    hu, mask = np.full((300, 300), -850.0, dtype=np.float32), np.zeros((300, 300), dtype=bool)
    lung = np.zeros_like(mask)
    lung[:, 160:] = True
    lesion = Lesion("consolidation", Blob(0.0, 0.0, 15.0, 1.0, 0.0, 0.0, ()), 40.0)
    assert draw_lesion(hu, lesion, grid=GRID, lung=lung, mask=mask) is None
    assert not mask.any()
    assert hu.max() == -850.0


def test_ground_glass_leaves_vessels_visible() -> None:
    hu, mask = np.full((300, 300), -850.0, dtype=np.float32), np.zeros((300, 300), dtype=bool)
    hu[150, 100:200] = 40.0
    lesion = Lesion("ground-glass", Blob(0.0, 0.0, 15.0, 1.0, 0.0, 6.0, ()), 350.0)
    draw_lesion(hu, lesion, grid=GRID, lung=np.ones_like(mask), mask=mask)
    assert hu[150, 150] == 40.0
    assert hu[155, 150] == pytest.approx(-500.0)


@pytest.mark.parametrize("kind", LESION_TYPES)
def test_places_suit_the_kind_and_lesions_do_not_touch(kind: LesionType) -> None:
    rng = np.random.default_rng(0)
    lung = np.zeros((100, 100), dtype=np.float32)
    lung[10:90, 5:45] = 1.0
    depth = distance_inside_mm(lung, 2.0)
    taken: list[Lesion] = []
    for _ in range(4):
        lesion = place_lesion(kind, 20.0, depth_mm=depth, taken=taken, pixel_mm=2.0, rng=rng)
        if lesion is not None:
            taken.append(lesion)
    assert len(taken) >= 2
    for i, one in enumerate(taken):
        row, column = (round(v / 2.0 + 49.5) for v in (one.outline.y_mm, one.outline.x_mm))
        if kind == "nodule":
            assert depth[row, column] > 8.0
        if kind == "consolidation":
            assert depth[row, column] < 10.0
        for other in taken[:i]:
            apart = np.hypot(one.outline.y_mm - other.outline.y_mm, one.outline.x_mm - other.outline.x_mm)
            assert apart > 20.0


def test_no_room_gives_none() -> None:
    depth = np.zeros((100, 100), dtype=np.float32)
    assert place_lesion("nodule", 20.0, depth_mm=depth, taken=[], pixel_mm=2.0, rng=np.random.default_rng(0)) is None
