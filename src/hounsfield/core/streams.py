"""Addressed randomness: a stream is found by its address, never by what was drawn before."""

import hashlib

import numpy as np


def stream(seed: int, purpose: str, epoch: int = 0, sample: int = 0) -> np.random.Generator:
    """Return the random generator at one address.

    Parameters
    ----------
    seed : int
        The run's seed, at least 0.
    purpose : str
        What the numbers are for, such as ``"augment"`` or ``"order"``.
    epoch, sample : int
        Where in the run; at least 0.

    Returns
    -------
    numpy.random.Generator
        The same numbers for the same address, however often the run was stopped and whatever the number
        of processes.

    Notes
    -----
    A Philox counter generator keyed by a hash of the address: independent streams for different
    addresses (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
    """
    return np.random.Generator(np.random.Philox(key=address(seed, purpose, epoch, sample)))


def address(seed: int, purpose: str, epoch: int = 0, sample: int = 0) -> int:
    """Return the 128-bit key of an address, for generators other than NumPy's."""
    text = f"{seed}|{purpose}|{epoch}|{sample}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "little")
