"""Ensembles of toy networks whose norms are not the identity."""

from collections.abc import Sequence

import torch

from hounsfield.bundle.sealed import Member
from hounsfield.core.types import Json
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.model import member_json
from hounsfield.learn.nn.table import build
from tests.learn.toys import ALL, make_job


def network_member(job: Job, *, seed: int) -> Member:
    """A member of learner "supervised" with random weights, scales and running statistics."""
    network = build(job.network, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in network.state_dict().items():
        if value.is_floating_point() and value.ndim <= 1:
            state[name] = torch.rand(value.shape, generator=generator) + 0.5
        elif name.startswith("heads"):
            state[name] = torch.randn(value.shape, generator=generator)
        else:
            state[name] = value
    facts: Json = None
    return Member("supervised", {k: v.contiguous().numpy() for k, v in state.items()}, member_json(job, facts))


def ensemble(count: int = 2, *, kinds: Sequence[str] = ALL, views: Sequence[str] = ()) -> tuple[Member, ...]:
    """Several members of one job."""
    job = make_job(kinds).model_copy(update={"views": list(views)})
    return tuple(network_member(job, seed=seed) for seed in range(count))
