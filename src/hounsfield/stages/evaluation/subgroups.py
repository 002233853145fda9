"""The same figures within groups of samples that share a recorded attribute."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from hounsfield.core.report import MAIN_METRIC, Subgroup
from hounsfield.core.types import BoolArray
from hounsfield.stages.evaluation.preparing import Points, prepared, with_intervals
from hounsfield.stages.evaluation.samples import JudgeOptions, Rows

LEAST_SAMPLES = 10
MOST_VALUES = 8
MOST_ATTRIBUTES = 12
TERTILES_FROM = 90
REPLICATES = 500
SHOWN = ("accuracy", "balanced_accuracy", "sensitivity", "specificity", "brier", "mae", "rmse", "spearman")


def subgroups(rows: Rows, points: Points, options: JudgeOptions) -> tuple[Subgroup, ...]:
    """Return the figures of every group that is large enough and holds answers that differ.

    Parameters
    ----------
    rows : Rows
        Whose samples carry attributes.
    points : OperatingPoint, mapping or None
        As for the whole part.
    options : JudgeOptions
        Seed and replicates (at most 500 here).

    Notes
    -----
    Categorical attributes with 2 to 8 values; numbers are split at the median, or into thirds from 90 samples on.
    Groups under 10 samples, and groups in which all answers are the same, are left out.
    """
    shown = {MAIN_METRIC[rows.target.kind], *SHOWN}
    fewer = replace(options, replicates=min(options.replicates, REPLICATES))
    found = []
    for attribute, value, inside in groups(rows):
        part = rows.take(inside)
        if len(part) < LEAST_SAMPLES or not part.present():
            continue
        figures = prepared(part, points)
        kept = replace(figures, values={name: v for name, v in figures.values.items() if name in shown})
        metrics = with_intervals(kept, part, fewer, purpose=f"subgroup:{attribute}:{value}")
        patients = len(np.unique(part.patients))
        found.append(Subgroup(attribute=attribute, value=value, samples=len(part), patients=patients, metrics=metrics))
    return tuple(found)


def groups(rows: Rows) -> Iterator[tuple[str, str, BoolArray]]:
    """Yield attribute, value and which rows have it, shape (n,)."""
    names = list(dict.fromkeys(name for sample in rows.samples for name in sample.attributes))
    for name in names[:MOST_ATTRIBUTES]:
        values = [sample.attributes.get(name) for sample in rows.samples]
        distinct = {value for value in values if value is not None and value == value}  # noqa: PLR0124  # NaN
        if len(distinct) < 2:
            continue
        if all(isinstance(value, (int, float)) for value in distinct) and len(distinct) > 4:
            numbers = np.array([_number(value) for value in values], dtype=np.float64)
            yield from ((name, text, inside) for text, inside in _ranges(numbers))
        elif len(distinct) <= MOST_VALUES:
            for value in sorted(distinct, key=str):
                yield name, _text(value), np.array([v == value for v in values], dtype=np.bool_)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _ranges(numbers: np.typing.NDArray[np.float64]) -> Iterator[tuple[str, BoolArray]]:
    known = numbers[np.isfinite(numbers)]
    parts = 3 if len(known) >= TERTILES_FROM else 2
    edges = sorted(set(np.quantile(known, np.arange(1, parts) / parts).tolist()))
    with np.errstate(invalid="ignore"):
        yield f"< {edges[0]:g}", numbers < edges[0]
        for low, high in pairwise(edges):
            yield f"{low:g} to {high:g}", (numbers >= low) & (numbers < high)
        yield f">= {edges[-1]:g}", numbers >= edges[-1]
