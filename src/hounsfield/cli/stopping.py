"""Ctrl-C and SIGTERM end a command, also when something on the way swallows the exception."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """The system asked the process to end (SIGTERM); handled as Ctrl-C is."""


_ASKED: list[type[KeyboardInterrupt]] = []


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into exceptions while a command runs, so that files are closed and locks given back.

    Notes
    -----
    A signal arrives between any two instructions of Python, those of other packages included: one that catches
    everything while it tries an import, or clears an error in C, swallows the exception, and the user's Ctrl-C
    is lost. So the wish to stop is kept, and `heed`, which every sign of progress calls, raises it again. A SIGINT that
    was ignored when the command began (as ``nohup`` and a shell's background jobs have it) stays so.
    """
    handlers: dict[signal.Signals, type[KeyboardInterrupt]] = {signal.SIGTERM: Terminated}
    if threading.current_thread() is not threading.main_thread():  # as in tests of other tools
        yield
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        handlers[signal.SIGINT] = KeyboardInterrupt

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        _ASKED.append(handlers[signal.Signals(number)])
        raise _ASKED[-1]

    before = {number: signal.signal(number, stop) for number in handlers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _ASKED.clear()


def heed() -> None:
    """Raise again what a signal asked for, in the main thread.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C or SIGTERM came while the command ran, and the command still goes on.
    """
    if _ASKED and threading.current_thread() is threading.main_thread():
        raise _ASKED[-1]
