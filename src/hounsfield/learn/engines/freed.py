"""Memory that was freed, given back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Give back what the C library keeps of freed memory, where it can be asked to.

    Notes
    -----
    Making a graph runs the network once in PyTorch. The C library keeps what that took, in pieces, for what may be
    asked for next; an engine has memory of its own and asks for little.
    """
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl has not
    if trim is not None:
        trim(0)
