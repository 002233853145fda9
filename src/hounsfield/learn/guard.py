"""The input guard: how far a prepared image is from those that the model was trained on."""

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray, Float64Array, IntArray

FEWEST_PATIENTS = 20
"""Below this many patients there is no guard: aggregates over fewer would show the single images."""
OUTLYING = 5.0
"""Standardised numbers beyond this count as this: no odd image shall draw a direction to itself."""
COMPONENTS = 40
"""Principal directions of the numbers that are looked at one by one; the rest is looked at as one remainder."""
FOLDS = 5
WRONGLY_REFUSED = 0.05
"""Largest share of images of the training kind that may be refused."""
SURE = 0.975
"""How sure that share has to be, by the exact binomial bound over patients."""
DOUBTED = 0.05
"""Share of images of the training kind that are flagged or refused."""
BEYOND = 1.15
"""Refuse this much beyond the farthest image of the training kind where patients are too few for that bound."""
RIDGE = 1e-3


class GuardLimits(BaseModel):
    """Limits of the guard, and the plain facts it also checks.

    Attributes
    ----------
    flag, refuse : float
        Distances from which an answer is doubted, and from which none is given.
    ndim : int
        Axes of time or space of the training inputs: 2 or 3 of images, 1 of signals, 0 of rows. Of several inputs these
        and the sizes are the first one's.
    size_low, size_high : tuple of int
        5th and 95th percentile of the training sizes, along these axes.
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


def plain_doubts(image: Image, limits: GuardLimits) -> list[str]:
    """Return what of size and colour is unlike the training images."""
    doubts = []
    if image.ndim == limits.ndim:
        small = [n < 0.5 * low for n, low in zip(image.size, limits.size_low, strict=True)]
        if any(small):
            doubts.append(
                f"size {' x '.join(map(str, image.size))} is under half of the training images' "
                f"({' x '.join(map(str, limits.size_low))} at the 5th percentile)"
            )
    if image.channels >= 3 and not limits.colour:
        first = image.array[:3].astype(np.float32)
        if float(np.abs(first - first.mean(axis=0)).mean()) > 0.02 * max(float(first.max()), 1.0):
            doubts.append("colour, while the training images are grey")
    return doubts


def fit_guard(features: Float64Array) -> dict[str, AnyArray]:
    """Learn where images of the training kind lie.

    Parameters
    ----------
    features : numpy.ndarray
        ``n f``, from `hounsfield.learn.looks`, one row per image.

    Returns
    -------
    dict of str to numpy.ndarray
        Aggregates: mean, scale, directions, variances. At most one direction for eight images.

    Notes
    -----
    A Gaussian with a few free directions and one shared variance for all others (probabilistic principal components:
    Tipping, Bishop, JRSS B 61(3), 1999). The variances are shrunk towards their mean as far as the number of images
    asks for (Ledoit, Wolf, J Multivariate Analysis 88(2), 2004), so that directions seen by chance only are not
    trusted.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.maximum(scale, 1e-3 * max(float(scale.max()), 1e-12))
    scaled = _standardised(features, mean, scale)
    np.clip(scaled, -OUTLYING, OUTLYING, out=scaled)
    count = int(min(COMPONENTS, max(1, len(features) // 8), features.shape[1]))
    variance, directions = np.linalg.eigh(scaled.T @ scaled / max(len(features) - 1, 1))
    variance, directions = np.maximum(variance[::-1], 0.0), directions[:, ::-1].T
    kept = shrinkage(scaled)
    variance = (1 - kept) * variance + kept * variance.mean()
    rest = float(variance[count:].mean()) if features.shape[1] > count else 1.0
    return {
        "mean": mean,
        "scale": scale,
        "directions": np.ascontiguousarray(directions[:count]),
        "variance": variance[:count] + RIDGE,
        "rest": np.array([rest + RIDGE]),
    }


def shrinkage(scaled: Float64Array) -> float:
    """Return how far a covariance is to be shrunk towards a multiple of the identity, 0 to 1.

    Parameters
    ----------
    scaled : numpy.ndarray
        ``n f``, with mean 0.

    References
    ----------
    Ledoit, Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004, section 3.
    """
    count, width = scaled.shape
    covariance = scaled.T @ scaled / count
    away = float(((covariance - np.eye(width) * np.trace(covariance) / width) ** 2).sum())
    square = scaled**2  # the one copy that is as large as all numbers of all images
    noise = float((square.T @ square / count - covariance**2).sum()) / count
    return min(max(noise, 0.0) / away, 1.0) if away > 0 else 1.0


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
    scaled = _standardised(features, mean, scale)
    along = np.empty((len(scaled), len(directions)))
    for place, row in enumerate(scaled):  # a product of matrices sums in another order for another number of rows
        along[place] = directions @ row
    left = np.maximum(np.square(scaled, out=scaled).sum(axis=1) - (along**2).sum(axis=1), 0.0)
    rest = float(np.asarray(arrays["rest"], dtype=np.float64)[0])
    total = (along**2 / variance).sum(axis=1) + (left / rest if features.shape[1] > len(variance) else 0.0)
    result: Float64Array = np.sqrt(total / features.shape[1])
    return result


def _standardised(features: Float64Array, mean: Float64Array, scale: Float64Array) -> Float64Array:
    scaled = features - mean
    scaled /= scale
    return scaled


def crossed_distances(features: Float64Array, groups: IntArray) -> Float64Array:
    """Return the distance of each image from the images of other patients.

    Parameters
    ----------
    features : numpy.ndarray
        ``n f``.
    groups : numpy.ndarray
        ``n``, int64: patient, or what joins several.

    Returns
    -------
    numpy.ndarray
        ``n``: by a guard that was fitted without a fifth of the groups, this image's own among them; empty where
        there are fewer than two groups.
    """
    names, place = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return np.zeros(0)
    fold = place % min(FOLDS, len(names))
    far = np.zeros(len(features))
    for number in np.unique(fold):
        far[fold == number] = distances(fit_guard(features[fold != number]), features[fold == number])
    return far


def limits(far: Float64Array, groups: int) -> tuple[float, float]:
    """Return the distance to doubt and the distance to refuse from.

    Parameters
    ----------
    far : numpy.ndarray
        ``n`` distances of images of the training kind that the guard was not fitted to.
    groups : int
        Independent groups (patients) among them.

    Notes
    -----
    Refuse as much as keeps the exact binomial upper bound (Clopper, Pearson, Biometrika 26, 1934) of the share of
    refused images of the training kind at 5 % or below; the bound counts patients, since images of one patient err
    together. Fewer than 72 patients allow no refusal that keeps it: then refuse only what lies clearly beyond the
    farthest. The bound holds for images drawn as these were, not for another hospital's.
    """
    if not len(far):
        return float("inf"), float("inf")
    ordered = np.sort(far)
    allowed = allowed_refusals(groups)
    flag = float(np.quantile(ordered, 1 - DOUBTED))
    if allowed < 1:
        return flag, BEYOND * float(ordered[-1])
    beyond = int(np.floor(allowed / groups * len(ordered)))
    return min(flag, float(ordered[-1 - beyond])), float(ordered[-1 - beyond])


def allowed_refusals(groups: int) -> int:
    """Return how many of this many may be refused while the upper bound of their share stays below 5 %; -1 if none."""
    from scipy.stats import beta

    found = -1
    while found + 1 < groups and float(beta.ppf(SURE, found + 2, groups - found - 1)) <= WRONGLY_REFUSED:
        found += 1
    return found
