"""How sure a figure is: patient-level bootstrap, paired differences, and closed forms for shares and AUROC.

Patients, not samples, are drawn with replacement, because several samples of one patient tell less than several
patients. A replicate is a column of whole-number weights; see `weighted_ranks`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, Json

REPLICATES = 2000
LEVEL = 0.95
_CHUNK = 2**19
_LEAST_DEFINED = 0.5

Statistic = Callable[[Float64Array], Float64Array]
"""From a weight matrix (n r) to the value in every replicate (r,)."""

_REASONS = {
    "auroc": "a class is missing",
    "average_precision": "there is no positive",
    "accuracy": "there is no sample with a known answer",
    "f1": "there is neither a positive nor a call",
    "sensitivity": "there is no positive",
    "recall": "the class does not occur",
    "specificity": "there is no negative",
    "ppv": "nothing is called positive",
    "npv": "everything is called positive",
    "calibration_slope": "a class is missing, the probability is constant, or it separates the classes perfectly",
    "calibration_intercept": "a class is missing",
    "r2": "the truth does not vary",
    "spearman": "the truth or the prediction does not vary",
    **dict.fromkeys(("dice", "iou", "nsd", "missed_rate", "volume_error"), "no image holds the structure"),
    **dict.fromkeys(("volume_bias", "lesion_sensitivity"), "no image holds the structure"),
    **dict.fromkeys(("hd95_mm", "assd_mm"), "no image that holds the structure has a mark"),
    **dict.fromkeys(("precision", "lesion_precision"), "nothing is marked"),
    "volume_error_ml": "no volume holds the structure",
    "lesion_f1": "there is neither a lesion nor a mark",
    "false_positive_rate": "every image holds the structure",
    "pixel_auroc": "the structure is nowhere, or everywhere",
    "pixel_average_precision": "no image holds the structure",
    "quadratic_kappa": "all truths and predictions are one grade",
}


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes
    ----------
    value, low, high : float
        The figure and its bounds; NaN where undefined.
    reason : str or None
        Why a part is NaN, or what the interval leaves out.
    dropped : int
        Replicates in which the figure was undefined, such as for want of a class; they are left out of the interval.
    """

    value: float
    low: float
    high: float
    reason: str | None = None
    dropped: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return value, low and high, None for NaN, and the reason and dropped replicates where there are any."""
        result: dict[str, Json] = {name: _finite_or_none(getattr(self, name)) for name in ("value", "low", "high")}
        if self.reason is not None:
            result["reason"] = self.reason
        if self.dropped:
            result["dropped"] = self.dropped
        return result


@dataclass(frozen=True)
class Difference(Interval):
    """A paired difference of two figures on the same samples, the first less the second.

    Attributes
    ----------
    p : float
        Twice the smaller share of replicates on either side of 0, each counting 0 itself; small where the sign is sure.
        A p-like share, not an exact test.
    """

    p: float = math.nan

    def to_json(self) -> dict[str, Json]:
        """Return what an `Interval` gives, and p."""
        return {**super().to_json(), "p": _finite_or_none(self.p)}


def why_undefined(name: str) -> str:
    """Return why the figure of that name can be NaN; ``recall:<class>`` reads as ``recall``."""
    return _REASONS.get(name.partition(":")[0].removesuffix("_at_prevalence"), "there is no sample with a known answer")


def patient_weights(patients: AnyArray, *, replicates: int, rng: np.random.Generator) -> Iterator[Float64Array]:
    """Draw patients with replacement and yield how often each sample is in each replicate.

    Parameters
    ----------
    patients : array (n,)
        What names the patient of each sample; each sample's own number where samples are patients.
    replicates : int
        How many replicates in all.
    rng : numpy.random.Generator
        What draws.

    Yields
    ------
    float64 array (n r)
        Whole numbers, in chunks of replicates so that memory stays small.

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. 1993. Field CA, Welsh AH. JRSS B 2007;69:369-390.
    """
    names, code = np.unique(np.asarray(patients), return_inverse=True)
    count, step = len(names), max(1, min(replicates, _CHUNK // max(1, len(code))))
    for start in range(0, replicates if count else 0, step):
        width = min(step, replicates - start)
        cell = rng.integers(0, count, size=(count, width))
        cell *= width
        cell += np.arange(width)
        drawn = np.bincount(cell.ravel(), minlength=count * width).astype(np.float64)
        yield drawn.reshape(count, width)[code]


def bootstrap(
    statistic: Statistic,
    patients: AnyArray,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    name: str = "",
) -> Interval:
    """Return a figure with its percentile interval over patient-level bootstrap replicates.

    Parameters
    ----------
    statistic : callable
        From weights (n r) to values (r,); `resampled` makes one from any metric.
    patients : array (n,)
        What names the patient of each sample.
    rng : numpy.random.Generator
        What draws.
    replicates : int
        How many.
    level : float
        Share of replicates inside, in (0, 1).
    name : str
        The figure's name, for the reason where it is undefined.

    Returns
    -------
    Interval
        Bounds are NaN with one patient, or where under half of the replicates are defined.
    """
    patients = np.asarray(patients)
    value = float(statistic(np.ones((len(patients), 1)))[0]) if len(patients) else math.nan
    parts = [statistic(weights) for weights in patient_weights(patients, replicates=replicates, rng=rng)]
    values = np.concatenate(parts) if parts else np.zeros(0)
    return percentile_interval(value, values, patients=len(np.unique(patients)), level=level, name=name)


def percentile_interval(
    value: float, replicates: Float64Array, *, patients: int, level: float = LEVEL, name: str = ""
) -> Interval:
    """Return the interval between the percentiles of replicates, undefined ones left out and counted.

    Parameters
    ----------
    value : float
        The figure itself.
    replicates : float64 array (r,)
        The figure in every replicate; NaN where undefined.
    patients : int
        How many patients were drawn from.
    level : float
        Share of replicates inside, in (0, 1).
    name : str
        The figure's name, for the reason where it is undefined.
    """
    if math.isnan(value):
        return Interval(math.nan, math.nan, math.nan, why_undefined(name))
    known = replicates[~np.isnan(replicates)]
    dropped = len(replicates) - len(known)
    if patients < 2:
        return Interval(value, math.nan, math.nan, "one patient gives no interval")
    if len(known) < _LEAST_DEFINED * max(1, len(replicates)):
        reason = f"undefined in {dropped} of {len(replicates)} replicates: {why_undefined(name)}"
        return Interval(value, math.nan, math.nan, reason, dropped)
    tail = 0.5 * (1 - level)
    low, high = (float(bound) for bound in np.quantile(known, [tail, 1 - tail]))
    reason_same = "the same in every replicate" if np.ptp(known) == 0 else None
    return Interval(value, low, high, reason_same, dropped)


def paired_bootstrap(
    ours: Statistic,
    theirs: Statistic,
    patients: AnyArray,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    name: str = "",
) -> Difference:
    """Return the difference of two figures on the same samples, both evaluated on every replicate.

    Parameters
    ----------
    ours, theirs : callable
        From weights (n r) to values (r,).
    patients : array (n,)
        What names the patient of each sample.
    rng : numpy.random.Generator
        What draws.
    replicates : int
        How many.
    level : float
        Share of replicates inside, in (0, 1).
    name : str
        The figures' name, for the reason where one is undefined.
    """

    def difference(weights: Float64Array) -> Float64Array:
        return ours(weights) - theirs(weights)

    patients = np.asarray(patients)
    value = float(difference(np.ones((len(patients), 1)))[0]) if len(patients) else math.nan
    parts = [difference(weights) for weights in patient_weights(patients, replicates=replicates, rng=rng)]
    values = np.concatenate(parts) if parts else np.zeros(0)
    return percentile_difference(value, values, patients=len(np.unique(patients)), level=level, name=name)


def percentile_difference(
    value: float, replicates: Float64Array, *, patients: int, level: float = LEVEL, name: str = ""
) -> Difference:
    """Return a difference with its percentile interval and its p-like share; arguments as `percentile_interval`."""
    inside = percentile_interval(value, replicates, patients=patients, level=level, name=name)
    known = replicates[~np.isnan(replicates)]
    p = math.nan
    if not math.isnan(inside.low):
        rarer = min(int((known <= 0).sum()), int((known >= 0).sum()))
        p = min(1.0, 2 * (rarer + 1) / (len(known) + 1))
    return Difference(inside.value, inside.low, inside.high, inside.reason, inside.dropped, p)


def resampled(metric: Callable[..., float], *arrays: AnyArray) -> Statistic:
    """Make a statistic from any metric of arrays with one row per sample, by repeating rows (slow, general).

    Parameters
    ----------
    metric : callable
        From the arrays to a number, such as ``discrimination.auroc``.
    *arrays : array (n, ...)
        What it takes, in order.
    """

    def statistic(weights: Float64Array) -> Float64Array:
        rows = np.arange(weights.shape[0])
        counts = weights.astype(np.int64)
        drawn = (np.repeat(rows, counts[:, replicate]) for replicate in range(weights.shape[1]))
        return np.array([metric(*(array[index] for array in arrays)) for index in drawn], dtype=np.float64)

    return statistic


def wilson(hits: int, total: int, *, level: float = LEVEL) -> Interval:
    """Return a share with its Wilson score interval, which is right on average also for small n.

    Parameters
    ----------
    hits, total : int
        Successes and independent trials.
    level : float
        Coverage, in (0, 1).

    References
    ----------
    Wilson EB. JASA 1927;22:209-212.
    """
    _check_counts(hits, total)
    if total == 0:
        return Interval(math.nan, math.nan, math.nan, "there is no trial")
    z = NormalDist().inv_cdf(0.5 * (1 + level))
    share, z2 = hits / total, z * z
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = z / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == total else min(1.0, centre + half)
    return Interval(share, low, high)


def clopper_pearson(hits: int, total: int, *, level: float = LEVEL) -> Interval:
    """Return a share with its exact binomial interval, which covers at least as often as it says.

    Parameters
    ----------
    hits, total : int
        Successes and independent trials.
    level : float
        Coverage, in (0, 1).

    References
    ----------
    Clopper CJ, Pearson ES. Biometrika 1934;26:404-413.
    """
    from scipy.special import betaincinv

    _check_counts(hits, total)
    if total == 0:
        return Interval(math.nan, math.nan, math.nan, "there is no trial")
    tail = 0.5 * (1 - level)
    low = 0.0 if hits == 0 else float(betaincinv(hits, total - hits + 1, tail))
    high = 1.0 if hits == total else float(betaincinv(hits + 1, total - hits, 1 - tail))
    return Interval(hits / total, low, high)


def expected_auroc_interval(auroc: float, positives: int, negatives: int, *, level: float = LEVEL) -> Interval:
    """Return the interval that an AUROC would have with so many patients, before anything is trained.

    Parameters
    ----------
    auroc : float
        The AUROC that is hoped for, in [0, 1].
    positives, negatives : int
        Patients of each class in the part that will be judged.
    level : float
        Coverage, in (0, 1).

    Notes
    -----
    Normal approximation with Hanley and McNeil's standard error (exponential scores), cut at 0 and 1; for planning,
    not for reporting.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
    """
    if positives < 1 or negatives < 1:
        return Interval(auroc, math.nan, math.nan, why_undefined("auroc"))
    both_positive, both_negative = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = (
        auroc * (1 - auroc)
        + (positives - 1) * (both_positive - auroc**2)
        + (negatives - 1) * (both_negative - auroc**2)
    ) / (positives * negatives)
    half = NormalDist().inv_cdf(0.5 * (1 + level)) * math.sqrt(max(0.0, variance))
    return Interval(auroc, max(0.0, auroc - half), min(1.0, auroc + half))


def _check_counts(hits: int, total: int) -> None:
    if not 0 <= hits <= total:
        raise InputError(f"There are {hits} successes in {total} trials.", expected="0 <= successes <= trials")


def _finite_or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
