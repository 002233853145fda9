"""When a turn leaves off: by its share of the steps, or of the seconds."""

from collections.abc import Callable, Mapping

import pytest

from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.warmup.spec import Warmup
from hounsfield.workflow.pausing import Paused, Pausing

INFINITE = float("inf")


class Kept:
    """A store in memory that is never due."""

    def __init__(self, facts: Json = None) -> None:
        self.facts = facts

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        return None if self.facts is None else ({}, self.facts)

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        del arrays
        self.facts = facts

    def due(self) -> bool:
        return False


def pausing(
    store: Kept,
    *,
    part: float,
    kept: float = -INFINITE,
    left: Callable[[], float] = lambda: INFINITE,
    pace: Callable[[int, int], int] = lambda _step, planned: planned,
    warmup: Warmup | None = None,
) -> Pausing:
    return Pausing(store, part=part, kept=kept, left=left, pace=pace, warmup=warmup)


def steps_made(turn: Pausing, planned: int, *, first: int = 0) -> int:
    """Go through the steps as the loop does; return the one at which the turn ends."""
    for step in range(first + 1, planned + 1):
        ending = turn.end(step, planned)
        stopped = turn.brake(step) and step < ending
        if step == ending or stopped or turn.due():
            try:
                turn.save({}, {"step": step, "end": ending, "stopped": stopped})
            except Paused:
                return step
        if step == ending or stopped:
            return step
    raise AssertionError("the fit has no end")


@pytest.mark.parametrize(("part", "ends"), [(0.5, 5), (0.25, 3), (0.99, 10), (1.0, 10)])
def test_a_turn_ends_at_its_share_of_the_steps(part: float, ends: int) -> None:
    store = Kept()
    assert steps_made(pausing(store, part=part), 10) == ends
    assert isinstance(store.facts, dict)
    assert store.facts["stopped"] is False


def test_what_was_made_before_counts_as_made() -> None:
    # 4 of 12 steps were made; half of the 8 that are left
    turn = pausing(Kept({"step": 4, "end": 12}), part=0.5)
    assert turn.begun == 4
    assert steps_made(turn, 12, first=4) == 8


def test_the_same_share_of_the_seconds_ends_it_too_and_leaves_the_others() -> None:
    clock = {"now": 0.0}

    def left() -> float:
        clock["now"] += 0.5  # asked twice a step
        return 20.0 - clock["now"]

    assert steps_made(pausing(Kept(), part=0.5, kept=10.0, left=left), 1000) == pytest.approx(10, abs=1)


def test_an_end_that_moved_moves_the_pause() -> None:
    assert steps_made(pausing(Kept(), part=0.5, pace=lambda step, planned: min(planned, 40)), 100) == 20


def test_a_fit_that_ends_is_not_paused() -> None:
    store = Kept()
    turn = pausing(store, part=0.5)
    turn.end(1, 1)
    turn.save({}, {"step": 1, "end": 1, "stopped": False})
    turn.save({}, {"step": 1, "end": 9, "stopped": True})
    with pytest.raises(Paused):
        turn.save({}, {"step": 1, "end": 9, "stopped": False})


def test_a_warm_up_counts_by_its_share() -> None:
    warmup = Warmup(method="two-views", share=0.4, steps=8)
    turn = pausing(Kept(), part=0.2, warmup=warmup)
    for step in range(1, 9):
        turn.brake(step)
        if turn.due():
            break
    assert step == 4
    with pytest.raises(Paused):
        turn.save({}, {"stage": "warm-up", "facts": {"step": 4, "end": 8}})
    later = pausing(Kept(), part=0.7, warmup=warmup)
    for step in range(1, 9):
        later.brake(step)
        assert not later.due()
    assert steps_made(later, 100) == 50
