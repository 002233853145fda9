"""Steps per second as the plan makes them, against plain float32 in the usual layout: same network, same batch."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.record import TOP, provenance, write_result
from benchmarks.speed.cases import Case, case
from benchmarks.speed.resnet import resnet18
from hounsfield.learn.batch import Batch
from hounsfield.learn.learners.supervised import Answers, Batches, start
from hounsfield.learn.loop import Loop, Objective, Optimisation, Phase
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.nn.pooling import BlurPool
from hounsfield.learn.ranks import ALONE, Ranks
from hounsfield.learn.threads import device, settle_threads
from hounsfield.workflow.machine import machine

LEAST = 2.2
REFERENCE = 0
"""In place of a size: the network of the reference protocol."""
OURS = ("ours, bfloat16", "ours, float32")
MODES = (*OURS, "float32", "float32 channels-last")


def plain_layout(network: nn.Module) -> None:
    """Put weights and activations of a network into the usual (b c y x) order, and pool with torch's own gradient."""
    for module in network.modules():
        if hasattr(module, "memory_format"):
            setattr(module, "memory_format", torch.contiguous_format)  # noqa: B010  # torch types attributes as tensors
        if isinstance(module, BlurPool):
            module.forward = partial(_blurred, module)  # type: ignore[method-assign]  # the plain convolution
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()


def _blurred(pool: BlurPool, features: Tensor) -> Tensor:
    convolve = functional.conv2d if features.ndim == 4 else functional.conv3d
    return convolve(features, pool.kernel.to(features.dtype), stride=2, padding=1, groups=features.shape[1])


class Reference:
    """ResNet-18 of the reference protocol as an objective: 28 px, batches of 128, cross-entropy."""

    def __init__(self, *, ordered: torch.memory_format) -> None:
        self._network = resnet18(1, 2).to(device())
        for weight in self._network.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=ordered)
        self._ordered = ordered

    def networks(self) -> Mapping[str, nn.Module]:
        """Return the one network."""
        return {"network": self._network}

    def phases(self) -> tuple[Phase, ...]:
        """Return the one phase."""
        return (Phase("fit", ("network",)),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        """Return the cross-entropy of one batch."""
        del phase, ranks
        images = batch.inputs["image"].contiguous(memory_format=self._ordered)
        return Loss(functional.cross_entropy(networks["network"](images).float(), batch.targets["label"]))


def reference_seconds(mode: str, *, seconds: float, threads: int, batch: int = 128) -> float:
    """Return the median seconds of a step of the reference protocol's network, noise for pictures.

    Parameters
    ----------
    mode : str
        One of `MODES`; ours makes the loop's whole update: gradient clipping, averaged weights, channels last.
    seconds : float
        How long to go on, and at least 5 steps.
    threads : int
    batch : int
    """
    settle_threads(threads)
    drawn = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 1, 28, 28, generator=drawn)
    labels = torch.randint(0, 2, (batch,), generator=drawn)
    given = Batch(torch.arange(batch), {"image": images}, {"label": labels}, torch.ones(batch)).to(device())
    objective = Reference(ordered=torch.contiguous_format if mode == "float32" else torch.channels_last)
    if mode in OURS:
        precise = "bfloat16" if "bfloat16" in mode else "float32"
        loop = Loop(objective, Optimisation(steps=10_000, batch=batch, precision=precise, clip=5.0, averaging=0.998))
        return _timed(lambda: loop.step(lambda _number: given), seconds, 2)
    network = objective.networks()["network"]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    return _timed(lambda: _plain_step(objective, network, optimiser, given), seconds, 2)


def step_seconds(given: Case, mode: str, *, seconds: float, warm: int = 3) -> float:
    """Return the median seconds of a step on one and the same batch.

    Parameters
    ----------
    given : Case
    mode : str
        One of `MODES`.
    seconds : float
        How long to go on, and at least 5 steps.
    warm : int
        Steps before, not timed.
    """
    batch = Batches(given.feed, given.job, ranks=ALONE)(0).to(device())
    network = start(given.feed, given.job, on=device())
    if mode in OURS:
        precise = given.job.optimisation.model_copy(update={"precision": mode.partition(", ")[2]})
        loop = Loop(Answers(network, given.job), precise)
        return _timed(lambda: loop.step(lambda _number: batch), seconds, warm)
    if mode == "float32":
        plain_layout(network)
    objective = Answers(network, given.job)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)

    def step() -> float:
        return _plain_step(objective, network, optimiser, batch)

    return _timed(step, seconds, warm)


