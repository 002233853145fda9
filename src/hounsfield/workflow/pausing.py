"""A training that leaves off in the middle, at a checkpoint, so that another process goes on with it later."""

from collections.abc import Callable, Mapping

from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.loop import Store
from hounsfield.learn.warmup.spec import Warmup

ROUNDING = 1e-9


class Paused(Exception):
    """A checkpoint was written, and this turn of a member has ended, as was planned."""


class Pausing:
    """A store of checkpoints that raises `Paused` once a share of what was left of a training is made.

    Its methods `brake` and `end` are those of the watch that the store belongs to.

    Parameters
    ----------
    store : Store
        Where checkpoints go.
    part : float
        Share of what is left of the member that this turn makes, above 0 to 1; 1 never pauses.
    kept : float
        Seconds that are kept for the member's other turn, minus infinity without a clock.
    left : callable
        Seconds that are left for the member.
    pace : callable
        ``pace(step, planned) -> int``: at which step to end, if the time does not reach.
    warmup : Warmup or None
        What comes before the fit, and as which share of the whole it counts.

    Notes
    -----
    The turn ends by its share of the steps, or where no more than the kept seconds are left: then what is left of the
    member has these, as it would have without a pause.
    """

    def __init__(
        self,
        store: Store,
        *,
        part: float,
        kept: float,
        left: Callable[[], float],
        pace: Callable[[int, int], int],
        warmup: Warmup | None = None,
    ) -> None:
        self._store = store
        self._part = part
        self._kept = kept
        self._left = left
        self._pace = pace
        self._warmup = warmup
        found = store.load()
        self.begun, ending = _at(found[1]) if found else (0, 0)
        self.step = self.begun
        self._fitting = False
        self._first = self._through(self.begun / ending) if ending else 0.0
        self._place = self._first

    def _through(self, share: float) -> float:
        """Return which share of the whole is made with a share of the fit."""
        before = self._warmup.share if self._warmup else 0.0
        return before + (1.0 - before) * share

    def brake(self, step: int) -> bool:
        """Tell whether the time is over."""
        if not self._fitting and self._warmup:
            self._place = self._warmup.share * step / self._warmup.steps
        return self._left() <= 0

    def end(self, step: int, planned: int) -> int:
        """Return at which step the fit ends."""
        self._fitting, self.step = True, step
        found = self._pace(step, planned)
        self._place = self._through(step / found)
        return found

    def _over(self) -> bool:
        if self._part >= 1.0:
            return False
        made = (self._place - self._first) / max(1e-9, 1.0 - self._first)
        return made >= self._part - ROUNDING or self._left() <= self._kept

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        """Return the last whole checkpoint, or None."""
        return self._store.load()

    def due(self) -> bool:
        """Whether it is time for another checkpoint."""
        return self._over() or self._store.due()

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        """Write a checkpoint, atomically.

        Raises
        ------
        Paused
            If this turn is over, and the fit is not.
        """
        self._store.save(arrays, facts)
        step, ending = _at(facts)
        stopped = isinstance(facts, dict) and facts.get("stopped") is True
        if self._over() and not stopped and not (ending and step >= ending):
            raise Paused


def _at(facts: Json) -> tuple[int, int]:
    """Return the step of a checkpoint and the step at which its fit ends; 0 and 0 of a warm-up."""
    found = [facts.get(k) if isinstance(facts, dict) else None for k in ("step", "end")]
    step, ending = (n if isinstance(n, int) else 0 for n in found)
    return step, ending
