"""Figures of masks over cases, and what is set beside them."""

import numpy as np
import pytest

from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.stages.evaluation.masks import MaskRows, beside, judge_masks


def rows(shift: int, *, count: int = 24, folds: bool = False) -> MaskRows:
    found = []
    for n in range(count):
        truth = np.zeros((24, 24), dtype=np.bool_)
        if n % 6:
            truth[4 : 10 + n % 5, 5:14] = True
        said = np.roll(truth, shift + n % 3, axis=0)
        found.append(mask_figures(said, truth, (1.0, 1.0), tolerance_mm=1.0))
    names = tuple(f"p{n // 2}" for n in range(count))
    expected = [0.95 - 0.1 * (n % 3) for n in range(count)]
    parts = tuple(n % 2 for n in range(count)) if folds else ()
    return MaskRows(names, names, {"a": found}, None, {"a": expected}, folds=parts)


def test_a_part_has_intervals_counts_and_ranks() -> None:
    found = judge_masks(rows(1, folds=True), seed=0, target="mask", replicates=200)
    dice = found.metrics["dice"]
    assert dice.value is not None
    assert dice.low is not None
    assert dice.high is not None
    assert dice.low < dice.value < dice.high
    assert found.classes == {"a": 20}
    assert (found.samples, found.patients) == (24, 12)
    assert len(found.folds) == 2
    assert (found.metrics["quality_rank"].value or 0) > 0.8
    assert "size_rank" in found.metrics


def test_the_same_seed_gives_the_same_intervals() -> None:
    one, two = (judge_masks(rows(1), seed=3, target="mask", replicates=100) for _ in range(2))
    assert one == two


def test_a_worse_model_is_behind_by_a_paired_difference() -> None:
    block = beside(rows(0), rows(4), seed=0, target="mask", replicates=200)
    difference = block.difference["dice"]
    assert difference.low is not None
    assert difference.low > 0
    assert not block.ties
    own = judge_masks(rows(0), seed=0, target="mask", replicates=50).metrics["dice"].value
    other = judge_masks(rows(4), seed=0, target="mask", replicates=50).metrics["dice"].value
    assert difference.value == pytest.approx((own or 0) - (other or 0))
