"""Whether the expected Dice of masks tells good ones from bad ones, beside what their size alone tells."""

from collections.abc import Mapping, Sequence

import numpy as np

from hounsfield.core.report import Figure
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.statistics.intervals import Statistic, bootstrap, paired_bootstrap
from hounsfield.science.statistics.weighted_ranks import weighted_spearman
from hounsfield.stages.evaluation.preparing import as_figure

LEAST_RANKED = 10
"""Cases that hold the structure from which ranks are compared."""


def quality_figures(
    expected: Sequence[float | None],
    figures: Sequence[Mapping[str, float]],
    units: Sequence[str],
    *,
    seed: int,
    replicates: int = 1000,
) -> dict[str, Figure]:
    """Judge the expected Dice of one class on the cases that hold the structure.

    Parameters
    ----------
    expected : sequence of float or None
        None where nothing is marked or no estimate could be learned.
    figures : sequence of mapping
        See `hounsfield.science.statistics.segmentation.mask_figures.mask_figures`.
    units : sequence of str
        What the bootstrap draws.
    seed : int
    replicates : int

    Returns
    -------
    dict of str to Figure
        ``quality_rank`` and ``size_rank``: Spearman's rank correlation with the true Dice of the expected one and of
        the marked size; ``quality_above_size``: their paired difference; ``quality_error``: mean absolute difference of
        expected and true Dice where something is marked. Empty where no estimate was learned or too few cases are
        there.

    Notes
    -----
    A case that holds the structure and in which nothing is marked has an expected Dice of 0, its size: both rank it
    last, and rightly.
    """
    if not any(e is not None for e in expected):
        return {}
    held = [
        (0.0 if e is None else e, row["dice"], row["tp"] + row["fp"], unit)
        for e, row, unit in zip(expected, figures, units, strict=True)
        if row["tp"] + row["fn"] > 0 and (e is not None or row["tp"] + row["fp"] == 0)
    ]
    if len(held) < LEAST_RANKED:
        return {}
    guess, true, size = (np.array([h[n] for h in held], dtype=np.float64) for n in range(3))
    people = np.array([h[3] for h in held])

    def drawn() -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=seed))

    found = {}
    ranks = {"quality_rank": _rank(guess, true), "size_rank": _rank(size, true)}
    for name, statistic in ranks.items():
        found[name] = as_figure(bootstrap(statistic, people, rng=drawn(), replicates=replicates, name="spearman"))
    found["quality_above_size"] = as_figure(
        paired_bootstrap(
            ranks["quality_rank"], ranks["size_rank"], people, rng=drawn(), replicates=replicates, name="spearman"
        )
    )
    marked: AnyArray = size > 0
    if marked.any():
        away = np.abs(guess - true)[marked]
        found["quality_error"] = as_figure(
            bootstrap(_mean(away), people[marked], rng=drawn(), replicates=replicates, name="dice")
        )
    return found


def _rank(values: Float64Array, true: Float64Array) -> Statistic:
    def statistic(weights: Float64Array) -> Float64Array:
        return weighted_spearman(true, values, weights)

    return statistic


def _mean(values: Float64Array) -> Statistic:
    def statistic(weights: Float64Array) -> Float64Array:
        mean: Float64Array = values @ weights / weights.sum(axis=0)
        return mean

    return statistic
