"""Pooling: anti-aliased downsampling and global pooling to one vector."""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional

PoolingName = Literal["mean", "mean+max", "gem"]


class BlurPool(nn.Module):
    """Low-pass with the binomial filter (1, 2, 1)/4 along each axis, then keep every second pixel.

    Parameters
    ----------
    channels
        Number of channels c; each is filtered alone.
    ndim
        2 or 3 spatial axes.

    Notes
    -----
    ``y[i] = (x[2i - 1] + 2 x[2i] + x[2i + 1]) / 4`` with zeros outside, the outer product over axes; n pixels become
    ceil(n / 2). Sampling below the Nyquist rate of the features makes a network's answer change when the image shifts
    by a pixel; the filter removes what cannot be represented. Forward is a depth-wise convolution; the backward pass
    is written out, deterministic on every device, which that of padded or averaged pooling is not.

    References
    ----------
    Zhang, "Making convolutional networks shift-invariant again", ICML 2019.
    """

    kernel: Tensor

    def __init__(self, channels: int, *, ndim: int) -> None:
        super().__init__()
        self.channels = channels
        self.ndim = ndim
        taps = torch.tensor([0.25, 0.5, 0.25])
        kernel = taps
        for _ in range(ndim - 1):
            kernel = kernel[..., None] * taps
        self.register_buffer("kernel", kernel.expand(channels, 1, *kernel.shape).contiguous(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features (b c y x) or (b c z y x) at half the size."""
        if not torch.is_grad_enabled():  # without a backward pass it is a plain convolution, which a graph can hold
            return _blur(features, self.kernel)
        blurred: Tensor = _Blur.apply(features, self.kernel)  # type: ignore[no-untyped-call]  # torch does not annotate it
        return blurred


def _spread(gradient: Tensor, axis: int, size: int) -> Tensor:
    """Return the gradient at n pixels from that at ceil(n / 2): filter and subsampling transposed, along one axis."""
    shape = list(gradient.shape)
    shape[axis] = size
    order = torch.channels_last if gradient.ndim == 4 else torch.channels_last_3d
    whole = torch.empty(shape, dtype=gradient.dtype, device=gradient.device, memory_format=order)
    even = [slice(None)] * gradient.ndim
    odd = list(even)
    even[axis], odd[axis] = slice(0, None, 2), slice(1, None, 2)
    torch.mul(gradient, 0.5, out=whole[tuple(even)])
    count, inner = size // 2, gradient.shape[axis] - 1
    between = whole[tuple(odd)]
    torch.mul(gradient.narrow(axis, 0, count), 0.25, out=between)
    between.narrow(axis, 0, inner).add_(gradient.narrow(axis, 1, inner), alpha=0.25)
    return whole


def _blur(features: Tensor, kernel: Tensor) -> Tensor:
    convolve = functional.conv2d if features.ndim == 4 else functional.conv3d
    return convolve(features, kernel.to(features.dtype), stride=2, padding=1, groups=features.shape[1])


class _Blur(torch.autograd.Function):
    """The blur-pool with its backward pass written out: several times faster in bfloat16 than the convolution's own."""

    @staticmethod
    def forward(ctx: FunctionCtx, features: Tensor, kernel: Tensor) -> Tensor:
        """Convolve each channel with stride 2."""
        ctx.size = features.shape[2:]  # type: ignore[attr-defined]  # torch keeps attributes for the backward pass so
        return _blur(features, kernel)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        """Spread the gradient back along each axis, last axis first."""
        size: tuple[int, ...] = ctx.size  # type: ignore[attr-defined]  # set in forward
        for place in reversed(range(len(size))):
            gradient = _spread(gradient, place + 2, size[place])
        return gradient, None


class GlobalPool(nn.Module):
    """Pool all spatial axes into one vector for each sample, in float32.

    Parameters
    ----------
    channels
        Number of channels c.
    kind
        ``mean``; ``mean+max`` (both side by side: 2c features); ``gem``, the generalised mean
        ``(mean(max(x, eps)^p))^(1/p)`` with a learnt p that starts at 3: between mean (p = 1) and maximum (p ->
        infinity), so small lesions need not be averaged away.

    References
    ----------
    Radenović, Tolias, Chum, "Fine-tuning CNN image retrieval with no human annotation", IEEE TPAMI 2019 (gem).
    """

    def __init__(self, channels: int, kind: PoolingName) -> None:
        super().__init__()
        self.kind = kind
        self.features = 2 * channels if kind == "mean+max" else channels
        self.floor = 1e-6
        if kind == "gem":
            # softplus keeps the power above 1; it starts at 3.
            self.power = nn.Parameter(torch.tensor(math.log(math.expm1(2.0))))

    def forward(self, features: Tensor) -> Tensor:
        """Return the pooled features (b c), float32."""
        with torch.autocast(features.device.type, enabled=False):
            flat = features.float().flatten(2)
            if self.kind == "mean":
                return flat.mean(2)
            if self.kind == "mean+max":
                return torch.cat([flat.mean(2), flat.amax(2)], dim=1)
            power = 1.0 + functional.softplus(self.power)
            pooled: Tensor = flat.clamp_min(self.floor).pow(power).mean(2).pow(1.0 / power)
            return pooled
