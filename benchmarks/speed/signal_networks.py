"""Time of networks for signals: a training step in float32 and bfloat16, answers a second, a live series."""

import argparse
import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.record import provenance, write_result
from hounsfield.learn.nn.signal.streaming import Stream
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.nn.table import build

BATCH = 128
STEPS = 256
NETWORKS: dict[str, tuple[str, dict[str, OptionValue]]] = {
    "convolutional": ("convolutional", {}),
    "convolutional, three kernels": ("convolutional", {"kernels": [9, 19, 39]}),
    "convolutional-recurrent": ("convolutional-recurrent", {"shorten": 1}),
    "GRU, 4 samples a step": ("recurrent", {"frame": 4}),
    "GRU both ways, 4 samples a step": ("recurrent", {"frame": 4, "bidirectional": True}),
    "LSTM, 4 samples a step": ("recurrent", {"frame": 4, "cell": "lstm"}),
    "textbook cell, 4 samples a step": ("recurrent", {"frame": 4, "cell": "textbook"}),
    "GRU with decay, 4 samples a step": ("recurrent", {"frame": 4, "missing": "decay"}),
}


def seconds(run: Callable[[], object], repeats: int) -> float:
    """Return the least processor time of several runs: what else the machine does hardly counts."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def spec_of(family: str, options: dict[str, OptionValue]) -> NetworkSpec:
    """Return a network for one lead of `STEPS` samples and four classes."""
    shape = InputShape(channels=1, ndim=1, size=(STEPS,))
    return NetworkSpec(family=family, inputs={"ecg": shape}, heads={"beat": 4}, options=options)


def timed(family: str, options: dict[str, OptionValue], repeats: int) -> dict[str, float]:
    """Return milliseconds of a training step of `BATCH` windows in both precisions, and windows answered a second."""
    network = build(spec_of(family, options), seed=0)
    signal = torch.randn(BATCH, 1, STEPS, generator=torch.Generator().manual_seed(0))

    def step(*, half: bool) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = network({"ecg": signal}, {})["beat"].square().mean()
        torch.autograd.backward(loss)

    def answer() -> None:
        with torch.inference_mode():
            network({"ecg": signal}, {})

    found = {
        "float32_ms": round(1000 * seconds(lambda: step(half=False), repeats), 1),
        "bfloat16_ms": round(1000 * seconds(lambda: step(half=True), repeats), 1),
    }
    network.eval()
    return found | {"answers_per_s": round(BATCH / seconds(answer, repeats))}


def cells(repeats: int) -> dict[str, dict[str, float]]:
    """Return milliseconds of a training step of PyTorch's cells alone, which shows whether bfloat16 would be faster."""
    found = {}
    steps = torch.randn(BATCH, STEPS // 4, 4, generator=torch.Generator().manual_seed(0))
    for name, kind in (("GRU", nn.GRU), ("LSTM", nn.LSTM)):
        cell = kind(4, 64, batch_first=True)

        def step(cell: nn.Module, *, half: bool) -> None:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                loss = cell(steps)[0].float().square().mean()
            torch.autograd.backward(loss)

        times = [1000 * seconds(lambda c=cell, h=half: step(c, half=h), repeats) for half in (False, True)]  # type: ignore[misc]  # a lambda with defaults has no type
        found[name] = {"float32_ms": round(times[0], 1), "bfloat16_ms": round(times[1], 1)}
    return found


def live(repeats: int) -> dict[str, float]:
    """Return milliseconds for one second of a live lead at 250 Hz, fed sample by sample and at once."""
    spec = spec_of("recurrent", {"pooling": "last"})
    second = torch.randn(1, 250, generator=torch.Generator().manual_seed(0)).numpy()
    stream = Stream(build(spec, seed=0), spec)

    def singly() -> None:
        for place in range(second.shape[1]):
            stream.feed(second[:, place : place + 1])

    return {
        "by_sample_ms": round(1000 * seconds(singly, repeats), 1),
        "by_second_ms": round(1000 * seconds(lambda: stream.feed(second), repeats), 1),
    }


def main() -> None:
    """Time everything with one thread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    found = {}
    for name, (family, options) in NETWORKS.items():
        found[name] = timed(family, options, wanted.repeats)
        print(name, found[name], flush=True)
    result = {"batch": BATCH, "samples": STEPS, "networks": found}
    result |= {"cells alone": cells(wanted.repeats), "live": live(wanted.repeats)}
    command = f"python -m benchmarks.speed.signal_networks --repeats {wanted.repeats}"
    write_result("speed-signal-networks", {**provenance(command), **result})


if __name__ == "__main__":
    main()
