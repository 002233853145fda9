"""Compilation: loops over voxels turned into machine code when they are first called, and kept on disk."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that numba compiles at its first call.

    Parameters
    ----------
    function : callable
        Over arrays and numbers.

    Notes
    -----
    The code is kept beside the source (or in the user's cache where that folder is read-only), so that only the first
    run on a machine waits for the compiler. It runs without Python's lock: cases share one process. Division by zero
    gives infinity or NaN, as in NumPy; sums keep their order, so that the same input gives the same bits. Where neither
    folder can be written to, as in some containers, every run compiles.
    """
    try:
        made = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:
        made = njit(nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", made)
