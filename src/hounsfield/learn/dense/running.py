"""Members of a dense bundle made ready to run on windows, by whichever engine."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import BundleError
from hounsfield.core.structures import Structures
from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.dense.job import INPUT, DenseJob
from hounsfield.learn.dense.learner import DENSE
from hounsfield.learn.dense.patches import cut
from hounsfield.learn.engines import ENGINES
from hounsfield.learn.engines.ensemble import engine_named
from hounsfield.learn.engines.freed import give_back
from hounsfield.learn.engines.protocol import Compiled, Engine
from hounsfield.learn.engines.whole import Whole
from hounsfield.learn.learners.protocol import State
from hounsfield.learn.threads import threads

AXES = ("x", "y", "z")


class Judged(nn.Module):
    """A network from normalised windows to probabilities, averaged over mirrored views.

    Parameters
    ----------
    network : nn.Module
    structures : mapping of str to Structures
    views : sequence of str
        Axes to mirror along, one view each.
    """

    def __init__(self, network: nn.Module, structures: Mapping[str, Structures], views: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.exclusive = {name: one.layout == "exclusive" for name, one in structures.items()}
        self.axes = tuple(-1 - AXES.index(view) for view in views)

    def forward(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return probabilities ``b w ...`` by target: shares of background and classes, or one for each class."""
        total: dict[str, Tensor] = {}
        for axis in (0, *self.axes):
            seen = inputs[INPUT].flip(axis) if axis else inputs[INPUT]
            raw = self.network({INPUT: seen}, {})
            for name, exclusive in self.exclusive.items():
                said = raw[name].softmax(dim=1) if exclusive else raw[name].sigmoid()
                said = said.flip(axis) if axis else said
                total[name] = total[name] + said if name in total else said
        return {name: said / (1 + len(self.axes)) for name, said in total.items()}


class WindowRunner:
    """All members of one model, as one engine runs them.

    Parameters
    ----------
    members : sequence of Member
        Their probabilities are averaged.
    engine : str
        Name in `hounsfield.learn.engines.ENGINES`.
    views : sequence of str

    Raises
    ------
    EngineError
        If the engine cannot be used.
    """

    def __init__(self, members: Sequence[Member], *, engine: str, views: Sequence[str]) -> None:
        self.job = dense_job(members[0])
        self.engine = engine_named(engine)
        example = {INPUT: np.zeros((1, self.job.preparation.width, *self.job.patches.size), dtype=np.float32)}
        modules = [Judged(_network(m), self.job.structures, views) for m in members]
        whole = Whole(modules, example, outputs=list(self.job.structures))
        self._names = whole.outputs
        self._compiled: Compiled = self.engine.open(whole, example, threads=threads())
        del whole, modules  # an engine has its own weights
        give_back()

    def __call__(self, windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        """Give probabilities ``w ...`` by target of each window ``c ...``, in order.

        Notes
        -----
        Windows that show one value only, as the air beside the patient does once it is cut off, are all alike: the
        first of each kind is run, and what it gave is given again.
        """
        waiting: deque[bytes] = deque()
        alike: dict[bytes, Mapping[str, Float32Array]] = {}

        def calls() -> Iterator[dict[str, AnyArray]]:
            begun: set[bytes] = set()
            for window in windows:
                kind = _one_value(window)
                waiting.append(kind)
                if kind and kind in begun:
                    continue
                begun.add(kind)
                yield {INPUT: np.ascontiguousarray(window[None], dtype=np.float32)}

        for found in self._compiled.stream(calls()):
            while waiting[0] in alike:
                yield alike[waiting.popleft()]
            own = {name: found[name][0] for name in self._names}
            kind = waiting.popleft()
            if kind:
                alike[kind] = own
            yield own
        while waiting:
            yield alike[waiting.popleft()]


def _one_value(window: AnyArray) -> bytes:
    """Return the values of a window of which each channel shows one only, as bytes; else none."""
    start = (slice(0, 1),) * (window.ndim - 2)
    row = window[(slice(None), *start)]
    first = row[..., :1]
    # most windows differ in their first row, and need not be looked at any further
    return first.tobytes() if (row == first).all() and (window == first).all() else b""


def dense_job(member: Member) -> DenseJob:
    """Return the job of a bundled member.

    Raises
    ------
    BundleError
        If it has none.
    """
    if member.learner != "dense" or not isinstance(member.json, dict) or "job" not in member.json:
        raise BundleError(
            "A member of the bundle gives no masks.",
            expected="a bundle that was trained with --task annotate",
            next_step="give such a bundle",
        )
    return DenseJob.model_validate(member.json["job"])


def _network(member: Member) -> nn.Module:
    return DENSE.module(State(member.arrays, None), dense_job(member))


SELF_TEST_STEP = 4
"""Every so many voxels of a probability map are kept for the self-test."""


def self_test(members: Sequence[Member]) -> dict[str, AnyArray]:
    """Return what the members say of a synthetic patch, thinned out: ``w ...`` float32 by target.

    Parameters
    ----------
    members : sequence of Member
    """
    job = dense_job(members[0])
    size = job.patches.size
    axes = np.meshgrid(*[np.linspace(-1, 1, n) for n in size], indexing="ij")
    radius = np.sqrt(sum(a**2 for a in axes))
    wave = np.sin(5 * axes[0]) + np.cos(7 * axes[-1]) + 3.0 * (radius < 0.4)
    patch = cut(np.stack([wave] * job.preparation.width).astype(np.float32), [0] * len(size), size)
    total: dict[str, AnyArray] = {}
    with torch.inference_mode():
        for member in members:
            said = Judged(_network(member), job.structures, ())({INPUT: torch.from_numpy(patch[None])})
            for name, one in said.items():
                part = one[0].numpy().astype(np.float64) / len(members)
                total[name] = total[name] + part if name in total else part
    thin = (slice(None), *(slice(None, None, SELF_TEST_STEP) for _ in size))
    return {name: np.ascontiguousarray(one[thin], dtype=np.float32) for name, one in total.items()}


def best_engine(*, bfloat16: bool) -> str:
    """Return the engine that runs windows fastest here: the first of the table that can be used.

    Parameters
    ----------
    bfloat16 : bool
        Whether the processor multiplies bfloat16 in hardware, and it may be used.
    """
    if torch.cuda.is_available():
        return "torch"
    wanted = ("openvino-bfloat16", "openvino", "torch") if bfloat16 else ("openvino", "torch")
    return next(name for name in wanted if not cast(Engine, ENGINES.resolve(name)).lacks())
