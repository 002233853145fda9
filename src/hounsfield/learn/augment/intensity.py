"""Changing values: gain, gamma, contrast, brightness, blur, noise, an erased box.

Everything here works in place, sample by sample: a picture stays in the cache from one operation to the next, and the
samples that an operation leaves alone cost nothing (128 pixels, 32 pictures: 3.6 ms became 1.3).
"""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_TABLE_BITS = 21


def _per_sample(values: Tensor, images: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (images.ndim - 1))


def bend_gain_(images: Tensor, waves: Tensor) -> Tensor:
    """Multiply by a smooth field, as of a receive coil or an uneven exposure.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    waves
        Cosine coefficients a of the logarithm of the field, (b 3 ... 3).

    Returns
    -------
    Tensor
        ``low + (x - low) exp(sum_ij a_ij cos(pi i v) cos(pi j u))``, with low the sample's lowest pixel and u, v in
        (0, 1) the places along the axes; the given tensor.
    """
    active = waves.flatten(1).abs().amax(1).nonzero().flatten()
    if len(active) == 0:
        return images
    field = waves[active]
    for axis, edge in enumerate(images.shape[2:]):
        field = (field.movedim(axis + 1, -1) @ cosine_basis(edge).to(field)).movedim(-1, axis + 1)
    field.exp_()
    for gain, place in zip(field, active.tolist(), strict=True):
        own = images[place]
        low = float(own.amin())
        own.sub_(low).mul_(gain).add_(low)
    return images


@lru_cache(maxsize=64)
def cosine_basis(size: int) -> Tensor:
    """Return cos(pi i u) for i = 0, 1, 2 at the pixel centres u, (3, pixels), float32."""
    place = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    return torch.cos(math.pi * torch.arange(3, dtype=torch.float64)[:, None] * place).to(torch.float32)


def change_gamma_(images: Tensor, gamma: Tensor) -> Tensor:
    """Apply a power between the lowest and highest pixel of each sample.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    gamma
        Power g of each sample, (b,); 1 = untouched.

    Returns
    -------
    Tensor
        ``low + (high - low) ((x - low) / (high - low))^g``; the given tensor.
    """
    powers = gamma.tolist()
    active = [place for place, power in enumerate(powers) if power != 1.0]
    if len(active) > 1 and images[0].numel() <= _SMALL:
        chosen = images[active]
        lowest, highest = torch.aminmax(chosen.flatten(1), dim=1)
        low, span = (_per_sample(v, images) for v in (lowest, (highest - lowest).clamp_(min=1e-12)))
        chosen.sub_(low).div_(span).log_().mul_(_per_sample(gamma[active], images)).exp_().mul_(span).add_(low)
        return images.index_copy_(0, torch.tensor(active, device=images.device), chosen)
    for place in active:
        own = images[place]
        least, most = (float(end) for end in torch.aminmax(own))
        extent = max(most - least, 1e-12)
        # exp(g log x) takes a third of the time of a power.
        own.sub_(least).div_(extent).log_().mul_(powers[place]).exp_().mul_(extent).add_(least)
    return images


_SMALL = 4096
"""Values of a sample up to which samples are changed together: there a call costs more than the values (28 pixels, 32
samples: 0.55 ms became 0.23, the same bits)."""


def stretch_(images: Tensor, *, contrast: Tensor | None, brightness: Tensor | None) -> Tensor:
    """Scale each sample about its mean and shift it: ``mean + f (x - mean) + s``.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    contrast, brightness
        Factor f and shift s of each sample, (b,); 1 and 0 if None.

    Returns
    -------
    Tensor
        The given tensor; samples with f = 1 and s = 0 keep their bits.
    """
    factors = [1.0] * len(images) if contrast is None else contrast.tolist()
    offsets = [0.0] * len(images) if brightness is None else brightness.tolist()
    for own, factor, offset in zip(images, factors, offsets, strict=True):
        if factor != 1.0:
            shift = offset + (1.0 - factor) * float(own.mean())
            own.mul_(factor).add_(shift)
        elif offset != 0.0:
            own.add_(offset)
    return images


