"""Losses of masks: cross-entropy of every voxel, soft Dice of every structure, and terms for what both overlook."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.learn.losses.boundary import boundary_loss
from hounsfield.learn.losses.skeleton import skeleton_loss

SMOOTH = 1.0
"""Voxels added above and below the line of a Dice: a batch without a structure neither divides by zero nor shouts."""


@dataclass(frozen=True)
class Weights:
    """What the loss of masks is made of.

    Parameters
    ----------
    dice, entropy : float
        Weights of soft Dice and cross-entropy.
    focal : float
        Power of ``1 - p`` that each voxel's cross-entropy is multiplied with, `p` the probability of what is true
        there; 0 leaves it as it is, else at least 1.
    boundary, skeleton : float
        Weights of `boundary_loss` and `skeleton_loss`.
    steps : tuple of float
        Distance of neighbours along each axis, for distances; equal if empty.
    """

    dice: float = 1.0
    entropy: float = 1.0
    focal: float = 0.0
    boundary: float = 0.0
    skeleton: float = 0.0
    steps: tuple[float, ...] = ()


PLAIN = Weights()


def outline_loss(raw: Tensor, planes: Tensor, region: Tensor, *, exclusive: bool, weights: Weights = PLAIN) -> Tensor:
    """Return the loss of one target on a batch of patches.

    Parameters
    ----------
    raw : Tensor
        Raw outputs (b w ...), float32: background and classes that exclude each other, or one for each class.
    planes : Tensor
        (b p ...), uint8: one plane of labels (0 nothing, n the n-th class), or a plane of 0 and 1 for each class.
    region : Tensor
        (b 1 ...), uint8: 1 where the loss counts.
    exclusive : bool
        Which of the two it is.
    weights : Weights

    Returns
    -------
    Tensor
        Scalar: ``a (1 - mean_k Dice_k) + b CE``, and further terms where they have a weight. The Dice of a class is
        over all patches of the batch together, ``(2 sum p t + s) / (sum p + sum t + s)``, its mean over classes without
        the background. A focal cross-entropy is ``-mean (1 - p)^g log p``.

    References
    ----------
    Milletari, Navab, Ahmadi, "V-Net", 3DV 2016. Isensee et al., "nnU-Net", Nat Methods 18, 2021 (sum of the two). Lin
    et al., "Focal loss for dense object detection", ICCV 2017.
    """
    counts = region.to(raw.dtype)
    mass = counts.sum().clamp_min(1.0)
    if exclusive:
        # a sum with ones and zeros: the kernel that picks by index gives other bits at every run on a GPU
        every = torch.stack([planes[:, 0] == n for n in range(raw.shape[1])], dim=1).to(raw.dtype)
        logs = raw.log_softmax(dim=1)
        each = _focussed(-(logs * every).sum(dim=1, keepdim=True), weights.focal)
        entropy = (each * counts).sum() / mass
        probability, marked = logs.exp()[:, 1:], every[:, 1:]
    else:
        marked = planes.to(raw.dtype)
        each = _focussed(functional.binary_cross_entropy_with_logits(raw, marked, reduction="none"), weights.focal)
        entropy = (each * counts).sum() / (mass * raw.shape[1])
        probability = raw.sigmoid()
    axes = [0, *range(2, raw.ndim)]
    both = (probability * marked * counts).sum(axes)
    either = ((probability + marked) * counts).sum(axes)
    dice = (2.0 * both + SMOOTH) / (either + SMOOTH)
    total = weights.dice * (1.0 - dice.mean()) + weights.entropy * entropy
    if weights.boundary:
        total = total + weights.boundary * boundary_loss(probability, marked, counts, steps=weights.steps)
    if weights.skeleton:
        total = total + weights.skeleton * skeleton_loss(probability, marked, counts)
    return total


def _focussed(entropy: Tensor, power: float) -> Tensor:
    """Return each voxel's cross-entropy, less of it where the truth is probable already."""
    return entropy if not power else entropy * (1.0 - torch.exp(-entropy)).pow(power)


def coarser(planes: Tensor, size: Sequence[int]) -> Tensor:
    """Return labels at a smaller size, each voxel one of those that it covers: (b p ...) uint8."""
    if tuple(planes.shape[2:]) == tuple(size):
        return planes
    index = [
        torch.div(torch.arange(new, device=planes.device) * old + old // 2, new, rounding_mode="floor").clamp_max(
            old - 1
        )
        for old, new in zip(planes.shape[2:], size, strict=True)
    ]
    for axis, places in enumerate(index):
        planes = planes.index_select(axis + 2, places)
    return planes
