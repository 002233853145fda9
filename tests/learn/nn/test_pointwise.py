import pytest
import torch
from torch import nn

from hounsfield.learn.nn.pointwise import PointwiseConv3d


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
