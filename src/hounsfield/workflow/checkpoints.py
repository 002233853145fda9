"""Checkpoints of one member, written when the clock says so."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.types import AnyArray, Json

EVERY_SECONDS = 20.0


class FileStore:
    """Store of checkpoints in one file.

    Parameters
    ----------
    path : Path
    every_seconds : float
        How often a checkpoint is due; what is lost by a kill is at most this.
    """

    def __init__(self, path: Path, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._path = path
        self._every = every_seconds
        self._last = time.monotonic()

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        """Return the last whole checkpoint, or None."""
        return load_checkpoint(self._path)

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        """Write a checkpoint, atomically."""
        save_checkpoint(self._path, arrays, facts)
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self._last >= self._every


class Pace:
    """When to end a training whose time will not reach for all steps.

    Parameters
    ----------
    left : callable
        Seconds that are left.
    """

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self._marks: list[tuple[int, float]] = []

    def __call__(self, step: int, planned: int) -> int:
        """Return the planned end, or an earlier one at the pace of the last steps.

        Parameters
        ----------
        step : int
            Steps made.
        planned : int
            The end as it stands.
        """
        left = self._left()
        if left == float("inf"):
            return planned
        self._marks.append((step, left))
        if len(self._marks) <= PACE_STEPS:
            return planned
        (first, before), self._marks = self._marks[0], self._marks[-PACE_STEPS:]
        each = (before - left) / max(1, step - first)
        if each <= 0 or (planned - step) * each <= left * TOLERATED:
            return planned
        return max(step + 1, step + int(left / each))


PACE_STEPS = 40
"""Steps whose pace counts."""
TOLERATED = 1.03
"""How much too slow the pace may be before the schedule is shortened: an end that moves with every hiccup is none."""
