import io

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.geometry.affines import reorient
from hounsfield.workflow.overlays import COLOURS, SIDE, overlay

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def pixels(data: bytes) -> AnyArray:
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


def scene() -> tuple[AnyArray, BoolArray]:
    """A bright block on the patient's right, front and top, in 24 x 40 x 32 mm (x y z); and its mask."""
    mask = np.zeros((16, 40, 24), dtype=bool)
    mask[10:14, 28:36, 14:20] = True
    return np.where(mask, 200, -100).astype(np.int16), mask


def where(picture: AnyArray, colour: tuple[int, int, int]) -> tuple[float, float]:
    """Return the middle of what has a colour, as a share of height and width."""
    rows, columns = np.nonzero((picture == np.array(colour)).all(axis=-1))
    return float(rows.mean()) / picture.shape[0], float(columns.mean()) / picture.shape[1]


@pytest.mark.parametrize("way", ["RAS", "LPS", "PIR", "SAL"])
def test_the_outline_lies_where_the_mask_lies_whatever_the_order_of_axes(way: str) -> None:
    values, mask = scene()
    array, affine = reorient(values, AFFINE, way)
    turned, _ = reorient(mask, AFFINE, way)
    data = overlay(Image(array[None], Grid(affine), units="HU"), [turned.astype(bool)])
    straight = overlay(Image(values[None], Grid(AFFINE), units="HU"), [mask])
    assert data == straight
    picture = pixels(data)
    # axial 24 x 40, coronal 24 x 32, sagittal 40 x 32 mm at 384 pixels for 40 mm
    assert picture.shape[0] == SIDE
    first = picture[:, :230]
    # the patient's right is on the left, the front is up
    down, across = where(first, COLOURS[0])
    assert across == pytest.approx(1 - (14 + 20) / 2 / 24, abs=0.03)
    assert down == pytest.approx(1 - (28 + 36) / 2 / 40, abs=0.03)
    coronal = picture[:, 234:464]
    down, across = where(coronal, COLOURS[0])
    assert across == pytest.approx(1 - (14 + 20) / 2 / 24, abs=0.03)
    # the head is up; the view is 32 of 40 mm high and stands in the middle
    assert down == pytest.approx(0.1 + 0.8 * (1 - (10 + 14) / 2 / 16), abs=0.03)


def test_two_masks_have_two_colours_and_the_inside_stays_visible() -> None:
    values, mask = scene()
    other = np.roll(mask, 3, axis=2)
    picture = pixels(overlay(Image(values[None], Grid(AFFINE), units="HU"), [mask, other]))
    for colour in COLOURS[:2]:
        assert (picture == np.array(colour)).all(axis=-1).any()
    bright = (np.abs(picture.astype(int) - round(255 * 360 / 400)).max(axis=-1) <= 1).sum()
    assert bright > 1000


def test_an_empty_mask_and_a_flat_image_are_drawn() -> None:
    flat = Image(np.full((1, 3, 4, 5), 7.0, np.float32), Grid(AFFINE))
    picture = pixels(overlay(flat, [np.zeros((3, 4, 5), dtype=bool)]))
    assert picture.max() == 0
    with pytest.raises(ValueError, match="grid"):
        overlay(Image(np.zeros((1, 3, 4, 5))), [])


def test_very_thin_volumes_give_small_pictures() -> None:
    thin = Image(np.zeros((1, 1, 8, 8), np.int16), Grid(np.diag([0.5, 0.5, 1.0, 1.0])), units="HU")
    assert max(pixels(overlay(thin, [np.ones((1, 8, 8), dtype=bool)])).shape[:2]) <= 3 * SIDE


def test_a_volume_of_few_slices_is_shown_slice_by_slice() -> None:
    values = np.arange(3, dtype=np.int16)[:, None, None] * 100 + np.zeros((3, 50, 60), np.int16)
    mask = np.zeros((3, 50, 60), dtype=bool)
    mask[:, 20:30, 20:30] = True
    picture = pixels(overlay(Image(values[None], Grid(np.eye(4)), units="HU"), [mask]))
    assert picture.shape == (320, 3 * SIDE + 8, 3)
    # from the head down to the feet or the other way: each slice once
    assert len(np.unique(picture[10, 10 :: SIDE + 4][:, 0])) == 3