def blur_(images: Tensor, deviation: Tensor) -> Tensor:
    """Blur each sample with its own Gaussian; the edge pixel continues outside.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    deviation
        Deviation s of the Gaussian, pixels, (b,); 0 = untouched.

    Returns
    -------
    Tensor
        Each axis filtered with ``exp(-i^2 / 2 s^2)`` for |i| <= ceil(3 s), normalised to sum 1; the given tensor.
    """
    active = (deviation > 0.0).nonzero().flatten()
    if len(active) == 0:
        return images
    result = images[active]
    shape, ndim = result.shape, images.ndim - 2
    kernel = gaussian_kernel(deviation[active]).repeat_interleave(shape[1], dim=0)
    radius = kernel.shape[1] // 2
    # All samples and channels side by side as the channels of one image, each with a filter of its own.
    result = result.reshape(1, shape[0] * shape[1], *shape[2:])
    convolve = functional.conv2d if ndim == 2 else functional.conv3d
    for axis in range(ndim):
        pad = [0] * (2 * ndim)
        pad[2 * (ndim - 1 - axis)] = pad[2 * (ndim - 1 - axis) + 1] = radius
        length = [1] * ndim
        length[axis] = kernel.shape[1]
        padded = functional.pad(result, pad, mode="replicate")
        result = convolve(padded, kernel.reshape(-1, 1, *length), groups=result.shape[1])
    return images.index_copy_(0, active, result.reshape(shape))


def gaussian_kernel(deviation: Tensor) -> Tensor:
    """Return one filter for each sample, (b, 2 r + 1), each cut at its own ceil(3 s), r that of the widest."""
    reach = torch.ceil(3.0 * deviation)[:, None]
    radius = int(reach.max())
    offset = torch.arange(-radius, radius + 1, dtype=torch.float32, device=deviation.device)
    kernel = torch.exp(-0.5 * (offset / deviation[:, None]) ** 2) * (offset.abs() <= reach)
    return kernel / kernel.sum(1, keepdim=True)


@lru_cache(maxsize=4)
def normal_table(device: torch.device) -> Tensor:
    """Return a fixed table of 2^21 normal numbers, float32: noise is read from it at each sample's own place."""
    generator = np.random.Generator(np.random.Philox(key=20))
    return torch.from_numpy(generator.standard_normal(1 << _TABLE_BITS, dtype=np.float32)).to(device)


def add_noise_(images: Tensor, deviation: Tensor, *, key: Tensor) -> Tensor:
    """Add white Gaussian noise that depends on the sample's key alone.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32, contiguous; changed in place.
    deviation
        Deviation of the noise, (b,); 0 = untouched.
    key
        Place in the table of normal numbers and sign, (b,), int64, >= 0.

    Returns
    -------
    Tensor
        ``x + deviation * n``; the given tensor.

    Notes
    -----
    Noise is a run through a fixed table of 2 million normal numbers, from a random place, with a random sign: as cheap
    as a copy, the same on every device, addressed by sample. Two samples may share numbers, at different pixels; a
    large volume goes around the table.
    """
    table = normal_table(images.device)
    for own, scale, place in zip(images, deviation.tolist(), key.tolist(), strict=True):
        if scale <= 0.0:
            continue
        start, signed = (place >> 1) & (len(table) - 1), scale if place & 1 else -scale
        flat, done = own.view(-1), 0
        while done < len(flat):
            step = min(len(flat) - done, len(table) - start)
            flat[done : done + step].add_(table[start : start + step], alpha=signed)
            done, start = done + step, 0
    return images


def erase_(images: Tensor, box: Tensor) -> Tensor:
    """Fill a box of each sample with the sample's mean.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32; changed in place.
    box
        Lower and upper corner as shares of each axis' size, (b 2 d); nothing is erased where they round to the same
        pixel.

    Returns
    -------
    Tensor
        The given tensor.

    References
    ----------
    DeVries, Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """
    size = torch.tensor(images.shape[2:], dtype=torch.float64)
    corners = (box.cpu().double() * size).round().to(torch.int64)
    for place in (corners[:, 0] < corners[:, 1]).all(1).nonzero().flatten().tolist():
        within = tuple(slice(int(low), int(high)) for low, high in zip(*corners[place].tolist(), strict=True))
        images[(place, slice(None), *within)] = images[place].mean()
    return images
