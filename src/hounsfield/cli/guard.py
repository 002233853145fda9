"""How a command ends: its exit code, and what is said when something went wrong."""

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

from hounsfield.cli.stopping import Terminated, stoppable
from hounsfield.core.errors import HounsfieldError

P = ParamSpec("P")

UNEXPECTED = 1
INTERRUPTED = 130
TERMINATED = 143
_CONTINUES = frozenset({"train", "demo", "pull", "push", "deidentify"})


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Return `command` with every way to fail turned into a clean message and an exit code.

    Notes
    -----
    Exit code 2 (or the error's own) for what a user can correct, 1 for a fault of ours, 130 for Ctrl-C, 143 for
    SIGTERM. The message of an unexpected error names the place in our code only: its text might hold a path or a name.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        name = command.__name__
        try:
            with stoppable():
                command(*args, **kwargs)
                sys.stdout.flush()
        except HounsfieldError as error:
            _say(f"hu {name}: {error.message()}")
            _trace_if_asked()
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as error:
            after = " Type the same command again: it continues the run." if name in _CONTINUES else ""
            _say(f"\nhu {name}: stopped.{after}")
            raise typer.Exit(TERMINATED if isinstance(error, Terminated) else INTERRUPTED) from None
        except BrokenPipeError:
            # the reader of our output went away (`hu plan ... | head`); nothing more can be said there
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise typer.Exit(UNEXPECTED) from None
        except Exception as error:  # the door: whatever came through is told in a line, never as a trace unasked
            if isinstance(error, typer.Exit | typer.Abort | typer.BadParameter):
                raise
            _unexpected(name, error)

    return wrapped


def _unexpected(name: str, error: Exception) -> NoReturn:
    _say(f"hu {name}: an unexpected error, {type(error).__name__}{_place(error)}. This is a fault of Hounsfield's.")
    if isinstance(error, MemoryError):
        _say("There was not enough memory. Next: close other programs, or work on fewer samples.")
    if not _trace_if_asked():
        _say("Next: type `hu --debug` instead of `hu` (or set HOUNSFIELD_DEBUG=1) to see the details, and report them.")
    raise typer.Exit(UNEXPECTED) from None


def _place(error: Exception) -> str:
    """Return where in our own code the error came up, as module and line."""
    own = [
        (frame.f_globals.get("__name__", ""), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__", "")).startswith("hounsfield.")
    ]
    return f" in {own[-1][0]}, line {own[-1][1]}" if own else ""


def _trace_if_asked() -> bool:
    asked = os.environ.get("HOUNSFIELD_DEBUG", "") not in ("", "0")
    if asked:
        traceback.print_exc(file=sys.stderr)
    return asked


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
