"""Layers along time that leave padding out: norms, halving, squeeze and excitation.

Features are (b c 1 t), channels last: PyTorch's convolutions of one axis are those of two with one row, and without the
channels-last order each of them would sort its numbers twice. A mask is (b 1 1 t), 1 inside and 0 beyond the end of a
series; None where no series of the batch is padded.
"""

from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.nn.blocks import NormName, SqueezeExcitation


def masked(features: Tensor, mask: Tensor | None) -> Tensor:
    """Return the features with zeros beyond the end of each series."""
    return features if mask is None else features * mask.to(features.dtype)


def halved(mask: Tensor | None) -> Tensor | None:
    """Return the mask at half the steps: t steps become ceil(t / 2)."""
    return None if mask is None else mask[..., ::2]


def blur(features: Tensor, mask: Tensor | None) -> Tensor:
    """Low-pass with (1, 2, 1)/4 along time, then keep every second step.

    Parameters
    ----------
    features
        (b c 1 t), 0 beyond the end of each series.
    mask
        The mask before.

    Returns
    -------
    Tensor
        (b c 1 ceil(t/2)): ``y[i] = (x[2i - 1] + 2 x[2i] + x[2i + 1]) / 4``, zeros outside; 0 beyond the end.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019.
    """
    even, odd = features[..., ::2], features[..., 1::2]
    count = even.shape[3]
    before = functional.pad(odd, (1, 0))[..., :count]
    after = functional.pad(odd, (0, count - odd.shape[3]))
    return masked(0.5 * even + 0.25 * (before + after), halved(mask))


class MaskedBatchNorm(nn.BatchNorm2d):
    """A batch norm whose statistics leave padding out; without padding PyTorch's own."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:  # the name of the base class
        """Return ``scale (x - mean) / sqrt(variance + eps) + shift``, also beyond the end of a series."""
        if mask is None or not self.training:
            normed: Tensor = super().forward(input)
            return normed
        with torch.autocast(input.device.type, enabled=False):
            features, inside = input.float(), mask.float()
            count = inside.sum()
            mean = (features * inside).sum((0, 2, 3)) / count
            centred = features - mean[:, None, None]
            variance = (centred.square() * inside).sum((0, 2, 3)) / count
            self._follow(mean.detach(), variance.detach() * count / (count - 1.0).clamp_min(1.0))
            scale = self.weight * torch.rsqrt(variance + self.eps)
            return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class MaskedGroupNorm(nn.GroupNorm):
    """A group norm whose statistics leave padding out; without padding PyTorch's own."""

    def forward(self, input: Tensor, mask: Tensor | None = None) -> Tensor:  # the name of the base class
        """Return the features normalised for each sample over the channels of a group and the steps of its series."""
        if mask is None:
            normed: Tensor = super().forward(input)
            return normed
        with torch.autocast(input.device.type, enabled=False):
            batch, channels = input.shape[:2]
            inside = mask.float()[:, :, None]
            features = input.float().reshape(batch, self.num_groups, channels // self.num_groups, *input.shape[2:])
            count = inside.sum((2, 3, 4), keepdim=True) * features.shape[2]
            mean = (features * inside).sum((2, 3, 4), keepdim=True) / count
            centred = features - mean
            variance = (centred.square() * inside).sum((2, 3, 4), keepdim=True) / count
            whole = (centred * torch.rsqrt(variance + self.eps)).reshape(input.shape)
            return (whole * self.weight[:, None, None] + self.bias[:, None, None]).to(input.dtype)


Norm = MaskedBatchNorm | MaskedGroupNorm


def norm(channels: int, *, kind: NormName, group_size: int = 8, zero_scale: bool = False) -> Norm:
    """Return a norm that leaves padding out.

    Parameters
    ----------
    channels
        Number of channels.
    kind
        ``batch`` or ``group``.
    group_size
        Channels in a group; lowered to a divisor of ``channels`` where needed.
    zero_scale
        Start the scale at 0, so that a residual block starts as its shortcut.
    """
    made: Norm
    if kind == "batch":
        made = MaskedBatchNorm(channels)
    else:
        made = MaskedGroupNorm(channels // gcd(group_size, channels), channels)
    if zero_scale:
        nn.init.zeros_(made.weight)
    return made


class MaskedSqueeze(SqueezeExcitation):
    """Squeeze and excitation over the steps of each series."""

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the features (b c 1 t) with each channel scaled into (0, 1) of itself."""
        if mask is None:
            return super().forward(features)
        mean = masked(features, mask).sum((2, 3)) / mask.sum((2, 3)).to(features.dtype)
        gate = torch.sigmoid(self.up(functional.relu(self.down(mean))))
        return features * gate.to(features.dtype)[:, :, None, None]
