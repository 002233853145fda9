"""Boxes cut from maps, and how well they lie on outlines, against counting pixel by pixel."""

import itertools

import numpy as np
import pytest

from hounsfield.stages.explaining.boxes import (
    SHARES,
    Box,
    best_iou,
    box_iou,
    box_of,
    bright_and_dark,
    middle_box,
    outlined,
    piece_at_peak,
    region_iou,
    tried_map,
    tried_middle,
)


def filled(box: Box, size: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(size, dtype=np.bool_)
    mask[box.slices] = True
    return mask


def test_the_iou_of_boxes_is_that_of_their_pixels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        made = []
        for _ in range(2):
            low = rng.integers(0, 8, 3)
            made.append(Box(tuple(low.tolist()), tuple((low + rng.integers(1, 5, 3)).tolist())))
        one, two = (filled(b, (13, 13, 13)) for b in made)
        assert box_iou(*made) == pytest.approx((one & two).sum() / (one | two).sum())
        assert region_iou(one, two) == pytest.approx(box_iou(*made))


def test_the_piece_at_the_peak_is_grown_pixel_by_pixel() -> None:
    values = np.random.default_rng(1).normal(size=(15, 17))
    for share in (0.2, 0.5):
        level = share * values.max()
        grown = {tuple(int(n) for n in np.unravel_index(values.argmax(), values.shape))}
        while True:
            near = {
                (y + dy, x + dx)
                for (y, x), dy, dx in itertools.product(grown, (-1, 0, 1), (-1, 0, 1))
                if 0 <= y + dy < 15 and 0 <= x + dx < 17 and values[y + dy, x + dx] >= level
            }
            if near <= grown:
                break
            grown |= near
        found = piece_at_peak(values, share)
        assert {tuple(int(n) for n in p) for p in np.argwhere(found)} == grown
    assert not piece_at_peak(-np.abs(values), 0.5).any()
    assert box_of(np.zeros((3, 3), dtype=np.bool_)) is None


def test_a_box_is_held_against_every_outlined_piece_and_all_together() -> None:
    mask = np.zeros((20, 30), dtype=np.bool_)
    mask[2:6, 3:9] = True
    mask[12:18, 20:28] = True
    truth = outlined(mask)
    assert set(truth.boxes) == {Box((2, 3), (6, 9)), Box((12, 20), (18, 28)), Box((2, 3), (18, 28))}
    assert best_iou(Box((2, 3), (6, 9)), truth) == 1.0
    assert best_iou(Box((2, 3), (18, 28)), truth) == 1.0
    assert best_iou(Box((2, 3), (6, 12)), truth) == pytest.approx(24 / 36)
    assert best_iou(None, truth) == 0.0


def test_the_random_baseline_is_the_mean_over_all_places() -> None:
    mask = np.zeros((16, 18), dtype=np.bool_)
    mask[4:9, 5:12] = True
    truth = outlined(mask)
    values = np.zeros((16, 18))
    values[1:5, 2:9] = 1.0
    drawn = [tried_map(values, truth, np.random.default_rng(n)).candidates[0] for n in range(40)]
    boxes, regions = [], []
    for y, x in itertools.product(range(16 - 4 + 1), range(18 - 7 + 1)):
        there = filled(Box((y, x), (y + 4, x + 7)), mask.shape)
        boxes.append((there & mask).sum() / (there | mask).sum())
        regions.append((there & mask).sum() / (there | mask).sum())
    assert np.mean([c.random_box_iou for c in drawn]) == pytest.approx(np.mean(boxes), abs=0.01)
    assert np.mean([c.random_region_iou for c in drawn]) == pytest.approx(np.mean(regions), abs=0.01)
    assert drawn[0].box == Box((1, 2), (5, 9))
    assert drawn[0].box_iou == pytest.approx(4 / (28 + 35 - 4))


def test_the_middle_box_covers_its_share_of_the_edges() -> None:
    assert middle_box((20, 10), 0.5) == Box((5, 2), (15, 7))
    mask = filled(Box((5, 2), (15, 7)), (20, 10))
    found = tried_middle(outlined(mask), np.random.default_rng(0))
    assert found.hit
    assert found.chance == pytest.approx(50 / 200)
    assert found.candidates[SHARES.index(0.5)].box_iou == 1.0
    assert found.candidates[SHARES.index(0.5)].region_iou == 1.0


def test_bright_and_dark_point_at_the_brightest_and_darkest_place() -> None:
    grey = np.full((40, 40), 100, dtype=np.float32)
    grey[5:12, 5:12], grey[25:33, 28:36] = 200, 10
    grey[0, 0] = np.nan
    bright, dark = bright_and_dark(grey)
    for values, inside in ((bright, np.s_[5:12, 5:12]), (dark, np.s_[25:33, 28:36])):
        mask = np.zeros(grey.shape, dtype=np.bool_)
        mask[inside] = True
        found = tried_map(values, outlined(mask), np.random.default_rng(0))
        assert found.hit
        assert found.candidates[-1].box_iou > 0.3
