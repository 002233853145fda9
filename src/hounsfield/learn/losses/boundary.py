"""The boundary loss: how much probability lies how far on the wrong side of a structure's border."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hounsfield.core.types import BoolArray, Float32Array

FAR = 20.0
"""Distance from the border at which a voxel counts as far, and from which on farther ones count alike."""


def border_distance(mask: BoolArray, steps: Sequence[float] = ()) -> Float32Array:
    """Return how far each voxel lies from the border of a structure, negative inside.

    Parameters
    ----------
    mask : numpy.ndarray
        Bool, ``y x`` or ``z y x``.
    steps : sequence of float
        Distance of neighbours along each axis; 1 along all if empty.

    Returns
    -------
    numpy.ndarray
        Float32, the mask's shape, in the unit of the steps, -1 to 1 after division by `FAR`: 0 at the outermost marked
        voxels, ``1 / FAR`` at the first ones outside. 0 everywhere where nothing, or everything, is marked: there is no
        border.
    """
    if not mask.any() or mask.all():
        return np.zeros(mask.shape, dtype=np.float32)
    from scipy.ndimage import distance_transform_edt

    sampling = tuple(steps) or None
    outside = distance_transform_edt(~mask, sampling=sampling)
    inside = distance_transform_edt(mask, sampling=sampling)
    finest = min(steps, default=1.0)
    far = outside - np.maximum(inside - finest, 0.0)
    return np.asarray(np.clip(far / FAR, -1.0, 1.0), dtype=np.float32)


def boundary_loss(probability: Tensor, marked: Tensor, counts: Tensor, *, steps: Sequence[float] = ()) -> Tensor:
    """Return the mean over voxels and classes of probability times distance from the true border.

    Parameters
    ----------
    probability : Tensor
        (b k ...), float32.
    marked : Tensor
        (b k ...), 0 and 1.
    counts : Tensor
        (b 1 ...): 1 where the loss counts.
    steps : sequence of float
        Distance of neighbours along each axis.

    Returns
    -------
    Tensor
        Scalar, -1 to 1; least where all that is marked has probability 1, and nothing else has any.

    Notes
    -----
    An integral over the border's mismatch rather than over regions: a small structure counts as much as its border
    is long, not as little as its area. It pulls probability out of what is far from any structure, where the gradient
    of a Dice is flat; alone it has the trivial minimum of marking nothing in a patch whose structure is tiny, hence
    beside Dice and cross-entropy. Distances are cut at `FAR` and divided by it, so that the term does not grow with
    the patch.

    References
    ----------
    Kervadec et al., "Boundary loss for highly unbalanced segmentation", MIDL 2019; Med Image Anal 67, 2021.
    """
    planes = marked.detach().cpu().numpy() > 0
    far = np.stack([np.stack([border_distance(one, steps) for one in case]) for case in planes])
    distance = torch.from_numpy(far).to(probability.device, probability.dtype)
    mass = counts.sum().clamp_min(1.0) * probability.shape[1]
    return (probability * distance * counts).sum() / mass
