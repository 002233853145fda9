"""Integrated gradients: the score's change along the way from an input without content, shared out over its places."""

import numpy as np
import torch

from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.learn.explain.gradcam import stride
from hounsfield.learn.explain.view import View

STEPS = 16
"""Points on each way (Gauss-Legendre)."""


def integrated_gradients(view: View) -> Float64Array:
    """Return each place's share in the difference between the score of the input and that of one without content.

    Parameters
    ----------
    view : View

    Returns
    -------
    numpy.ndarray
        At the input's size; signed: positive speaks for the answer.

    Notes
    -----
    ``IG_i = (x_i - x'_i) int_0^1 d f(x' + a (x - x')) / d x_i da``: the sum over pixels is ``f(x) - f(x')``. Two images
    x' without content, the training part's mean grey and the strongly blurred image, are averaged, as each alone is
    blind where the image happens to equal it; of signals the mean and the strongly smoothed signal, of irregular ones
    the mean alone. Summed over channels and smoothed with a Gaussian of half a stride of the network's last stage, of
    signals half a stretch that occlusion hides: single places mean nothing to a network that pools.

    References
    ----------
    Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017.
    """
    from scipy.ndimage import gaussian_filter

    found = attributions(view, baselines_of(view)).sum(axis=0)[tuple(slice(0, n) for n in view.size)]
    grain = view.hiding.grain()
    wide = [0.5 * s for s in stride(view)] if grain is None else [grain * n for n in view.size]
    smooth: Float64Array = gaussian_filter(found, wide, mode="nearest")
    return smooth


def baselines_of(view: View) -> list[Float32Array]:
    """Return inputs without content, see `hounsfield.learn.explain.hiding.Hiding.contentless`."""
    return view.hiding.contentless(view.image)


def attributions(view: View, baselines: list[Float32Array]) -> Float64Array:
    """Return attributions ``c ...`` before smoothing, the mean over baselines; 0 where nothing was recorded."""
    total = np.zeros(view.image.shape)
    if all(voice.network is None for voice in view.voices):
        return total
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(view.score, multiply_by_inputs=True)
    image = view.tensor(view.image)
    for baseline in baselines:
        with torch.enable_grad():
            shares = method.attribute(image, baselines=view.tensor(baseline), n_steps=STEPS)
        total += np.nan_to_num(shares[0].detach().double().cpu().numpy()) / len(baselines)
    return total
