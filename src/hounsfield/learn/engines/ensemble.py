"""A bundle's members as one runner: those that can, in an engine; the others beside it."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.engines import ENGINES
from hounsfield.learn.engines.protocol import Compiled, Engine
from hounsfield.learn.engines.whole import EngineError, Whole, member_module
from hounsfield.learn.learners.network_runner import calls
from hounsfield.learn.prepare.protocol import Preparation

ENGINE_BATCH = 8
"""Samples in a call. Always the same, the last call filled up: what is said of a sample must not depend on its
neighbours. Eight are as fast per sample as sixteen, and two threads then share a chunk of sixteen."""

WORTH = 500
"""Samples from which compiling pays: it takes a third of a second and more for each network, and saves about a
millisecond a sample."""


def engine_named(name: str) -> Engine:
    """Return an engine.

    Raises
    ------
    BundleError
        If it cannot be used on this machine; says what is missing.
    """
    engine = cast(Engine, ENGINES.resolve(name))
    missing = engine.lacks()
    if missing:
        raise BundleError(f"The engine {name} cannot be used here.", expected="what it needs", next_step=missing)
    return engine


def automatic(*, samples: int) -> str:
    """Return the name of the engine for so many samples: PyTorch for few or on a GPU, else the first float32 one.

    Notes
    -----
    Float32 engines differ from PyTorch by rounding only; bfloat16 is used where it is asked for by name.
    """
    if samples < WORTH or torch.cuda.is_available():
        return "torch"
    usable = [name for name in ENGINES if not cast(Engine, ENGINES.resolve(name)).lacks()]
    return next(name for name in usable if not name.endswith("bfloat16"))


class EnsembleRunner:
    """Members that are modules, merged inside one engine.

    Parameters
    ----------
    members : sequence of Member
    weights : mapping of str to sequence of float or None
        By target, one per member; see `hounsfield.learn.merge.merged`.
    preparation : mapping of str to Preparation
        By input name.
    engine : Engine
    threads : int

    Raises
    ------
    EngineError
        If a member is no module, or the engine cannot run them.
    """

    def __init__(
        self,
        members: Sequence[Member],
        weights: Mapping[str, Sequence[float]] | None,
        *,
        preparation: Mapping[str, Preparation],
        engine: Engine,
        threads: int,
    ) -> None:
        example = stored_example(preparation)
        whole = Whole(modules(members), example, weights=weights)
        self.engine = engine
        self._compiled: Compiled = engine.open(whole, example, threads=threads)

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Float64Array]:
        """Return merged raw outputs by target and the embedding, ``n w`` float64, for stored inputs ``n c ...``."""
        parts = list(calls({name: as_stored(stored) for name, stored in inputs.items()}, size=ENGINE_BATCH))
        found = self._compiled.run([part for part, _ in parts])
        return {
            name: np.concatenate([o[name][:real] for o, (_, real) in zip(found, parts, strict=True)]).astype(np.float64)
            for name in found[0]
        }


def modules(members: Sequence[Member]) -> list[torch.nn.Module]:
    """Return members as modules.

    Raises
    ------
    EngineError
        If the learner of one offers none.
    """
    found = []
    for member in members:
        module = member_module(member)
        if module is None:
            raise EngineError(
                f"A member of the bundle, of the learner {member.learner!r}, runs in Python only.",
                expected="members that are networks",
                next_step="plan without it (section ensemble) and train again",
            )
        found.append(module)
    return found


def stored_example(preparation: Mapping[str, Preparation], *, count: int = ENGINE_BATCH) -> dict[str, AnyArray]:
    """Return zeros of the shape and dtype of one call."""
    return {
        name: np.zeros((count, p.shape.channels, *p.shape.size), np.uint8 if p.dtype == "uint8" else np.float32)
        for name, p in preparation.items()
    }


def as_stored(stored: AnyArray) -> AnyArray:
    """Return stored inputs as engines take them: uint8, or float32 in place of float16."""
    values: AnyArray = np.ascontiguousarray(stored if stored.dtype == np.uint8 else stored.astype(np.float32))
    return values
