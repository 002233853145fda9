import numpy as np
import pytest
from skimage.measure import label as reference

from hounsfield.core.streams import stream
from hounsfield.geometry.components import Connectivity, components, label, largest, without_small


@pytest.mark.parametrize(("connectivity", "steps"), [("face", 1), ("edge", 2), ("corner", 3)])
@pytest.mark.parametrize("shape", [(40, 37), (9, 20, 21)])
def test_pieces_are_those_of_scikit_image(connectivity: Connectivity, steps: int, shape: tuple[int, ...]) -> None:
    mask = stream(1, connectivity).random(shape) < 0.25
    numbers, count = label(mask, connectivity=connectivity)
    wanted = reference(mask, connectivity=min(steps, len(shape)))
    assert count == wanted.max()
    np.testing.assert_array_equal(numbers, wanted)


def test_a_diagonal_touch_joins_by_corner_only() -> None:
    mask = np.eye(4, dtype=bool)
    assert [label(mask, connectivity=c)[1] for c in ("face", "edge", "corner")] == [4, 1, 1]
    cube = np.zeros((2, 2, 2), dtype=bool)
    cube[0, 0, 0] = cube[1, 1, 1] = True
    assert [label(cube, connectivity=c)[1] for c in ("face", "edge", "corner")] == [2, 2, 1]


def test_each_piece_has_its_box_and_voxels() -> None:
    mask = np.zeros((3, 10, 10), dtype=bool)
    mask[1, 2:5, 3:7] = True
    mask[2, 8, 8] = True
    first, second = components(mask)
    assert (first.voxels, first.box) == (12, (slice(1, 2), slice(2, 5), slice(3, 7)))
    assert (second.number, second.voxels) == (2, 1)
    np.testing.assert_array_equal(largest(mask), mask & (np.arange(3) == 1)[:, None, None])
    np.testing.assert_array_equal(without_small(mask, 2), largest(mask))
    assert without_small(mask, 13).sum() == 0


def test_nothing_has_no_pieces() -> None:
    mask = np.zeros((4, 5), dtype=bool)
    assert components(mask) == ()
    assert not largest(mask).any()
    assert not without_small(mask, 1).any()


def test_three_hundred_pieces() -> None:
    mask = np.zeros((3, 60, 60), dtype=bool)
    mask[1, ::3, ::4] = True
    assert len(components(mask)) == 300
