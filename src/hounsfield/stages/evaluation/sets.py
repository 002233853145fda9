"""How often prediction sets hold the truth, how large they are, and whether that is what was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.prediction import SetRule
from hounsfield.core.report import ClassCoverage, SetFigures
from hounsfield.core.types import BoolArray, Float64Array
from hounsfield.science.statistics.conformal import coverage_interval, observed_interval
from hounsfield.stages.evaluation.samples import JudgedSample, Rows, gather, known

NO = ":no"


@dataclass(frozen=True)
class MadeSets:
    """Prediction sets of n samples.

    Parameters
    ----------
    inside : numpy.ndarray
        ``n k``; ``n 2k`` (there, not there) for labels; ``n 0`` for a number.
    half : numpy.ndarray
        ``n``: half the width of a number's interval; 0 otherwise.
    """

    inside: BoolArray
    half: Float64Array


def set_figures(
    target: TargetSpec,
    samples: Sequence[JudgedSample],
    answers: Float64Array,
    *,
    made: MadeSets,
    rule: SetRule,
    own_rules: bool = False,
) -> SetFigures | None:
    """Judge prediction sets.

    Parameters
    ----------
    target : TargetSpec
    samples : sequence of JudgedSample
        Length n; those without a truth count nowhere.
    answers : numpy.ndarray
        Probabilities ``n k`` or numbers ``n``.
    made : MadeSets
    rule : SetRule
        The limits that all sets were made with.
    own_rules : bool
        Whether each fold made its sets with limits of its own: then no exact interval is known.

    Returns
    -------
    SetFigures or None
        None where no sample has a truth.
    """
    rows = gather(target, samples, answers)
    if not len(rows):
        return None
    keep = known(samples)
    here = MadeSets(made.inside[keep], made.half[keep])
    columns = dict(_columns(rows, here))
    hits = np.concatenate([hit for _, hit in columns.values()])
    patients = np.concatenate([rows.patients[mine] for mine, _ in columns.values()])
    _, place = np.unique(patients, return_inverse=True)
    size, single, empty = _sizes(rows, here)
    return SetFigures(
        level=rule.level,
        coverage=float(hits.mean()),
        per_patient=float((np.bincount(place, hits.astype(np.float64)) / np.bincount(place)).mean()),
        size=size,
        single=single,
        empty=empty,
        classes={
            name: _class(hit, rule.cases.get(name, 0), rule, exact=not own_rules) for name, (_, hit) in columns.items()
        },
    )


def _columns(rows: Rows, made: MadeSets) -> Iterator[tuple[str, tuple[BoolArray, BoolArray]]]:
    """Yield each class with the samples that are of it, and whether the set of each of these holds it."""
    if rows.target.kind == "number":
        yield "", (np.ones(len(rows), dtype=np.bool_), np.abs(rows.truth - rows.answers) <= made.half)
        return
    for index, name in enumerate(rows.target.classes):
        if rows.target.kind == "multilabel":
            for column, value, suffix in ((index, 1, ""), (index + len(rows.target.classes), 0, NO)):
                mine: BoolArray = rows.truth[:, index] == value
                yield name + suffix, (mine, made.inside[mine, column])
        else:
            own: BoolArray = rows.truth == index
            yield name, (own, made.inside[own, index])


def _sizes(rows: Rows, made: MadeSets) -> tuple[float | None, float, float]:
    if rows.target.kind == "number":
        width = float(2 * made.half.mean())
        return (width if np.isfinite(width) else None), 0.0, 0.0
    if rows.target.kind == "multilabel":
        count = len(rows.target.classes)
        several = made.inside[:, :count].astype(np.int64) + made.inside[:, count:]
        return float((several == 2).mean()), float((several == 1).mean()), float((several == 0).mean())
    size = made.inside.sum(axis=1)
    return float(size.mean()), float((size == 1).mean()), float((size == 0).mean())


def _class(hit: BoolArray, cases: int, rule: SetRule, *, exact: bool) -> ClassCoverage:
    seen = len(hit)
    coverage = float(hit.mean()) if seen else None
    if not exact:
        return ClassCoverage(cases=0, samples=seen, coverage=coverage)
    low, high = coverage_interval(cases, rule.level)
    least, most = observed_interval(cases, seen, rule.level)
    return ClassCoverage(
        cases=cases,
        samples=seen,
        coverage=coverage,
        low=low,
        high=high,
        seen_low=least if seen else None,
        seen_high=most if seen else None,
        within=None if coverage is None else least - 1e-9 <= coverage <= most + 1e-9,
        always=low == 1.0,
    )
