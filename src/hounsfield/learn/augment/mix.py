"""Mixing samples: MixUp and CutMix, with their targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hounsfield.learn.augment.spec import AugmentSpec


@dataclass(frozen=True, slots=True)
class MixParams:
    """Who is mixed with whom.

    Parameters
    ----------
    partner
        Partner of each sample within the batch, (b,), int64.
    share
        Share of the sample itself, (b,), float32, in [0, 1]; 1 = not mixed.
    box
        Corners of the box that comes from the partner, (b 2 d), int64, pixels; empty boxes: all pixels are blended.
    """

    partner: Tensor
    share: Tensor
    box: Tensor

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "MixParams":
        """Return the parameters on a device."""
        return MixParams(*(t.to(device, non_blocking=non_blocking) for t in (self.partner, self.share, self.box)))


def draw_mix(spec: AugmentSpec, generator: np.random.Generator, *, count: int, size: Sequence[int]) -> MixParams | None:
    """Draw partners and shares for a batch.

    Parameters
    ----------
    spec
        What is allowed.
    generator
        Generator found by the batch's address: seed, purpose, epoch, step.
    count
        Samples b in the batch.
    size
        Pixels along the spatial axes; boxes are whole pixels, so that a share is exactly the share of pixels.

    Returns
    -------
    MixParams or None
        None if no mixing is allowed.

    References
    ----------
    Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018. Yun et al., "CutMix", ICCV 2019.
    """
    if not spec.mixes:
        return None
    edges = np.asarray(size, dtype=np.float64)
    partner = generator.permutation(count)
    chance, kind = generator.random(count), generator.random(count)
    blend = generator.beta(max(spec.mixup, 1e-3), max(spec.mixup, 1e-3), count)
    paste = generator.beta(max(spec.cutmix, 1e-3), max(spec.cutmix, 1e-3), count)
    place = generator.random((count, len(edges)))
    pasted = np.full(count, spec.cutmix > 0.0) if spec.mixup == 0.0 else (kind < 0.5) & (spec.cutmix > 0.0)
    edge = np.round(edges * ((1.0 - paste) ** (1.0 / len(edges)))[:, None])
    lower = np.floor(place * (edges - edge + 1.0))
    box = np.stack([lower, lower + edge], axis=1).astype(np.int64)
    share = np.where(pasted, 1.0 - edge.prod(axis=1) / edges.prod(), blend)
    mixed = chance < spec.mix_chance
    box[~(pasted & mixed)] = 0
    return MixParams(
        torch.from_numpy(partner.astype(np.int64)),
        torch.from_numpy(np.where(mixed, share, 1.0).astype(np.float32)),
        torch.from_numpy(box),
    )


@torch.no_grad()
def apply_mix(images: Tensor, mix: MixParams) -> Tensor:
    """Mix the images of a batch.

    Parameters
    ----------
    images
        (b c y x) or (b c z y x), float32.
    mix
        Partners, shares and boxes.

    Returns
    -------
    Tensor
        ``share x + (1 - share) x[partner]``, or x with the partner's box pasted; same shape.
    """
    mix = mix.to(images.device)
    pasted = (mix.box[:, 0] < mix.box[:, 1]).all(1)
    share = torch.where(pasted, torch.ones_like(mix.share), mix.share).reshape(-1, *[1] * (images.ndim - 1))
    result = torch.lerp(images[mix.partner], images, share)
    for place in pasted.nonzero().flatten().tolist():
        lower, upper = mix.box[place].tolist()
        within = (slice(None), *(slice(low, high) for low, high in zip(lower, upper, strict=True)))
        result[place][within] = images[int(mix.partner[place])][within]
    return result


def mix_targets(target: Tensor, mix: MixParams) -> Tensor:
    """Mix targets as the images were mixed.

    Parameters
    ----------
    target
        Class or level probabilities, labels or standardised values, (b k), float32, missing = NaN. Classes and levels
        are made probabilities first, by :func:`hounsfield.learn.losses.categorical.soft_target`.
    mix
        Partners and shares.

    Returns
    -------
    Tensor
        ``share q + (1 - share) q[partner]``, (b k); NaN where a needed answer is missing.
    """
    mix = mix.to(target.device)
    share = mix.share[:, None]
    return torch.where(share == 1.0, target, share * target + (1.0 - share) * target[mix.partner])
