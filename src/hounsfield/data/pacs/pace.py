"""How fast an archive is asked, so that it goes on serving the clinic."""

from collections.abc import Callable


class Pace:
    """Lets through at most so many files a second.

    Parameters
    ----------
    per_second : float or None
        None for no limit.
    clock : callable
        Seconds, never going back; given from above, since no clock is read here.
    sleep : callable
        Waits so many seconds.
    """

    def __init__(self, per_second: float | None, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._between = 0.0 if per_second is None else 1.0 / per_second
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        """Wait for the next turn."""
        if not self._between:
            return
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self._between

    def rest(self, seconds: float) -> None:
        """Wait so long, as before another try."""
        self._sleep(seconds)

    def now(self) -> float:
        """Return the seconds of the clock."""
        return self._clock()
