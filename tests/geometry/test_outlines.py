import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.measure import grid_points_in_poly

from hounsfield.core.streams import stream
from hounsfield.geometry.contours import fill
from hounsfield.geometry.outlines import outlines


@pytest.mark.parametrize("smooth", [0.0, 1.0, 3.0])
def test_filled_outlines_are_the_mask_again(smooth: float) -> None:
    rng = stream(4, "mask")
    mask = gaussian_filter(rng.normal(size=(50, 61)), smooth) > 0 if smooth else rng.random((50, 61)) < 0.5
    found = outlines(mask)
    assert any(outline.holes for outline in found)
    apart = fill([line for outline in found for line in (outline.outer, *outline.holes)], mask.shape)
    np.testing.assert_array_equal(apart, mask)
    joined = fill([np.round(outline.keyholed(), 4) for outline in found], mask.shape)
    np.testing.assert_array_equal(joined, mask)


def test_a_ring_in_a_ring() -> None:
    y, x = np.indices((60, 60)) - 30
    r = np.hypot(x, y)
    mask = ((r < 28) & (r > 20)) | ((r < 15) & (r > 7))
    found = outlines(mask)
    assert sorted(len(outline.holes) for outline in found) == [1, 1]
    np.testing.assert_array_equal(fill([o.keyholed() for o in found], mask.shape), mask)
    # and by another's rule for the inside of a polygon
    theirs = [grid_points_in_poly(mask.shape, o.keyholed()[:, ::-1]) for o in found]
    np.testing.assert_array_equal(np.logical_or.reduce(theirs), mask)


def test_a_single_pixel_and_a_full_slice() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 3] = True
    (one,) = outlines(mask)
    assert sorted(map(tuple, one.outer)) == [(2.5, 2.0), (3.0, 1.5), (3.0, 2.5), (3.5, 2.0)]
    full = np.ones((4, 6), dtype=bool)
    np.testing.assert_array_equal(fill([o.outer for o in outlines(full)], (4, 6)), full)
    assert outlines(np.zeros((4, 4), dtype=bool)) == ()
