"""What became of each input, kept beside the key while a run lasts, so that an interrupted run goes on."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hounsfield.workflow.pseudonym_key import OWNER_ONLY


@dataclass(frozen=True)
class Treated:
    """One input and its outcome.

    Parameters
    ----------
    path : str
        Relative path of the input; identifying, never shown.
    case : str
        Keyed hash that stands for the input in everything that is shown.
    name : str
        Relative path of the output; empty where withheld.
    format : str
        Name of the scrubber; empty where none knows the file.
    reason : str
        Why it was withheld; empty where it was written.
    removed : tuple of str
        Kinds of things that were taken out.
    identifiers, texts : tuple of str
        What the second pass looks for; never shown.
    coded, kept : tuple of str
        What stays by rule, as `hounsfield.data.protocols.Scrubbed` tells it.
    keys : tuple of (str, str)
        What joins the file to tables; never shown.
    stamp : tuple of int
        Size and time of the input.
    """

    path: str = field(repr=False)
    case: str
    name: str
    format: str = ""
    reason: str = ""
    removed: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = field(default=(), repr=False)
    texts: tuple[str, ...] = field(default=(), repr=False)
    coded: tuple[str, ...] = field(default=(), repr=False)
    kept: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    stamp: tuple[int, int] = (0, 0)


_LISTS = ("removed", "identifiers", "texts", "coded", "kept")


class Ledger:
    """The outcomes so far, one line each, in a file that only its owner may read; it is removed at the end.

    Parameters
    ----------
    path : pathlib.Path
    begun_as : str
        What the run depends on: key, options, input. A ledger of another run is not continued.
    """

    def __init__(self, path: Path, *, begun_as: str) -> None:
        self._path = path
        self.known: dict[str, Treated] = {}
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self.continues = bool(lines) and lines[0] == begun_as
        if self.continues:
            for line in lines[1:]:
                try:
                    entry = _read(line)
                except (ValueError, TypeError, KeyError):  # the line that was being written when the run ended
                    break
                self.known[entry.path] = entry
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        self._file = os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass")
        self._file.write(begun_as + "\n")
        for entry in self.known.values():
            self._write(entry)

    def add(self, entry: Treated) -> None:
        """Keep an outcome at once."""
        self.known[entry.path] = entry
        self._write(entry)
        self._file.flush()

    def close(self, *, remove: bool) -> None:
        """Close the file, and remove it where the run is complete."""
        self._file.close()
        if remove:
            self._path.unlink(missing_ok=True)

    def _write(self, entry: Treated) -> None:
        self._file.write(json.dumps(asdict(entry)) + "\n")


def _read(line: str) -> Treated:
    value = json.loads(line)
    lists: dict[str, Sequence[str]] = {k: tuple(value[k]) for k in _LISTS}
    keys = tuple((str(kind), str(key)) for kind, key in value["keys"])
    return Treated(**{**value, **lists, "keys": keys, "stamp": (int(value["stamp"][0]), int(value["stamp"][1]))})
