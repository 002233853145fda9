"""Convolutions of one pixel or voxel, computed so that their gradient is right."""

import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCK = 16
"""Channels that oneDNN treats at once, at most."""


class PointwiseConv2d(nn.Conv2d):
    """A 2D convolution with a kernel of one pixel: a linear map of the channels of every pixel, or of every so many.

    Notes
    -----
    Where it learns in float32 on a processor, with a stride and few channels, the pixels are picked first: the gradient
    of such a convolution's weights writes beside its memory there where channels lie last (oneDNN issue 6035: fewer
    than 8 channels with AVX2, fewer than 16 with AVX-512), which ends the process, or corrupts it in silence. All else
    is as in torch.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``b c y x``, as `torch.nn.Conv2d` does."""
        learns = torch.is_grad_enabled() and input.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        if not learns or max(self.stride) == 1 or self.in_channels >= BLOCK:
            return super().forward(input)
        high, wide = self.stride
        return functional.conv2d(input[:, :, ::high, ::wide], self.weight, self.bias)


class PointwiseConv3d(nn.Conv3d):
    """A 3D convolution with a kernel of one voxel: a linear map of the channels of every voxel.

    Notes
    -----
    Where it learns in bfloat16 on a processor it is computed as that linear map: the gradient of such a convolution
    with few channels on large planes writes beside its memory there (oneDNN of torch 2.13 on a processor with AMX:
    16 to 2, 4 or 16 channels at 8 x 128 x 128 end the process, or corrupt it in silence). All else is as in torch.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return ``b c z y x``, as `torch.nn.Conv3d` does."""
        learns = torch.is_grad_enabled() and input.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        if not learns:
            return super().forward(input)
        deep, high, wide = self.stride
        last = input[:, :, ::deep, ::high, ::wide].permute(0, 2, 3, 4, 1)
        return functional.linear(last, self.weight.flatten(1), self.bias).permute(0, 4, 1, 2, 3)
