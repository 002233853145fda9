"""Where the time of a training step goes; over 90 % should lie inside the network."""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TypeVar
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

from benchmarks.record import provenance, write_result
from benchmarks.speed.cases import Case, case
from hounsfield.learn.augment.apply import apply_
from hounsfield.learn.augment.draw import draw
from hounsfield.learn.batch import Batch
from hounsfield.learn.learners import supervised
from hounsfield.learn.loop import Loop, Phase
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.ranks import ALONE, Ranks
from hounsfield.learn.threads import device

SIZES = (28, 128, 224)
LEAST = 0.90
PARTS = ("batch", "augmentation", "forward", "backward", "optimiser", "averaging")
Returned = TypeVar("Returned")


class Clock:
    """Adds up seconds by name; what a part spends inside another is not counted twice."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        self._open: list[str] = []
        self._last = 0.0

    def _now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._last
        self._last = now
        return now

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what is inside under a name."""
        self._now()
        self._open.append(name)
        try:
            yield
        finally:
            self._now()
            self._open.pop()

    def timed(self, name: str, work: Callable[..., Returned]) -> Callable[..., Returned]:
        """Return the same function, counted under a name."""

        def run(*given: object, **named: object) -> Returned:
            with self.part(name):
                return work(*given, **named)

        return run


class TimedAnswers(supervised.Answers):
    """The objective, its forward pass and loss counted."""

    clock: Clock

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the loss of one batch."""
        with self.clock.part("forward"):
            return super().loss(phase, networks, batch, ranks)


def profiled(given: Case, *, steps: int, warm: int = 3) -> dict[str, object]:
    """Make real steps and return what share each part took.

    Parameters
    ----------
    given : Case
    steps : int
        Timed steps.
    warm : int
        Steps before, not timed.
    """
    clock = Clock()
    objective = TimedAnswers(supervised.start(given.feed, given.job, on=device()), given.job)
    objective.clock = clock
    loop = Loop(objective, given.job.optimisation)
    batches = supervised.Batches(given.feed, given.job, ranks=ALONE)
    for optimiser in loop.optimisers.values():
        optimiser.step = clock.timed("optimiser", optimiser.step)  # type: ignore[method-assign, assignment]  # counted
    totals: list[float] = []
    with ExitStack() as stack:
        stack.enter_context(patch.object(torch.Tensor, "backward", clock.timed("backward", torch.Tensor.backward)))
        clip = nn.utils.clip_grad_norm_
        stack.enter_context(patch.object(nn.utils, "clip_grad_norm_", clock.timed("optimiser", clip)))
        stack.enter_context(patch.object(Loop, "_average", clock.timed("averaging", Loop._average)))
        stack.enter_context(patch.object(supervised, "draw", clock.timed("augmentation", draw)))
        stack.enter_context(patch.object(supervised, "apply_", clock.timed("augmentation", apply_)))
        for number in range(warm + steps):
            if number == warm:
                clock.seconds = dict.fromkeys(PARTS, 0.0)
                totals.clear()
            began = time.perf_counter()
            loop.step(clock.timed("batch", batches))
            totals.append(time.perf_counter() - began)
    return shares(clock.seconds, totals, batch=min(given.job.optimisation.batch, len(given.feed.train)))


def shares(seconds: Mapping[str, float], totals: list[float], *, batch: int) -> dict[str, object]:
    """Return milliseconds and shares of each part.

    Parameters
    ----------
    seconds : mapping of str to float
        Of each part, all steps.
    totals : list of float
        Seconds of each step.
    batch : int
    """
    whole = sum(totals)
    found = {name: value / whole for name, value in seconds.items()}
    found["rest"] = max(0.0, 1.0 - sum(found.values()))
    passes = found["forward"] + found["backward"]
    inside = passes + found["optimiser"] + found["averaging"]
    return {
        "steps": len(totals),
        "batch": batch,
        "milliseconds_per_step": 1000 * float(np.median(totals)),
        "images_per_second": batch * len(totals) / whole,
        "shares": {name: round(value, 4) for name, value in found.items()},
        "forward_backward": round(passes, 4),
        "inside": round(inside, 4),
        "met": inside > LEAST,
    }


def main() -> None:
    """Profile a plan of each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--count", type=int, default=400, help="generated pictures")
    parser.add_argument("--threads", type=int, default=1, help="members are fitted with one each")
    parser.add_argument("--name", default="speed-profile")
    wanted = parser.parse_args()
    sizes = {}
    for size in wanted.sizes:
        with case(size, count=wanted.count, threads=wanted.threads) as given:
            found = profiled(given, steps=wanted.steps)
            options = {k: d.value for k, d in given.plan.sections["network"].items()}
            sizes[str(size)] = {**found, "network": options, "precision": given.job.optimisation.precision}
        print(f"{size} px: {found['milliseconds_per_step']:.0f} ms, inside {found['inside']}", flush=True)
    arguments = f"--sizes {' '.join(map(str, wanted.sizes))} --steps {wanted.steps} --threads {wanted.threads}"
    told = {
        "inside_means": "forward, loss, backward, update and average of the weights",
        "wanted_inside": LEAST,
        "device": device(),
        "threads": wanted.threads,
        "sizes": sizes,
    }
    write_result(wanted.name, {**provenance(f"python -m benchmarks.speed.profile {arguments}"), **told})


if __name__ == "__main__":
    main()
