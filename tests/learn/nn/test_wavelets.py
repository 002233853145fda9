"""The wavelet stem answers to direction and scale, to nothing flat, and learns nothing."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate, correlate1d

from hounsfield.core.errors import PlanError
from hounsfield.core.types import Float64Array
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.nn.table import build
from hounsfield.learn.nn.wavelets import DIRECTIONS, WaveletStem, morlets


def grating(angle: float, frequency: float, *, size: int = 48) -> torch.Tensor:
    place = torch.arange(size, dtype=torch.float32)
    y, x = torch.meshgrid(place, place, indexing="ij")
    return torch.cos(frequency * (math.cos(angle) * x + math.sin(angle) * y))[None, None]


def test_filters_have_no_sum_and_one_size() -> None:
    filters = morlets()
    assert filters.shape == (2 * DIRECTIONS, 1, 7, 7)
    torch.testing.assert_close(filters.sum((1, 2, 3)), torch.zeros(2 * DIRECTIONS), atol=1e-6, rtol=0)
    sizes = filters.reshape(DIRECTIONS, 2, 1, 7, 7).square().sum(1).sqrt().sum((1, 2, 3))
    torch.testing.assert_close(sizes, torch.ones(DIRECTIONS))


@pytest.mark.parametrize("number", range(DIRECTIONS))
def test_the_direction_of_a_grating_answers_most(number: int) -> None:
    stem = WaveletStem(1, ndim=2, scales=1)
    found = stem(grating(math.pi * number / DIRECTIONS, 0.75 * math.pi))
    assert found.shape == (1, DIRECTIONS + 1, 48, 48)
    assert int(found[0, 1:, 8:-8, 8:-8].mean((1, 2)).argmax()) == number


@pytest.mark.parametrize("octave", [0, 1, 2])
def test_the_octave_of_a_grating_answers_most(octave: int) -> None:
    found = WaveletStem(1, ndim=2, scales=3)(grating(0.0, 0.75 * math.pi / 2**octave))
    means = found[0, 1:, 3:-3, 3:-3].mean((1, 2)).reshape(3, DIRECTIONS)
    assert int(means.argmax()) == octave * DIRECTIONS


def test_shape_channels_and_a_flat_image() -> None:
    stem = WaveletStem(3, ndim=2, scales=3)
    found = stem(torch.full((2, 3, 37, 30), 5.0))
    assert found.shape == (2, stem.channels, 10, 8) == (2, 75, 10, 8)
    flat = math.log1p(8.0 * 1e-3)  # what keeps the root's slope finite
    torch.testing.assert_close(
        found[:, 3 : 3 + 3 * DIRECTIONS, 3:-3, 3:-3].max(), torch.tensor(flat), atol=1e-3, rtol=0
    )
    assert list(stem.parameters()) == []
    assert not stem.state_dict()


def test_gradients_reach_the_image() -> None:
    image = torch.randn(1, 1, 24, 24, requires_grad=True)
    WaveletStem(1, ndim=2, scales=2)(image).sum().backward()
    assert image.grad is not None
    assert bool(image.grad.isfinite().all())


def test_as_the_stem_of_a_network() -> None:
    def spec(size: tuple[int, ...]) -> NetworkSpec:
        shape = InputShape(channels=1, ndim=2 if len(size) == 2 else 3, size=size)
        options: dict[str, bool | int | float | str | list[int]] = {"width": 8, "depths": [1, 1], "stem": "wavelet"}
        return NetworkSpec(family="residual", inputs={"x": shape}, heads={"t": 2}, options=options)

    outputs = build(spec((32, 32)), seed=0)({"x": torch.randn(2, 1, 32, 32)}, {})
    assert outputs["embedding"].shape == (2, 16)
    with pytest.raises(PlanError, match="wavelet stem"):
        build(spec((8, 8, 8)), seed=0)


def test_the_stem_is_what_scipy_makes_of_the_formula() -> None:
    image = np.random.default_rng(0).standard_normal((20, 26))
    found = WaveletStem(1, ndim=2, scales=2)(torch.from_numpy(image).float()[None, None])[0].numpy()

    def halved(values: Float64Array) -> Float64Array:
        for axis in (0, 1):
            values = correlate1d(values, [0.25, 0.5, 0.25], axis=axis, mode="constant")
        return values[::2, ::2]

    coarse = halved(image)
    np.testing.assert_allclose(found[0], coarse, atol=1e-5)
    kernels = morlets().double().numpy()[:, 0]
    for octave, plane in enumerate((image, coarse)):
        for direction in range(DIRECTIONS):
            real, imaginary = (correlate(plane, kernels[2 * direction + part], mode="nearest") for part in (0, 1))
            wanted = np.log1p(8.0 * np.sqrt(real**2 + imaginary**2 + 1e-6))
            wanted = wanted if octave else wanted[::2, ::2]
            np.testing.assert_allclose(found[1 + octave * DIRECTIONS + direction], wanted, atol=1e-4)
