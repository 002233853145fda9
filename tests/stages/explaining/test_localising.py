"""Boxes chosen on some images and judged on others, beside chance."""

import numpy as np
import pytest

from hounsfield.core.report import Figure
from hounsfield.stages.explaining.boxes import SHARES, USUAL, Candidate, Tried
from hounsfield.stages.explaining.localising import CHOSEN, GREY, LEAST, MIDDLE, RANDOM, Marked, choices, choose, judge


def tried(ious: list[float], *, hit: bool = True, random: float = 0.1) -> Tried:
    return Tried(hit, 0.2, tuple(Candidate(None, iou, iou / 2, random, random / 2) for iou in ious))


def peaked(place: int, top: float = 0.6) -> list[float]:
    return [top if n == place else 0.1 for n in range(len(SHARES))]


def marked(n: int, place: int, *, group: int = 0, top: float = 0.6) -> Marked:
    own = {
        "gradcam": tried(peaked(place, top), hit=bool(n % 2)),
        "occlusion": tried(peaked(1, 0.3)),
        MIDDLE: tried(peaked(4, 0.25)),
        "bright": tried([0.05] * len(SHARES)),
        "dark": tried(peaked(2, 0.2)),
    }
    return Marked(f"s{n}", f"p{n // 2}", group, own)


METHODS = ("gradcam", "occlusion")


def test_the_best_map_and_share_are_chosen_or_the_rule_holds() -> None:
    found = choose([marked(n, 6) for n in range(LEAST)], METHODS)
    assert (found.method, found.share, found.images) == ("gradcam", SHARES[6], LEAST)
    few = choose([marked(n, 6) for n in range(LEAST - 1)], METHODS)
    assert (few.method, few.share, few.images) == ("gradcam", USUAL, 0)


def test_no_image_is_judged_by_a_share_that_it_was_chosen_by() -> None:
    # what fits group 0 best fits nothing in group 1, and the reverse
    marks = [marked(n, 2, group=0) for n in range(12)] + [marked(n, 7, group=1) for n in range(12, 24)]
    found = choices(marks, ("gradcam",), None)
    assert {g: c.share for g, c in found.items()} == {0: SHARES[7], 1: SHARES[2]}
    judged = judge(marks, ("gradcam",), choosing=None, seed=0, replicates=100)
    assert judged.figures[CHOSEN]["box_iou"].value == pytest.approx(0.1)
    assert not judged.better_than_random


def value(figure: Figure) -> float:
    assert figure.value is not None
    return figure.value


def test_figures_are_means_with_intervals_over_patients() -> None:
    rng = np.random.default_rng(0)
    marks = [marked(n, 5, top=float(rng.uniform(0.3, 0.8))) for n in range(30)]
    choosing = [marked(n, 5) for n in range(LEAST)]
    found = judge(marks, METHODS, choosing=choosing, seed=1, replicates=400)
    own = np.array([m.tried["gradcam"].candidates[5].box_iou for m in marks])
    assert value(found.figures[CHOSEN]["box_iou"]) == pytest.approx(own.mean())
    assert value(found.figures[CHOSEN]["box_half"]) == pytest.approx((own >= 0.5).mean())
    assert value(found.figures[CHOSEN]["region_iou"]) == pytest.approx(own.mean() / 2)
    assert value(found.figures[CHOSEN]["pointing"]) == pytest.approx(0.5)
    assert value(found.figures[RANDOM]["pointing"]) == pytest.approx(0.2)
    assert value(found.figures[MIDDLE]["box_iou"]) == pytest.approx(0.25)
    assert value(found.figures[GREY]["box_iou"]) == pytest.approx(0.2)  # dark beats bright where it is chosen
    assert value(found.differences[RANDOM]["box_iou"]) == pytest.approx(own.mean() - 0.1)
    assert found.better_than_random
    assert found.better_than_middle
    # the interval against plain resampling of patients
    pairs = own.reshape(15, 2).mean(axis=1)
    drawn = np.array([pairs[rng.integers(0, 15, 15)].mean() for _ in range(4000)])
    figure = found.figures[CHOSEN]["box_iou"]
    assert (figure.low, figure.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.015)


def test_boxes_at_chance_are_not_better_than_random() -> None:
    rng = np.random.default_rng(3)
    marks = []
    for n in range(40):
        own = tried([float(rng.uniform(0.0, 0.2))] * len(SHARES), random=0.1)
        marks.append(Marked(f"s{n}", f"p{n}", n % 5, dict.fromkeys(("gradcam", MIDDLE, "bright", "dark"), own)))
    assert not judge(marks, ("gradcam",), choosing=None, seed=0, replicates=300).better_than_random
