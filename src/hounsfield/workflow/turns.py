"""Who trains which member when, side by side: McNaughton's wrap-around rule.

Members laid end to end, as long as the work that they are, make a line; cut into as many equal pieces as there are
workers it is the shortest schedule there can be (McNaughton 1959, P|pmtn|Cmax). A member that a cut divides has two
turns: the second one closes its worker's lane, the first one opens the next lane. They do not meet in time, since no
member is longer than a lane. After its first turn a member leaves a checkpoint, from which it goes on to the same bits.

So five equal members on two workers take two and a half rounds. Considered besides: whole members in turn (three
rounds, and a core is idle in the third); all threads for the last round's members (a second thread gains a small
network little, and sums in another order give other bits); slices of all members in turn (as short, but each slice
starts a process; here there is at most one more start for each worker but the first).

Learners without steps cannot be divided. They begin, one after another as workers become free, and then the lanes. What
time is left, a lane's turns share by their steps, after an allowance for each start: with W workers each of M members
has W / M of it, less where its lane had to wait for such a learner.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

START_SECONDS = 5.0
"""An allowance for a process to start and to read its checkpoint: importing torch takes 2 to 4 s."""


@dataclass(frozen=True)
class Turn:
    """What one worker makes of one member without a pause.

    Parameters
    ----------
    member : int
        Place in the list of members.
    begin, end : int
        Steps, from 0 to `whole`.
    whole : int
        Steps that the member has to make in all its turns.
    """

    member: int
    begin: int
    end: int
    whole: int

    @property
    def length(self) -> int:
        """Return the number of steps."""
        return self.end - self.begin

    @property
    def part(self) -> float:
        """Return the share of what is left of the member, above 0 to 1; 1 where the member ends."""
        return self.length / (self.whole - self.begin)


Lane = tuple[Turn, ...]
"""Turns of one worker, one after another."""


def whole(member: int) -> Lane:
    """Return a lane of one member that is not divided."""
    return (Turn(member, 0, 1, 1),)


def wrapped(lengths: Sequence[int], workers: int) -> tuple[Lane, ...]:
    """Divide members among workers so that all end as early as can be, in whole steps.

    Parameters
    ----------
    lengths : sequence of int
        Steps that each member has to make; one of none has no turn.
    workers : int
        At least 1.

    Returns
    -------
    tuple of Lane
        At most as many as there are workers, none empty. None is longer than the longest member, or the mean of all
        lanes rounded up. A turn that does not begin at 0 comes last in its lane; the member's other turn comes first in
        the next lane.
    """
    span = max([*lengths, -(-sum(lengths) // workers)], default=0)
    lanes: list[list[Turn]] = []
    room = 0
    for member, length in enumerate(lengths):
        last = min(length, room)
        if last:
            lanes[-1].append(Turn(member, length - last, length, length))
        room -= last
        if length > last:
            lanes.append([Turn(member, 0, length - last, length)])
            room = span - (length - last)
    return tuple(tuple(lane) for lane in lanes)


def share(lane: Sequence[Turn], left: float) -> tuple[float, float]:
    """Return how long the first turn of a lane may take, and how long its member would without a pause, seconds.

    Parameters
    ----------
    lane : sequence of Turn
        What a worker has to make, not empty.
    left : float
        Seconds that are left for it; may be infinite.
    """
    if not math.isfinite(left):
        return left, left
    turn = lane[0]
    working = max(0.0, left - START_SECONDS * len(lane)) * turn.length / sum(t.length for t in lane)
    own = min(left, START_SECONDS + working)
    return own, own + working * (1.0 / turn.part - 1.0)


def free_at(seconds: Sequence[float], workers: int) -> list[float]:
    """Return when each worker is free, if each job in turn begins as soon as a worker is; the earliest first.

    Parameters
    ----------
    seconds : sequence of float
        How long each takes, in the order of their start.
    workers : int
        At least 1.
    """
    ends = [0.0] * workers
    for job in seconds:
        ends[ends.index(min(ends))] += job
    return sorted(ends)


def ended(lanes: Sequence[Lane], free: Sequence[float], *, step: float, start: float) -> float:
    """Return when the last lane has ended.

    Parameters
    ----------
    lanes : sequence of Lane
        As `wrapped` returns them.
    free : sequence of float
        When each worker begins its lane, seconds, at least as many.
    step : float
        Seconds per step.
    start : float
        Seconds before the first step of a turn.
    """
    last, paused = max(free, default=0.0), 0.0
    for place, lane in reversed(list(enumerate(lanes))):
        now = free[place]
        opened = 0.0
        for number, turn in enumerate(lane):
            # the member's first turn opens the lane after this one
            now = max(now, paused if turn.begin else 0.0) + start + turn.length * step
            opened = opened if number else now
        last, paused = max(last, now), opened
    return last
