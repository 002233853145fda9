"""The deterministic part of augmentation: a batch changed by drawn parameters."""

import torch
from torch import Tensor

from hounsfield.learn.augment.geometry import flip_, warp_
from hounsfield.learn.augment.intensity import add_noise_, bend_gain_, blur_, change_gamma_, erase_, stretch_
from hounsfield.learn.augment.params import AugmentParams


@torch.no_grad()
def apply_(images: Tensor, params: AugmentParams) -> Tensor:
    """Augment a batch.

    Parameters
    ----------
    images
        Prepared images, (b c y x) or (b c z y x), float32, contiguous; changed in place.
    params
        What was drawn for this batch; on any device.

    Returns
    -------
    Tensor
        The given tensor.

    Notes
    -----
    The order is that of an acquisition: the body is placed (flip, warp), the device's gain and transfer act (bias
    field, gamma, contrast, brightness, blur), noise comes last, then a box is erased. Run it outside autocast.
    """
    if params.off:
        return images
    params = params.to(images.device)
    if params.flip is not None:
        flip_(images, params.flip)
    if params.matrix is not None:
        warp_(images, params)
    if params.bias_field is not None:
        bend_gain_(images, params.bias_field)
    if params.gamma is not None:
        change_gamma_(images, params.gamma)
    if params.contrast is not None or params.brightness is not None:
        stretch_(images, contrast=params.contrast, brightness=params.brightness)
    if params.blur is not None:
        blur_(images, params.blur)
    if params.noise is not None and params.noise_key is not None:
        add_noise_(images, params.noise, key=params.noise_key)
    return images if params.box is None else erase_(images, params.box)
