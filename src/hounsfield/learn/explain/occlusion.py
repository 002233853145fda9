"""Occlusion: hide one patch after another and see what the answer loses. The reference that needs no gradient."""

import itertools

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.learn.explain.view import View

PATCHES = {1: 32, 2: 7, 3: 4}
"""Patches that fit along each axis; they overlap by half, so there are twice as many less one."""


def occlusion(view: View) -> Float64Array:
    """Return what the score loses where a patch is hidden.

    Parameters
    ----------
    view : View

    Returns
    -------
    numpy.ndarray
        At the input's size; positive where hiding lowers the score. Each place has the mean over the patches that
        cover it, smoothed with a Gaussian of a quarter of a patch.

    Notes
    -----
    A patch of an image is replaced by the strongly blurred image: grey like its surroundings, without detail. A stretch
    of a signal is faded to the mean, of irregular ones it is missing, in all leads. 63 calls for a signal, 13 x 13 for
    a 2D image and 7 x 7 x 7 for a volume, whatever the size.

    References
    ----------
    Zeiler, Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    """
    from scipy.ndimage import gaussian_filter

    ndim = len(view.size)
    hidden = view.hiding.hidden(view.image)
    windows = [_windows(n, PATCHES[ndim]) for n in view.size]
    places = list(itertools.product(*windows))
    whole = float(view.scores([view.image])[0])
    lost = np.zeros(view.size)
    count = np.zeros(view.size)
    copies = [view.hiding.covered(view.image, hidden, place) for place in places]
    for place, score in zip(places, view.scores(copies), strict=True):
        lost[place] += whole - score
        count[place] += 1
    edges = [0.25 * (w[0].stop - w[0].start) for w in windows]
    smooth: Float64Array = gaussian_filter(lost / np.maximum(count, 1), edges, mode="nearest")
    return smooth


def _windows(edge: int, patches: int) -> list[slice]:
    """Return patches along one axis, overlapping by half, the last one at the border."""
    wide = max(2, round(edge / patches)) if edge > 1 else 1
    starts = sorted({min(s, edge - wide) for s in range(0, edge, max(1, wide // 2))})
    return [slice(s, s + wide) for s in starts]
