import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.geometry.affines import apply
from hounsfield.geometry.contours import fill, fill_slices
from tests.geometry.test_affines import oblique


def winding_by_hand(polygons: list[Float64Array], size: tuple[int, int]) -> BoolArray:
    """Count for every pixel centre the crossings of a ray to the left, edge by edge."""
    result = np.zeros(size, dtype=bool)
    for y, x in np.ndindex(*size):
        crossings = 0
        for polygon in polygons:
            for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
                if (y0 <= y - 1e-12) != (y1 <= y - 1e-12):
                    crossings += x0 + (y - y0) * (x1 - x0) / (y1 - y0) < x
        result[y, x] = crossings % 2 == 1
    return result


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_any_polygons_are_filled_by_the_even_odd_rule(seed: int) -> None:
    rng = stream(seed, "polygons")
    polygons = [rng.uniform(-4, 16, size=(int(rng.integers(3, 9)), 2)) for _ in range(int(rng.integers(1, 4)))]
    np.testing.assert_array_equal(fill(polygons, (12, 11)), winding_by_hand(polygons, (12, 11)))


def test_a_pixel_belongs_if_its_centre_does() -> None:
    square = np.array([[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]])
    found = fill([square], (5, 6))
    wanted = np.zeros((5, 6), dtype=bool)
    wanted[1:3, 1:4] = True
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(fill([square + 0.4], (5, 6)), wanted)
    np.testing.assert_array_equal(fill([square + np.array([0.6, 0.0])], (5, 6)), np.roll(wanted, 1, axis=1))
    np.testing.assert_array_equal(fill([square[::-1]], (5, 6)), wanted)


def test_areas_that_share_an_edge_share_no_pixel_and_leave_none_out() -> None:
    left = np.array([[0, 0], [4, 0], [4, 6], [0, 6]], dtype=float)
    right = np.array([[4, 0], [8, 0], [8, 6], [4, 6]], dtype=float)
    one, other = fill([left], (8, 10)), fill([right], (8, 10))
    assert not (one & other).any()
    np.testing.assert_array_equal(one | other, fill([np.array([[0, 0], [8, 0], [8, 6], [0, 6]], dtype=float)], (8, 10)))
    assert int(one.sum()) == 24


def test_a_hole_an_island_in_it_and_a_keyhole() -> None:
    def square(half: float) -> Float64Array:
        return np.array([[-half, -half], [half, -half], [half, half], [-half, half]]) + 10

    ring = fill([square(8.5), square(5.5)], (21, 21))
    assert int(ring.sum()) == 17**2 - 11**2
    assert int(fill([square(8.5), square(5.5), square(1.5)], (21, 21)).sum()) == 17**2 - 11**2 + 9
    outer, inner = square(8.5), square(5.5)
    seam = np.concatenate([outer, outer[:1], inner[:1], inner[::-1], outer[:1]])
    np.testing.assert_array_equal(fill([seam], (21, 21)), ring)


def test_the_area_of_a_circle_comes_out_and_lines_enclose_nothing() -> None:
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack([40.25 + 30 * np.cos(angle), 41.7 + 30 * np.sin(angle)], axis=1)
    assert abs(int(fill([circle], (90, 90)).sum()) / (np.pi * 900) - 1) < 0.01
    assert not fill([circle[:2], np.zeros((0, 2))], (90, 90)).any()


def test_contours_in_mm_find_their_slices_also_on_a_sheared_grid() -> None:
    affine = oblique(5)
    affine[:3, 2] += 0.4 * affine[:3, 1]
    square = np.array([[1.5, 0.5], [5.5, 0.5], [5.5, 3.5], [1.5, 3.5]])

    def at(z: float) -> Float64Array:
        return apply(affine, np.column_stack([square, np.full(4, z)]))

    slanted = apply(affine, np.column_stack([square, [0.0, 0.0, 2.0, 2.0]]))
    twice = np.roll(at(1.0), 2, axis=0)[::-1]
    found = fill_slices([at(1.0), at(3.02), at(9.0), slanted, twice], affine, (5, 6, 8))
    wanted = np.zeros((5, 6, 8), dtype=bool)
    wanted[[1, 3], 1:4, 2:6] = True
    np.testing.assert_array_equal(found.mask, wanted)
    assert (found.outside, found.slanted, found.repeated) == (1, 1, 1)
    assert found.slices == (1, 3)
    assert found.skipped == (2,)
    with pytest.raises(ValueError, match="flat"):
        fill_slices([], np.zeros((4, 4)), (1, 2, 2))
