"""Threads and kernels of this process."""

import torch


def settle_threads(threads: int) -> None:
    """Fix the number of threads and ask for kernels that give the same bits each time.

    Parameters
    ----------
    threads : int
        At least 1.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True)
