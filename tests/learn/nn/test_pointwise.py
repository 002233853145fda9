import subprocess
import sys

import pytest
import torch
from torch import nn

from hounsfield.learn.nn.pointwise import PointwiseConv2d, PointwiseConv3d


def _pair(before: int, after: int, stride: tuple[int, int, int], *, bias: bool) -> tuple[nn.Conv3d, PointwiseConv3d]:
    torch.manual_seed(0)
    plain = nn.Conv3d(before, after, 1, stride=stride, bias=bias)
    own = PointwiseConv3d(before, after, 1, stride=stride, bias=bias)
    own.load_state_dict(plain.state_dict())
    return plain, own


def _gradients(layer: nn.Module, shape: tuple[int, ...], *, half: bool) -> list[torch.Tensor]:
    layer.zero_grad()
    torch.manual_seed(1)
    image = torch.randn(shape).to(memory_format=torch.channels_last_3d).requires_grad_(True)
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        said = layer(image)
    (said.float() * torch.randn(said.shape)).sum().backward()
    assert image.grad is not None
    return [said.detach().float(), image.grad, *(p.grad for p in layer.parameters() if p.grad is not None)]


@pytest.mark.parametrize("stride", [(1, 1, 1), (1, 2, 2), (2, 2, 2)])
@pytest.mark.parametrize("bias", [False, True], ids=["bare", "bias"])
def test_it_is_a_convolution(stride: tuple[int, int, int], bias: object) -> None:
    plain, own = _pair(8, 5, stride, bias=bool(bias))
    shape = (2, 8, 5, 7, 6)
    for a, b in zip(_gradients(plain, shape, half=False), _gradients(own, shape, half=False), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    for a, b in zip(_gradients(plain, shape, half=False), _gradients(own, shape, half=True), strict=True):
        assert a.shape == b.shape
        assert ((a - b).norm() / a.norm()).item() < 0.01


@pytest.mark.parametrize(("before", "after"), [(16, 2), (16, 4), (16, 16), (32, 16)])
def test_large_planes_and_few_channels_learn_in_bfloat16(before: int, after: int) -> None:
    plain, own = _pair(before, after, (1, 1, 1), bias=True)
    shape = (3, before, 8, 128, 128)  # torch's own ends the process here, on a processor with AMX
    exact = _gradients(plain, shape, half=False)
    for _ in range(3):
        for a, b in zip(exact, _gradients(own, shape, half=True), strict=True):
            assert ((a - b).norm() / a.norm()).item() < 0.01


STRIDED = """
import torch
from hounsfield.learn.nn.pointwise import PointwiseConv2d
torch.set_num_threads(1)
layer = PointwiseConv2d({before}, 16, 1, stride=2, bias=False).to(memory_format=torch.channels_last)
for _ in range(20):
    image = torch.randn(16, {before}, 96, 96).contiguous(memory_format=torch.channels_last)
    layer(image).square().mean().backward()
"""


@pytest.mark.parametrize("before", [3, 8, 12])
def test_few_channels_with_a_stride_learn_in_float32(before: int) -> None:
    # in a process of its own: torch's own convolution ends it here, or corrupts it, on a processor with AVX-512
    found = subprocess.run([sys.executable, "-c", STRIDED.format(before=before)], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()


@pytest.mark.parametrize("before", [3, 8, 20])
@pytest.mark.parametrize("stride", [1, 2])
def test_it_is_a_convolution_of_planes(before: int, stride: int) -> None:
    torch.manual_seed(0)
    own = PointwiseConv2d(before, 5, 1, stride=stride)
    exact = nn.Conv2d(before, 5, 1, stride=stride).double()
    exact.load_state_dict(own.state_dict())
    image = torch.randn(2, before, 9, 8).contiguous(memory_format=torch.channels_last)
    found = []
    for layer, seen in ((own, image.clone().requires_grad_()), (exact, image.double().requires_grad_())):
        said = layer(seen)
        said.sin().sum().backward()
        assert seen.grad is not None
        found.append([said.detach(), seen.grad, *(p.grad for p in layer.parameters() if p.grad is not None)])
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b.float(), rtol=1e-4, atol=1e-5)
