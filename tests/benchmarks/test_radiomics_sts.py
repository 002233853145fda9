"""Nested validation is honest where there is nothing to find, and the literature's protocol is not."""

import numpy as np
from benchmarks.accuracy.radiomics_sts import Rows, figures, folds, nested, optimistic

from hounsfield.core.streams import stream
from hounsfield.science.statistics.discrimination import auroc

NAMES = tuple(f"f{n}" for n in range(40))


def test_folds_hold_both_classes_evenly() -> None:
    truth = np.arange(51) < 19
    made = folds(truth, 5, stream(0, "folds"))
    assert sorted(np.bincount(made).tolist()) == [10, 10, 10, 10, 11]
    assert set(np.bincount(made[truth]).tolist()) == {3, 4}


def test_what_is_held_out_is_not_seen() -> None:
    draws = stream(1, "sts test")
    truth = np.arange(40) % 2 == 0
    noise = draws.normal(size=(40, 40))
    honest = nested(noise, truth, names=NAMES, repeats=2)
    areas = [auroc(truth, s) for s in honest.scores]
    assert 0.25 < np.mean(areas) < 0.7
    taken, steps = optimistic(noise, truth, draws=15)
    assert len(taken) == 4
    assert steps[-1] > 0.75  # of nothing at all
    told = noise.copy()
    told[:, 3] += 3 * truth
    found = nested(told, truth, names=NAMES, repeats=1)
    assert auroc(truth, found.scores[0]) > 0.9
    assert sum(3 in chosen for chosen in found.chosen) == 5


def test_all_figures_stand_side_by_side() -> None:
    draws = stream(2, "sts test")
    truth = np.arange(40) % 2 == 0
    rows = Rows(NAMES, draws.normal(size=(40, 40)), truth, draws.normal(size=40) + truth)
    found = figures(rows, repeats=2, draws=5)
    alone = found["suv_max_alone"]
    assert isinstance(alone, list)
    assert alone[1] < alone[0] == auroc(truth, rows.suv_max) < alone[2]
    low, high = found["nested_less_suv_max"][1:]  # type: ignore[index]  # a list
    assert low < high
    assert found["gap"] > 0  # type: ignore[operator]  # a number
