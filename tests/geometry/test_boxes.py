"""Boxes by hand: what they share, what they cover, and which of them a probability map speaks for."""

import numpy as np
import pytest

from hounsfield.core.boxes import Box
from hounsfield.core.types import Float32Array
from hounsfield.geometry.boxes import box_iou, boxes_in, filled


def test_overlap_by_hand() -> None:
    one = [Box(0, 0, 4, 4), Box(10, 10, 2, 2)]
    other = [Box(2, 0, 4, 4), Box(0, 0, 4, 4), Box(4, 0, 1, 1)]
    np.testing.assert_allclose(box_iou(one, other), np.array([[8 / 24, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    assert box_iou([], other).shape == (0, 3)
    assert box_iou(one, []).shape == (2, 0)


def test_overlap_is_that_of_counted_pixels() -> None:
    rng = np.random.default_rng(0)
    boxes = [
        Box(*(int(v) for v in rng.integers(0, 12, 2)), *(int(v) for v in rng.integers(1, 9, 2))) for _ in range(12)
    ]
    covered = [filled([b], (24, 24), classes=1)[0] for b in boxes]
    counted = [[(a & b).sum() / (a | b).sum() for b in covered] for a in covered]
    np.testing.assert_allclose(box_iou(boxes, boxes), np.array(counted))


def test_boxes_cover_the_pixels_whose_centres_they_hold() -> None:
    found = filled([Box(1, 2, 3, 2), Box(4.6, 0.2, 0.3, 0.3, cls=1), Box(-5, -5, 6, 6)], (6, 7), classes=2)
    expected = np.zeros((2, 6, 7), dtype=np.bool_)
    expected[0, 2:4, 1:4] = True
    expected[0, 0, 0] = True
    expected[1, 0, 4] = True
    np.testing.assert_array_equal(found, expected)


def blurred(boxes: list[Box], tops: list[float], size: tuple[int, int] = (60, 80)) -> Float32Array:
    """A map that falls off around each box, as a network's does."""
    y, x = np.mgrid[: size[0], : size[1]]
    best = np.zeros(size)
    for box, top in zip(boxes, tops, strict=True):
        away = np.maximum.reduce([box.x - x, x - box.x - box.width + 1, box.y - y, y - box.y - box.height + 1, 0 * x])
        best = np.maximum(best, top / (1 + np.exp(2.0 * (away - 1.0))) * (1 + np.exp(-2.0)))
    return np.clip(best, 0, 1).astype(np.float32)


def test_boxes_are_found_with_the_surest_first() -> None:
    true = [Box(10, 8, 14, 10), Box(40, 30, 20, 12)]
    found = boxes_in(blurred(true, [0.6, 0.98]), cls=3)
    assert [b.cls for b in found] == [3, 3]
    assert found[0].score > found[1].score
    overlap = box_iou(found, true[::-1])
    assert overlap[0, 0] > 0.75
    assert overlap[1, 1] > 0.75


def test_two_findings_that_run_together_are_told_apart() -> None:
    true = [Box(10, 10, 12, 12), Box(25, 10, 12, 12)]
    found = boxes_in(np.maximum(blurred(true, [0.95, 0.9]), 0.15 * (blurred([Box(8, 8, 32, 16)], [1.0]) > 0.5)))
    assert len(found) == 2
    assert (box_iou(found, true).max(axis=1) > 0.6).all()


@pytest.mark.parametrize("value", [0.0, 0.05])
def test_nothing_is_found_where_nothing_is_probable(value: float) -> None:
    assert boxes_in(np.full((20, 20), value, dtype=np.float32)) == []
