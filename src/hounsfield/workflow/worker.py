"""One turn of a member in a process of its own, as `Crew` starts it: ``python -m hounsfield.workflow.worker JOB``."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from hounsfield.core.errors import HounsfieldError
from hounsfield.core.types import IntArray, Json

if TYPE_CHECKING:
    from hounsfield.learn.feed import Feed
    from hounsfield.learn.learners.protocol import Job, Learner

    class Probe(Protocol):
        """Makes real steps that are thrown away."""

        def __call__(
            self, feed: Feed, job: Job, *, steps: int, seconds: float, clock: Callable[[], float]
        ) -> list[float]:
            """Return the seconds of each."""


SAY_SECONDS = 0.5
PROBES = 5
PROBE_SECONDS = 2.0
"""How long real steps are timed, and at least `PROBES` of them; in each precision that is in question half as long."""
PARTS = ("train", "val")


def main(note: Path) -> int:
    """Do what a job file asks, and say how it goes as JSON lines.

    Parameters
    ----------
    note : Path
        Written by `hounsfield.workflow.members.Crew`.

    Returns
    -------
    int
        Exit code.
    """
    from hounsfield.learn.learners import LEARNERS
    from hounsfield.learn.learners.protocol import Job, SelfFed
    from hounsfield.learn.threads import settle_threads
    from hounsfield.workflow.members import read_feed

    facts = json.loads(note.read_text(encoding="utf-8"))
    settle_threads(1)
    folder, name = note.parent, str(facts["name"])
    rows = cast("list[IntArray]", [np.load(folder / f"{name}.{part}.npy", allow_pickle=False) for part in PARTS])
    learner = LEARNERS.resolve(str(facts["learner"]))
    if isinstance(learner, SelfFed):
        job = cast("Job", learner.read_job(facts["job"]))
        feed = cast("Feed", learner.read_feed(folder)).with_parts(*rows)
    else:
        job = Job.model_validate(facts["job"])
        feed = read_feed(folder, list(job.preparation)).with_parts(*rows)
    try:
        if facts["mode"] == "probe":
            say(_probe(learner, feed, job))
        else:
            _fit(feed, job, folder, facts)
    except HounsfieldError as error:
        say({"error": {"found": error.found, "expected": error.expected, "next_step": error.next_step}})
        return 2
    return 0


def say(told: Mapping[str, object]) -> None:
    """Write one line to whoever started this process."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _probe(learner: object, feed: "Feed", job: "Job") -> Mapping[str, object]:
    from hounsfield.learn.learners.protocol import SelfFed
    from hounsfield.learn.learners.supervised import probe as probed
    from hounsfield.workflow.memory import peak_mib

    probe: Probe = cast("Probe", learner.probe) if isinstance(learner, SelfFed) else probed
    taken = probe(feed, job, steps=PROBES, seconds=PROBE_SECONDS, clock=time.perf_counter)
    return {"seconds": taken, "peak_mib": peak_mib()}


def _fit(feed: "Feed", job: "Job", folder: Path, facts: dict[str, Json]) -> None:
    from hounsfield.learn.learners import LEARNERS
    from hounsfield.learn.loop import Watch
    from hounsfield.workflow.checkpoints import EVERY_SECONDS, FileStore, Pace
    from hounsfield.workflow.members import keep_state
    from hounsfield.workflow.memory import peak_mib
    from hounsfield.workflow.pausing import Paused, Pausing

    name, parent = str(facts["name"]), facts["parent"]
    end = _number(facts["began"], 0.0) + _number(facts["seconds"], float("inf"))  # one clock for all processes

    def left() -> float:
        if os.getppid() != parent:
            raise SystemExit(3)  # whoever reads the result is gone; the checkpoint stays
        return end - time.monotonic()

    store = FileStore(folder / f"{name}.safetensors", every_seconds=_number(facts["every"], EVERY_SECONDS))
    warmup = getattr(job, "warmup", None)
    pausing = Pausing(
        store,
        part=_number(facts["part"], 1.0),
        kept=_number(facts["kept"], float("-inf")),
        left=left,
        pace=Pace(left),
        warmup=warmup if warmup is not None and warmup.on else None,
    )
    began = time.perf_counter()
    watch = Watch(store=pausing, brake=pausing.brake, end=pausing.end, progress=_Said())
    learner = cast("Learner", LEARNERS.resolve(str(facts["learner"])))
    try:
        state = learner.fit(feed, job, watch=watch)
    except Paused:
        told: dict[str, Json] = {"paused": name, "step": pausing.step}
    else:
        keep_state(folder / f"{name}.fitted.safetensors", state)
        told = {"fitted": name, "step": state.steps}
    step = cast("int", told["step"])
    cost = {"made": step - pausing.begun, "seconds": time.perf_counter() - began, "peak_mib": peak_mib()}
    say({**told, **cost})


def _number(fact: Json, otherwise: float) -> float:
    return float(fact) if isinstance(fact, int | float) else otherwise


class _Said:
    """Progress that is said in lines."""

    @contextmanager
    def step(self, title: str, total: float | None) -> Iterator["_SaidStep"]:
        """Yield a step; only the steps of training are said."""
        del total
        yield _SaidStep(heard=title == "Training")

    def say(self, text: str) -> None:
        """Say nothing: a member's words would mix with another's."""
        del text


class _SaidStep:
    def __init__(self, *, heard: bool) -> None:
        self._heard = heard
        self._done = 0
        self._last = 0.0

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        """Say now and then how far it is."""
        self._done += int(amount)
        if self._heard and time.monotonic() - self._last >= SAY_SECONDS:
            self._last = time.monotonic()
            word = note.removeprefix("loss ")
            loss = float(word) if word.replace(".", "", 1).replace("-", "", 1).isdigit() else None
            say({"step": self._done, "loss": loss})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
