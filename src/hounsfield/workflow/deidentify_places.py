"""Where de-identification reads and writes, and that one process at a time does so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hounsfield.bundle.locks import FolderLock
from hounsfield.core.errors import InputError, RunExistsError


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes.

    Parameters
    ----------
    root : pathlib.Path
        The input: a folder or a file.
    sources : tuple of (str, Path)
        Its files.
    out, staging : pathlib.Path
        The output, and where it grows.
    key, links, ledger : pathlib.Path
        What lies apart from it.
    """

    root: Path = field(repr=False)

    sources: tuple[tuple[str, Path], ...] = field(repr=False)
    out: Path = field(repr=False)
    staging: Path = field(repr=False)
    key: Path = field(repr=False)
    links: Path = field(repr=False)
    ledger: Path = field(repr=False)


def places_of(source: Path, out: Path, key: Path | None) -> Places:
    """Return where a run reads and writes.

    Raises
    ------
    InputError
        If there is nothing to read, or output or key would lie where they must not.
    RunExistsError
        If the output exists.
    """
    if not source.exists():
        raise InputError("IN does not exist.", expected="a folder or a file", next_step="check the path")
    out = out.absolute()
    if out.exists():
        raise RunExistsError(
            f"{out.name} exists already.", expected="a new folder", next_step="choose another OUT, or move it away"
        )
    if not out.parent.is_dir():
        raise InputError("The folder of OUT does not exist.", expected="a folder", next_step="make it first")
    key = (key if key is not None else out.with_name(out.name + ".key")).absolute()
    root = source.resolve()
    if key.resolve().is_relative_to(out.resolve()):
        raise InputError(
            "The key would lie in the output.", expected="a place apart", next_step="name another file with --key"
        )
    if root.is_dir() and (out.resolve().is_relative_to(root) or key.resolve().is_relative_to(root)):
        raise InputError(
            "OUT or the key would lie in IN.", expected="places outside IN", next_step="choose another OUT or --key"
        )
    sources = tuple(walked(root)) if root.is_dir() else ((root.name, root),)
    if not sources:
        raise InputError("IN holds no file.", expected="files to de-identify", next_step="check the path")
    beside = key.parent
    return Places(
        root,
        sources,
        out,
        out.with_name(f".{out.name}.unfinished"),
        key,
        beside / f"{out.name}.links.csv",
        beside / f".{out.name}.ledger",
    )


def walked(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the relative path and the place of every file below a folder, in order; links are not followed."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(root).as_posix(), path


@contextmanager
def locked(places: Places) -> Iterator[None]:
    """Hold the output alone; raise RunExistsError where another process does."""
    lock = FolderLock(places.ledger.with_suffix(".lock"))
    if not lock.acquire():
        raise RunExistsError(
            "Another process is writing this OUT.", expected="one at a time", next_step="wait for it, or end it"
        )
    try:
        yield
    finally:
        places.ledger.with_suffix(".lock").unlink(missing_ok=True)
        lock.release()
