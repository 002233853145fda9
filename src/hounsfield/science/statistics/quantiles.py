"""Forecast quantiles: how good they are, whether they cover what they say, and shifts that make them cover it."""

from collections.abc import Sequence

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics.conformal import fewest, limit


def pinball(truth: Float64Array, quantiles: Float64Array, levels: Sequence[float]) -> Float64Array:
    """Return the pinball loss of quantiles, the mean over levels; lower is better.

    Parameters
    ----------
    truth : numpy.ndarray
        ``n``; NaN where not known.
    quantiles : numpy.ndarray
        ``n q``, in the truth's unit.
    levels : sequence of float
        q levels in (0, 1).

    Returns
    -------
    numpy.ndarray
        ``n``, in the truth's unit; NaN where the truth is not known. With all levels it tends to half of the
        continuous ranked probability score; at level .5 alone it is half the absolute error.

    References
    ----------
    Koenker R, Bassett G. Econometrica 1978;46:33-50. Gneiting T, Raftery AE. JASA 2007;102:359-378.
    """
    under = truth[:, None] - quantiles
    tau = np.asarray(levels, dtype=np.float64)
    return np.asarray(np.maximum(tau * under, (tau - 1.0) * under).mean(axis=1), np.float64)


def covered(truth: Float64Array, quantiles: Float64Array, pair: tuple[int, int]) -> Float64Array:
    """Return whether each truth lies between two quantiles, both ends included: ``n``, 1, 0, or NaN where not known.

    Parameters
    ----------
    truth : numpy.ndarray
        ``n``.
    quantiles : numpy.ndarray
        ``n q``.
    pair : (int, int)
        Columns of the lower and of the upper end.
    """
    inside = (truth >= quantiles[:, pair[0]]) & (truth <= quantiles[:, pair[1]])
    return np.where(np.isfinite(truth), inside.astype(np.float64), np.nan)


def shifts(truth: Float64Array, quantiles: Float64Array, levels: Sequence[float]) -> Float64Array:
    """Return what is to be added to each quantile so that it covers what it says (conformalised quantiles).

    Parameters
    ----------
    truth : numpy.ndarray
        ``n`` of calibration series, which nothing was fitted to; NaN where not known.
    quantiles : numpy.ndarray
        ``n q``.
    levels : sequence of float
        q levels in (0, 1), rising.

    Returns
    -------
    numpy.ndarray
        ``q``, in the truth's unit.

    Raises
    ------
    InputError
        If there are too few truths for the outermost level.

    Notes
    -----
    Each end by itself, so that the misses above and below an interval are as many as wanted and not only their sum:
    from above for a level over .5 (a new truth lies under it with a probability of at least the level), from below
    for one under. The promise holds if calibration and new truths are exchangeable; truths of one patient are not
    among each other, so that it holds in the mean over patients and varies more than so many truths suggest.

    References
    ----------
    Romano Y, Patterson E, Candes EJ. Conformalized quantile regression. NeurIPS 2019, theorem 2.
    """
    known = np.isfinite(truth)
    found = np.zeros(len(levels))
    for place, level in enumerate(levels):
        off = truth[known] - quantiles[known, place]
        bound = limit(off, level) if level >= 0.5 else limit(-off, 1.0 - level)
        if bound is None:
            raise InputError(
                f"{int(known.sum())} known truths are too few to calibrate a quantile of {level:g}.",
                expected=f"at least {fewest(max(level, 1 - level))}",
                next_step="put more series into the validation part",
            )
        found[place] = bound if level >= 0.5 else -bound
    return found


def shifted(quantiles: Float64Array, by: Float64Array) -> Float64Array:
    """Return quantiles ``... q`` moved by `shifts`, in order: where two crossed by it they are exchanged."""
    return np.asarray(np.sort(quantiles + by, axis=-1), np.float64)


def share_below(quantiles: Float64Array, levels: Sequence[float], value: float) -> Float64Array:
    """Return the probability that quantiles give to a truth below a value.

    Parameters
    ----------
    quantiles : numpy.ndarray
        ``n q``, rising.
    levels : sequence of float
        q levels in (0, 1), rising, at least two.
    value : float
        In the quantiles' unit.

    Returns
    -------
    numpy.ndarray
        ``n`` in (0, 1); NaN where the quantiles are. Straight lines between the quantiles, exponential tails beyond
        the outermost ones with the same slope: falling with every quantile that rises, and never quite 0 or 1.
    """
    tau = np.asarray(levels, dtype=np.float64)
    least = 1e-6
    gaps = np.maximum(np.diff(quantiles, axis=1), least)
    ends = quantiles[:, :1] + np.concatenate([np.zeros((len(quantiles), 1)), np.cumsum(gaps, axis=1)], axis=1)
    place = np.clip((ends <= value).sum(axis=1) - 1, 0, len(tau) - 2)
    rows = np.arange(len(quantiles))
    slope = (tau[place + 1] - tau[place]) / gaps[rows, place]
    inside = tau[place] + slope * (value - ends[rows, place])
    low = tau[0] * np.exp(np.minimum((value - ends[:, 0]) * slope / tau[0], 0.0))
    high = 1.0 - (1.0 - tau[-1]) * np.exp(np.minimum((ends[:, -1] - value) * slope / (1.0 - tau[-1]), 0.0))
    found = np.where(value < ends[:, 0], low, np.where(value > ends[:, -1], high, inside))
    return np.where(np.isfinite(quantiles).all(axis=1), found, np.nan)
