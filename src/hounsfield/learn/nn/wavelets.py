"""A stem of fixed wavelets: edges and textures by direction and scale need not be learned from a few hundred images."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.pooling import BlurPool

DIRECTIONS = 8
REACH = 3
GAIN = 8.0
"""Factor inside the logarithm: responses of a standardised image are about 0.1 to 1."""


class WaveletStem(nn.Module):
    """First-order scattering: modulus of oriented wavelets at several scales, then the logarithm and a low-pass.

    Parameters
    ----------
    channels
        Channels c of the image; each is filtered alone.
    ndim
        2 spatial axes.
    scales
        Octaves J; the output has the image's edge divided by ``2^(J - 1)``.

    Notes
    -----
    ``log(1 + 8 |x_j * psi_l|)`` for each direction l = 0 ... 7 and octave j, where x_j is the image after j blur-pools;
    octaves finer than the coarsest are computed at every second pixel (ten times faster: 60 to 11 ms for 32 images of
    128 x 128) and then blur-pooled down to it. Beside them stands the coarsest low-pass itself: ``c (8 J + 1)``
    channels. Nothing here is learned, so there is no backward pass through the finest and most expensive sizes.

    References
    ----------
    Bruna, Mallat, "Invariant scattering convolution networks", IEEE TPAMI 2013. Oyallon, Belilovsky, Zagoruyko,
    "Scaling the scattering transform: deep hybrid networks", ICCV 2017.
    """

    filters: Tensor

    def __init__(self, channels: int, *, ndim: int, scales: int) -> None:
        super().__init__()
        if ndim != 2:
            raise PlanError(
                f"The wavelet stem was given images with {ndim} spatial axes.",
                expected="2 spatial axes",
                next_step='write "stem: medium" in the network section of the plan',
            )
        self.scales = scales
        self.channels = channels * (DIRECTIONS * scales + 1)
        self.register_buffer("filters", morlets().repeat(channels, 1, 1, 1), persistent=False)
        self.image_pool = BlurPool(channels, ndim=2)
        self.pool = BlurPool(channels * DIRECTIONS, ndim=2)

    def forward(self, image: Tensor) -> Tensor:
        """Return the responses (b c y x) of images (b c y x)."""
        found: list[Tensor] = []
        for scale in range(self.scales):
            if scale:
                image = self.image_pool(image)
            padded = functional.pad(image, (REACH,) * 4, mode="replicate")
            finer = self.scales - 1 - scale
            filters = self.filters.to(image.dtype)
            parts = functional.conv2d(padded, filters, stride=2 if finer else 1, groups=image.shape[1])
            real, imaginary = parts[:, 0::2], parts[:, 1::2]
            response = torch.log1p(GAIN * (real.square() + imaginary.square() + 1e-6).sqrt())
            for _ in range(finer - 1):
                response = self.pool(response)
            found.append(response)
        return torch.cat([image, *found], dim=1).contiguous(memory_format=torch.channels_last)


def morlets() -> Tensor:
    """Return oriented Morlet wavelets, real and imaginary part in turn, (16 1 7 7), float32.

    Notes
    -----
    ``exp(-(u^2 + v^2 / 4) / (2 0.8^2)) (exp(i 3 pi / 4 u) - k)`` along rotated axes u and v, with k such that the sum
    is 0 (a flat image answers nothing), divided by the sum of the absolute values.
    """
    place = torch.arange(-REACH, REACH + 1, dtype=torch.float64)
    y, x = torch.meshgrid(place, place, indexing="ij")
    kept: list[Tensor] = []
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        along = math.cos(angle) * x + math.sin(angle) * y
        across = math.cos(angle) * y - math.sin(angle) * x
        bell = torch.exp(-(along**2 + 0.25 * across**2) / (2.0 * 0.8**2))
        waves = (bell * torch.cos(0.75 * math.pi * along), bell * torch.sin(0.75 * math.pi * along))
        pair = [wave - bell * (wave.sum() / bell.sum()) for wave in waves]
        scale = torch.hypot(*pair).sum()
        kept += [wave / scale for wave in pair]
    return torch.stack(kept)[:, None].to(torch.float32)
