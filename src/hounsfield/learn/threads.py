"""Device, threads and kernels of this process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def settle_threads(threads: int) -> None:
    """Fix the number of threads and ask for kernels that give the same bits each time.

    Parameters
    ----------
    threads : int
        At least 1.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    torch.set_num_threads(threads)
    # as use_deterministic_algorithms, which imports a compiler that is never used: 66 MiB and a second in each process
    torch.set_deterministic_debug_mode("error")
    # Otherwise every new tensor is first filled with NaN, to show up kernels that read what nobody wrote: a tenth of
    # a step. What is computed does not change, and the tests train twice and compare bits.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # made by torch at import


def device() -> str:
    """Return ``cuda`` where there is a GPU that torch can use, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def threads() -> int:
    """Return the number of threads that this process computes with."""
    return torch.get_num_threads()


@contextmanager
def at_most(threads: int | None) -> Iterator[None]:
    """Compute with so many threads inside, and with as many as before behind it; None changes nothing."""
    before = torch.get_num_threads()
    if threads is None or threads >= before:
        yield
        return
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
