"""Checkpoints of one member, written when the clock says so."""

import time
from collections.abc import Mapping
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
