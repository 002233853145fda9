"""Errors that a user can cause, each with what was found, what was expected and what to do.

HounsfieldError            exit code 2 unless said otherwise
├── InputError             a path, option or argument is wrong
│   ├── CohortError        the folder, table or labels cannot be understood or used
│   ├── SplitError         the samples cannot be divided as asked
│   └── UnknownNameError   a name that is not in its table; the nearest one is named
├── ReadError              one file or array cannot be read: the case is set aside, the run goes on
├── PlanError              a plan that is contradictory, unknown or does not fit the data
│   └── MinutesError       the minutes do not hold what is asked for
├── BundleError            a bundle or run folder is damaged, from a future version, or not one
├── RunExistsError         the output exists and would be overwritten
├── RefusedError           an input that the model must not judge
├── ArchiveError           an archive (PACS) is not reached, refuses, or does not answer as the standard says
└── StorageError           a file could not be written whole; nothing half-written stays
"""

import hashlib
from collections.abc import Iterable
from difflib import get_close_matches


class HounsfieldError(Exception):
    """Base of all errors that a user can cause.

    Parameters
    ----------
    found : str
        What was found, without patient name, identifier or full path.
    expected : str
        What was expected instead.
    next_step : str
        What to do next: the line to write or the file to correct.
    """

    exit_code: int = 2

    def __init__(self, found: str, *, expected: str = "", next_step: str = "") -> None:
        self.found = found
        self.expected = expected
        self.next_step = next_step
        super().__init__(self.message())

    def message(self) -> str:
        """Return the whole message, one sentence per line."""
        lines = [self.found]
        if self.expected:
            lines.append(f"Expected: {self.expected}")
        if self.next_step:
            lines.append(f"Next: {self.next_step}")
        return "\n".join(lines)

    def line(self) -> str:
        """Return the whole message in one line, for a cell of a table."""
        return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in self.message().splitlines())

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the three parts when the error crosses a process."""
        return (_rebuild, (type(self), self.found, self.expected, self.next_step))


def _rebuild(kind: type[HounsfieldError], found: str, expected: str, next_step: str) -> HounsfieldError:
    return kind(found, expected=expected, next_step=next_step)


class InputError(HounsfieldError):
    """A path, an option or an argument is wrong."""


class CohortError(InputError):
    """A folder, table or set of labels cannot be understood or used."""


class SplitError(InputError):
    """The samples cannot be divided as asked."""


class UnknownNameError(InputError):
    """A name that is not in its table."""


class ReadError(HounsfieldError):
    """One file or array cannot be read; the case is set aside and the run goes on."""


class PlanError(HounsfieldError):
    """A plan is contradictory, has an unknown key, or does not fit the data."""


class MinutesError(PlanError):
    """The minutes do not hold what is asked for, at the speed that was measured."""


class BundleError(HounsfieldError):
    """A bundle or run folder is damaged, of a future version, or not one at all."""


class RunExistsError(HounsfieldError):
    """An output exists already and is not overwritten."""


class RefusedError(HounsfieldError):
    """An input that the model must not judge."""


class ArchiveError(HounsfieldError):
    """An archive of images is not reached, refuses, or does not answer as the standard says."""


class StorageError(HounsfieldError):
    """A file could not be written whole."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest to `name`, or None when none is near."""
    known = list(known)
    folded = {k.casefold(): k for k in reversed(known)}
    if name.casefold() in folded:
        return folded[name.casefold()]
    close = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Build the error for a name that a table does not have.

    Parameters
    ----------
    kind : str
        What the name stands for, such as ``"network"`` or ``"column"``.
    name : str
        The name that was asked for.
    known : iterable of str
        The names that exist.
    """
    known = sorted(known)
    near = nearest(name, known)
    shown = ", ".join(known[:30]) + (", ..." if len(known) > 30 else "")
    return UnknownNameError(
        f"There is no {kind} named {name!r}.",
        expected=f"one of {shown}" if known else f"a {kind}, but none exists here",
        next_step=f"write {near!r} if that is what you meant" if near else f"choose a {kind} from the list",
    )


def case_id(text: str) -> str:
    """Return a short hash that names a case in messages without telling who it is.

    Parameters
    ----------
    text : str
        A path or identifier.

    Returns
    -------
    str
        Eight hexadecimal digits of the SHA-256 of the text.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
