import io

import numpy as np
import pytest
from PIL import Image as Picture

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.annotations.colours import colour
from hounsfield.data.annotations.overlay import SIDE, overlay_png
from hounsfield.geometry.affines import reorient
from tests.data_room.annotations.making import answer, labels, source

AXIAL = np.diag([-0.7, -0.7, 3.0, 1.0])


def drawn(content: bytes) -> AnyArray:
    with Picture.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_the_outline_lies_where_the_mask_is() -> None:
    where = source((40, 50))
    array = np.zeros((40, 50), dtype=np.uint8)
    array[10:20, 30:40] = 1
    picture = drawn(overlay_png(answer(where, array), where.image))
    rows, columns = np.nonzero((picture == colour(0)).all(axis=-1)[: round(SIDE * 40 / 50)])
    scale = SIDE / 50
    assert rows.min() == pytest.approx(10 * scale, abs=3)
    assert rows.max() == pytest.approx(20 * scale, abs=3)
    assert columns.min() == pytest.approx(30 * scale, abs=3)
    assert columns.max() == pytest.approx(40 * scale, abs=3)


@pytest.mark.parametrize("to", ["LPS", "RAS", "LPI", "PSR"])
def test_every_orientation_shows_the_same(to: str) -> None:
    where = source((6, 40, 50), AXIAL)
    array = labels((6, 40, 50))
    wanted = drawn(overlay_png(answer(where, array), where.image))
    turned, affine = reorient(array, AXIAL, to)
    other = source(turned.shape, np.asarray(affine, dtype=np.float64))
    moved, _ = reorient(where.image.array[0], AXIAL, to)
    image = type(where.image)(np.ascontiguousarray(moved)[None], other.image.grid, "MR")
    found = drawn(overlay_png(answer(other, np.ascontiguousarray(turned)), image))
    # the line with the number of the slice speaks of the file's own slices
    np.testing.assert_array_equal(found[: SIDE * 40 // 50], wanted[: SIDE * 40 // 50])


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_nothing_and_long_names(channels: int) -> None:
    where = source((30, 20), channels=channels)
    nothing = drawn(overlay_png(answer(where, np.zeros((30, 20), np.uint8)), where.image))
    assert nothing.shape[2] == 3
    array = np.ones((30, 20), dtype=np.uint8)
    overlay_png(answer(where, array, ("x" * 300,)), where.image)
    overlay_png(answer(where, array, ("\x00\n",)), where.image)


def test_a_long_thin_image_and_values_that_are_no_numbers() -> None:
    affine: Float64Array = np.diag([1.0, 1.0, 50.0, 1.0])
    where = source((2, 3, 900), affine)
    values = where.image.array.astype(np.float32)
    values[0, 0, 0, :5] = np.nan
    image = type(where.image)(values, where.image.grid, "MR")
    picture = drawn(overlay_png(answer(where, np.ones((2, 3, 900), np.uint8)), image))
    assert max(picture.shape) <= SIDE + 200
