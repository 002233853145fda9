"""Texture numbers describe an image by itself."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.learn.learners.texture import COARSE, LEVELS, texture
from tests.learn.toys import striped


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 20, 30), (1, 3, 3), (1, 6, 10, 8)], ids=str)
def test_finite_and_of_one_length(shape: tuple[int, ...]) -> None:
    rng = stream(0, "texture")
    one = texture(rng.integers(0, 256, shape).astype(np.uint8))
    flat = texture(np.zeros(shape, np.uint8))
    assert np.isfinite(one).all()
    assert np.isfinite(flat).all()
    assert one.shape == flat.shape
    assert one.dtype == np.float64


def test_length_does_not_depend_on_the_size() -> None:
    assert {len(texture(np.zeros((1, n, n + 3), np.uint8))) for n in (12, 16, 40, 100)} == {len(texture(striped(1)[0]))}


def test_histogram_and_coarse_picture() -> None:
    image = np.zeros((1, 24, 24), np.uint8)
    image[0, 12:] = 255
    found = texture(image)
    coarse = found[: COARSE**2].reshape(COARSE, COARSE)
    np.testing.assert_allclose(coarse[: COARSE // 2 - 1], 0, atol=1e-6)
    np.testing.assert_allclose(coarse[COARSE // 2 + 1 :], 1, atol=1e-6)
    histogram = found[COARSE**2 : COARSE**2 + LEVELS]
    assert histogram[0] == histogram[-1] == 0.5
    assert histogram.sum() == pytest.approx(1.0)


def test_both_storages_say_about_the_same() -> None:
    image = striped(1)[0]
    half = (image.astype(np.float32) / 255).astype(np.float16)
    np.testing.assert_allclose(texture(half)[: COARSE**2], texture(image)[: COARSE**2], atol=1e-3)


def test_grey_in_three_channels_is_grey() -> None:
    image = striped(1)[0]
    np.testing.assert_allclose(texture(np.repeat(image, 3, axis=0)), texture(image), atol=1e-4)
