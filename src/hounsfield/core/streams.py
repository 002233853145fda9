"""Addressed randomness: a stream is found by its address, never by what was drawn before."""

import hashlib
from collections.abc import Iterable

import numpy as np

from hounsfield.core.types import Float64Array


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


def uniforms(seed: int, purpose: str, epoch: int, samples: Iterable[int], *, count: int) -> Float64Array:
    """Return uniform numbers for several samples, each row from its own address.

    Parameters
    ----------
    seed, purpose, epoch
        See `stream`.
    samples : iterable of int
        n samples.
    count : int
        Numbers for each; fewer are the first of more.

    Returns
    -------
    numpy.ndarray
        ``n count`` float64 in [0, 1), 53 bits each.

    Notes
    -----
    SHAKE-128 of the address (FIPS 202): for the some sixty numbers that a picture's augmentation takes, six times
    faster than building a generator for every picture.
    """
    drawn = [hashlib.shake_128(f"{seed}|{purpose}|{epoch}|{sample}".encode()).digest(8 * count) for sample in samples]
    words = np.frombuffer(b"".join(drawn), dtype="<u8").reshape(len(drawn), count)
    numbers: Float64Array = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers
