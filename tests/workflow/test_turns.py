"""The wrap-around rule: nobody works twice at once, nobody waits, and no schedule is shorter."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.workflow.turns import Turn, ended, free_at, share, whole, wrapped

LENGTHS = st.lists(st.integers(min_value=0, max_value=60), max_size=14)


@settings(max_examples=200, deadline=None)
@given(lengths=LENGTHS, workers=st.integers(min_value=1, max_value=9))
def test_every_step_is_made_once_and_never_on_two_workers_at_a_time(lengths: list[int], workers: int) -> None:
    lanes = wrapped(lengths, workers)
    assert len(lanes) <= workers
    made: dict[int, list[tuple[Turn, int, int]]] = {}
    for lane in lanes:
        now = 0
        for turn in lane:  # each worker makes one turn after another, from the beginning
            made.setdefault(turn.member, []).append((turn, now, now + turn.length))
            now += turn.length
    assert set(made) == {n for n, length in enumerate(lengths) if length}
    for member, turns in made.items():
        turns.sort(key=lambda t: t[0].begin)
        edges = [(t.begin, t.end) for t, _, _ in turns]
        assert [b for b, _ in edges] == [0, *[e for _, e in edges[:-1]]]
        assert edges[-1][1] == lengths[member] == turns[0][0].whole
        assert all(t.length for t, _, _ in turns)
        assert len(turns) <= 2, "paused once at most"
        assert all(first[2] <= second[1] for first, second in pairwise(turns))
    # no schedule is shorter than its longest member, or than all workers at work all the time
    span = max([*lengths, math.ceil(sum(lengths) / workers)], default=0)
    assert max([sum(t.length for t in lane) for lane in lanes], default=0) == span
    assert ended(lanes, [0.0] * workers, step=1.0, start=0.0) == span
    assert sum(len(turns) for turns in made.values()) <= len(made) + max(0, workers - 1)


@settings(max_examples=100, deadline=None)
@given(members=st.integers(min_value=1, max_value=20), workers=st.integers(min_value=1, max_value=9))
def test_equal_members_have_equal_shares_of_all_workers(members: int, workers: int) -> None:
    lanes = wrapped([840] * members, workers)
    assert ended(lanes, [0.0] * workers, step=1.0, start=0.0) == max(840, math.ceil(840 * members / workers))
    if members >= workers:
        work = [sum(t.length for t in lane) for lane in lanes]
        assert len(work) == workers
        assert max(work) - min(work) < workers, "equal but for the rounding to whole steps"
    if members % workers == 0:
        assert all(t.begin == 0 and t.end == 840 for lane in lanes for t in lane), "nobody is paused"


def test_five_folds_on_two_workers() -> None:
    lanes = wrapped([100] * 5, 2)
    assert [[(t.member, t.begin, t.end) for t in lane] for lane in lanes] == [
        [(0, 0, 100), (1, 0, 100), (2, 50, 100)],
        [(2, 0, 50), (3, 0, 100), (4, 0, 100)],
    ]
    assert [t.part for lane in lanes for t in lane] == [1.0, 1.0, 1.0, 0.5, 1.0, 1.0]
    # three rounds of whole members took 300 steps and three starts
    assert ended(lanes, [0.0, 0.0], step=1.0, start=5.0) == 250 + 3 * 5


def test_members_share_the_time_that_starts_leave() -> None:
    first, second = wrapped([100] * 5, 2)
    # three starts of 5 s in each lane leave 1,000 of 1,015 s, for 250 steps
    assert share(first, 1015.0) == pytest.approx((405.0, 405.0))
    assert share(second, 1015.0) == pytest.approx((205.0, 405.0)), "half of it now, half of it in the other lane"
    assert share(first[2:], 205.0) == pytest.approx((205.0, 205.0)), "what is left is for the last turn"
    assert share(first, math.inf) == (math.inf, math.inf)
    assert share(first, 0.0) == (0.0, 0.0)
    assert share(second, 3.0) == (3.0, 3.0)


def test_a_turn_waits_for_the_one_before() -> None:
    lanes = wrapped([10, 10, 10], 2)
    assert ended(lanes, [0.0, 0.0], step=1.0, start=0.0) == 15
    # the second worker comes at 20: then member 1 is paused at 25, and goes on on the first worker
    assert ended(lanes, [0.0, 20.0], step=1.0, start=0.0) == 35
    assert ended(wrapped([10, 1, 9], 2), [0.0, 3.0], step=1.0, start=0.0) == 13
    assert ended((), [2.0, 4.0], step=1.0, start=0.0) == 4
    assert whole(3) == (Turn(3, 0, 1, 1),)


@pytest.mark.parametrize(
    ("jobs", "workers", "ends"),
    [([3.0], 2, [0.0, 3.0]), ([1.0, 5.0, 5.0], 2, [5.0, 6.0]), ([2.0] * 5, 2, [4.0, 6.0]), ([], 2, [0.0, 0.0])],
)
def test_jobs_begin_as_soon_as_a_place_is_free(jobs: list[float], workers: int, ends: list[float]) -> None:
    assert free_at(jobs, workers) == ends
