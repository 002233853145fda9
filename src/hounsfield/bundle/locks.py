"""A lock between processes that dies with the process that holds it."""

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no flock; there a second process is not noticed
    fcntl = None  # type: ignore[assignment]  # stands for "not available"


class FolderLock:
    """An exclusive lock on a file, released by `release` or by the end of the process, however it ends.

    Parameters
    ----------
    path : pathlib.Path
        The lock file; made where it does not exist. Its content means nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; return whether it was taken."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if fcntl is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                return False
            # another process may have finished and removed the file between our open and our lock
            if not self._still_there(handle):
                os.close(handle)
                return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Give the lock back; does nothing where it is not held."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None

    def _still_there(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except OSError:
            return False
