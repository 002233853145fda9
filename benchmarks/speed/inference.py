"""Images per second of each engine against plain float32 PyTorch, same network; and how far their answers differ."""

import argparse
import time
from collections.abc import Callable
from typing import cast

import numpy as np
import torch

from benchmarks.record import provenance, write_result
from benchmarks.speed.cases import case
from benchmarks.speed.throughput import plain_layout
from hounsfield.bundle.sealed import Member
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.engines import ENGINES
from hounsfield.learn.engines.ensemble import EnsembleRunner
from hounsfield.learn.engines.protocol import Engine
from hounsfield.learn.learners.network_runner import NetworkRunner
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.learners.supervised import SUPERVISED
from hounsfield.learn.loop import Watch
from hounsfield.learn.model import member_job, member_json
from hounsfield.learn.nn.spec import NetworkSpec
from hounsfield.learn.nn.table import build
from hounsfield.learn.threads import settle_threads
from hounsfield.science.statistics.discrimination import auroc
from hounsfield.workflow.machine import machine

LEAST = 5.0
PLAIN = "float32 PyTorch"
WIDTH = 24
BATCH = 16

Run = Callable[[dict[str, AnyArray]], dict[str, Float64Array]]


def spec_of(job: Job, size: int) -> NetworkSpec:
    """Return the residual network that is timed: width 24, a stem as the planner chooses it for the size."""
    stem = "small" if size <= 64 else "large"
    return job.network.model_copy(update={"family": "residual", "options": {"width": WIDTH, "stem": stem}})


def plain_runner(member: Member) -> NetworkRunner:
    """Return the network as a plain script would run it: float32, usual layout, batches of 16."""
    job = member_job(member)
    network = build(job.network, seed=0)
    network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in member.arrays.items()})
    plain_layout(network)
    return NetworkRunner(network, job.preparation)


def runs(member: Member, *, threads: int) -> tuple[dict[str, Run], dict[str, float]]:
    """Return what is timed by name, and the seconds that each engine took to be ready."""
    found: dict[str, Run] = {PLAIN: plain_runner(member).run}
    ready: dict[str, float] = {}
    for name in ENGINES:
        engine = cast(Engine, ENGINES.resolve(name))
        if engine.lacks():
            continue
        began = time.perf_counter()
        preparation = member_job(member).preparation
        found[name] = EnsembleRunner((member,), None, preparation=preparation, engine=engine, threads=threads).run
        ready[name] = time.perf_counter() - began
    return found, ready


def images_per_second(timed: dict[str, Run], inputs: dict[str, AnyArray], *, repeats: int) -> dict[str, float]:
    """Return the best of several repeats for each, taken in turn so that a busy moment meets all alike."""
    count = len(next(iter(inputs.values())))
    best = dict.fromkeys(timed, float("inf"))
    for _ in range(repeats + 1):
        for name, run in timed.items():
            began = time.perf_counter()
            for start in range(0, count, BATCH):
                run({k: v[start : start + BATCH] for k, v in inputs.items()})
            best[name] = min(best[name], time.perf_counter() - began)
    return {name: count / seconds for name, seconds in best.items()}


def timed_at(size: int, *, threads: int, repeats: int, job: Job) -> dict[str, object]:
    """Time one size with random weights: the speed does not depend on them."""
    settle_threads(threads)
    preparation = {"image": job.preparation["image"].model_copy(update={"size": (size, size)})}
    shapes = {"image": job.network.inputs["image"].model_copy(update={"size": (size, size)})}
    network = spec_of(job, size).model_copy(update={"inputs": shapes})
    job = job.model_copy(update={"network": network, "preparation": preparation, "views": []})
    arrays = {k: v.contiguous().numpy() for k, v in build(job.network, seed=0).state_dict().items()}
    engines, ready = runs(Member("supervised", arrays, member_json(job, None)), threads=threads)
    count = BATCH * (4 if size > 64 else 32)
    inputs: dict[str, AnyArray] = {
        "image": stream(0, "inference").integers(0, 256, (count, 1, size, size), dtype=np.uint8)
    }
    speeds = images_per_second(engines, inputs, repeats=repeats)
    ratios = {name: speed / speeds[PLAIN] for name, speed in speeds.items()}
    return {"images_per_second": speeds, "ratios": ratios, "seconds_until_ready": ready}


def agreement(*, size: int, steps: int) -> dict[str, object]:
    """Fit a network on generated pictures and return how each engine's answers differ from PyTorch's."""
    with case(size, count=800) as given:
        settings = given.job.optimisation.model_copy(update={"steps": steps})
        job = given.job.model_copy(update={"network": spec_of(given.job, size), "optimisation": settings, "views": []})
        state = SUPERVISED.fit(given.feed, job, watch=Watch())
        member = Member("supervised", state.arrays, member_json(job, None))
        engines, _ = runs(member, threads=1)
        name = job.heads[0].target.name
        rows = np.concatenate([given.feed.val, given.feed.train])
        inputs = {k: v[rows] for k, v in given.feed.inputs.items()}
        truth = (np.asarray(given.feed.targets[name])[rows] == 1).astype(np.int64)
        # Noise makes the answers hard enough for the AUC to be able to move.
        noise = stream(0, "agreement").normal(0, 20, inputs["image"].shape)
        inputs["image"] = np.clip(inputs["image"] + noise, 0, 255).astype(np.uint8)
        said = {engine: run(inputs)[name] for engine, run in engines.items()}
    scores = {engine: raw[:, 1] - raw[:, 0] for engine, raw in said.items()}
    ranks = {engine: np.argsort(np.argsort(score)) for engine, score in scores.items()}
    exact = said[PLAIN]
    return {
        engine: {
            "auc": auroc(truth, scores[engine]),
            "auc_difference": auroc(truth, scores[engine]) - auroc(truth, scores[PLAIN]),
            "rank_correlation": float(np.corrcoef(ranks[engine], ranks[PLAIN])[0, 1]),
            "largest_difference": float(np.abs(raw - exact).max()),
            "largest_output": float(np.abs(exact).max()),
        }
        for engine, raw in said.items()
    }


def main() -> None:
    """Time both sizes, with one thread and with all, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=[224, 28])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", nargs="*", type=int, default=sorted({1, machine().cores}))
    parser.add_argument("--steps", type=int, default=80, help="of the network whose answers are compared")
    parser.add_argument("--name", default="inference")
    wanted = parser.parse_args()
    with case(28, count=200) as given:
        job = given.job
    sizes: dict[str, dict[str, object]] = {}
    for size in wanted.sizes:
        for threads in wanted.threads:
            found = timed_at(size, threads=threads, repeats=wanted.repeats, job=job)
            sizes.setdefault(str(size), {})[f"{threads} threads"] = found
            ratios = cast("dict[str, float]", found["ratios"])
            print(f"{size} px, {threads} threads:", ", ".join(f"{n} {r:.2f}" for n, r in ratios.items()), flush=True)
    settle_threads(1)
    agreed = agreement(size=28, steps=wanted.steps)
    content = {"wanted_ratio": LEAST, "batch": BATCH, "width": WIDTH, "sizes": sizes, "agreement": agreed}
    write_result(wanted.name, {**provenance("python -m benchmarks.speed.inference"), **content})


if __name__ == "__main__":
    main()