def _plain_step(objective: Objective, network: nn.Module, optimiser: torch.optim.Optimizer, batch: Batch) -> float:
    network.train()
    optimiser.zero_grad()
    loss = objective.loss(objective.phases()[0], {"network": network}, batch, ALONE).total
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    optimiser.step()
    return float(loss.detach())


def _timed(step: Callable[[], float], seconds: float, warm: int) -> float:
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < warm + 5 or time.perf_counter() - began < seconds:
        before = time.perf_counter()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - before)
    return float(np.median(taken[warm:]))


def side_by_side(size: int, mode: str, *, processes: int, threads: int, seconds: float, count: int) -> list[float]:
    """Return the seconds per step of several processes at once."""
    words = [sys.executable, "-m", "benchmarks.speed.throughput", "--child", mode, "--sizes", str(size)]
    words += ["--threads", str(threads), "--seconds", str(seconds), "--count", str(count)]
    words = [*words, "--reference"] if size == REFERENCE else words
    running = [subprocess.Popen(words, cwd=TOP, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    told = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a process that was timed failed; its error stands above")
    return [float(json.loads(text.splitlines()[-1])["seconds"]) for text in told]


def measured(size: int, *, seconds: float, count: int) -> dict[str, object]:
    """Return steps per second of one size, one thread each and for the whole machine.

    Parameters
    ----------
    size : int
        Edge, pixels.
    seconds : float
        Of each measurement.
    count : int
        Generated pictures.

    Notes
    -----
    A plan takes the faster of its two precisions, as measured on the machine; so does this.
    """
    cores = machine().cores
    one = {m: side_by_side(size, m, processes=1, threads=1, seconds=seconds, count=count)[0] for m in MODES}
    best = min(OURS, key=lambda m: one[m])
    ours = side_by_side(size, best, processes=cores, threads=1, seconds=seconds, count=count)
    plain = side_by_side(size, "float32", processes=1, threads=cores, seconds=seconds, count=count)[0]
    machine_ours, machine_plain = sum(1 / s for s in ours), 1 / plain
    ratio = one["float32"] / one[best]
    return {
        "one_thread_steps_per_second": {m: 1 / s for m, s in one.items()},
        "ours": best,
        "ratio": ratio,
        "met": ratio >= LEAST,
        "machine_steps_per_second": {"ours, a process per core": machine_ours, "float32, all threads": machine_plain},
        "machine_ratio": machine_ours / machine_plain,
    }


def main() -> None:
    """Time each size, or, as a child, one mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", type=int, default=[28, 128, 224])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--count", type=int, default=200, help="generated pictures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--child", choices=MODES)
    parser.add_argument("--reference", action="store_true", help="as a child: ResNet-18 of the reference protocol")
    parser.add_argument("--name", default="speed-throughput")
    wanted = parser.parse_args()
    if wanted.child:
        if wanted.reference:
            taken = reference_seconds(wanted.child, seconds=wanted.seconds, threads=wanted.threads)
            print(json.dumps({"seconds": taken}))
            return
        with case(wanted.sizes[0], count=wanted.count, threads=wanted.threads) as given:
            print(json.dumps({"seconds": step_seconds(given, wanted.child, seconds=wanted.seconds)}))
        return
    sizes = {}
    for size in (REFERENCE, *wanted.sizes):
        name = str(size) if size else "ResNet-18, 28 px, batch 128"
        sizes[name] = measured(size, seconds=wanted.seconds, count=wanted.count)
        print(f"{name}: {sizes[name]['ratio']:.2f} times float32", flush=True)
    command = f"python -m benchmarks.speed.throughput --sizes {' '.join(map(str, wanted.sizes))}"
    write_result(wanted.name, {**provenance(command), "wanted_ratio": LEAST, "device": device(), "sizes": sizes})


if __name__ == "__main__":
    main()
