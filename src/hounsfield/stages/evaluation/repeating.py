"""Repeated cross-validation, judged: mean over folds, patients' mean answers, and both beside a reference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import MAIN_METRIC, Figure, Repeated, RepeatedModel
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.science.statistics.repeated import corrected_interval
from hounsfield.stages.evaluation.comparing import compare
from hounsfield.stages.evaluation.preparing import as_figure, prepared, with_intervals
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, gather

RANGE = {"auroc": (0.0, 1.0), "quadratic_kappa": (-1.0, 1.0), "mae": (0.0, np.inf)}
MOST_VARIABLES = 8


@dataclass(frozen=True)
class Repeats:
    """What a repeated cross-validation said.

    Parameters
    ----------
    folds : numpy.ndarray
        ``r n`` int64: in which fold of each repeat a sample was held out.
    answers : mapping of str to numpy.ndarray
        By model, ``r n k`` probabilities or ``r n`` numbers of held-out samples.
    variables : mapping of str to mapping of str to float
        By model, the share of its fits in which each variable was chosen; empty where a model chooses none.
    """

    folds: IntArray
    answers: Mapping[str, Float64Array]
    variables: Mapping[str, Mapping[str, float]]


def judge_repeats(
    target: TargetSpec, samples: Sequence[JudgedSample], said: Repeats, *, reference: str = "", seed: int = 0
) -> Repeated:
    """Judge the models of a repeated cross-validation on one target.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n.
    said : Repeats
    reference : str
        Model that the others are compared with; ``""`` for none.
    seed : int
        Of the bootstrap.

    Notes
    -----
    Two estimates stand side by side. The mean over folds of the figure within each fold is what one model of a fold is
    worth; its interval is Nadeau and Bengio's. The figure of each patient's mean answer over the repeats compares
    patients of different folds too, and is what the mean of several models is worth; its interval draws patients.
    """
    metric = MAIN_METRIC[target.kind]
    options = JudgeOptions(seed=seed)
    by_fold = {name: _by_fold(target, samples, said.folds, values, metric) for name, values in said.answers.items()}
    mean = {name: values.mean(axis=0) for name, values in said.answers.items()}
    count = int(said.folds.max()) + 1
    ratio = 1.0 / (count - 1)
    models = []
    for name, values in said.answers.items():
        rows = gather(target, samples, mean[name])
        apart = pooled_apart = None
        if reference in by_fold and name != reference:
            found = corrected_interval(by_fold[name] - by_fold[reference], ratio=ratio)
            apart = as_figure(found)
            pooled_apart = compare(target, samples, ours=mean[name], theirs=mean[reference], options=options).get(
                metric
            )
        repeats = [_value(target, samples, one, metric) for one in values]
        models.append(
            RepeatedModel(
                model=name,
                mean=as_figure(
                    corrected_interval(by_fold[name], ratio=ratio, bounds=RANGE.get(metric, (-np.inf, np.inf)))
                ),
                pooled=with_intervals(prepared(rows), rows, options, purpose="repeated").get(
                    metric, Figure(value=None)
                ),
                by_repeat=tuple(v if np.isfinite(v) else None for v in repeats),
                difference=apart,
                pooled_difference=pooled_apart,
                variables=_most(said.variables.get(name, {})),
            )
        )
    return Repeated(
        target=target.name,
        metric=metric,
        folds=count,
        repeats=len(said.folds),
        samples=len(samples),
        patients=len({s.unit or s.patient for s in samples}),
        reference=reference if reference in by_fold else "",
        models=tuple(models),
    )


def _by_fold(
    target: TargetSpec, samples: Sequence[JudgedSample], folds: IntArray, answers: Float64Array, metric: str
) -> Float64Array:
    """Return the metric of every fold of every repeat, repeat by repeat."""
    found = []
    for own, said in zip(folds, answers, strict=True):
        for fold in range(int(folds.max()) + 1):
            held = np.flatnonzero(own == fold)
            found.append(_value(target, [samples[int(i)] for i in held], said[held], metric))
    return np.array(found, dtype=np.float64)


def _value(target: TargetSpec, samples: Sequence[JudgedSample], answers: Float64Array, metric: str) -> float:
    rows = gather(target, samples, answers)
    return float(prepared(rows).values.get(metric, np.nan)) if len(rows) else np.nan


def _most(shares: Mapping[str, float]) -> dict[str, float]:
    first = sorted(shares.items(), key=lambda p: (-p[1], p[0]))[:MOST_VARIABLES]
    return {name: round(share, 4) for name, share in first}
