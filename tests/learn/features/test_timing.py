from collections.abc import Callable

import pytest

from hounsfield.learn.features import timing
from hounsfield.learn.features.ridge import INNER_FOLDS, MOST_DIRECTIONS


def ticking(seconds: float) -> Callable[[], float]:
    """Return a clock by which everything takes so long."""
    now = [0.0]

    def clock() -> float:
        now[0] += seconds
        return now[0]

    return clock


def test_as_many_questions_take_as_many_times_as_long() -> None:
    one = timing.heads_seconds(100, 1, clock=ticking(0.5))
    assert timing.heads_seconds(100, 9, clock=ticking(0.5)) == pytest.approx(9 * one)


def test_a_fit_that_is_timed_in_part_is_scaled_by_the_cost_of_newtons_method(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(timing, "newton", lambda design, truth, **_: asked.append(design.shape))
    found = timing.heads_seconds(4000, 1, clock=ticking(1.0))
    rank, kept = MOST_DIRECTIONS, timing.TIMED_ROWS
    assert asked == [(kept, rank)] * 2

    def cost(rows: float) -> float:
        return rows * rank**2 + rank**3 / 3

    inside = 4000 * (INNER_FOLDS - 1) / INNER_FOLDS
    assert found == pytest.approx(timing.FITS * INNER_FOLDS * cost(inside) / cost(kept))


def test_few_rows_are_divided_several_times() -> None:
    one_second = timing.heads_seconds(100, 1, clock=ticking(1.0)) / (100 * 0.75 + 100 / 3) * (100 + 100 / 3)
    assert one_second == pytest.approx(timing.FITS * INNER_FOLDS * 5)
