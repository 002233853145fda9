"""Images have their channels first and may lie in space."""

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.image import Grid, Image


def test_two_and_three_space_axes() -> None:
    flat = Image(np.zeros((3, 4, 5), np.uint8))
    assert (flat.ndim, flat.channels, flat.size) == (2, 3, (4, 5))
    deep = Image(np.zeros((1, 2, 4, 5), np.int16), modality="CT", units="HU")
    assert (deep.ndim, deep.channels, deep.size) == (3, 1, (2, 4, 5))


@pytest.mark.parametrize("shape", [(4, 5), (5,), (1, 0, 5), (0, 4, 5), (1, 2, 3, 4, 5)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ReadError, match="channels first"):
        Image(np.zeros(shape, np.uint8))


def test_spacing_of_an_oblique_grid() -> None:
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.7, 0.8, 5.0])
    assert Grid(affine).spacing_mm == pytest.approx((0.7, 0.8, 5.0))
