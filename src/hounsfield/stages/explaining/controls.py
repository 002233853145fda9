"""Maps that know nothing: random fields as coarse as a map, and a blob in the middle."""

import numpy as np

from hounsfield.core.types import Float64Array, IntArray

COARSEST = 0.25
"""Largest width of a random field, as a share of the shortest edge."""


def coarseness(values: Float64Array) -> float:
    """Return the width of the Gaussian that would give white noise as coarse a ranking as a map has.

    Parameters
    ----------
    values : numpy.ndarray
        A map ``y x`` or ``z y x``; only its order counts.

    Returns
    -------
    float
        Standard deviation in pixels, a power of two (so that maps of about one coarseness share their random fields),
        at least 1/2 and at most `COARSEST` of the shortest edge.

    Notes
    -----
    White noise smoothed with a Gaussian of deviation s has ``E |grad f|^2 = d Var f / (2 s^2)`` in d dimensions. The
    map is first replaced by its ranks on a normal scale, because curves see ranks alone.
    """
    from scipy.special import ndtri

    long = tuple(axis for axis, n in enumerate(values.shape) if n > 1)
    shortest = min((values.shape[a] for a in long), default=1)
    rank = np.empty(values.size)
    rank[np.argsort(values, axis=None, kind="stable")] = (np.arange(values.size) + 0.5) / values.size
    normal = ndtri(rank).reshape(values.shape)
    slopes = sum(float((np.diff(normal, axis=a) ** 2).mean()) for a in long)
    width = np.sqrt(len(long) / (2.0 * slopes)) if slopes > 0 else shortest
    level = 2.0 ** np.round(np.log2(width))
    return float(np.clip(level, 0.5, max(0.5, COARSEST * shortest)))


def random_field(size: tuple[int, ...], width: float, generator: np.random.Generator) -> Float64Array:
    """Return white noise smoothed with a Gaussian.

    Parameters
    ----------
    size : tuple of int
        ``y x`` or ``z y x``.
    width : float
        Standard deviation in pixels.
    generator : numpy.random.Generator
    """
    from scipy.ndimage import gaussian_filter

    field: Float64Array = gaussian_filter(generator.standard_normal(size), width, mode="reflect")
    return field


def centre_blob(size: tuple[int, ...]) -> Float64Array:
    """Return a map that looks at the middle: minus the squared distance to it, edges at 1."""
    axes = np.meshgrid(*[np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in size], indexing="ij")
    blob: Float64Array = -np.sum([a**2 for a in axes], axis=0)
    return blob


def alike(first: Float64Array, second: Float64Array) -> float:
    """Return Spearman's rank correlation of two maps, 0 where one is constant."""
    a, b = (_mean_ranks(m) for m in (first, second))
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0


def _mean_ranks(values: Float64Array) -> Float64Array:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends: IntArray = np.cumsum(counts)
    ranks: Float64Array = (ends - (counts - 1) / 2.0)[inverse.reshape(-1)]
    return ranks
