import numpy as np
import pytest

from hounsfield.geometry.affines import reorient
from hounsfield.geometry.grids import corners, difference, farthest_mm, same_grid

SIZE = (4, 5, 6)
AFFINE = np.array([[0.7, 0, 0, -10], [0, 0.7, 0, 20], [0, 0, 2.5, 30], [0, 0, 0, 1.0]])


def test_corners_are_the_outermost_centres() -> None:
    found = corners(AFFINE, SIZE)
    assert found.shape == (8, 3)
    np.testing.assert_allclose(found.max(axis=0) - found.min(axis=0), [0.7 * 5, 0.7 * 4, 2.5 * 3])


def test_rounding_in_a_header_is_no_difference() -> None:
    other = AFFINE + np.array([[1e-5, 0, 0, 0.003], [0, 0, 0, 0], [0, 0, -1e-5, 0], [0, 0, 0, 0]])
    assert same_grid(AFFINE, other, (SIZE, SIZE))
    assert 0 < farthest_mm(AFFINE, other, SIZE) < 0.01


def test_a_small_step_adds_up_over_many_slices() -> None:
    other = AFFINE.copy()
    other[2, 2] += 1e-3
    assert same_grid(AFFINE, other, (SIZE, SIZE))
    assert "spacing" in difference(AFFINE, other, ((400, 5, 6), (400, 5, 6)))


@pytest.mark.parametrize(("change", "size", "word"), [
    (np.diag([1, 1, 2, 1.0]), SIZE, "spacing differs: 0.7 x 0.7 x 2.5 and 0.7 x 0.7 x 5 mm"),
    (np.array([[1, 0, 0, 2.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), SIZE, "1.4 mm beside"),
    (np.array([[1, 0.05, 0, 0], [-0.05, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), SIZE, "directions differ"),
    (np.diag([-1, 1, 1, 1.0]), SIZE, "axes run RAS and LAS"),
    (np.eye(4), (4, 5, 7), "size differs: 4 x 5 x 6 and 4 x 5 x 7"),
])  # fmt: skip
def test_what_differs_is_said(change: np.ndarray, size: tuple[int, int, int], word: str) -> None:
    found = difference(AFFINE, AFFINE @ change, (SIZE, size))
    assert word in found
    assert not same_grid(AFFINE, AFFINE @ change, (SIZE, size))


def test_the_same_voxels_in_another_order_are_told_from_other_voxels() -> None:
    array, affine = reorient(np.zeros(SIZE), AFFINE, "PSR")
    found = difference(AFFINE, affine, (SIZE, array.shape))
    assert found == "the same voxels in another order of axes (RAS and PSR)"
