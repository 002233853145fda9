"""What an engine can do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from hounsfield.core.types import AnyArray, Float32Array
from hounsfield.learn.engines.whole import Whole


class Compiled(Protocol):
    """An ensemble made ready by an engine, for calls of one fixed size."""

    def run(self, calls: list[dict[str, AnyArray]]) -> list[dict[str, Float32Array]]:
        """Run calls, each of stored inputs ``b c ...``, side by side where the engine can; outputs ``b w`` by name."""

    def stream(self, calls: Iterable[dict[str, AnyArray]]) -> Iterator[dict[str, Float32Array]]:
        """Run calls as they come, a few ahead of what has been taken; their outputs, in order, are the taker's own."""


class Engine(Protocol):
    """Something that runs an ensemble.

    Attributes
    ----------
    name : str
    tolerance : float
        Largest difference from PyTorch's float32 outputs to expect, as a share of the largest of them.
    """

    name: str
    tolerance: float

    def lacks(self) -> str:
        """Return what is missing on this machine and how to get it, ``""`` where nothing is."""

    def open(self, whole: Whole, example: Mapping[str, AnyArray], *, threads: int) -> Compiled:
        """Make an ensemble ready.

        Parameters
        ----------
        whole : Whole
            The ensemble.
        example : mapping of str to numpy.ndarray
            Stored inputs of one call, ``b c ...``: every call has these shapes and dtypes.
        threads : int
            Threads to use at most.

        Raises
        ------
        EngineError
            If the engine cannot run this ensemble.
        """
