"""All figures of one set of predictions at once, so that one set of bootstrap replicates serves them all.

`figures_of_classes` and `figures_of_values` prepare a `Figures` for each target kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array
from hounsfield.science.statistics.inputs import unit_weights
from hounsfield.science.statistics.intervals import (
    LEVEL,
    REPLICATES,
    Difference,
    Interval,
    clopper_pearson,
    patient_weights,
    percentile_difference,
    percentile_interval,
)

Replicates = dict[str, Float64Array]
Evaluate = Callable[[Float64Array], Replicates]
"""From weights (n r) to every figure in every replicate (r,)."""


@dataclass(frozen=True)
class Figures:
    """The figures of one set of predictions, ready for any number of weightings.

    Attributes
    ----------
    samples : int
        Rows n that weights must have, samples without an answer included.
    values : mapping of str to float
        Every figure; NaN where undefined.
    evaluate : callable
        From weights (n r) to every figure in every replicate.
    trials : mapping of str to bool array (n,)
        For figures that are shares: the samples that make the denominator. A share of 0 or 1 does not vary in the
        bootstrap, and has the exact binomial interval over these patients instead.
    """

    samples: int
    values: Mapping[str, float]
    evaluate: Evaluate
    trials: Mapping[str, BoolArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Resampled:
    """Every figure in every bootstrap replicate: intervals and paired differences are read from it.

    Attributes
    ----------
    figures : Figures
        What was resampled.
    patients : array (n,)
        What was drawn with replacement.
    drawn : mapping of str to float64 array (r,)
        Every figure in every replicate.
    """

    figures: Figures
    patients: AnyArray
    drawn: Mapping[str, Float64Array]


def resample(
    figures: Figures, patients: AnyArray, *, rng: np.random.Generator, replicates: int = REPLICATES
) -> Resampled:
    """Return every figure in patient-level bootstrap replicates; the same draws for the same `rng` and patients.

    Parameters
    ----------
    figures : Figures
        From `categorical`, `multilabel`, `ordinal` or `number`.
    patients : array (n,)
        What names the patient of each sample.
    rng : numpy.random.Generator
        What draws.
    replicates : int
        How many.
    """
    patients = _same_length(patients, figures.samples)
    return Resampled(figures, patients, _collect([figures.evaluate], patients, replicates=replicates, rng=rng)[0])


def bootstrap_figures(
    figures: Figures,
    patients: AnyArray,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = LEVEL,
) -> dict[str, Interval]:
    """Return every figure with its percentile interval over patient-level bootstrap replicates.

    Parameters
    ----------
    figures : Figures
        From `categorical`, `multilabel`, `ordinal` or `number`.
    patients : array (n,)
        What names the patient of each sample.
    rng : numpy.random.Generator
        What draws.
    replicates : int
        How many.
    level : float
        Coverage, in (0, 1).

    Notes
    -----
    Replicates in which a figure is undefined are left out of its interval and counted in `Interval.dropped`. A share
    that is exactly 0 or 1 has the Clopper-Pearson interval over patients, since no replicate of it varies.
    """
    return intervals_of(resample(figures, patients, rng=rng, replicates=replicates), level=level)


def intervals_of(found: Resampled, *, level: float = LEVEL) -> dict[str, Interval]:
    """Return what `bootstrap_figures` does, of replicates that were drawn before."""
    figures, patients = found.figures, found.patients
    count = len(np.unique(patients))
    result = {}
    for name, value in figures.values.items():
        inside = percentile_interval(value, found.drawn[name], patients=count, level=level, name=name)
        if value in (0.0, 1.0) and name in figures.trials:
            trials = len(np.unique(patients[figures.trials[name]]))
            exact = clopper_pearson(trials if value == 1.0 else 0, trials, level=level)
            inside = Interval(value, exact.low, exact.high, "exact binomial over patients", inside.dropped)
        result[name] = inside
    return result


def paired_figures(
    ours: Figures,
    theirs: Figures,
    patients: AnyArray,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    level: float = LEVEL,
) -> dict[str, Difference]:
    """Return the difference of every figure that both sets have, on the same replicates of the same samples.

    Parameters
    ----------
    ours, theirs : Figures
        Of two sets of predictions for the same samples in the same order; ours less theirs.
    patients : array (n,)
        What names the patient of each sample.
    rng : numpy.random.Generator
        What draws.
    replicates : int
        How many.
    level : float
        Coverage, in (0, 1).
    """
    patients = _same_length(patients, ours.samples)
    _same_length(patients, theirs.samples)
    left, right = _collect([ours.evaluate, theirs.evaluate], patients, replicates=replicates, rng=rng)
    return differences_of(Resampled(ours, patients, left), Resampled(theirs, patients, right), level=level)


def differences_of(ours: Resampled, theirs: Resampled, *, level: float = LEVEL) -> dict[str, Difference]:
    """Return what `paired_figures` does, of replicates that were drawn before.

    Parameters
    ----------
    ours, theirs : Resampled
        With the same draws of the same patients.
    level : float
        Coverage, in (0, 1).

    Raises
    ------
    InputError
        If the patients differ.
    """
    if not np.array_equal(ours.patients, theirs.patients):
        raise InputError("Two models were resampled over different patients.", expected="the same samples in one order")
    count = len(np.unique(ours.patients))
    return {
        name: percentile_difference(
            value - theirs.figures.values[name],
            ours.drawn[name] - theirs.drawn[name],
            patients=count,
            level=level,
            name=name,
        )
        for name, value in ours.figures.values.items()
        if name in theirs.figures.values
    }


def plain_values(evaluate: Evaluate, samples: int) -> dict[str, float]:
    """Return every figure with each sample counted once."""
    return {name: float(value[0]) for name, value in evaluate(unit_weights(samples)).items()}


def mean_of_rows(values: Sequence[Float64Array], weights: Float64Array) -> Float64Array:
    """Average figures of several classes in every replicate: NaN where one is NaN, or where there is none."""
    if not len(values):
        return np.full(weights.shape[1], np.nan)
    average: Float64Array = np.mean(np.stack(list(values)), axis=0)
    return average


def names_or_indices(names: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of classes, or their indices as text where none were given.

    Raises
    ------
    InputError
        Where there are more or fewer names than classes, or a name occurs twice.
    """
    chosen = [str(c) for c in range(count)] if names is None else list(names)
    if len(chosen) != count or len(set(chosen)) != count:
        raise InputError(f"There are {len(set(chosen))} distinct names for {count} classes.", expected="one for each")
    return chosen


def _same_length(patients: AnyArray, samples: int) -> AnyArray:
    patients = np.asarray(patients)
    if patients.shape != (samples,):
        raise InputError(f"Patients of the shape {patients.shape} stand beside {samples} samples.", expected="one each")
    return patients


def _collect(
    evaluates: Sequence[Evaluate], patients: AnyArray, *, replicates: int, rng: np.random.Generator
) -> list[Replicates]:
    parts: list[list[Replicates]] = [[] for _ in evaluates]
    for weights in patient_weights(patients, replicates=replicates, rng=rng):
        for part, evaluate in zip(parts, evaluates, strict=True):
            part.append(evaluate(weights))
    if not parts[0]:
        # Without samples nothing is drawn: every figure is undefined.
        return [{name: np.zeros(0) for name in evaluate(unit_weights(0))} for evaluate in evaluates]
    return [{name: np.concatenate([chunk[name] for chunk in part]) for name in part[0]} for part in parts]
