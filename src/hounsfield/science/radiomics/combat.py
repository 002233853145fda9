"""ComBat: what scanners or sites add to features is estimated, and taken away."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array

_ROUNDS = 500
_CLOSE = 1e-8
FEWEST = 2
"""Samples of a site from which on its spread can be told."""
LEAST_APART = 0.01
"""Share of a covariate's variance that sites and the other covariates must leave for its slope to be told."""
PER_COVARIATE = 5
"""Samples for each site and covariate from which on spreads can be told."""
Method = Literal["empirical-bayes", "each-feature"]
"""Whether a site's features lend one another strength, or each speaks for itself."""


class Combat(BaseModel):
    """A fitted harmonisation; nothing of a patient is in it.

    Attributes
    ----------
    mean, spread : tuple of float
        Of each feature: what it is without its site, and the pooled standard deviation within sites; a spread of 0
        leaves the feature as it is.
    shift, scale : mapping of str to tuple of float
        Of each site and feature, on the standardised scale: the shift and the variance that are taken away.
    slopes : tuple of tuple of float
        Of each covariate and feature: what the covariate adds, which is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    shift: dict[str, tuple[float, ...]]
    scale: dict[str, tuple[float, ...]]
    slopes: tuple[tuple[float, ...], ...] = ()


def fit(
    values: Float64Array,
    sites: Sequence[str],
    *,
    covariates: Float64Array | None = None,
    method: Method = "empirical-bayes",
) -> Combat:
    """Estimate what each site adds to each feature.

    ``x = a + c b + s (gamma_i + delta_i e)``: least squares gives a mean for each site and a slope b for each
    covariate c; a is the mean of the sites' weighted by their numbers, s^2 the mean square of what is left. The site's
    shift gamma has a normal, its variance delta^2 an inverse gamma distribution over features, whose parameters are
    estimated by moments (empirical Bayes), and both posterior values are found in turn.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, finite; more than one feature, since a site's features lend one another strength.
    sites : sequence of str
        ``n``.
    covariates : numpy.ndarray or None
        ``n k`` float64, finite: age, sex as 0 and 1, and the like, whose share in the features is kept. What is to be
        predicted is never one of them: of a new patient it is not known, and where it were given for those of the fit,
        each site would be moved so that the answers explain the features as well as they can, which is seen again in
        whatever is fitted to them (Nygaard, Rodland and Hovig, Biostatistics 2016;17:29).
    method : str
        ``empirical-bayes``, or ``each-feature``: shift and variance of every feature as its site's samples have them.

    Raises
    ------
    InputError
        If sizes differ, a value is not finite, there are fewer than two features, a site has one sample only, or
        covariates tell the sites apart.

    Notes
    -----
    Where sites differ in what is to be predicted and no covariate says it, that difference is taken away too, and the
    honest way to see what that costs is to fit within the folds of a validation. Constant features stay as they are.

    References
    ----------
    Johnson, W. E., Li, C. and Rabinovic, A., Biostatistics 2007;8:118.
    """
    names = np.asarray(sites, dtype=str)
    counts = {str(s): int(n) for s, n in zip(*np.unique(names, return_counts=True), strict=True)}
    beside = np.zeros((len(values), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    _check(values, names, beside, counts)
    design = np.column_stack([*((names == s).astype(np.float64) for s in counts), beside])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            "The covariates tell the sites apart: what is of the one and what of the other cannot be said.",
            expected="covariates that vary within sites",
            next_step="leave some of them out",
        )
    found = np.linalg.lstsq(design, values, rcond=None)[0]
    means, slopes = found[: len(counts)], found[len(counts) :]
    grand = np.array([n / len(values) for n in counts.values()]) @ means
    left = values - design @ found
    spread = np.sqrt(np.mean(left**2, axis=0))
    spread[spread <= 1e-12 * np.abs(values).max(axis=0)] = 0.0
    told = spread > 0
    standard = np.zeros_like(values)
    standard[:, told] = (values - grand - beside @ slopes)[:, told] / spread[told]
    shift, scale = {}, {}
    for site in counts:
        gamma, delta = np.zeros(values.shape[1]), np.ones(values.shape[1])
        own = standard[np.ix_(names == site, told)]
        if method == "each-feature":
            gamma[told], delta[told] = own.mean(axis=0), _variance(own)
        elif told.sum() > 1:
            gamma[told], delta[told] = _posterior(own)
        shift[site], scale[site] = tuple(gamma.tolist()), tuple(delta.tolist())
    return Combat(
        mean=tuple(grand.tolist()),
        spread=tuple(spread.tolist()),
        shift=shift,
        scale=scale,
        slopes=tuple(tuple(s) for s in slopes.tolist()),
    )


def told_apart(covariates: Float64Array, sites: Sequence[str]) -> tuple[int, ...]:
    """Return which covariates can be kept: their slopes are told by what differs within sites.

    Parameters
    ----------
    covariates : numpy.ndarray
        ``n k`` float64, finite.
    sites : sequence of str
        ``n``.

    Returns
    -------
    tuple of int
        In order, without those of whose variance sites and the covariates taken before leave less than `LEAST_APART`:
        all the same, one more than levels need, or a site under another name. No more than there are samples for.
    """
    names, centred = np.asarray(sites, dtype=str), covariates - covariates.mean(axis=0)
    whole = (centred**2).sum(axis=0)
    whole[whole <= 1e-20 * (covariates**2).sum(axis=0)] = np.inf  # the same throughout, but for rounding
    for site in set(sites):
        centred[names == site] -= centred[names == site].mean(axis=0)
    most = len(names) // PER_COVARIATE - len(set(sites))
    found: list[int] = []
    taken: list[Float64Array] = []
    for place in range(covariates.shape[1]):
        left = centred[:, place]
        for other in (*taken, *taken):  # once more for what rounding left
            left = left - (left @ other) * other
        own = float(left @ left)
        if len(found) < most and own > LEAST_APART * whole[place]:
            found.append(place)
            taken.append(left / np.sqrt(own))
    return tuple(found)


def apply(
    model: Combat,
    values: Float64Array,
    sites: Sequence[str],
    *,
    covariates: Float64Array | None = None,
    unseen: Literal["refuse", "pooled"] = "refuse",
) -> Float64Array:
    """Return features without what their sites add.

    Parameters
    ----------
    model : Combat
    values : numpy.ndarray
        ``n f`` float64.
    sites : sequence of str
        ``n``.
    covariates : numpy.ndarray or None
        ``n k`` float64, those of the fit.
    unseen : str
        What becomes of sites that were not fitted: ``refuse``, or ``pooled``: they are taken for the average site,
        which is standardised by the pooled mean and spread alone, so that their values stay as they are.

    Raises
    ------
    InputError
        If a site was not fitted and is not to be pooled, or the number of features or covariates differs.
    """
    unknown = set(sites) - set(model.shift)
    beside = np.zeros((len(values), 0)) if covariates is None else np.asarray(covariates, dtype=np.float64)
    fits = values.ndim == 2 and values.shape == (len(sites), len(model.mean))
    if (unknown and unseen == "refuse") or not fits or beside.shape != (len(values), len(model.slopes)):
        raise InputError(
            f"{len(unknown)} sites were not seen when ComBat was fitted, or values of shape {values.shape} do not fit.",
            expected=f"{len(model.mean)} features and {len(model.slopes)} covariates of known sites",
            next_step="fit again with samples of every site",
        )
    spread = np.asarray(model.spread)
    told = spread > 0
    usual = np.asarray(model.mean) + beside @ np.asarray(model.slopes).reshape(len(model.slopes), len(model.mean))
    made = values.astype(np.float64)
    for site in set(sites) - unknown:
        rows = np.asarray(sites, dtype=str) == site
        at = np.ix_(rows, told)
        shift, scale = np.asarray(model.shift[site])[told], np.sqrt(np.asarray(model.scale[site])[told])
        standard = (made[at] - usual[at]) / spread[told]
        made[at] = (standard - shift) / scale * spread[told] + usual[at]
    return made


def _check(values: Float64Array, names: AnyArray, beside: Float64Array, counts: Mapping[str, int]) -> None:
    whole = np.isfinite(values).all() and np.isfinite(beside).all()
    sizes = values.ndim == 2 and values.shape[1] > 1 and len(names) == len(values) and beside.shape[0] == len(values)
    if not whole or not sizes or beside.ndim != 2:
        raise InputError(
            f"Values of shape {values.shape} of {len(names)} sites were to be harmonised.",
            expected="finite values, samples by two features or more, and a site for each sample",
            next_step="fill what is missing first",
        )
    few = sorted(s for s, n in counts.items() if n < FEWEST)
    if few or not counts:
        raise InputError(
            f"{len(few)} sites have one sample only.",
            expected=f"at least {FEWEST} of each site",
            next_step="join small sites, or leave them out",
        )


def _variance(standard: Float64Array) -> Float64Array:
    """Return the variance of each feature ``n f``; 1 where it is 0, which could not be divided by."""
    found: Float64Array = standard.var(axis=0, ddof=1)
    return np.where(found > 0, found, 1.0)


def _posterior(standard: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return a site's shifts and variances of standardised features ``n f``."""
    n = len(standard)
    gamma, delta = standard.mean(axis=0), standard.var(axis=0, ddof=1)
    centre, width = float(gamma.mean()), float(gamma.var(ddof=1))
    middle, away = float(delta.mean()), float(delta.var(ddof=1))
    if width <= 0 or away <= 0:
        # all features alike: the distribution over features is a point, and so is the posterior
        return np.full(gamma.shape, centre), np.full(delta.shape, middle if middle > 0 else 1.0)
    shape = (2 * away + middle**2) / away
    rate = (middle * away + middle**3) / away
    now, spread = gamma, delta
    for _ in range(_ROUNDS):
        before = now, spread
        now = (width * n * gamma + spread * centre) / (width * n + spread)
        squares = np.sum((standard - now) ** 2, axis=0)
        spread = (0.5 * squares + rate) / (n / 2 + shape - 1)
        apart = max(float(np.abs(a - b).max()) for a, b in zip((now, spread), before, strict=True))
        if apart < _CLOSE:
            break
    return now, spread
