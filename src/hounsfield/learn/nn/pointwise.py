"""Convolutions of one voxel, computed so that their gradient is right."""

import torch
from torch import Tensor, nn
from torch.nn import functional


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
