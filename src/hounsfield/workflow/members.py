"""Members of an ensemble, fitted one after another here or side by side in processes of one thread each."""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
from pydantic import BaseModel

from hounsfield.bundle.atomic import write_bytes
from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.errors import PlanError
from hounsfield.core.progress import Step
from hounsfield.core.types import IntArray, Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import State
from hounsfield.learn.maps import mapped
from hounsfield.workflow.checkpoints import EVERY_SECONDS
from hounsfield.workflow.warming import stored_beside

POLL_SECONDS = 0.25
CHECKPOINT_SECONDS = EVERY_SECONDS
"""How often a member writes a checkpoint."""
Due = tuple[int, int]
"""Fold, and place within the fold."""


@dataclass(frozen=True)
class Assignment:
    """One member to be fitted.

    Parameters
    ----------
    fold : int
        Fold, 0 without folds.
    place : int
        Number within the fold.
    learner : str
    job : BaseModel
        What the learner needs of the plan.
    train, val : numpy.ndarray
        Rows of the feed, int64.
    steps : int
        Optimisation steps; 0 for a learner that makes none.
    """

    fold: int
    place: int
    learner: str
    job: BaseModel
    train: IntArray
    val: IntArray
    steps: int

    @property
    def name(self) -> str:
        """Return a name for files."""
        return f"member-{self.fold}-{self.place}" if self.place else f"member-{self.fold}"


def keep_state(path: Path, state: State) -> None:
    """Write a fitted state, atomically."""
    facts: Json = {
        "json": state.json,
        "history": {k: list(v) for k, v in state.history.items()},
        "stopped": state.stopped_by_brake,
        "steps": state.steps,
    }
    save_checkpoint(path, state.arrays, _finite(facts))


def kept_state(path: Path) -> State | None:
    """Return a fitted state that was written, or None."""
    found = load_checkpoint(path)
    if found is None or not isinstance(found[1], dict):
        return None
    facts = found[1]
    told, steps = facts.get("history"), facts.get("steps")
    history = {
        k: [float(x) if isinstance(x, int | float) else float("nan") for x in v]
        for k, v in (told.items() if isinstance(told, dict) else ())
        if isinstance(v, list)
    }
    count = steps if isinstance(steps, int) else 0
    return State(dict(found[0]), facts.get("json"), history, facts.get("stopped") is True, count)


