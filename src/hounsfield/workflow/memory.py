"""Memory: what one stage leaves behind is given back before the next, and the most that was held is told."""

import ctypes
import gc
import resource


def give_back() -> None:
    """Return freed memory to the system.

    Notes
    -----
    The C library keeps what was freed for what may be asked next, and the peak of training would stand on top of it:
    70 MiB after the audit of 20,000 images. A call takes some milliseconds. Only glibc can do it; elsewhere garbage is
    collected and nothing else happens.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, TypeError, OSError):
        return
    trim(0)


def peak_mib() -> float:
    """Return the peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
