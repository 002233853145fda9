"""The skeleton loss (soft clDice): whether the centre lines of what is said and of what is true lie in each other."""

import torch
from torch import Tensor
from torch.nn import functional

WIDEST = 6
"""Voxels from the border to the centre line of the widest structure that is thinned to a line."""
SMOOTH = 1.0


def soft_skeleton(mask: Tensor, *, turns: int = WIDEST) -> Tensor:
    """Return the soft skeleton of maps from 0 to 1.

    Parameters
    ----------
    mask : Tensor
        (b k y x) or (b k z y x), 0 to 1.
    turns : int
        Erosions: structures of up to this half width are thinned to their centre line.

    Returns
    -------
    Tensor
        The input's shape, 0 to 1: what erosion takes away that opening would not bring back, gathered over the turns.
    """
    skeleton = functional.relu(mask - _opened(mask))
    for _ in range(turns):
        mask = _eroded(mask)
        ridge = functional.relu(mask - _opened(mask))
        skeleton = skeleton + functional.relu(ridge - skeleton * ridge)
    return skeleton


def skeleton_loss(probability: Tensor, marked: Tensor, counts: Tensor, *, turns: int = WIDEST) -> Tensor:
    """Return one less the soft clDice, its mean over classes, each over all patches of the batch together.

    Parameters
    ----------
    probability, marked : Tensor
        (b k ...), 0 to 1.
    counts : Tensor
        (b 1 ...): 1 where the loss counts; what lies elsewhere has no skeleton.
    turns : int
        See `soft_skeleton`.

    Returns
    -------
    Tensor
        Scalar, 0 to 1: ``1 - 2 a b / (a + b)``, with `a` the share of the said skeleton that is truly marked, and `b`
        the share of the true skeleton that is said to be.

    References
    ----------
    Shit et al., "clDice: a novel topology-preserving loss function for tubular structure segmentation", CVPR 2021.
    """
    said, true = probability * counts, marked * counts
    axes = [0, *range(2, probability.ndim)]
    said_line, true_line = soft_skeleton(said, turns=turns), soft_skeleton(true, turns=turns)
    precise = ((said_line * true).sum(axes) + SMOOTH) / (said_line.sum(axes) + SMOOTH)
    found = ((true_line * said).sum(axes) + SMOOTH) / (true_line.sum(axes) + SMOOTH)
    return 1.0 - (2.0 * precise * found / (precise + found)).mean()


def _eroded(mask: Tensor) -> Tensor:
    """Return the least of each voxel and its neighbours along the axes: a cross, which leaves lines whole."""
    ndim = mask.ndim - 2
    pool = functional.max_pool2d if ndim == 2 else functional.max_pool3d
    found = mask
    for axis in range(ndim):
        kernel = [3 if n == axis else 1 for n in range(ndim)]
        padding = [1 if n == axis else 0 for n in range(ndim)]
        found = torch.minimum(found, -pool(-mask, kernel, stride=1, padding=padding))
    return found


def _opened(mask: Tensor) -> Tensor:
    """Return what is left where a voxel and its neighbours along the axes fit in, widened by a full neighbourhood."""
    pool = functional.max_pool2d if mask.ndim == 4 else functional.max_pool3d
    return pool(_eroded(mask), 3, stride=1, padding=1)
