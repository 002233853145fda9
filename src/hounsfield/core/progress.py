"""How long work is reported to whoever waits for it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Step(Protocol):
    """One piece of work under way."""

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        """Say that `amount` more is done; `note` is a short word on how it goes, such as a loss."""


class Progress(Protocol):
    """Receives what is under way; a door (command line, server) shows it."""

    def step(self, title: str, total: float | None) -> AbstractContextManager[Step]:
        """Begin a piece of work of `total` units, None where unknown; used in a ``with`` statement."""

    def say(self, text: str) -> None:
        """Say one line."""


class _SilentStep:
    def advance(self, amount: float = 1.0, note: str = "") -> None:
        del amount, note


class Silent:
    """Progress that nobody watches."""

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator[Step]:
        """Yield a step that shows nothing."""
        del title, total
        yield _SilentStep()

    def say(self, text: str) -> None:
        """Show nothing."""
        del text


SILENT: Progress = Silent()
