import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import BoolArray
from hounsfield.science.statistics.figures import bootstrap_figures
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.science.statistics.segmentation.over_cases import beside_observer, figures_of_masks, worst
from hounsfield.science.statistics.segmentation.pixel_scores import pixel_scores


def cases(seed: int, count: int = 12) -> list[tuple[BoolArray, BoolArray]]:
    """Return pairs of a prediction and a truth; the third truth and the fourth prediction are empty."""
    rng = stream(seed, "cases")
    pairs: list[tuple[BoolArray, BoolArray]] = []
    for number in range(count):
        truth: BoolArray = np.zeros((24, 24), dtype=np.bool_)
        if number != 2:
            truth[4:16, 5:15] = True
        said: BoolArray = truth ^ (rng.random(truth.shape) < 0.05 * (1 + number % 3))
        pairs.append((np.zeros_like(said) if number == 3 else said, truth))
    return pairs


def rows(pairs: list[tuple[BoolArray, BoolArray]]) -> list[dict[str, float]]:
    return [mask_figures(said, truth, (1.0, 1.0), tolerance_mm=1.0) for said, truth in pairs]


def test_means_pools_and_what_a_mean_would_hide() -> None:
    pairs = cases(1)
    table = rows(pairs)
    found = figures_of_masks({"lesion": table}).values
    held = [row for row, (_, truth) in zip(table, pairs, strict=True) if truth.any()]
    assert found["dice"] == pytest.approx(np.mean([row["dice"] for row in held]))
    assert found["dice_all"] == pytest.approx(np.mean([row["dice"] for row in table]))
    said, true = (np.stack([p[n] for p in pairs]) for n in (0, 1))
    assert found["dice_pooled"] == pytest.approx(2 * (said & true).sum() / (said.sum() + true.sum()))
    assert found["sensitivity"] == pytest.approx((said & true).sum() / true.sum())
    assert found["hd95_mm"] == pytest.approx(np.nanmean([row["hd95_mm"] for row in held]))
    assert found["missed_rate"] == pytest.approx(1 / 11)
    assert found["false_positive_rate"] == 1.0
    pieces = {name: sum(row[f"lesions_{name}"] for row in table) for name in ("true", "found", "said", "right")}
    assert found["lesion_sensitivity"] == pytest.approx(pieces["found"] / pieces["true"])
    assert found["lesion_precision"] == pytest.approx(pieces["right"] / pieces["said"])


def test_intervals_draw_patients() -> None:
    table = rows(cases(2))
    figures = figures_of_masks({"lesion": table})
    each = bootstrap_figures(figures, np.arange(12), rng=stream(0, "draw"), replicates=400)
    pairs = bootstrap_figures(figures, np.arange(12) // 4, rng=stream(0, "draw"), replicates=400)
    assert each["dice"].low < each["dice"].value < each["dice"].high
    assert pairs["dice"].value == each["dice"].value
    assert pairs["dice"].high - pairs["dice"].low != each["dice"].high - each["dice"].low
    # the only image without the structure: a share of 1 has the exact interval of one patient
    assert each["false_positive_rate"].low == pytest.approx(0.025)


def test_several_classes_have_their_mean_and_each_its_own() -> None:
    one, other = rows(cases(3)), rows(cases(4))
    found = figures_of_masks({"a": one, "病灶": other}).values
    assert found["dice"] == pytest.approx((found["dice:a"] + found["dice:病灶"]) / 2)
    assert found["dice:a"] == figures_of_masks({"a": one}).values["dice"]


def test_a_class_that_no_image_holds_was_not_judged() -> None:
    empty = np.zeros((8, 8), dtype=bool)
    found = figures_of_masks({"a": rows([(empty, empty)] * 3)}).values
    assert math.isnan(found["dice"])
    assert math.isnan(found["missed_rate"])
    assert (found["dice_all"], found["false_positive_rate"]) == (1.0, 0.0)


def test_pixels_are_pooled_and_drawn_with_their_patients() -> None:
    rng = stream(5, "pixels")
    truths = [rng.random((30, 30)) < 0.2 for _ in range(8)]
    maps = [np.clip(0.3 * t + 0.7 * rng.random(t.shape), 0, 1) for t in truths]
    histograms = [pixel_scores(p, t) for p, t in zip(maps, truths, strict=True)]
    table = rows([(p > 0.5, t) for p, t in zip(maps, truths, strict=True)])
    figures = figures_of_masks({"a": table}, pixels={"a": histograms})
    exact = roc_auc_score(np.concatenate(truths).ravel(), np.concatenate(maps).ravel())
    assert figures.values["pixel_auroc"] == pytest.approx(exact, abs=1e-4)
    weights = np.ones((8, 300))
    weights[0] = 3.0
    repeated = roc_auc_score(
        np.concatenate([*truths, truths[0], truths[0]]).ravel(), np.concatenate([*maps, maps[0], maps[0]]).ravel()
    )
    np.testing.assert_allclose(figures.evaluate(weights)["pixel_auroc"], repeated, atol=1e-4)


def test_the_worst_come_first() -> None:
    table: list[dict[str, float]] = [
        {"dice": d, "hd95_mm": h} for d, h in ((0.9, 1.0), (0.2, math.nan), (0.5, 9.0), (0.2, 3.0))
    ]
    assert worst(table, count=3) == (1, 3, 2)
    assert worst(table, by="hd95_mm") == (2, 3, 0)


def test_a_second_reader_stands_beside_the_model_on_the_same_cases() -> None:
    table, second = rows(cases(6)), rows(cases(7))
    partly = [row if number % 2 == 0 else None for number, row in enumerate(second)]
    found = beside_observer({"a": table}, {"a": partly}, np.arange(12), rng=stream(1, "draw"), replicates=200)
    assert found is not None
    assert found.cases == 6
    chosen = figures_of_masks({"a": table[::2]}).values["dice"]
    assert found.model["dice"].value == pytest.approx(chosen)
    assert found.difference["dice"].value == pytest.approx(chosen - found.observer["dice"].value)
    same = beside_observer({"a": table}, {"a": table}, np.arange(12), rng=stream(1, "draw"), replicates=50)
    assert same is not None
    assert (same.difference["dice"].low, same.difference["dice"].high) == (0.0, 0.0)
    assert beside_observer({"a": table}, {"a": [None] * 12}, np.arange(12), rng=stream(1, "draw")) is None


def test_classes_of_different_length_are_refused() -> None:
    with pytest.raises(InputError):
        figures_of_masks({"a": rows(cases(1)), "b": rows(cases(1))[:3]})
    with pytest.raises(InputError):
        figures_of_masks({})
