"""What more data would bring: an inverse power law through fits to shares of the training part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.report import LOWER_IS_BETTER, MAIN_METRIC, Curve, Figure, LearningCurve, LearningPoint
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.statistics.intervals import patient_weights
from hounsfield.stages.evaluation.preparing import prepared
from hounsfield.stages.evaluation.samples import JudgedSample, gather

REPLICATES = 500
EXPONENT = 0.5
"""Exponent that is expected before anything is seen: what sampling error alone would give."""
EXPONENT_SPREAD = 0.6
"""Deviation of its logarithm: 95 % between .15 and 1.6, about what is found for networks and linear models alike."""
EXPONENTS = np.geomspace(0.05, 3.0, 60)
LEAST_DEVIATION = 0.003
"""No point is taken to be surer than this, in units of the metric, relative to the others."""
DRAWN_POINTS = 40


@dataclass(frozen=True)
class Measured:
    """Fits to one share of the training part, judged on the same held-out samples.

    Parameters
    ----------
    share : float
        Above 0, at most 1.
    samples, patients : float
        Mean over the runs.
    figures : float64 array (r, 1 + b)
        The metric of each run r: as it is, and in b bootstrap replicates of the held-out patients, the same
        replicates for all runs and all shares; see `replicated`.
    """

    share: float
    samples: float
    patients: float
    figures: Float64Array


@dataclass(frozen=True)
class Law:
    """``error(n) = floor + scale * (n / n0) ** -exponent``, one for each replicate.

    Parameters
    ----------
    floor, scale, exponent : float64 array (b,)
        At least 0.
    unit : float
        n0, the largest number of training samples seen.
    """

    floor: Float64Array
    scale: Float64Array
    exponent: Float64Array
    unit: float

    def __call__(self, samples: Float64Array) -> Float64Array:
        """Return the error (b m) at m numbers of samples."""
        powers: Float64Array = (samples[None] / self.unit) ** -self.exponent[:, None]
        return self.floor[:, None] + self.scale[:, None] * powers


def replicated(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    answers: Sequence[Float64Array],
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> Float64Array:
    """Return the main metric of several models on the same samples, plain and in bootstrap replicates.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n.
    answers : sequence of float64 array (n k) or (n,)
        Of r models: probabilities in the order of the target's classes, or numbers.
    seed : int
        The same seed draws the same patients, so that models judged in several calls stay paired.
    replicates : int
        b.

    Returns
    -------
    float64 array (r, 1 + b)
        NaN where undefined.
    """
    metric = MAIN_METRIC[target.kind]
    rows = [gather(target, samples, found) for found in answers]
    figures = [prepared(found) for found in rows]
    made = [[np.array([f.values[metric]])] for f in figures]
    rng = stream(seed, f"learning curve:{target.name}")
    for weights in patient_weights(rows[0].units, replicates=replicates, rng=rng):
        for values, ready in zip(made, figures, strict=True):
            values.append(ready.evaluate(weights)[metric])
    return np.stack([np.concatenate(values) for values in made])


def learning_curve(
    points: Sequence[Measured], *, target: TargetSpec, model: str, part: str, seed: int = 0
) -> LearningCurve:
    """Fit an inverse power law and say what twice the data would bring.

    Parameters
    ----------
    points : sequence of Measured
        At least two shares, in any order.
    target : TargetSpec
        Its kind says which metric `Measured.figures` holds.
    model : str
        ``network`` or the name of a baseline.
    part : str
        ``val`` or ``cv``.
    seed : int
        Of the replicates.

    Returns
    -------
    LearningCurve

    Raises
    ------
    InputError
        If there are fewer than two shares, or their replicates differ in number.

    Notes
    -----
    The error (1 less the metric, or the metric itself where less is better) is taken as ``a + b n**-c`` with a, b and
    c above 0: more data never harm, so the interval of the gain cannot reach below 0. Three shares do not settle
    three numbers; c therefore has a log-normal prior around `EXPONENT`. Uncertainty is randomise-then-optimise: the
    law is fitted again to every bootstrap replicate of the held-out patients, with noise of the spread between runs
    added and the centre of the prior drawn anew. It is an extrapolation by the same recipe, and knows of no limit
    that the labels or the pictures themselves set.

    References
    ----------
    Cortes C et al. Learning curves: asymptotic values and rate of convergence. NIPS 1993.
    Mukherjee S et al. J Comput Biol 2003;10:119-142. Bardsley JM et al. SIAM J Sci Comput 2014;36:A1895-A1910.
    """
    ordered = sorted(points, key=lambda p: p.samples)
    if len({p.samples for p in ordered}) < 2 or len({p.figures.shape[1] for p in ordered}) > 1:
        raise InputError(
            f"A learning curve was asked of {len(ordered)} shares of the training part.",
            expected="two or more numbers of training samples, judged in the same replicates",
        )
    metric = MAIN_METRIC[target.kind]
    rng = stream(seed, f"learning curve law:{target.name}:{model}")
    means = np.stack([p.figures.mean(axis=0) for p in ordered])
    noise = _run_deviation(ordered) / np.sqrt([len(p.figures) for p in ordered])
    noisy = means + np.column_stack([np.zeros(len(ordered)), noise[:, None] * rng.normal(size=means[:, 1:].shape)])
    shown = tuple(_point(p, values) for p, values in zip(ordered, noisy, strict=True))
    usable = noisy[:, np.isfinite(noisy).all(axis=0)]
    if not np.isfinite(noisy[:, 0]).all() or usable.shape[1] < 2:
        nothing = Figure(value=None, note="the metric is undefined on the held-out samples")
        return _block(target, model, part, shown, None, (nothing, nothing, nothing))
    sign, base = (1.0, 0.0) if metric in LOWER_IS_BETTER else (-1.0, 1.0)
    counts = np.array([p.samples for p in ordered])
    law = fit_law(counts, base + sign * usable, _deviation(usable, noise), rng=rng)
    grid = np.geomspace(counts[0], 2 * counts[-1], DRAWN_POINTS)
    drawn = sign * (law(grid) - base)
    now, double = (sign * (law(np.array([n])) - base)[:, 0] for n in (counts[-1], 2 * counts[-1]))
    low, high = np.quantile(drawn[:, :], [0.025, 0.975], axis=0)
    curve = Curve(x=_tuple(grid), y=_tuple(drawn[0]), low=_tuple(low), high=_tuple(high))
    return _block(target, model, part, shown, curve, (_figure(now), _figure(double), _figure(double - now)))


def fit_law(samples: Float64Array, errors: Float64Array, deviations: Float64Array, *, rng: np.random.Generator) -> Law:
    """Fit the law to every column of errors.

    Parameters
    ----------
    samples : float64 array (p,)
        Training samples of each point.
    errors : float64 array (p b)
        The first column is the data themselves, and is fitted with the prior as it is.
    deviations : float64 array (p,)
        Standard error of each point, relative to the others.
    rng : numpy.random.Generator
        Draws the centre of the prior for every other column.

    Notes
    -----
    For a given exponent the law is linear in floor and scale: weighted least squares, with what falls below 0 set to
    0; the exponent is searched on a grid.
    """
    unit = float(samples.max())
    weights = 1.0 / deviations[:, None] ** 2
    centres = np.log(EXPONENT) + EXPONENT_SPREAD * rng.normal(size=errors.shape[1])
    centres[0] = np.log(EXPONENT)
    best = np.full(errors.shape[1], np.inf)
    floor, scale, chosen = (np.zeros(errors.shape[1]) for _ in range(3))
    for exponent in EXPONENTS:
        powers = (samples[:, None] / unit) ** -exponent
        a, b = _two(powers, errors, weights)
        cost = (weights * (errors - a - b * powers) ** 2).sum(axis=0)
        cost += ((np.log(exponent) - centres) / EXPONENT_SPREAD) ** 2
        better = cost < best
        best[better] = cost[better]
        floor[better], scale[better], chosen[better] = a[better], b[better], exponent
    return Law(floor, scale, chosen, unit)


def _two(powers: Float64Array, errors: Float64Array, weights: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return floor and scale (b,) of the weighted least squares with both at least 0."""
    total = weights.sum()
    mean_x = (weights * powers).sum() / total
    mean_y = (weights * errors).sum(axis=0) / total
    spread = (weights * (powers - mean_x) ** 2).sum()
    b = (weights * (powers - mean_x) * (errors - mean_y)).sum(axis=0) / max(float(spread), 1e-12)
    a = mean_y - b * mean_x
    through = (weights * powers * errors).sum(axis=0) / (weights * powers**2).sum()
    flat = b <= 0
    origin = ~flat & (a < 0)
    a = np.where(flat, np.maximum(mean_y, 0.0), np.where(origin, 0.0, a))
    b = np.where(flat, 0.0, np.where(origin, np.maximum(through, 0.0), b))
    return a, b


