"""A whole ensemble as one module: from stored inputs to merged raw outputs."""

from collections.abc import Mapping, Sequence
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from hounsfield.bundle.sealed import Member
from hounsfield.core.errors import BundleError
from hounsfield.core.types import AnyArray
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.protocol import Job, State


class EngineError(BundleError):
    """An ensemble that an engine cannot run, or that cannot leave PyTorch."""


@runtime_checkable
class Modular(Protocol):
    """A learner whose fitted members are torch modules, so that any engine can run them."""

    def module(self, state: State, job: Job) -> nn.Module:
        """Return a module in evaluation mode.

        Its forward takes the inputs by name, ``b c ...`` float32 on the scale 0 to 1 (before normalisation), and
        returns raw outputs ``b w`` by target, and any ``embedding``.
        """


def member_module(member: Member) -> nn.Module | None:
    """Return a bundled member as a module; None where its learner offers none."""
    learner = LEARNERS.resolve(member.learner)
    if not isinstance(learner, Modular) or not isinstance(member.json, dict):
        return None
    job = Job.model_validate(member.json["job"])
    return learner.module(State(member.arrays, member.json.get("facts")), job).eval()


class Whole(nn.Module):
    """All members in one module, merged as `hounsfield.learn.merge.merged` does.

    Parameters
    ----------
    members : sequence of nn.Module
        See `Modular`.
    example : mapping of str to numpy.ndarray
        Stored inputs, ``b c ...``; the inputs' names and order, and which outputs there are, are taken from it.
    weights : mapping of str to sequence of float or None
        By target, one per member; outputs that have none are averaged if every member has them.
    outputs : sequence of str or None
        Names of the outputs, where they are known: large members need not be run to find them.

    Notes
    -----
    uint8 inputs are divided by 255 first; others are taken as they are, on the scale 0 to 1.
    """

    def __init__(
        self,
        members: Sequence[nn.Module],
        example: Mapping[str, AnyArray],
        *,
        weights: Mapping[str, Sequence[float]] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.inputs = tuple(example)
        self._weights = {name: tuple(float(w) for w in own) for name, own in (weights or {}).items()}
        self.eval()
        if outputs is None:
            with torch.inference_mode():
                outputs = tuple(self.merged([torch.from_numpy(stored[:1].copy()) for stored in example.values()]))
        self.outputs = tuple(outputs)

    def merged(self, stored: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return merged raw outputs by name for stored inputs in the order of `inputs`."""
        units = {name: _unit(x) for name, x in zip(self.inputs, stored, strict=True)}
        found = [cast("dict[str, Tensor]", member(units)) for member in self.members]
        result: dict[str, Tensor] = {}
        for name in found[0]:
            weights = self._weights.get(name)
            if weights is None and all(name in o for o in found):
                weights = (1.0 / len(found),) * len(found)
            if weights is None:
                continue
            terms = [o[name] if w == 1.0 else o[name] * w for w, o in zip(weights, found, strict=True) if w]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            result[name] = total
        return result

    def forward(self, *stored: Tensor) -> tuple[Tensor, ...]:
        """Return merged raw outputs ``b w`` in the order of `outputs`."""
        found = self.merged(stored)
        return tuple(found[name] for name in self.outputs)


def _unit(stored: Tensor) -> Tensor:
    return stored.float() / 255.0 if stored.dtype == torch.uint8 else stored.float()
