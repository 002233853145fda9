"""The input guard: how far a prepared image is from those that the model was trained on."""

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.types import AnyArray, Float64Array

FEWEST_PATIENTS = 20
"""Below this many patients there is no guard: aggregates over fewer would show the single images."""
OUTLYING = 5.0
"""Standardised numbers beyond this count as this: no odd image shall draw a direction to itself."""
COMPONENTS = 24
"""Principal directions of the texture numbers that are looked at one by one; the rest is looked at as one remainder."""
RIDGE = 1e-3


class GuardLimits(BaseModel):
    """Limits of the guard, and the plain facts it also checks.

    Attributes
    ----------
    flag, refuse : float
        Distances from which an answer is doubted, and from which none is given.
    ndim : int
        Space axes of the training images.
    size_low, size_high : tuple of int
        5th and 95th percentile of the training sizes.
    colour : bool
        Whether training images have colour.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    flag: float
    refuse: float
    ndim: int
    size_low: tuple[int, ...]
    size_high: tuple[int, ...]
    colour: bool


def fit_guard(features: Float64Array) -> dict[str, AnyArray]:
    """Learn where training images lie.

    Parameters
    ----------
    features : numpy.ndarray
        ``n f``, from `hounsfield.learn.learners.texture`, training rows only.

    Returns
    -------
    dict of str to numpy.ndarray
        Aggregates: mean, scale, directions, variances.

    Notes
    -----
    The distance is that of a Gaussian with a few free directions and one shared variance for all others
    (probabilistic principal components; Tipping, Bishop, JRSS B 61(3), 1999).
    """
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.maximum(scale, 1e-3 * max(float(scale.max()), 1e-12))
    scaled = np.clip((features - mean) / scale, -OUTLYING, OUTLYING)
    count = int(min(COMPONENTS, max(1, len(features) // 8), features.shape[1]))
    _, singular, directions = np.linalg.svd(scaled, full_matrices=False)
    variance = singular**2 / max(len(features) - 1, 1)
    rest = float(variance[count:].sum()) / max(features.shape[1] - count, 1)
    return {
        "mean": mean,
        "scale": scale,
        "directions": directions[:count],
        "variance": variance[:count] + RIDGE,
        "rest": np.array([rest + RIDGE]),
    }


def distances(arrays: Mapping[str, AnyArray], features: Float64Array) -> Float64Array:
    """Return how far from the training images each image lies.

    Parameters
    ----------
    arrays : mapping
        From `fit_guard`.
    features : numpy.ndarray
        ``n f``.

    Returns
    -------
    numpy.ndarray
        ``n``: root mean square of the standardised coordinates, about 1 for a training image.
    """
    mean, scale, directions, variance = (
        np.asarray(arrays[n], dtype=np.float64) for n in ("mean", "scale", "directions", "variance")
    )
    scaled = (features - mean) / scale
    # Row by row: a product of matrices sums in another order for another number of rows.
    along = np.stack([directions @ row for row in scaled])
    left = np.maximum((scaled**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
    free = features.shape[1] - len(variance)
    score = (along**2 / variance).sum(axis=1) / len(variance)
    remainder = left / float(np.asarray(arrays["rest"], dtype=np.float64)[0]) / max(free, 1)
    result: Float64Array = np.sqrt(0.5 * (score + remainder))
    return result


def limits(held_out: Float64Array) -> tuple[float, float]:
    """Return the distance to doubt and the distance to refuse from, by validation images.

    Parameters
    ----------
    held_out : numpy.ndarray
        ``n`` distances of validation images.

    Notes
    -----
    Doubt above their 97.5th percentile. Refuse above 1.5 times the 99th, but never below the largest seen: an image
    of the same kind should hardly ever be refused.
    """
    if not len(held_out):
        return float("inf"), float("inf")
    flag = float(np.quantile(held_out, 0.975))
    return flag, max(1.5 * float(np.quantile(held_out, 0.99)), float(held_out.max()))
