"""One process among its siblings: alone on a machine, or one of several on the same batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """Place of this process.

    Parameters
    ----------
    rank : int
        From 0.
    world : int
        Number of processes; 1 needs no process group.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of `count` samples of a batch this process takes."""
        return slice(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Sum tensors over all processes, in place."""
        if self.world > 1:
            for tensor in tensors:
                distributed.all_reduce(tensor)

    def any(self, here: bool) -> bool:  # noqa: FBT001  # a fact, not a switch
        """Return whether it is so in any process."""
        if self.world == 1:
            return here
        place = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        flag = torch.tensor([1.0 if here else 0.0], device=place)
        distributed.all_reduce(flag)
        return bool(flag.item() > 0)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            distributed.barrier()


ALONE = Ranks()
"""One process."""


@contextmanager
def joined(world: int) -> Iterator[Ranks]:
    """Join the process group that ``torchrun`` announced, or yield one process alone.

    Parameters
    ----------
    world : int
        Number of processes.
    """
    if world < 2:
        yield ALONE
        return
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
