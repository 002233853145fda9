"""Boxes judged: against a plain loop over all boxes, and cases by hand."""

import numpy as np
import pytest

from hounsfield.core.boxes import Box
from hounsfield.science.statistics.segmentation.box_scores import (
    OVERLAPS,
    BoxScores,
    BoxTable,
    best_score,
    box_scores,
)


def iou(a: Box, b: Box) -> float:
    wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    high = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    both = max(wide, 0.0) * max(high, 0.0)
    return both / (a.width * a.height + b.width * b.height - both)


def looped(pictures: list[tuple[list[Box], list[Box]]], enough: float) -> float:
    """Average precision as VOC 2010 defines it, one box of all pictures after the other."""
    ranked = sorted(((b.score, n, b) for n, (said, _) in enumerate(pictures) for b in said), key=lambda t: -t[0])
    taken: set[tuple[int, int]] = set()
    total = sum(len(truth) for _, truth in pictures)
    curve = []
    right = wrong = 0
    for _, n, box in ranked:
        able = [(iou(box, t), m) for m, t in enumerate(pictures[n][1]) if (n, m) not in taken]
        best = max(able, default=(0.0, -1))
        if best[1] >= 0 and best[0] >= enough:
            taken.add((n, best[1]))
            right += 1
        else:
            wrong += 1
        curve.append((right / total, right / (right + wrong)))
    area, before = 0.0, 0.0
    for place, (recall, _) in enumerate(curve):
        area += (recall - before) * max(p for _, p in curve[place:])
        before = recall
    return area


def drawn(rng: np.random.Generator, *, size: tuple[float, float] = (8, 30), score: float = 1.0) -> Box:
    x, y = rng.uniform(0, 60, 2)
    width, height = rng.uniform(*size, 2)
    return Box(x, y, width, height, 0, score)


def moved(box: Box, rng: np.random.Generator) -> Box:
    x, y = np.array([box.x, box.y]) + rng.normal(0, 4, 2)
    return Box(x, y, box.width * 1.1, box.height * 0.9, 0, float(rng.uniform(0.3, 1)))


def pictures(seed: int, count: int = 25) -> list[tuple[list[Box], list[Box]]]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        truth = [drawn(rng) for _ in range(int(rng.integers(0, 4)))]
        near = [moved(t, rng) for t in truth if rng.random() < 0.8]
        again = [Box(b.x + 1, b.y, b.width, b.height, 0, b.score * 0.5) for b in near if rng.random() < 0.3]
        odd = [drawn(rng, size=(10, 14), score=float(rng.uniform(0, 0.7))) for _ in range(int(rng.integers(0, 3)))]
        found.append((near + again + odd, truth))
    return found


def table(seen: list[tuple[list[Box], list[Box]]], *, least: float = 0.5) -> list[BoxScores]:
    return [box_scores(said, truth, least=least) for said, truth in seen]


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_a_plain_loop(seed: int) -> None:
    seen = pictures(seed)
    found = BoxTable(table(seen)).evaluate(np.ones((len(seen), 1)))
    for enough, name in zip(OVERLAPS, ("box_ap30", "box_ap50"), strict=True):
        assert found[name][0] == pytest.approx(looped(seen, enough), abs=1e-12)
    given = [(n, b) for n, (said, _) in enumerate(seen) for b in said if b.score >= 0.5]
    assert len(given) > 0
    hits = sum(int((s.right[0.3] & s.given).sum()) for s in table(seen))
    assert found["box_precision"][0] == pytest.approx(hits / len(given))
    assert found["box_sensitivity"][0] == pytest.approx(hits / sum(len(t) for _, t in seen))


def test_weights_count_a_picture_as_often_as_it_was_drawn() -> None:
    seen = pictures(9, 8)
    weights = np.random.default_rng(1).integers(0, 3, (8, 70)).astype(np.float64)
    found = BoxTable(table(seen)).evaluate(weights)
    for column in (0, 65, 69):
        again = [seen[n] for n in range(8) for _ in range(int(weights[n, column]))]
        alone = BoxTable(table(again)).evaluate(np.ones((len(again), 1)))
        for name, value in alone.items():
            assert found[name][column] == pytest.approx(value[0], abs=1e-12)


def test_by_hand() -> None:
    truth = [Box(0, 0, 10, 10), Box(50, 50, 10, 10)]
    said = [Box(0, 0, 10, 8, score=0.9), Box(0, 0, 10, 10, score=0.8), Box(52, 50, 10, 10, score=0.3)]
    seen = box_scores(said, truth, least=0.5)
    assert seen.right[0.5].tolist() == [True, False, True]
    assert seen.given.tolist() == [True, True, False]
    found = BoxTable([seen]).evaluate(np.ones((1, 1)))
    assert found["box_ap50"][0] == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)
    assert found["box_precision"][0] == 0.5
    assert found["box_sensitivity"][0] == 0.5


def test_without_boxes_nothing_is_defined_and_false_ones_cost_precision() -> None:
    empty = box_scores([], [], least=0.5)
    found = BoxTable([empty, empty]).evaluate(np.ones((2, 3)))
    assert all(np.isnan(v).all() for v in found.values())
    false = box_scores([Box(1, 1, 3, 3, score=0.9)], [], least=0.5)
    one = box_scores([Box(0, 0, 9, 9, score=0.8)], [Box(0, 0, 9, 9)], least=0.5)
    found = BoxTable([false, one]).evaluate(np.ones((2, 1)))
    assert found["box_ap30"][0] == 0.5
    assert found["box_precision"][0] == 0.5


def test_the_score_to_hand_out_from_has_the_highest_f1() -> None:
    right = [box_scores([Box(0, 0, 9, 9, score=s)], [Box(0, 0, 9, 9)], least=0) for s in (0.9, 0.8, 0.6)]
    wrong = [box_scores([Box(0, 0, 9, 9, score=s)], [], least=0) for s in (0.4, 0.3)]
    assert best_score(right + wrong) == pytest.approx(0.5)
    assert best_score([]) == 0.5
