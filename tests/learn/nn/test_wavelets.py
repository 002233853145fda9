"""The wavelet stem answers to direction and scale, to nothing flat, and learns nothing."""

import math

import pytest
import torch

from hounsfield.core.errors import PlanError
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
