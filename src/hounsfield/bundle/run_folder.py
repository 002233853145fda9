"""The folder of a run: which files it has, whether it may be begun, continued, or must be left alone."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

from hounsfield.bundle.atomic import TEMP_SUFFIX, storage_error, write_json
from hounsfield.bundle.locks import FolderLock
from hounsfield.core.errors import BundleError, HounsfieldError, RunExistsError
from hounsfield.core.types import Json

_WORK = ".work"
_REMOVED = ".work.removed"
_RUN = "run.json"
_LOCK = "lock"
_SCHEMA_VERSION = 1


class RunState(Enum):
    """What a path holds."""

    NEW = "new"
    UNFINISHED = "unfinished"
    COMPLETE = "complete"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; made by `RunFolder.begin`, ended by `finish`, let go by `close`.

    Parameters
    ----------
    path : pathlib.Path
        The folder.
    continued : bool
        Whether an unfinished run with the same key was found, so that its files are to be used.
    lock : FolderLock
        Held while this process writes.
    clock : callable or None
        Returns the time as text for each line of the log; None leaves times out.
    """

    path: Path
    continued: bool
    lock: FolderLock
    clock: Callable[[], str] | None = None

    @classmethod
    def begin(cls, path: Path, *, key: Mapping[str, str], clock: Callable[[], str] | None = None) -> Self:
        """Begin a run in `path`, or continue the one that was interrupted there.

        Parameters
        ----------
        path : pathlib.Path
            Absent or empty, or an unfinished run with the same `key`.
        key : mapping of str to str
            What makes two runs the same, such as ``{"cohort": digest, "wishes": digest}``.
        clock : callable or None
            See `RunFolder`.

        Raises
        ------
        RunExistsError
            If the folder holds a complete run, an unfinished one with another key, anything else, or if another process
            is writing it. Nothing in it was changed.
        StorageError
            If the system refuses to make the folder.
        """
        state = run_state(path)
        if state in (RunState.COMPLETE, RunState.FOREIGN):
            raise _refused(state)
        lock = FolderLock(path / _WORK / _LOCK)
        try:
            (path / _WORK).mkdir(parents=True, exist_ok=True)
            taken = lock.acquire()
        except OSError as error:
            raise storage_error("The run folder", error) from error
        if not taken:
            raise RunExistsError(
                "Another process is writing this run now.",
                expected="one process per run folder",
                next_step="wait until it ends, or choose another --out",
            )
        try:
            # the other process may have finished between our first look and our lock
            state = run_state(path)
            if state in (RunState.COMPLETE, RunState.FOREIGN):
                shutil.rmtree(path / _WORK, ignore_errors=True)
                raise _refused(state)
            continued = _same_key(path, key)
            if not continued:
                record: Json = {"schema_version": _SCHEMA_VERSION, "key": dict(key)}
                write_json(path / _WORK / _RUN, record)
            _clean(path)
        except BaseException:
            lock.release()
            raise
        return cls(path, continued, lock, clock)

    def __enter__(self) -> Self:
        """Return the run."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back, whatever happened; a run that was refused before it had a plan leaves nothing.

        Notes
        -----
        Without this a misspelt option would leave a folder that refuses the corrected command as another run.
        """
        if isinstance(error, HounsfieldError) and not self.plan.exists():
            self._forget()
        self.close()

    def _forget(self) -> None:
        """Remove what was written so far; the folder was absent or empty when the run began."""
        for file in (self.cohort, self.samples, self.audit, self.fingerprint, self.log_file, self.path / "seen.json"):
            with suppress(OSError):
                file.unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)
        with suppress(OSError):
            self.path.rmdir()

    @property
    def work(self) -> Path:
        """Hidden folder for checkpoints and memory maps; gone when the run is complete."""
        return self.path / _WORK

    @property
    def cohort(self) -> Path:
        """``cohort.yaml``: layout, roles, corrections."""
        return self.path / "cohort.yaml"

    @property
    def samples(self) -> Path:
        """``samples.csv``: one row per sample."""
        return self.path / "samples.csv"

    @property
    def audit(self) -> Path:
        """``audit.json``: what is wrong with the data."""
        return self.path / "audit.json"

    @property
    def fingerprint(self) -> Path:
        """``fingerprint.json``: aggregates over the training part."""
        return self.path / "fingerprint.json"

    @property
    def plan(self) -> Path:
        """``plan.yaml``: every decision."""
        return self.path / "plan.yaml"

    @property
    def bundle(self) -> Path:
        """``bundle/``: the trained model."""
        return self.path / "bundle"

    @property
    def predictions(self) -> Path:
        """``predictions.csv``: one row per sample judged."""
        return self.path / "predictions.csv"

    @property
    def report_json(self) -> Path:
        """``report.json``: every figure."""
        return self.path / "report.json"

    @property
    def report_html(self) -> Path:
        """``report.html``: the page for a reader."""
        return self.path / "report.html"

    @property
    def log_file(self) -> Path:
        """``log.jsonl``: what happened, one JSON object per line."""
        return self.path / "log.jsonl"

    def log(self, event: str, facts: Mapping[str, Json]) -> None:
        """Append one line to ``log.jsonl``.

        Parameters
        ----------
        event : str
            What happened.
        facts : mapping of str to JSON value
            Figures and words that belong to it; no patient name, no path.

        Notes
        -----
        A line that a kill cut short is closed first, so that every later line can be read.
        """
        line: dict[str, Json] = {"event": event, **facts}
        if self.clock is not None:
            line = {"time": self.clock(), **line}
        try:
            with self.log_file.open("a+b") as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        file.write(b"\n")
                file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        except OSError as error:
            raise storage_error(self.log_file.name, error) from error

    def finish(self) -> None:
        """Mark the run complete: the hidden folder goes away, in one step, and the lock is given back."""
        try:
            self.work.replace(self.path / _REMOVED)
        except OSError as error:
            raise storage_error("The run folder", error) from error
        finally:
            self.close()
        shutil.rmtree(self.path / _REMOVED, ignore_errors=True)

    def close(self) -> None:
        """Give the lock back and leave the run as it is; the same key continues it."""
        self.lock.release()


