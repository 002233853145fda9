"""Convolutional blocks along time, and the trunk that is made of them."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.learn.nn.blocks import NormName
from hounsfield.learn.nn.dropping import StochasticDepth
from hounsfield.learn.nn.signal.masked import MaskedSqueeze, blur, halved, masked, norm


class Kernels(nn.Module):
    """Convolutions along time with kernels of several lengths, side by side, without bias.

    Parameters
    ----------
    channels_in, channels_out
        Channels before and after; those after are divided among the kernels, the first ones taking what is left over.
    kernels
        Odd lengths, steps.

    Notes
    -----
    Weights ~ N(0, 2 / fan_out) as in :func:`hounsfield.learn.nn.blocks.convolution`.

    References
    ----------
    Ismail Fawaz et al., "InceptionTime: finding AlexNet for time series classification", DMKD 2020;34:1936-1962.
    """

    def __init__(self, channels_in: int, channels_out: int, kernels: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for place, kernel in enumerate(kernels):
            width = channels_out // len(kernels) + int(place < channels_out % len(kernels))
            convolution = nn.Conv2d(channels_in, width, (1, kernel), padding=(0, kernel // 2), bias=False)
            nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
            self.layers.append(convolution)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (b c 1 t) after all kernels."""
        found = [convolution(features) for convolution in self.layers]
        return found[0] if len(found) == 1 else torch.cat(found, dim=1)


class TimeBlock(nn.Module):
    """Two convolutions beside a shortcut, ``y = relu(s(x) + n2(c2(relu(n1(c1(x))))))``, along time.

    Parameters
    ----------
    channels_in, channels_out
        Channels before and after; where they differ the shortcut is a convolution of one step with a norm.
    kernels
        Odd lengths of the kernels of both convolutions.
    halve
        Whether the block halves the steps first, by an anti-aliased halving.
    kind
        Kind of norm and group size.
    squeeze
        Whether the branch ends with squeeze and excitation.
    drop
        Rate of stochastic depth, and the block's number (tells its random draws apart).

    Notes
    -----
    The one-axis form of :class:`hounsfield.learn.nn.blocks.ResidualBlock`, with padding left out everywhere.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        *,
        kernels: Sequence[int],
        halve: Literal["never", "early"] = "never",
        kind: tuple[NormName, int] = ("batch", 8),
        squeeze: bool = False,
        drop: tuple[float, int] = (0.0, 0),
    ) -> None:
        super().__init__()
        self.halve = halve == "early"
        self.first = Kernels(channels_in, channels_out, kernels)
        self.first_norm = norm(channels_out, kind=kind[0], group_size=kind[1])
        self.second = Kernels(channels_out, channels_out, kernels)
        self.second_norm = norm(channels_out, kind=kind[0], group_size=kind[1], zero_scale=True)
        self.squeeze = MaskedSqueeze(channels_out) if squeeze else None
        self.depth = StochasticDepth(drop[0], salt=drop[1])
        self.shortcut = Kernels(channels_in, channels_out, [1]) if channels_in != channels_out else None
        self.shortcut_norm = norm(channels_out, kind=kind[0], group_size=kind[1]) if self.shortcut else None

    def forward(
        self, features: Tensor, mask: Tensor | None, context: Mapping[str, object]
    ) -> tuple[Tensor, Tensor | None]:
        """Return features and mask after the block; the features are 0 beyond the end of each series."""
        if self.halve:
            features, mask = blur(features, mask), halved(mask)
        branch = functional.relu(self.first_norm(self.first(features), mask), inplace=True)
        branch = self.second_norm(self.second(masked(branch, mask)), mask)
        if self.squeeze is not None:
            branch = self.squeeze(branch, mask)
        if self.shortcut is not None and self.shortcut_norm is not None:
            features = self.shortcut_norm(self.shortcut(features), mask)
        return masked(functional.relu(features + self.depth(branch, context), inplace=True), mask), mask


class Trunk(nn.Module):
    """A stem and stages of residual blocks; the stem halves the steps ``shorten`` times, each later stage once.

    Parameters
    ----------
    channels
        Channels of the signal.
    widths
        Channels of each stage.
    depths
        Blocks in each stage.
    kernels
        Odd lengths of the blocks' kernels.
    shorten
        Halvings in the stem: 0 to 4.
    kind
        Kind of norm and group size.
    extras
        Whether blocks squeeze and excite, and the rate of stochastic depth of the last block.
    """

    def __init__(
        self,
        channels: int,
        *,
        widths: Sequence[int],
        depths: Sequence[int],
        kernels: Sequence[int],
        shorten: int,
        kind: tuple[NormName, int],
        extras: tuple[bool, float] = (False, 0.0),
    ) -> None:
        super().__init__()
        self.shorten = shorten
        self.stem = Kernels(channels, widths[0], kernels)
        self.stem_norm = norm(widths[0], kind=kind[0], group_size=kind[1])
        total, blocks, before = sum(depths), list[TimeBlock](), widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for place in range(depth):
                blocks.append(
                    TimeBlock(
                        before,
                        width,
                        kernels=kernels,
                        halve="early" if stage > 0 and place == 0 else "never",
                        kind=kind,
                        squeeze=extras[0],
                        drop=(extras[1] * len(blocks) / max(total - 1, 1), len(blocks) + 1),
                    )
                )
                before = width
        self.blocks = nn.ModuleList(blocks)
        self.features = before
        self.halvings = shorten + len(widths) - 1

    def forward(self, signal: Tensor, mask: Tensor | None, context: Mapping[str, object]) -> Tensor:
        """Run over signals.

        Parameters
        ----------
        signal
            (b c t), no NaN, 0 beyond the end of each series.
        mask
            (b 1 1 t) or None.
        context
            ``"keys"`` address stochastic depth while training.

        Returns
        -------
        Tensor
            (b k 1 t'), t halved ``halvings`` times, rounded up each time; 0 beyond the end of each series.
        """
        features: Tensor = self.stem(signal[:, :, None].contiguous(memory_format=torch.channels_last))
        features = masked(functional.relu(self.stem_norm(features, mask), inplace=True), mask)
        for _ in range(self.shorten):
            features, mask = blur(features, mask), halved(mask)
        for block in self.blocks:
            features, mask = block(features, mask, context)
        return features
