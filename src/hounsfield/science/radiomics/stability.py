"""Which features stay the same when image and contour are changed a little: ICC(1,1) with its interval."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, FloatArray
from hounsfield.science.radiomics.perturbation import Perturbation, Spacing, perturb

LEAST = 0.75
"""A feature goes on whose interval lies above this (Koo, T. K. and Li, M. Y., J Chiropr Med 2016;15:155: good)."""

Features = Callable[[FloatArray, BoolArray], Mapping[str, float]]
"""From an image and a region to values by name; a value that is undefined is NaN or missing."""


@dataclass(frozen=True)
class Case:
    """A region to be measured again and again.

    Parameters
    ----------
    image, mask : numpy.ndarray
        ``z y x``.
    spacing_mm : tuple of float
        ``z y x``.
    """

    image: AnyArray
    mask: AnyArray
    spacing_mm: Spacing


@dataclass(frozen=True)
class Repeats:
    """Features of several regions, each measured several times.

    Parameters
    ----------
    names : tuple of str
    values : numpy.ndarray
        float64 ``n r f``: region, repeat, feature; NaN where a feature is undefined.
    """

    names: tuple[str, ...]
    values: Float64Array


@dataclass(frozen=True)
class Stability:
    """How much of a feature's variance lies between regions rather than between repeats of one.

    Parameters
    ----------
    icc : float
        ICC(1,1), at most 1; negative where repeats differ more than regions do; NaN where it is undefined.
    low, high : float
        Limits of its interval.
    regions : int
        Regions that it was computed from: those that have the feature in all repeats.
    reason : str
        Why it is undefined; empty where it is not.
    """

    icc: float
    low: float
    high: float
    regions: int
    reason: str = ""


def repeated(
    cases: Iterable[Case], features: Features, perturbations: Callable[[int], Sequence[Perturbation]]
) -> Repeats:
    """Measure every region in every perturbation.

    Parameters
    ----------
    cases : iterable of Case
        One is held at a time.
    features : callable
        Of an image and a mask; not called where a perturbed region is empty.
    perturbations : callable
        From a case's number to its changes; as many for each, and drawn anew for each, since ICC(1,1) takes the
        repeats of one region to be unlike those of another.

    Returns
    -------
    Repeats
        Names in the order in which they first come.

    Raises
    ------
    InputError
        If numbers of changes differ, or there are no cases or changes.
    """
    rows: list[list[Mapping[str, float]]] = []
    for number, case in enumerate(cases):
        row: list[Mapping[str, float]] = []
        for change in perturbations(number):
            image, mask = perturb(case.image, case.mask, case.spacing_mm, by=change)
            row.append(features(image, mask) if mask.any() else {})
        rows.append(row)
    counts = sorted({len(row) for row in rows})
    if len(counts) != 1 or counts[0] == 0:
        raise InputError(
            f"{len(rows)} regions were repeated {counts} times.",
            expected="at least one region, and as many repeats of each",
            next_step="Draw the same number of perturbations for every case.",
        )
    names = tuple(dict.fromkeys(name for row in rows for one in row for name in one))
    values = [[[float(one.get(name, np.nan)) for name in names] for one in row] for row in rows]
    return Repeats(names, np.asarray(values, dtype=np.float64).reshape(len(rows), counts[0], len(names)))


def stability(values: AnyArray, *, confidence: float = 0.95) -> Stability:
    """Return ICC(1,1) of one feature with its interval.

    ``ICC(1,1) = (MSB - MSW) / (MSB + (r - 1) MSW)``, the mean squares between and within regions of a one-way analysis
    of variance. With ``F = MSB / MSW`` the limits are ``(F_l - 1) / (F_l + r - 1)`` and the like with ``F_u``;
    ``F_l = F / q(n - 1, n (r - 1))``, ``F_u = F q(n (r - 1), n - 1)``, q being the upper quantile of F.

    Parameters
    ----------
    values : numpy.ndarray
        ``n r``: regions and repeats. A region with a value that is not finite is left out.
    confidence : float
        Of the two-sided interval.

    Returns
    -------
    Stability
        Higher is more stable. Undefined with fewer than two regions or repeats, and for a constant feature.

    Raises
    ------
    InputError
        If there are not two axes, or the confidence is not between 0 and 1.

    Notes
    -----
    The interval supposes normal deviations and independent regions: several regions of a patient make it too narrow.

    References
    ----------
    Shrout, P. E. and Fleiss, J. L., Psychol Bull 1979;86:420. McGraw, K. O. and Wong, S. P., Psychol Methods 1996;1:30.
    """
    from scipy import stats

    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or not 0 < confidence < 1:
        raise InputError(
            f"An ICC of values of shape {given.shape} with confidence {confidence} was asked for.",
            expected="regions by repeats, and a confidence between 0 and 1",
            next_step="Give the values of one feature at a time.",
        )
    kept = given[np.isfinite(given).all(axis=1)]
    n, r = kept.shape
    if n < 2 or r < 2:
        reason = f"{n} of {len(given)} regions have the feature in all of {r} repeats; two of each are needed"
        return Stability(np.nan, np.nan, np.nan, n, reason)
    means = kept.mean(axis=1)
    between = r * float(np.sum((means - means.mean()) ** 2)) / (n - 1)
    within = float(np.sum((kept - means[:, None]) ** 2)) / (n * (r - 1))
    # what rounding alone leaves of values that are equal
    rounding = (8 * np.finfo(np.float64).eps * float(np.abs(kept).max())) ** 2
    if between <= rounding and within <= rounding:
        return Stability(np.nan, np.nan, np.nan, n, "the feature is constant")
    if within <= rounding:
        return Stability(1.0, 1.0, 1.0, n)
    ratio = between / within
    tail = 1 - (1 - confidence) / 2
    low = ratio / float(stats.f.ppf(tail, n - 1, n * (r - 1)))
    high = ratio * float(stats.f.ppf(tail, n * (r - 1), n - 1))
    icc, below, above = ((f - 1) / (f + r - 1) for f in (ratio, low, high))
    return Stability(icc, below, above, n)


def stabilities(repeats: Repeats, *, confidence: float = 0.95) -> dict[str, Stability]:
    """Return the stability of every feature by name."""
    return {
        name: stability(repeats.values[:, :, number], confidence=confidence)
        for number, name in enumerate(repeats.names)
    }


def stable(found: Mapping[str, Stability], *, least: float = LEAST) -> tuple[str, ...]:
    """Return the names of features whose lower limit is above `least`; one that is undefined is not among them."""
    return tuple(name for name, one in found.items() if one.low > least)
