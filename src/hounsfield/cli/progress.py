"""Progress on standard error: bars with the time left in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from hounsfield.cli.stopping import heed
from hounsfield.core.progress import Progress, Step

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

EVERY_SECONDS = 10.0


def progress() -> Progress:
    """Return the progress that suits standard error: bars where a person watches, else lines."""
    return Bars() if sys.stderr.isatty() else Lines(sys.stderr)


class Bars:
    """Bars in a terminal."""

    def __init__(self) -> None:
        self._shown: RichProgress | None = None
        self._open = 0

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Step]:
        """Show a bar for the length of the block; blocks may lie within one another."""
        heed()
        shown = self._begin()
        task = shown.add_task(title, total=total, note="")
        try:
            yield _BarStep(shown, task)
        finally:
            shown.stop_task(task)
            shown.remove_task(task)
            self._open -= 1
            if self._open == 0:
                shown.stop()
                self._shown = None

    def say(self, text: str) -> None:
        """Print one line above the bars."""
        heed()
        if self._shown is None:
            print(text, file=sys.stderr, flush=True)
        else:
            self._shown.console.print(text, markup=False, highlight=False, emoji=False)

    def _begin(self) -> "RichProgress":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._open += 1
        if self._shown is None:
            self._shown = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(compact=True),
                TextColumn("{task.fields[note]}", markup=False),
                console=Console(file=sys.stderr),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=True,
                refresh_per_second=4,
            )
            self._shown.start()
        return self._shown


class _BarStep:
    def __init__(self, shown: "RichProgress", task: "TaskID") -> None:
        self._shown = shown
        self._task = task

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        heed()
        if note:
            self._shown.update(self._task, advance=amount, note=note)
        else:
            self._shown.advance(self._task, amount)


class Lines:
    """One line per step, and one every ten seconds while it lasts.

    Parameters
    ----------
    stream : text file
        Where to.
    every_seconds : float
        Least time between two lines of one step.
    """

    def __init__(self, stream: TextIO, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._stream = stream
        self._every = every_seconds

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Step]:
        """Say when the block begins, how it goes on, and what it took if that was long."""
        begun = time.monotonic()
        self.say(f"{title} ...")
        yield _LineStep(self, title, total=total, every=self._every)
        took = time.monotonic() - begun
        if took >= self._every:
            self.say(f"{title}: done in {duration(took)}")

    def say(self, text: str) -> None:
        """Print one line."""
        heed()
        print(text, file=self._stream, flush=True)


class _LineStep:
    def __init__(self, lines: Lines, title: str, *, total: float | None, every: float) -> None:
        self._lines = lines
        self._title = title
        self._total = total
        self._every = every
        self._done = 0.0
        self._begun = self._said = time.monotonic()

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        heed()
        self._done += amount
        now = time.monotonic()
        if now - self._said < self._every:
            return
        self._said = now
        words = [f"{self._title}: {self._done:g}"]
        if self._total:
            left = (now - self._begun) * max(0.0, self._total - self._done) / max(self._done, 1e-9)
            words = [
                f"{self._title}: {self._done:g} of {self._total:g} ({self._done / self._total:.0%})",
                f"{duration(left)} left",
            ]
        self._lines.say(", ".join([*words, note] if note else words))


def duration(seconds: float) -> str:
    """Return seconds in words: ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
