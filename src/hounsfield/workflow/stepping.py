"""How many steps fit into a time."""

from collections.abc import Callable

MOST = 10_000_000


def most_steps(seconds: Callable[[int], float], left: float) -> int:
    """Return the most steps that fit into the seconds that are left.

    Parameters
    ----------
    seconds : callable
        How long so many steps take; never falls with their number.
    left : float
    """
    low, high = 0, 1
    while seconds(high) <= left and high < MOST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if seconds(middle) <= left else (low, middle)
    return low
