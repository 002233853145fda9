"""Device, threads and kernels of this process."""

import os

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
    torch.use_deterministic_algorithms(mode=True)


def device() -> str:
    """Return ``cuda`` where there is a GPU that torch can use, else ``cpu``."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def threads() -> int:
    """Return the number of threads that this process computes with."""
    return torch.get_num_threads()