def _finite(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_feed(folder: Path, feed: Feed) -> None:
    """Write what other processes need of a feed beside its memory maps: answers and groups.

    Parameters
    ----------
    folder : Path
        Where the memory maps ``input-<name>.npy`` lie.
    feed : Feed
    """
    import io

    buffer = io.BytesIO()
    targets = {f"target/{name}": values for name, values in feed.targets.items()}
    np.savez(buffer, allow_pickle=False, groups=feed.groups, **targets)
    write_bytes(folder / "answers.npz", buffer.getvalue())


def read_feed(folder: Path, names: Sequence[str]) -> Feed:
    """Read a feed that `write_feed` wrote, without parts.

    Parameters
    ----------
    folder : Path
    names : sequence of str
        Inputs.
    """
    none = np.zeros(0, dtype=np.int64)
    with np.load(folder / "answers.npz", allow_pickle=False) as held:
        targets = {k.removeprefix("target/"): held[k] for k in held.files if k.startswith("target/")}
        groups = held["groups"]
    inputs = {name: mapped(folder / f"input-{name}.npy") for name in names}
    return stored_beside(Feed(inputs, targets, none, none, groups), folder)


class Crew:
    """Processes of one thread each, at most so many at a time.

    Parameters
    ----------
    folder : Path
        Work folder of the run: memory maps, answers, checkpoints.
    workers : int
        Processes at a time.
    """

    def __init__(self, folder: Path, *, workers: int) -> None:
        self._folder = folder
        self._workers = workers
        self._running: dict[IO[bytes], _Child] = {}

    def run(
        self,
        assignments: Sequence[Assignment],
        *,
        seconds: Callable[[int], float],
        heard: Callable[[Assignment, Mapping[str, Json]], None],
        mode: str = "fit",
    ) -> None:
        """Start a process for each assignment, in order, as places become free; return when all have ended.

        Parameters
        ----------
        assignments : sequence of Assignment
        seconds : callable
            ``seconds(waiting) -> float``: how long the next one may take when so many wait, itself included.
        heard : callable
            Told of every line a process says.
        mode : str
            ``fit``; or ``probe``, which times steps and keeps nothing.

        Raises
        ------
        PlanError
            If a process ends with an error; the others are ended too, and their checkpoints stay.
        """
        waiting = list(assignments)
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or self._running:
                    while waiting and len(self._running) < self._workers:
                        child = self._start(waiting[0], seconds=seconds(len(waiting)), mode=mode)
                        selector.register(child.said, selectors.EVENT_READ)
                        self._running[child.said] = child
                        waiting.pop(0)
                    for key, _ in selector.select(POLL_SECONDS):
                        said = cast("IO[bytes]", key.fileobj)
                        child = self._running[said]
                        line = said.readline()
                        if line:
                            child.hear(line, heard)
                            continue
                        selector.unregister(said)
                        del self._running[said]
                        child.end()
            finally:
                for child in self._running.values():
                    child.stop()
                self._running.clear()

    def _start(self, assignment: Assignment, *, seconds: float, mode: str) -> "_Child":
        note = self._folder / f"{assignment.name}.job.json"
        facts = {
            "mode": mode,
            "learner": assignment.learner,
            "job": assignment.job.model_dump(mode="json"),
            "name": assignment.name,
            "seconds": seconds if np.isfinite(seconds) else None,
            "parent": os.getpid(),
            "every": CHECKPOINT_SECONDS,
        }
        np.save(self._folder / f"{assignment.name}.train.npy", assignment.train)
        np.save(self._folder / f"{assignment.name}.val.npy", assignment.val)
        write_bytes(note, json.dumps(facts).encode())
        return _Child(assignment, note)


class _Child:
    """One process and what it says."""

    def __init__(self, assignment: Assignment, note: Path) -> None:
        self._assignment = assignment
        # One thread: two threads beside another busy process are far slower than one.
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        surroundings = {**os.environ, **dict.fromkeys(names, "1"), "OMP_WAIT_POLICY": "PASSIVE"}
        self._complaints = note.with_suffix(".log").open("wb")
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", "hounsfield.workflow.worker", str(note)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=surroundings,
            bufsize=0,  # a line in a buffer would not wake the selector
        )
        self.said = cast("IO[bytes]", self._process.stdout)
        self._error: Mapping[str, str] = {}

    def hear(self, line: bytes, heard: Callable[[Assignment, Mapping[str, Json]], None]) -> None:
        """Take one line."""
        try:
            told = json.loads(line)
        except ValueError:
            return
        if isinstance(told, dict):
            if isinstance(told.get("error"), dict):
                self._error = told["error"]
            heard(self._assignment, told)

    def end(self) -> None:
        """Wait for the end and raise what went wrong."""
        code = self._process.wait()
        self.said.close()
        self._complaints.close()
        if code == 0:
            return
        if self._error:
            raise PlanError(self._error["found"], expected=self._error["expected"], next_step=self._error["next_step"])
        killed = f"signal {-code}" if code < 0 else f"exit code {code}"
        memory = code == -signal.SIGKILL
        raise PlanError(
            f"A process that trained a member ended with {killed}.",
            expected="enough memory for all members side by side" if memory else "exit code 0",
            next_step="give the same command again: it goes on from the last checkpoint"
            + (", or train with --threads 1" if memory else f"; {self._assignment.name}.job.log in .work says more"),
        )

    def stop(self) -> None:
        """End it now; what it checkpointed stays."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.said.close()
        self._complaints.close()


class Shown:
    """The steps of all members as one piece of work.

    Parameters
    ----------
    step : Step
        Of as many units as all members have steps.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._done: dict[Due, int] = {}

    def heard(self, assignment: Assignment, told: Mapping[str, Json]) -> None:
        """Move on by what a member says."""
        step, key = told.get("step"), (assignment.fold, assignment.place)
        if isinstance(step, int):
            loss = told.get("loss")
            note = f"loss {loss:.3f}" if isinstance(loss, float) else ""
            self._step.advance(float(step - self._done.get(key, 0)), note)
            self._done[key] = step
