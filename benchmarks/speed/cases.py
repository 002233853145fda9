"""Generated pictures with a plan for them: what is timed where no real data are needed."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from hounsfield.core.plan import Decision, Plan
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.learners.supervised import probe
from hounsfield.learn.threads import settle_threads
from hounsfield.workflow.jobs import job_of, normalisation, prepare_feed
from hounsfield.workflow.machine import machine
from hounsfield.workflow.planning import first_draft
from hounsfield.workflow.study import study
from hounsfield.workflow.wishes import Wishes

Pixels = np.typing.NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A plan for pictures of one size, and what a learner needs of it."""

    plan: Plan
    job: Job
    feed: Feed


def picture(number: int, size: int, *, sick: bool) -> Pixels:
    """Return a grey picture of blurred noise, with a bright disc where it is sick."""
    generator = stream(0, "benchmark picture", 0, number)
    coarse = generator.normal(size=(8, 8))
    steps = np.linspace(0, 6.999, size)
    low, part = steps.astype(int), steps % 1
    rows = coarse[low] * (1 - part[:, None]) + coarse[low + 1] * part[:, None]
    smooth = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    image = 110 + 25 * smooth + 12 * generator.normal(size=(size, size))
    if sick:
        y, x = np.mgrid[:size, :size] / size
        cy, cx = generator.uniform(0.2, 0.8, 2)
        image = image + 60 * (np.hypot(y - cy, x - cx) < 0.12)
    pixels: Pixels = np.clip(image, 0, 255).astype(np.uint8)
    return pixels


def samples(size: int, count: int) -> list[Mapping[str, object]]:
    """Return samples in memory, every second one sick, every fifth to validate or test."""
    parts = ("train", "train", "train", "val", "test")
    return [
        {
            "id": f"case{n:06d}",
            "patient": f"p{n:06d}",
            "image": picture(n, size, sick=n % 2 == 1),
            "label": "sick" if n % 2 else "healthy",
            "part": parts[n // 2 % 5],
        }
        for n in range(count)
    ]


@contextmanager
def case(size: int, *, count: int = 200, threads: int = 1) -> Iterator[Case]:
    """Yield the plan by rule for pictures of a size, which they keep.

    Parameters
    ----------
    size : int
        Edge, pixels.
    count : int
        Pictures.
    threads : int
    """
    settle_threads(threads)
    wishes = Wishes(threads=threads)
    known = study(samples(size, count), wishes, progress=SILENT)
    plan = first_draft(known, wishes, machine())
    kept = Decision(value=[size, size], rule="fixed by the benchmark")
    plan = plan.with_section("preparation.image", {**plan.sections["preparation.image"], "size": kept})
    with TemporaryDirectory(prefix="hounsfield-bench-") as work:
        parts = {"train": known.split.ids("train"), "val": known.split.ids("val")}
        prepared = prepare_feed(
            known.cohort, plan, known.task, parts=parts, groups=known.split.groups, work=Path(work), progress=SILENT
        )
        mean, std = normalisation(prepared.feed, "image")
        numbers = {"mean": Decision(value=round(mean, 6)), "std": Decision(value=round(std, 6))}
        plan = plan.with_section("preparation.image", {**numbers, **plan.sections["preparation.image"]})
        job = job_of(plan, known.task, known.fingerprint)
        # Full size from the first step: early steps at low resolution would flatter the figures.
        steps = job.optimisation.model_copy(update={"low_until": 0.0, "steps": 10_000})
        yield Case(plan, faster(job.model_copy(update={"optimisation": steps}), prepared.feed), prepared.feed)


def faster(job: Job, feed: Feed) -> Job:
    """Return a job in the faster of bfloat16 and float32, where it is in bfloat16, as the plan would measure it."""
    if job.optimisation.precision != "bfloat16":
        return job

    def taken(precision: str) -> float:
        trial = job.model_copy(update={"optimisation": job.optimisation.model_copy(update={"precision": precision})})
        return float(np.median(probe(feed, trial, steps=3, seconds=0.5, clock=time.perf_counter)))

    best = min(("bfloat16", "float32"), key=taken)
    return job.model_copy(update={"optimisation": job.optimisation.model_copy(update={"precision": best})})