def _run_deviation(points: Sequence[Measured]) -> float:
    """Return the deviation between runs on subsets of one size, pooled over the sizes; 0 where each ran once."""
    plain = [p.figures[:, 0] for p in points if len(p.figures) > 1]
    freedom = sum(len(v) - 1 for v in plain)
    squares = sum(float(((v - v.mean()) ** 2).sum()) for v in plain)
    return float(np.sqrt(squares / freedom)) if freedom and np.isfinite(squares) else 0.0


def _deviation(values: Float64Array, noise: Float64Array) -> Float64Array:
    """Return each point's standard error (p,) relative to the others: what moves all points alike shapes nothing."""
    apart = values[:, 1:] - values[:, 1:].mean(axis=0)
    found: Float64Array = np.maximum(np.maximum(apart.std(axis=1), noise), LEAST_DEVIATION)
    return found


def _point(measured: Measured, values: Float64Array) -> LearningPoint:
    return LearningPoint(
        share=measured.share,
        samples=round(measured.samples),
        patients=round(measured.patients),
        runs=len(measured.figures),
        figure=_figure(values),
    )


def _figure(values: Float64Array) -> Figure:
    """Return the first of the values, with the interval of the others."""
    if not np.isfinite(values[0]):
        return Figure(value=None, note="undefined on the held-out samples")
    known = values[1:][np.isfinite(values[1:])]
    if not len(known):
        return Figure(value=float(values[0]))
    low, high = np.quantile(known, [0.025, 0.975])
    return Figure(value=float(values[0]), low=float(low), high=float(high))


def _tuple(values: Float64Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def _block(  # one field each
    target: TargetSpec,
    model: str,
    part: str,
    points: tuple[LearningPoint, ...],
    fitted: Curve | None,
    figures: tuple[Figure, Figure, Figure],
) -> LearningCurve:
    now, double, gain = figures
    return LearningCurve(
        target=target.name,
        metric=MAIN_METRIC[target.kind],
        model=model,
        part=part,
        points=points,
        fitted=fitted,
        now=now,
        double=double,
        gain=gain,
    )
