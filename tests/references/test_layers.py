"""Layers compute what the explanation pages say."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from hounsfield.learn.nn.blocks import ResidualBlock, SqueezeExcitation, convolution, normalisation
from hounsfield.learn.nn.pooling import BlurPool, GlobalPool
from tests.references import layers
from tests.references.layers import Array

RNG_SEED = 0


def _random(*shape: int, seed: int = RNG_SEED) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def _tensor(values: Array) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)


def _array(tensor: Tensor) -> Array:
    return tensor.detach().numpy().astype(np.float64)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 2), (1, 1)])
def test_convolution(kernel: int, stride: int) -> None:
    layer = convolution(2, 3, ndim=2, kernel=kernel, stride=stride)
    image = _random(2, 7, 8)
    (weight,) = layer.parameters()
    expected = layers.convolution(image, _array(weight), stride=stride, padding=kernel // 2)
    np.testing.assert_allclose(_array(layer(_tensor(image)[None]))[0], expected, atol=1e-5)


def _with_affine(layer: nn.Module) -> tuple[Array, Array]:
    scale, shift = layer.parameters()
    with torch.no_grad():
        scale.copy_(torch.linspace(0.5, 2.0, len(scale)))
        shift.copy_(torch.linspace(-1.0, 1.0, len(shift)))
    return _array(scale), _array(shift)


def test_batch_norm_of_a_training_batch() -> None:
    layer = normalisation(3, ndim=2, kind="batch")
    scale, shift = _with_affine(layer)
    features = 3.0 * _random(4, 3, 5, 6) + 1.0
    np.testing.assert_allclose(_array(layer(_tensor(features))), layers.batch_norm(features, scale, shift), atol=1e-4)


def test_group_norm() -> None:
    layer = normalisation(4, ndim=2, kind="group", group_size=2)
    scale, shift = _with_affine(layer)
    features = 3.0 * _random(2, 4, 5, 6) + 1.0
    expected = layers.group_norm(features, scale, shift, groups=2)
    np.testing.assert_allclose(_array(layer(_tensor(features))), expected, atol=1e-4)


@pytest.mark.parametrize("size", [(6, 8), (7, 5), (1, 4)])
def test_blur_pool(size: tuple[int, int]) -> None:
    features = _random(2, *size)
    pooled = _array(BlurPool(2, ndim=2)(_tensor(features)[None]))[0]
    np.testing.assert_allclose(pooled, layers.blur_pool(features), atol=1e-6)


def test_squeeze_excitation() -> None:
    layer = SqueezeExcitation(5)
    down_weight, down_bias, up_weight, up_bias = layer.parameters()
    with torch.no_grad():
        up_weight.copy_(_tensor(_random(*up_weight.shape)))
    features = _random(5, 3, 4)
    expected = layers.squeeze_excitation(
        features, (_array(down_weight), _array(down_bias)), (_array(up_weight), _array(up_bias))
    )
    np.testing.assert_allclose(_array(layer(_tensor(features)[None]))[0], expected, atol=1e-5)


def test_fresh_residual_block_is_its_shortcut() -> None:
    """The last norm of the branch starts at 0, so that depth costs nothing at the start."""
    features = _tensor(_random(2, 3, 6, 6))
    same = ResidualBlock(3, 3, ndim=2)
    torch.testing.assert_close(same(features.clone(), {}), torch.relu(features))


def test_pooling() -> None:
    features = np.abs(_random(3, 5, 6))
    image = _tensor(features)[None]
    np.testing.assert_allclose(_array(GlobalPool(3, "mean")(image))[0], features.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_allclose(
        _array(GlobalPool(3, "gem")(image))[0], layers.generalised_mean(features, power=3.0), atol=1e-5
    )
    np.testing.assert_allclose(_array(nn.MaxPool2d(2)(image))[0], layers.max_pool(features), atol=1e-6)
