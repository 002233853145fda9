"""The deterministic part of augmentation: a batch changed by drawn parameters."""

import torch
from torch import Tensor

from hounsfield.learn.augment.geometry import flip, warp
from hounsfield.learn.augment.intensity import add_noise, bend_gain, blur, change_gamma, erase, stretch
from hounsfield.learn.augment.params import AugmentParams


@torch.no_grad()
def apply(images: Tensor, params: AugmentParams) -> Tensor:
    """Augment a batch.

    Parameters
    ----------
    images
        Prepared images, (b c y x) or (b c z y x), float32; not changed.
    params
        What was drawn for this batch; on any device.

    Returns
    -------
    Tensor
        The augmented batch, same shape, float32; the very same tensor if nothing is to be done.

    Notes
    -----
    The order is that of an acquisition: the body is placed (flip, warp), the device's gain and transfer act (bias
    field, gamma, contrast, brightness, blur), noise comes last, then a box is erased. Run it outside autocast.
    """
    if params.off:
        return images
    params = params.to(images.device)
    result = images
    if params.flip is not None:
        result = flip(result, params.flip)
    if params.matrix is not None:
        result = warp(result, params)
    if params.bias_field is not None:
        result = bend_gain(result, params.bias_field)
    if params.gamma is not None:
        result = change_gamma(result, params.gamma)
    if params.contrast is not None or params.brightness is not None:
        result = stretch(result, contrast=params.contrast, brightness=params.brightness)
    if params.blur is not None:
        result = blur(result, params.blur)
    if params.noise is not None and params.noise_key is not None:
        result = add_noise(result, params.noise, key=params.noise_key)
    return result if params.box is None else erase(result, params.box)
