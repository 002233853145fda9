"""Changing values: gain, gamma, contrast, brightness, blur, noise, an erased box."""

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_TABLE_BITS = 21


def _per_sample(values: Tensor, images: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (images.ndim - 1))


def _range(images: Tensor) -> tuple[Tensor, Tensor]:
    low, high = torch.aminmax(images.flatten(1), dim=1)
    return _per_sample(low, images), _per_sample(high, images)


def _at(images: Tensor, active: Tensor) -> Tensor:
    """Return the samples an operation meets, without a copy where it meets all."""
    return images if len(active) == len(images) else images[active]


def _put(images: Tensor, active: Tensor, changed: Tensor) -> Tensor:
    return changed if len(active) == len(images) else images.index_copy(0, active, changed)


def bend_gain(images: Tensor, waves: Tensor) -> Tensor:
    """Multiply by a smooth field, as of a receive coil or an uneven exposure.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    waves
        Cosine coefficients a of the logarithm of the field, (b 3 ... 3).

    Returns
    -------
    Tensor
        ``low + (x - low) exp(sum_ij a_ij cos(pi i v) cos(pi j u))``, with low the sample's lowest pixel and u, v in
        (0, 1) the places along the axes.
    """
    active = waves.flatten(1).abs().amax(1).nonzero().flatten()
    if len(active) == 0:
        return images
    field = waves[active]
    for axis, edge in enumerate(images.shape[2:]):
        field = (field.movedim(axis + 1, -1) @ cosine_basis(edge).to(field)).movedim(-1, axis + 1)
    part = _at(images, active)
    low = _per_sample(part.flatten(1).amin(1), part)
    return _put(images, active, low + (part - low) * field.exp()[:, None])


@lru_cache(maxsize=64)
def cosine_basis(size: int) -> Tensor:
    """Return cos(pi i u) for i = 0, 1, 2 at the pixel centres u, (3, pixels), float32."""
    place = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    return torch.cos(math.pi * torch.arange(3, dtype=torch.float64)[:, None] * place).to(torch.float32)


def change_gamma(images: Tensor, gamma: Tensor) -> Tensor:
    """Apply a power between the lowest and highest pixel of each sample.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    gamma
        Power g of each sample, (b,); 1 = untouched.

    Returns
    -------
    Tensor
        ``low + (high - low) ((x - low) / (high - low))^g``.
    """
    active = (gamma != 1.0).nonzero().flatten()
    if len(active) == 0:
        return images
    part = _at(images, active)
    low, high = _range(part)
    span = (high - low).clamp_min(1e-12)
    unit = ((part - low) / span).clamp_(0.0, 1.0)
    return _put(images, active, unit.pow_(_per_sample(gamma[active], part)).mul_(span).add_(low))


def stretch(images: Tensor, *, contrast: Tensor | None, brightness: Tensor | None) -> Tensor:
    """Scale each sample about its mean and shift it: ``mean + f (x - mean) + s``.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    contrast, brightness
        Factor f and shift s of each sample, (b,); 1 and 0 if None.

    Returns
    -------
    Tensor
        The stretched batch; samples with f = 1 and s = 0 keep their bits.
    """
    factor = torch.ones(len(images), device=images.device) if contrast is None else contrast
    offset = torch.zeros(len(images), device=images.device) if brightness is None else brightness
    active = ((factor != 1.0) | (offset != 0.0)).nonzero().flatten()
    if len(active) == 0:
        return images
    part, factor, offset = _at(images, active), factor[active], offset[active]
    offset = offset + (1.0 - factor) * part.flatten(1).mean(1)
    return _put(images, active, torch.addcmul(_per_sample(offset, part), part, _per_sample(factor, part)))


def blur(images: Tensor, deviation: Tensor) -> Tensor:
    """Blur each sample with its own Gaussian; the edge pixel continues outside.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    deviation
        Deviation s of the Gaussian, pixels, (b,); 0 = untouched.

    Returns
    -------
    Tensor
        Each axis filtered with ``exp(-i^2 / 2 s^2)`` for |i| <= ceil(3 s), normalised to sum 1.
    """
    active = (deviation > 0.0).nonzero().flatten()
    if len(active) == 0:
        return images
    result = _at(images, active)
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
    return _put(images, active, result.reshape(shape))


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


def add_noise(images: Tensor, deviation: Tensor, *, key: Tensor) -> Tensor:
    """Add white Gaussian noise that depends on the sample's key alone.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    deviation
        Deviation of the noise, (b,); 0 = untouched.
    key
        Place in the table of normal numbers and sign, (b,), int64, >= 0.

    Returns
    -------
    Tensor
        ``x + deviation * n``.

    Notes
    -----
    Noise is a run through a fixed table of 2 million normal numbers, from a random place, with a random sign: as cheap
    as a copy, the same on every device, addressed by sample. Two samples may share numbers, at different pixels; a
    large volume goes around the table.
    """
    active = [place for place, value in enumerate(deviation.tolist()) if value > 0.0]
    if not active:
        return images
    table = normal_table(images.device)
    result = images.clone(memory_format=torch.contiguous_format)
    keys, deviations = key.tolist(), deviation.tolist()
    pixels = result[0].numel()
    for place in active:
        start = (keys[place] >> 1) & ((1 << _TABLE_BITS) - 1)
        scale = deviations[place] if keys[place] & 1 else -deviations[place]
        flat = result[place].view(-1)
        done = 0
        while done < pixels:
            step = min(pixels - done, len(table) - start)
            flat[done : done + step].add_(table[start : start + step], alpha=scale)
            done, start = done + step, 0
    return result


def erase(images: Tensor, box: Tensor) -> Tensor:
    """Fill a box of each sample with the sample's mean.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    box
        Lower and upper corner as shares of each axis' size, (b 2 d); nothing is erased where they round to the same
        pixel.

    Returns
    -------
    Tensor
        The batch with boxes erased.

    References
    ----------
    DeVries, Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.
    """
    size = torch.tensor(images.shape[2:], dtype=torch.float64)
    corners = (box.cpu().double() * size).round().to(torch.int64)
    result = images
    for place in (corners[:, 0] < corners[:, 1]).all(1).nonzero().flatten().tolist():
        if result is images:
            result = images.clone()
        within = tuple(slice(int(low), int(high)) for low, high in zip(*corners[place].tolist(), strict=True))
        result[(place, slice(None), *within)] = images[place].mean()
    return result
