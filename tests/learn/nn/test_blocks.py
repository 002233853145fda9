"""Blocks and pooling against their formulas, written out in NumPy."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from hounsfield.learn.nn.blocks import ResidualBlock, SqueezeExcitation, convolution, normalisation
from hounsfield.learn.nn.pooling import BlurPool, GlobalPool

F64 = npt.NDArray[np.float64]


def as64(tensor: torch.Tensor) -> F64:
    return tensor.detach().numpy().astype(np.float64)


def convolve_reference(image: F64, weight: F64, *, stride: int = 1) -> F64:
    """y[b, o, i, j] = sum_c,u,v w[o, c, u, v] x[b, c, s i + u - p, s j + v - p], zeros outside."""
    edge = weight.shape[2]
    pad = edge // 2
    padded = np.pad(image, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    rows, columns = (-(-n // stride) for n in image.shape[2:])
    out = np.zeros((len(image), len(weight), rows, columns))
    for i in range(rows):
        for j in range(columns):
            patch = padded[:, :, i * stride : i * stride + edge, j * stride : j * stride + edge]
            out[:, :, i, j] = np.einsum("bcuv,ocuv->bo", patch, weight)
    return out


def batch_norm_reference(x: F64) -> F64:
    mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    return np.asarray((x - mean) / np.sqrt(var + 1e-5))


def blur_reference(x: F64) -> F64:
    """y[i] = (x[2i - 1] + 2 x[2i] + x[2i + 1]) / 4 along each spatial axis, zeros outside."""
    for axis in range(2, x.ndim):
        moved = np.moveaxis(x, axis, -1)
        padded = np.pad(moved, [(0, 0)] * (x.ndim - 1) + [(1, 2)])
        count = -(-moved.shape[-1] // 2)
        taps = [padded[..., k : k + 2 * count : 2] for k in range(3)]
        x = np.moveaxis((taps[0] + 2 * taps[1] + taps[2]) / 4, -1, axis)
    return x


@pytest.fixture
def image() -> torch.Tensor:
    return torch.randn(3, 4, 7, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2), (1, 1)])
def test_convolution_is_its_formula(image: torch.Tensor, kernel: int, stride: int) -> None:
    layer = convolution(4, 5, ndim=2, kernel=kernel, stride=stride)
    assert isinstance(layer, nn.Conv2d)
    np.testing.assert_allclose(
        as64(layer(image)), convolve_reference(as64(image), as64(layer.weight), stride=stride), atol=1e-5
    )


def test_convolution_starts_with_the_variance_of_he() -> None:
    layer = convolution(32, 64, ndim=3)
    assert isinstance(layer, nn.Conv3d)
    assert float(layer.weight.detach().var()) == pytest.approx(2 / (64 * 27), rel=0.05)


def test_batch_norm_is_its_formula(image: torch.Tensor) -> None:
    layer = normalisation(4, ndim=2, kind="batch")
    np.testing.assert_allclose(as64(layer(image)), batch_norm_reference(as64(image)), atol=1e-5)


def test_group_norm_does_not_see_other_samples(image: torch.Tensor) -> None:
    layer = normalisation(4, ndim=2, kind="group", group_size=2)
    grouped = as64(image).reshape(3, 2, -1)
    expected = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + 1e-5)
    np.testing.assert_allclose(as64(layer(image)), expected.reshape(image.shape), atol=1e-5)
    torch.testing.assert_close(layer(image)[:1], layer(image[:1]))


def test_group_size_falls_to_a_divisor() -> None:
    layer = normalisation(12, ndim=2, kind="group", group_size=8)
    assert isinstance(layer, nn.GroupNorm)
    assert layer.num_groups == 3


@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (2, 3, 7, 5), (1, 2, 1, 3), (2, 3, 4, 5, 6)])
def test_blur_pool_is_its_formula_forward_and_backward(shape: tuple[int, ...]) -> None:
    layer = BlurPool(shape[1], ndim=len(shape) - 2).double()
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2), requires_grad=True)
    np.testing.assert_allclose(as64(layer(x)), blur_reference(as64(x)), atol=1e-12)
    # The backward pass is written by hand: compare with finite differences.
    assert torch.autograd.gradcheck(layer, (x,))


def test_blur_pool_has_no_weights_to_save() -> None:
    assert BlurPool(3, ndim=2).state_dict() == {}


def test_residual_block_is_its_formula(image: torch.Tensor) -> None:
    block = ResidualBlock(4, 6, ndim=2, halve="early")
    nn.init.ones_(block.second_norm.weight)  # type: ignore[arg-type]  # modules are not typed by name
    first, second = (as64(c.weight) for c in (block.first, block.second) if isinstance(c, nn.Conv2d))
    one_by_one = block.shortcut[0]
    assert isinstance(one_by_one, nn.Conv2d)
    x = blur_reference(as64(image))
    branch = np.maximum(batch_norm_reference(convolve_reference(x, first)), 0)
    branch = batch_norm_reference(convolve_reference(branch, second))
    short = batch_norm_reference(convolve_reference(x, as64(one_by_one.weight)))
    np.testing.assert_allclose(as64(block(image, {})), np.maximum(short + branch, 0), atol=1e-4)


def test_late_halving_is_its_formula(image: torch.Tensor) -> None:
    block = ResidualBlock(4, 4, ndim=2, halve="late")
    nn.init.ones_(block.second_norm.weight)  # type: ignore[arg-type]  # modules are not typed by name
    first, second = (as64(c.weight) for c in (block.first, block.second) if isinstance(c, nn.Conv2d))
    branch = blur_reference(np.maximum(batch_norm_reference(convolve_reference(as64(image), first)), 0))
    branch = batch_norm_reference(convolve_reference(branch, second))
    np.testing.assert_allclose(as64(block(image, {})), np.maximum(blur_reference(as64(image)) + branch, 0), atol=1e-4)


def test_fresh_block_is_the_identity_for_positive_features(image: torch.Tensor) -> None:
    block = ResidualBlock(4, 4, ndim=2)
    torch.testing.assert_close(block(image.abs(), {}), image.abs())


def test_squeeze_excitation_is_its_formula(image: torch.Tensor) -> None:
    layer = SqueezeExcitation(4)
    nn.init.normal_(layer.up.weight)
    x = as64(image)
    hidden = np.maximum(x.mean((2, 3)) @ as64(layer.down.weight).T + as64(layer.down.bias), 0)
    gate = 1 / (1 + np.exp(-(hidden @ as64(layer.up.weight).T + as64(layer.up.bias))))
    np.testing.assert_allclose(as64(layer(image)), x * gate[:, :, None, None], atol=1e-5)


def test_pools_are_their_formulas(image: torch.Tensor) -> None:
    x = as64(image)
    np.testing.assert_allclose(as64(GlobalPool(4, "mean")(image)), x.mean((2, 3)), atol=1e-6)
    both = GlobalPool(4, "mean+max")
    assert both.features == 8
    np.testing.assert_allclose(as64(both(image)), np.concatenate([x.mean((2, 3)), x.max((2, 3))], 1), atol=1e-6)
    gem = GlobalPool(4, "gem")
    expected = (np.maximum(x, 1e-6) ** 3).mean((2, 3)) ** (1 / 3)
    np.testing.assert_allclose(as64(gem(image)), expected, rtol=1e-4)
    assert gem(image.bfloat16()).dtype == torch.float32
