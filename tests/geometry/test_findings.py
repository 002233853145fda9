import math

import numpy as np
import pytest

from hounsfield.core.types import Float64Array
from hounsfield.geometry.affines import reorient
from hounsfield.geometry.findings import findings, midline_mm, side


def turned(degrees: float, steps: tuple[float, float, float]) -> Float64Array:
    """Return an affine turned about two axes, x y z steps in mm."""
    a = math.radians(degrees)
    one = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    two = np.array([[1, 0, 0], [0, math.cos(a), -math.sin(a)], [0, math.sin(a), math.cos(a)]])
    affine = np.eye(4)
    affine[:3, :3] = one @ two @ np.diag(steps)
    affine[:3, 3] = (-20.0, 30.0, 7.0)
    return affine


def test_a_box_on_an_oblique_grid() -> None:
    affine = turned(25, (0.5, 0.8, 3.0))
    mask = np.zeros((6, 30, 30), dtype=bool)
    mask[1:4, 5:15, 8:28] = True
    mask[5, 2, 2] = True
    values = np.zeros(mask.shape)
    values[1:4] = np.array([1.0, 2.0, 3.0])[:, None, None]
    big, small = findings(mask, affine, values=values)
    assert big.component.voxels == 600
    assert big.volume_mm3 == pytest.approx(600 * 0.5 * 0.8 * 3.0)
    assert big.area_mm2 is None
    # half steps reach past the centres along one axis at a time
    assert big.longest_mm == pytest.approx(max(math.hypot(20 * 0.5, 9 * 0.8), math.hypot(19 * 0.5, 10 * 0.8)))
    assert big.slice == 1
    assert big.centroid == (2.0, 9.5, 17.5)
    assert big.centroid_ras == pytest.approx(tuple((affine @ [17.5, 9.5, 2.0, 1.0])[:3]))
    assert big.mean == 2.0
    assert big.std == pytest.approx(math.sqrt(2 / 3))
    assert (small.component.voxels, small.slice) == (1, 5)


def test_volumes_are_right_on_a_sheared_grid() -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 0.6
    (found,) = findings(np.ones((2, 3, 4), dtype=bool), affine)
    assert found.volume_mm3 == pytest.approx(24 * 2.0)


def test_a_flipped_grid_moves_nothing_in_the_patient() -> None:
    affine = turned(10, (0.5, 0.8, 3.0))
    mask = np.zeros((6, 30, 30), dtype=bool)
    mask[1:4, 5:15, 8:28] = True
    other, there = reorient(mask, affine, "PIR")
    (one,), (two,) = findings(mask, affine), findings(other, there)
    assert one.centroid_ras == pytest.approx(two.centroid_ras)
    assert one.volume_mm3 == pytest.approx(two.volume_mm3)
    assert one.longest_3d_mm == pytest.approx(two.longest_3d_mm)


def test_without_a_scale_nothing_is_said_in_millimetres() -> None:
    mask = np.zeros((8, 8), dtype=bool)
    mask[2:4, 2:5] = True
    (found,) = findings(mask, None)
    assert (found.volume_mm3, found.area_mm2, found.longest_mm, found.centroid_ras) == (None, None, None, None)
    (scaled,) = findings(mask, np.diag([2.0, 3.0, 1.0, 1.0]))
    assert (scaled.area_mm2, scaled.longest_3d_mm) == (36.0, None)


def body(shift: int = 0, width: int = 40) -> np.ndarray:
    """Return a CT of a trunk in air, ``z y x``, 5 mm pixels."""
    y, x = np.indices((50, 80))
    plane = np.where(((x - 40 - shift) / (width / 2)) ** 2 + ((y - 25) / 15) ** 2 < 1, 40, -1000)
    return np.repeat(plane[None], 6, axis=0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_side_is_the_patients(sign: float) -> None:
    affine = np.diag([5.0 * sign, 5.0, 5.0, 1.0])
    middle = midline_mm(body(3), affine, air=-300)
    assert middle == pytest.approx(sign * 5.0 * 43, abs=3)
    assert side((sign * 5.0 * 30, 0, 0), middle) == ("left" if sign > 0 else "right")
    assert side((sign * 5.0 * 60, 0, 0), middle) == ("right" if sign > 0 else "left")
    assert side((sign * 5.0 * 43, 0, 0), middle) == "middle"


def test_no_middle_is_made_up() -> None:
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    assert midline_mm(body(25), affine, air=-300) is None  # reaches the edge of the image
    assert midline_mm(body(width=20), affine, air=-300) is None  # a limb
    assert midline_mm(np.zeros((6, 50, 80)), affine) is None
    assert side(None, 3.0) == side((1.0, 2.0, 3.0), None) == ""
