"""Members of an ensemble, fitted one after another here or side by side in processes of one thread each.

Which process makes which steps of which member is said by `hounsfield.workflow.turns`.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
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
from hounsfield.workflow.turns import Lane, Turn, share, whole
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
        self._running: dict[IO[bytes], tuple[_Child, list[Turn]]] = {}
        self._paused: set[tuple[int, int]] = set()
        self._fitted: set[str] = set()

    def run(
        self,
        assignments: Sequence[Assignment],
        *,
        left: Callable[[], float],
        heard: Callable[[Assignment, Mapping[str, Json]], None],
        lanes: Sequence[Lane] | None = None,
        mode: str = "fit",
    ) -> None:
        """Go through lanes of turns, each turn in a process of its own; return when all have ended.

        Parameters
        ----------
        assignments : sequence of Assignment
        left : callable
            Seconds that are left for everything; the turns of a lane share them by their steps.
        heard : callable
            Told of every line a process says.
        lanes : sequence of Lane or None
            Begun in order as places become free; a turn that goes on with a member waits until the one before has
            ended. None makes each assignment whole, in their order.
        mode : str
            ``fit``; or ``probe``, which times steps and keeps nothing.

        Raises
        ------
        PlanError
            If a process ends with an error; the others are ended too, and their checkpoints stay.
        """
        given = lanes if lanes is not None else [whole(n) for n in range(len(assignments))]
        waiting = [list(lane) for lane in given if lane]
        idle: list[list[Turn]] = []
        with selectors.DefaultSelector() as selector:
            try:
                while waiting or idle or self._running:
                    while waiting and len(idle) + len(self._running) < self._workers:
                        idle.append(waiting.pop(0))
                    for lane in [lane for lane in idle if self._may_begin(lane[0])]:
                        idle.remove(lane)
                        child = self._start(assignments[lane[0].member], lane, left=left(), mode=mode)
                        self._running[child.said] = (child, lane)
                        selector.register(child.said, selectors.EVENT_READ)
                    for key, _ in selector.select(POLL_SECONDS):
                        said = cast("IO[bytes]", key.fileobj)
                        child, lane = self._running[said]
                        line = said.readline()
                        if line:
                            self._hear(child, line, heard)
                            continue
                        selector.unregister(said)
                        del self._running[said]
                        child.end()
                        rest = self._rest(assignments, lane)
                        idle += [rest] if rest else []
            finally:
                for child, _ in self._running.values():
                    child.stop()
                self._running.clear()

    def _may_begin(self, turn: Turn) -> bool:
        return not turn.begin or (turn.member, turn.begin) in self._paused

    def _hear(self, child: "_Child", line: bytes, heard: Callable[[Assignment, Mapping[str, Json]], None]) -> None:
        told = child.hear(line, heard)
        self._fitted |= {child.name} if "fitted" in told else set()

    def _rest(self, assignments: Sequence[Assignment], lane: Sequence[Turn]) -> list[Turn]:
        """Return what is left of a lane after its first turn; a member may have ended in a turn that was to pause."""
        self._paused.add((lane[0].member, lane[0].end))
        return [turn for turn in lane[1:] if assignments[turn.member].name not in self._fitted]

    def _start(self, assignment: Assignment, lane: Sequence[Turn], *, left: float, mode: str) -> "_Child":
        note = self._folder / f"{assignment.name}.job.json"
        turn = lane[0]
        own, seconds = share(lane, left)
        facts = {
            "mode": mode,
            "learner": assignment.learner,
            "job": assignment.job.model_dump(mode="json"),
            "name": assignment.name,
            "part": turn.part,
            # from here to the end, as if the member were made without a pause: its schedule is one
            "seconds": seconds if np.isfinite(seconds) else None,
            "kept": seconds - own if np.isfinite(seconds) else None,
            "began": time.monotonic(),
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

    @property
    def name(self) -> str:
        """Return the member's name."""
        return self._assignment.name

    def hear(self, line: bytes, heard: Callable[[Assignment, Mapping[str, Json]], None]) -> Mapping[str, Json]:
        """Take one line and return what it says."""
        try:
            told = json.loads(line)
        except ValueError:
            return {}
        if not isinstance(told, dict):
            return {}
        if isinstance(told.get("error"), dict):
            self._error = told["error"]
        heard(self._assignment, told)
        return told

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
