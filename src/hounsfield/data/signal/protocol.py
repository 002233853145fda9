"""What a reader of signals must offer: as `data/protocols.py:Reader`, and a window, for records of many hours."""

from typing import Protocol, runtime_checkable

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import Signal, SignalHeader


@runtime_checkable
class SignalReader(Protocol):
    """Turns refs of one kind of file into signals.

    Notes
    -----
    A reader has no state of its own: it is built without arguments. A ref's part may hold ``lead`` (one lead's
    name), ``start`` and ``stop`` (samples); `start` and `stop` of `read` count from the ref's start.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell by the first bytes of a file (at most 512), and by its name only where bytes cannot tell."""
        ...

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length without decoding the record; raise ReadError with the reason."""
        ...

    def read(self, cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        """Return the samples from `start` up to, not including, `stop`; raise ReadError with the reason."""
        ...
