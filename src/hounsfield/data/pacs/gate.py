"""Keeps pynetdicom's own thread away from the answers that we wait for.

The thread of an association looks for messages between two requests of ours. It is asked to pause before a request, but
may still be in the middle of a look, take an answer out of the queue and drop it: a match or a file is then missing
without a word (pynetdicom issue 875; seen here once in 240 searches on a busy machine). While the gate is closed, the
thread waits at it and takes nothing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetdicom.association import Association

_REACHED_WITHIN = 10.0
_ENDS_WITHIN = 5.0


class Gate(threading.Event):
    """The event that the thread waits for, which nobody but us can set."""

    def __init__(self) -> None:
        super().__init__()
        self._reached = threading.Event()
        self._mine = True

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at the gate."""
        self._reached.set()
        return super().wait(timeout)

    def set(self) -> None:
        """Open the gate, if it has been given back."""
        if not self._mine:
            super().set()

    def close(self) -> None:
        """Return when the thread stands at the gate."""
        self._reached.wait(_REACHED_WITHIN)

    def give_back(self) -> None:
        """Let pynetdicom open the gate again."""
        self._mine = False


@contextmanager
def alone(association: "Association") -> Iterator[None]:
    """Have the association's thread wait while the block lasts."""
    if not association.is_established:
        yield
        return
    gate = Gate()
    before = association._reactor_checkpoint  # no public way
    association._reactor_checkpoint = gate
    before.set()
    gate.close()
    try:
        yield
    finally:
        gate.give_back()
        if _ended(association):
            gate.set()  # the thread sees what happened, and ends
            association.join(_ENDS_WITHIN)


def _ended(association: "Association") -> bool:
    return not association.is_established or bool(association.acse.is_aborted())
