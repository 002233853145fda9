"""ComBat: what scanners or sites add to features is estimated, and taken away."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array

_ROUNDS = 500
_CLOSE = 1e-8
FEWEST = 2
"""Samples of a site from which on its spread can be told."""


class Combat(BaseModel):
    """A fitted harmonisation; nothing of a patient is in it.

    Attributes
    ----------
    mean, spread : tuple of float
        Of each feature: what it is without its site, and the pooled standard deviation within sites; a spread of 0
        leaves the feature as it is.
    shift, scale : mapping of str to tuple of float
        Of each site and feature, on the standardised scale: the shift and the variance that are taken away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    shift: dict[str, tuple[float, ...]]
    scale: dict[str, tuple[float, ...]]


def fit(values: Float64Array, sites: Sequence[str]) -> Combat:
    """Estimate what each site adds to each feature.

    ``x = a + s (gamma_i + delta_i e)``: a the mean of site means weighted by their numbers, s^2 the mean square of what
    is left within sites; the site's shift gamma has a normal, its variance delta^2 an inverse gamma distribution over
    features, whose parameters are estimated by moments (empirical Bayes), and both posterior values are found in turn.

    Parameters
    ----------
    values : numpy.ndarray
        ``n f`` float64, finite; more than one feature, since a site's features lend one another strength.
    sites : sequence of str
        ``n``.

    Raises
    ------
    InputError
        If sizes differ, a value is not finite, there are fewer than two features or a site has one sample only.

    Notes
    -----
    No covariates are kept: where sites differ in what is to be predicted, that difference is taken away too, and the
    honest way to see what that costs is to fit within the folds of a validation. Constant features stay as they are.

    References
    ----------
    Johnson, W. E., Li, C. and Rabinovic, A., Biostatistics 2007;8:118.
    """
    names = np.asarray(sites, dtype=str)
    counts = {str(s): int(n) for s, n in zip(*np.unique(names, return_counts=True), strict=True)}
    if values.ndim != 2 or values.shape[1] < 2 or len(names) != len(values) or not np.isfinite(values).all():
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
    means = {s: values[names == s].mean(axis=0) for s in counts}
    grand = sum((n / len(values)) * means[s] for s, n in counts.items()) + np.zeros(values.shape[1])
    left = values - np.stack([means[s] for s in names.tolist()])
    spread = np.sqrt(np.mean(left**2, axis=0))
    spread[spread <= 1e-12 * np.abs(values).max(axis=0)] = 0.0
    told = spread > 0
    standard = np.zeros_like(values)
    standard[:, told] = (values[:, told] - grand[told]) / spread[told]
    shift, scale = {}, {}
    for site in counts:
        gamma, delta = np.zeros(values.shape[1]), np.ones(values.shape[1])
        if told.sum() > 1:
            gamma[told], delta[told] = _posterior(standard[np.ix_(names == site, told)])
        shift[site], scale[site] = tuple(gamma.tolist()), tuple(delta.tolist())
    return Combat(mean=tuple(grand.tolist()), spread=tuple(spread.tolist()), shift=shift, scale=scale)


def apply(model: Combat, values: Float64Array, sites: Sequence[str]) -> Float64Array:
    """Return features without what their sites add.

    Parameters
    ----------
    model : Combat
    values : numpy.ndarray
        ``n f`` float64.
    sites : sequence of str
        ``n``, each of them fitted.

    Raises
    ------
    InputError
        If a site was not fitted, or the number of features differs.
    """
    unknown = sorted(set(sites) - set(model.shift))
    if unknown or values.ndim != 2 or values.shape != (len(sites), len(model.mean)):
        raise InputError(
            f"{len(unknown)} sites were not seen when ComBat was fitted, or values of shape {values.shape} do not fit.",
            expected=f"{len(model.mean)} features of known sites",
            next_step="fit again with samples of every site",
        )
    mean, spread = np.asarray(model.mean), np.asarray(model.spread)
    told = spread > 0
    made = values.astype(np.float64)
    for site in set(sites):
        rows = np.asarray(sites, dtype=str) == site
        shift, scale = np.asarray(model.shift[site])[told], np.sqrt(np.asarray(model.scale[site])[told])
        standard = (made[np.ix_(rows, told)] - mean[told]) / spread[told]
        made[np.ix_(rows, told)] = (standard - shift) / scale * spread[told] + mean[told]
    return made


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
