import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture

from hounsfield.core.annotation import Annotation
from hounsfield.core.errors import InputError
from hounsfield.core.image import Image
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


def test_what_the_model_is_unsure_of_is_tinted_where_it_lies() -> None:
    where = source((40, 50))
    plain = answer(where, np.zeros((40, 50), dtype=np.uint8))
    unsure = np.zeros((40, 50), dtype=np.float16)
    unsure[10:20, 30:40] = 1.0
    one, two = (drawn(overlay_png(a, where.image)) for a in (plain, replace(plain, uncertainty=unsure)))
    height = round(SIDE * 40 / 50)
    rows, columns = np.nonzero((one[:height] != two[:height]).any(axis=-1))
    scale = SIDE / 50
    assert (rows.min(), rows.max()) == pytest.approx((10 * scale, 20 * scale), abs=scale)
    assert (columns.min(), columns.max()) == pytest.approx((30 * scale, 40 * scale), abs=scale)
    inside = two[round(15 * scale), round(35 * scale)].astype(int)
    assert inside[0] > inside[2] + 60  # yellow: red without blue
    with pytest.raises(InputError, match="uncertainty"):
        replace(plain, uncertainty=unsure[:-1])


def test_the_tint_of_a_turned_volume_is_on_the_slice_that_is_shown() -> None:
    where = source((6, 40, 50), AXIAL)
    array = np.zeros((6, 40, 50), dtype=np.uint8)
    array[4, 5:9, 5:9] = 1
    unsure = np.zeros(array.shape, dtype=np.float16)
    made = answer(where, array)
    plain = drawn(overlay_png(made, where.image))
    unsure[1] = 1.0  # of another slice
    elsewhere = drawn(overlay_png(replace(made, uncertainty=unsure), where.image))
    np.testing.assert_array_equal(elsewhere[: SIDE * 40 // 50], plain[: SIDE * 40 // 50])
    unsure[4] = 1.0
    assert (drawn(overlay_png(replace(made, uncertainty=unsure), where.image)) != plain)[: SIDE * 40 // 50].any()


def test_what_lies_in_the_lung_is_shown_as_lungs_are() -> None:
    values = np.full((1, 60, 60), 40, dtype=np.int16)
    values[0, 20:50, 20:50] = -850
    values[0, 24:30, 24:30] = -500  # ground glass: as black as the lung around it in a soft-tissue window
    hu = Image(values, modality="CT", units="HU")
    lesion, muscle = np.zeros((2, 60, 60), dtype=np.uint8)
    lesion[24:30, 24:30] = 1
    muscle[2:8, 2:8] = 1
    place = (slice(round(SIDE * 27 / 60), round(SIDE * 28 / 60)),) * 2
    lung = (slice(round(SIDE * 45 / 60), round(SIDE * 46 / 60)),) * 2
    in_lung, in_muscle = (drawn(overlay_png(Annotation(m, ("lesion",)), hu)).astype(int) for m in (lesion, muscle))
    assert in_lung[place].mean() - in_lung[lung].mean() > 30
    assert in_muscle[place].mean() == in_muscle[lung].mean() == 0
