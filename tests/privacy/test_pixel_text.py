"""Drawn letters are found whatever the picture's depth and size; smooth pictures and textures stay untouched."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from hounsfield.core.types import BoolArray
from hounsfield.privacy.pixel_text import text_mask

Grey: TypeAlias = npt.NDArray[np.uint8]


def _tissue(height: int = 200, width: int = 260, seed: int = 1) -> Grey:
    noise = np.random.Generator(np.random.PCG64(seed)).normal(size=(height, width))
    smooth = gaussian_filter(noise, 5) * 8 + noise * 0.05
    grey: Grey = np.clip(90 + 40 * smooth, 0, 200).astype(np.uint8)
    return grey


def _with_text(array: Grey, size: int, ink: int, text: str = "SCHMIDT, ANNA 4711") -> tuple[Grey, BoolArray]:
    pen = Image.new("L", (array.shape[1], array.shape[0]))
    ImageDraw.Draw(pen).text((20, 40), text, fill=255, font=ImageFont.load_default(size))
    share = np.asarray(pen) / 255.0
    return (array * (1 - share) + ink * share).astype(array.dtype), share > 0.5


@pytest.mark.parametrize("size", [10, 12, 16, 20])
@pytest.mark.parametrize("ink", [255, 0])
def test_letters_are_covered(size: int, ink: int) -> None:
    picture, letters = _with_text(_tissue(), size, ink)
    mask = text_mask(picture)
    assert mask[letters].mean() > 0.97
    assert mask.mean() < 0.25


def test_other_scripts_deep_pixels_and_colour() -> None:
    picture, letters = _with_text(_tissue(), 16, 255)
    for other in (
        picture.astype(np.uint16) * 16,
        picture.astype(np.float32) / 7 - 3,
        picture.astype(np.int16) * 9 - 1024,
    ):
        assert text_mask(other)[letters].mean() > 0.97
    colour = np.stack([picture, picture, np.zeros_like(picture)], axis=-1)
    assert text_mask(colour)[letters].mean() > 0.97


def test_large_letters_in_a_large_picture() -> None:
    picture, letters = _with_text(np.full((900, 900), 60, np.uint8), 64, 255, "MILLER 1950")
    assert text_mask(picture)[letters].mean() > 0.97


def test_nothing_is_covered_where_nothing_is_written() -> None:
    for seed in range(6):
        assert text_mask(_tissue(seed=seed)).mean() < 0.01
    ramp = np.tile(np.arange(256, dtype=np.uint8), (200, 1))
    assert not text_mask(ramp).any()
    assert not text_mask(np.zeros((50, 50), np.uint8)).any()


def test_the_same_picture_gives_the_same_mask() -> None:
    picture, _ = _with_text(_tissue(), 14, 255)
    assert np.array_equal(text_mask(picture), text_mask(picture.copy()))
