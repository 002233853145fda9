import math

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from hounsfield.core.streams import stream
from hounsfield.geometry.diameters import plane_diameters, volume_diameters


def ellipsoid(size: tuple[int, int, int], axes: tuple[float, float, float], spacing: tuple[float, ...]) -> np.ndarray:
    """Half axes in mm along z, y, x."""
    z, y, x = np.indices(size, dtype=float)
    places = [(p - (n - 1) / 2) * s for p, n, s in zip((z, y, x), size, spacing, strict=True)]
    inside: np.ndarray = sum((p / a) ** 2 for p, a in zip(places, axes, strict=True)) <= 1
    return inside


def test_a_row_of_voxels_is_as_long_as_its_voxels() -> None:
    mask = np.zeros((3, 8, 9), dtype=bool)
    mask[1, 4, 2:7] = True
    found = plane_diameters(mask, (5.0, 0.75, 0.5))
    assert found is not None
    assert (found.longest_mm, found.across_mm, found.slice) == (2.5, 0.75, 1)
    single = plane_diameters(np.ones((1, 1, 1), dtype=bool), (5.0, 2.0, 0.5))
    assert single is not None
    assert (single.longest_mm, single.across_mm) == (2.0, 0.5)


def test_an_ellipse_has_its_axes() -> None:
    spacing = (4.0, 0.5, 0.8)
    mask = ellipsoid((5, 121, 61), (7.0, 27.0, 12.0), spacing)
    plane, volume = plane_diameters(mask, spacing), volume_diameters(mask, spacing)
    assert plane is not None
    assert volume is not None
    assert plane.slice == 2
    assert plane.longest_mm == pytest.approx(54, abs=0.8)
    assert plane.across_mm == pytest.approx(24, abs=0.9)
    assert volume.longest_mm == pytest.approx(54, abs=0.8)
    assert volume.across_mm == pytest.approx(24, abs=0.9)


def test_a_turned_rectangle_has_its_diagonal_and_the_chord_across_it() -> None:
    y, x = np.indices((200, 200)) - 99.5
    turn = math.radians(30)
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    found = plane_diameters((abs(along) <= 60) & (abs(across) <= 20), (1.0, 1.0))
    assert found is not None
    assert found.longest_mm == pytest.approx(math.hypot(120, 40), abs=1.5)
    # the line at right angles to the diagonal meets the long sides: width / cos of the angle between
    assert found.across_mm == pytest.approx(40 / (120 / math.hypot(120, 40)), abs=1.5)


def test_the_longest_is_that_of_all_pairs_of_half_steps() -> None:
    rng = stream(3, "noise")
    for shape, spacing in (((13, 17), (0.7, 1.3)), ((6, 9, 8), (2.0, 0.6, 0.9))):
        mask = rng.random(shape) < 0.1
        centres = np.argwhere(mask).astype(float)
        halves = np.concatenate([np.eye(len(shape)), -np.eye(len(shape))]) / 2
        points = (centres[:, None] + halves).reshape(-1, len(shape)) * spacing
        found = volume_diameters(mask, spacing)
        assert found is not None
        assert found.longest_mm == pytest.approx(pdist(points).max())
        assert np.linalg.norm((found.ends[1] - found.ends[0]) * spacing) == pytest.approx(found.longest_mm)


def test_of_nothing_there_is_no_diameter() -> None:
    assert plane_diameters(np.zeros((2, 3, 4), dtype=bool), (1, 1, 1)) is None
    assert volume_diameters(np.zeros((2, 3, 4), dtype=bool), (1, 1, 1)) is None
