"""Building blocks of convolutional encoders, the same for two and three spatial axes."""

from collections.abc import Mapping
from math import gcd
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.nn.dropping import StochasticDepth
from hounsfield.learn.nn.pooling import BlurPool

NormName = Literal["batch", "group"]


def convolution(channels_in: int, channels_out: int, *, ndim: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    """Return a convolution without bias, padded by half its kernel, with He initialisation.

    Parameters
    ----------
    channels_in, channels_out
        Channels before and after.
    ndim
        2 or 3 spatial axes.
    kernel
        Odd edge length of the kernel, pixels.
    stride
        Step, pixels.

    Returns
    -------
    nn.Module
        The convolution; weights ~ N(0, 2 / fan_out), which keeps the variance of gradients through a ReLU.

    References
    ----------
    He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    kind = nn.Conv2d if ndim == 2 else nn.Conv3d
    layer = kind(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


def normalisation(
    channels: int, *, ndim: int, kind: NormName, group_size: int = 8, zero_scale: bool = False
) -> nn.Module:
    """Return a batch or group normalisation.

    Parameters
    ----------
    channels
        Number of channels.
    ndim
        2 or 3 spatial axes.
    kind
        ``batch`` or ``group``.
    group_size
        Channels in a group; lowered to a divisor of ``channels`` where needed.
    zero_scale
        Start the scale at 0 instead of 1: the last norm of a residual branch, so that a block starts as the identity.

    Returns
    -------
    nn.Module
        ``y = scale (x - mean) / sqrt(variance + 1e-5) + shift`` with mean and (biased) variance over batch and space
        for each channel (batch), or over space and the channels of a group for each sample (group).
    """
    norm: nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm
    if kind == "group":
        norm = nn.GroupNorm(channels // gcd(group_size, channels), channels)
    elif ndim == 2:
        norm = nn.BatchNorm2d(channels)
    else:
        norm = nn.BatchNorm3d(channels)
    if zero_scale:
        nn.init.zeros_(norm.weight)
    return norm


class SqueezeExcitation(nn.Module):
    """Re-weight channels: ``y = x sigmoid(W2 relu(W1 mean(x)))`` (Hu et al., CVPR 2018).

    Parameters
    ----------
    channels
        Number of channels c; the inner width is max(8, c / 8).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(8, channels // 8)
        self.down = nn.Linear(channels, inner)
        self.up = nn.Linear(inner, channels)
        # sigmoid(2) = 0.88: blocks start nearly open.
        nn.init.zeros_(self.up.weight)
        nn.init.constant_(self.up.bias, 2.0)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (b c ...) with each channel scaled into (0, 1) of itself."""
        gate: Tensor = torch.sigmoid(self.up(functional.relu(self.down(features.flatten(2).mean(2)))))
        return features * gate.to(features.dtype).reshape(*features.shape[:2], *[1] * (features.ndim - 2))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: ``y = relu(s(x) + n2(c2(relu(n1(c1(x))))))``.

    Parameters
    ----------
    channels_in, channels_out
        Channels before and after; where they differ the shortcut is a 1x1 convolution with a norm.
    ndim
        2 or 3 spatial axes.
    halve
        ``never``; ``early``: blur-pool before everything; ``late``: blur-pool after the first activation and on the
        shortcut.
    norm
        Kind of norm and group size.
    squeeze
        Whether the branch ends with squeeze and excitation.
    drop
        Rate of stochastic depth, and the block's number (tells its random draws apart).

    Notes
    -----
    The scale of ``n2`` starts at 0, so a fresh block is ``relu(s(x))``: from-scratch training on few samples starts
    from a shallow network and stays stable at high learning rates. Downsampling is a blur-pool everywhere, never a
    strided convolution.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        ndim: int,
        halve: Literal["never", "early", "late"] = "never",
        norm: tuple[NormName, int] = ("batch", 8),
        squeeze: bool = False,
        drop: tuple[float, int] = (0.0, 0),
    ) -> None:
        super().__init__()
        kind, group_size = norm

        def normed(*, zero_scale: bool = False) -> nn.Module:
            return normalisation(channels_out, ndim=ndim, kind=kind, group_size=group_size, zero_scale=zero_scale)

        self.before = BlurPool(channels_in, ndim=ndim) if halve == "early" else nn.Identity()
        self.first = convolution(channels_in, channels_out, ndim=ndim)
        self.first_norm = normed()
        self.between = BlurPool(channels_out, ndim=ndim) if halve == "late" else nn.Identity()
        self.second = convolution(channels_out, channels_out, ndim=ndim)
        self.second_norm = normed(zero_scale=True)
        self.squeeze = SqueezeExcitation(channels_out) if squeeze else nn.Identity()
        self.depth = StochasticDepth(drop[0], salt=drop[1])
        shortcut: list[nn.Module] = [BlurPool(channels_in, ndim=ndim)] if halve == "late" else []
        if channels_in != channels_out:
            shortcut += [convolution(channels_in, channels_out, ndim=ndim, kernel=1), normed()]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, features: Tensor, context: Mapping[str, object]) -> Tensor:
        """Return the features (b c ...) after the block."""
        features = self.before(features)
        branch = functional.relu(self.first_norm(self.first(features)), inplace=True)
        branch = self.squeeze(self.second_norm(self.second(self.between(branch))))
        return functional.relu(self.shortcut(features) + self.depth(branch, context), inplace=True)
