"""Redundancy: how features go together, in which order they are best seen, and which of them can be left out."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.types import Float64Array, IntArray


def rank_correlations(values: Float64Array) -> Float64Array:
    """Return Spearman's correlations of features.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f``, float64, finite: regions and features.

    Returns
    -------
    numpy.ndarray
        ``f f``, -1 to 1, 1 on the diagonal; 0 for a feature that is constant, of which nothing can be said.

    Notes
    -----
    Pearson's correlation of ranks, ties sharing their mean rank.
    """
    from scipy import stats

    ranks = stats.rankdata(values, axis=0)
    away = ranks - ranks.mean(axis=0)
    length = np.sqrt(np.sum(away**2, axis=0))
    unit = np.divide(away, length, out=np.zeros_like(away), where=length > 0)
    found: Float64Array = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def clustered(correlations: Float64Array) -> IntArray:
    """Return an order of features in which alike ones stand together: average linkage of ``1 - |rho|``.

    Parameters
    ----------
    correlations : numpy.ndarray
        ``f f``, as `rank_correlations` gives them.

    Returns
    -------
    numpy.ndarray
        ``f`` int64: a permutation.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(correlations) < 3:
        return np.arange(len(correlations), dtype=np.int64)
    apart = 1.0 - np.abs(correlations)
    apart = (apart + apart.T) / 2
    np.fill_diagonal(apart, 0.0)
    return np.asarray(leaves_list(linkage(squareform(apart, checks=False), "average")), dtype=np.int64)


def kept(correlations: Float64Array, order: Sequence[int], *, most: float = 0.9) -> tuple[int, ...]:
    """Return features of which no two go together too closely.

    Parameters
    ----------
    correlations : numpy.ndarray
        ``f f``.
    order : sequence of int
        Features from the one wanted most on: of two that are alike, the earlier one stays.
    most : float
        Largest ``|rho|`` of two that stay.
    """
    found: list[int] = []
    for one in order:
        if not found or float(np.abs(correlations[one, found]).max()) <= most:
            found.append(int(one))
    return tuple(found)