def run_state(path: Path) -> RunState:
    """Return what `path` holds, changing nothing."""
    if not path.exists():
        return RunState.NEW
    if not path.is_dir():
        return RunState.FOREIGN
    if (path / _WORK / _RUN).is_file():
        return RunState.UNFINISHED
    names = {entry.name for entry in path.iterdir()}
    if names <= {_WORK, _REMOVED} and not _has_content(path / _WORK):
        return RunState.NEW
    return RunState.COMPLETE if "report.json" in names and "bundle" in names else RunState.FOREIGN


def default_run_path(cohort: str) -> Path:
    """Return where a run goes when nobody said where: ``runs/`` and the cohort's name without its ending."""
    stem = Path(cohort).stem if Path(cohort).suffix.lower() in _ENDINGS else Path(cohort).name
    return Path("runs") / (stem or "cohort")


_ENDINGS = frozenset({".npz", ".csv", ".tsv", ".xlsx", ".xls", ".parquet", ".yaml", ".txt"})


def find_bundle(path: Path) -> Path:
    """Return the bundle's folder, where a run folder or its ``bundle/`` may be given.

    Raises
    ------
    BundleError
        If there is none; an unfinished run is said to be one.
    """
    for folder in (path, path / "bundle"):
        if (folder / "manifest.json").is_file():
            return folder
    if not path.exists():
        raise BundleError(
            "The run or bundle does not exist.",
            expected="the folder of a run, or its bundle/",
            next_step="check the path; hu train DATA --out runs/name makes one",
        )
    if path.is_dir() and run_state(path) is RunState.UNFINISHED:
        raise BundleError(
            "The run is not finished; it has no bundle yet.",
            expected="a complete run",
            next_step="type its hu train command again: it continues where it stopped",
        )
    raise BundleError(
        "This is neither a run nor a bundle: there is no manifest.json in it.",
        expected="the folder of a run, or its bundle/",
        next_step="give the folder that hu train wrote",
    )


def _same_key(path: Path, key: Mapping[str, str]) -> bool:
    """Return False for a new run and True for the same one; raise for another."""
    try:
        record = json.loads((path / _WORK / _RUN).read_text(encoding="utf-8"))
        found = record["key"]
        version = record["schema_version"]
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(RunState.FOREIGN) from error
    if version == _SCHEMA_VERSION and found == dict(key):
        return True
    changed = sorted(name for name in {*found, *key} if found.get(name) != key.get(name))
    what = ", ".join(changed) if changed else "its version"
    raise RunExistsError(
        f"The folder holds an unfinished run that differs from this one in: {what}.",
        expected="the same data and options, to continue it",
        next_step="type the first command again to continue that run, choose another --out, or delete the folder",
    )


def _refused(state: RunState) -> RunExistsError:
    found = {
        RunState.COMPLETE: "The folder holds a complete run already.",
        RunState.FOREIGN: "The folder exists, is not empty, and is not a run.",
    }[state]
    return RunExistsError(
        found, expected="an absent or empty folder", next_step="choose another --out, or move the folder away"
    )


def _has_content(work: Path) -> bool:
    return work.is_dir() and any(e.name != _LOCK and not e.name.endswith(TEMP_SUFFIX) for e in work.iterdir())


def _clean(path: Path) -> None:
    """Remove what a killed process left half-written; only names that `temp_sibling` makes."""
    shutil.rmtree(path / _REMOVED, ignore_errors=True)
    for folder in (path, path / _WORK):
        for entry in folder.glob(f".*{TEMP_SUFFIX}"):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
