import math
from typing import Any

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.statistics.segmentation.mask_figures import mask_figures
from hounsfield.science.statistics.segmentation.overlap import Counts, count, dice, iou
from tests.science.statistics.segmentation.shapes import ball, box

SPACING = (2.5, 0.8, 0.6)


def test_a_box_moved_by_two_columns() -> None:
    truth = box((8, 20, 30), slice(2, 6), slice(5, 15), slice(5, 15))
    moved = np.roll(truth, 2, axis=2)
    found = mask_figures(moved, truth, SPACING, tolerance_mm=0.6)
    assert found["dice"] == pytest.approx(0.8)
    assert found["iou"] == pytest.approx(8 / 12)
    assert found["sensitivity"] == found["precision"] == pytest.approx(0.8)
    assert (found["tp"], found["fp"], found["fn"], found["tn"]) == (320, 80, 80, 4320)
    assert found["hd95_mm"] == pytest.approx(1.2)
    assert found["volume_error"] == found["volume_bias"] == found["volume_error_ml"] == 0
    assert found["true_ml"] == pytest.approx(400 * 2.5 * 0.8 * 0.6 / 1000)


def test_planes_that_lie_apart_have_their_distance() -> None:
    for axis, step in enumerate(SPACING):
        truth, moved = (np.zeros((12, 12, 12), dtype=bool) for _ in range(2))
        np.moveaxis(truth, axis, 0)[3] = True
        np.moveaxis(moved, axis, 0)[6] = True
        found = mask_figures(moved, truth, SPACING, tolerance_mm=3 * step)
        assert found["hd95_mm"] == pytest.approx(3 * step)
        assert found["assd_mm"] == pytest.approx(3 * step)
        assert found["nsd"] == 1.0
        assert mask_figures(moved, truth, SPACING, tolerance_mm=3 * step - 0.01)["nsd"] == 0.0
        assert found["dice"] == 0.0


def test_balls_in_balls() -> None:
    size, spacing = (25, 51, 51), (2.0, 1.0, 1.0)
    truth, larger = ball(size, spacing, 15.0), ball(size, spacing, 18.0)
    found = mask_figures(larger, truth, spacing, tolerance_mm=3.5)
    ratio = (15 / 18) ** 3
    assert found["dice"] == pytest.approx(2 * ratio / (1 + ratio), abs=0.01)
    assert found["sensitivity"] == 1.0
    # between centres of voxels of 2 x 1 x 1 mm, which lie up to half a step inside
    assert found["assd_mm"] == pytest.approx(3.0, abs=0.5)
    assert found["hd95_mm"] == pytest.approx(3.0, abs=0.75)
    assert found["volume_error"] == pytest.approx(1 / ratio - 1, abs=0.03)
    assert found["true_ml"] == pytest.approx(4 / 3 * math.pi * 15**3 / 1000, rel=0.01)
    assert found["predicted_ml"] - found["true_ml"] == pytest.approx(found["volume_error_ml"])


def test_the_spacing_counts() -> None:
    truth = box((8, 20, 30), slice(2, 6), slice(5, 15), slice(5, 15))
    moved = np.roll(truth, 1, axis=0)
    fine = mask_figures(moved, truth, (1.0, 1.0, 1.0), tolerance_mm=1.0)
    coarse = mask_figures(moved, truth, (5.0, 1.0, 1.0), tolerance_mm=1.0)
    assert (fine["hd95_mm"], fine["nsd"]) == (1.0, 1.0)
    assert coarse["hd95_mm"] > 1.0
    assert coarse["nsd"] < 1.0
    assert fine["dice"] == coarse["dice"]


def test_nothing_where_nothing_is() -> None:
    empty = np.zeros((4, 5, 6), dtype=bool)
    found = mask_figures(empty, empty, SPACING, tolerance_mm=1.0)
    assert [found[n] for n in ("dice", "iou", "nsd", "lesion_f1", "specificity")] == [1.0] * 5
    undefined = ("hd95_mm", "assd_mm", "sensitivity", "precision", "volume_error", "lesion_sensitivity")
    assert all(math.isnan(found[n]) for n in undefined)
    assert found["volume_error_ml"] == found["true_ml"] == 0.0


def test_something_where_nothing_is_and_nothing_where_something_is() -> None:
    empty, full = np.zeros((4, 5, 6), dtype=bool), box((4, 5, 6), slice(1, 3), slice(1, 3), slice(1, 3))
    false = mask_figures(full, empty, SPACING, tolerance_mm=1.0)
    missed = mask_figures(empty, full, SPACING, tolerance_mm=1.0)
    for found in (false, missed):
        assert [found[n] for n in ("dice", "iou", "nsd", "lesion_f1")] == [0.0] * 4
        assert math.isnan(found["hd95_mm"])
        assert math.isnan(found["assd_mm"])
    assert math.isnan(false["sensitivity"])
    assert false["precision"] == 0.0
    assert math.isnan(false["volume_error"])
    assert false["volume_error_ml"] == pytest.approx(8 * 1.2 / 1000)
    assert missed["sensitivity"] == 0.0
    assert math.isnan(missed["precision"])
    assert (missed["volume_error"], missed["volume_bias"]) == (1.0, -1.0)


def test_outside_the_region_nothing_counts() -> None:
    rng = stream(5, "region")
    truth, said, region = (rng.random((30, 31)) < share for share in (0.4, 0.5, 0.6))
    found = mask_figures(said, truth, (1.0, 1.0), tolerance_mm=1.0, region=region)
    inside = mask_figures(said[region][None], truth[region][None], (1.0, 1.0), tolerance_mm=1.0)
    for name in ("dice", "iou", "sensitivity", "precision", "specificity", "tp", "fp", "fn", "tn"):
        assert found[name] == inside[name]
    noisy = mask_figures(said | ~region, truth ^ ~region, (1.0, 1.0), tolerance_mm=1.0, region=region)
    np.testing.assert_equal(noisy, found)
    assert math.isnan(found["true_ml"])


def test_counts_add_up_to_the_pooled_dice() -> None:
    rng = stream(6, "pool")
    pairs = [(rng.random((9, 9)) < 0.5, rng.random((9, 9)) < 0.3) for _ in range(4)]
    total = Counts(0, 0, 0, 0)
    for said, true in pairs:
        total = total + count(said, true)
    whole = count(np.concatenate([p[0] for p in pairs]), np.concatenate([p[1] for p in pairs]))
    assert total == whole
    assert dice(total) == 2 * iou(total) / (1 + iou(total))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"truth": np.zeros((3, 4), dtype=bool)}, "shapes"),
        ({"predicted": np.zeros(5, dtype=bool), "truth": np.zeros(5, dtype=bool)}, "shapes"),
        ({"region": np.zeros((3, 4), dtype=bool)}, "shapes"),
        ({"spacing_mm": (1.0, 1.0, 1.0)}, "spacing"),
        ({"spacing_mm": (1.0, 0.0)}, "spacing"),
        ({"spacing_mm": (1.0, math.nan)}, "spacing"),
        ({"tolerance_mm": -1.0}, "tolerance"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], words: str) -> None:
    usual: dict[str, Any] = {
        "predicted": np.zeros((4, 4), dtype=bool), "truth": np.zeros((4, 4), dtype=bool), "spacing_mm": (1.0, 1.0),
        "tolerance_mm": 1.0,
    }  # fmt: skip
    told = usual | changes
    with pytest.raises(InputError, match=words):
        mask_figures(
            told["predicted"],
            told["truth"],
            told["spacing_mm"],
            tolerance_mm=told["tolerance_mm"],
            region=told.get("region"),
        )
