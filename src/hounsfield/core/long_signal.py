"""Signals that are too long to be held whole: what is known of one, and any stretch of it when it is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array

LONG_VALUES = 1 << 22
"""Values (leads times samples) up to which a signal is held whole: 16 MiB as float32, ten times that in work."""
STRETCH_VALUES = 1 << 20
"""Values of a longer one that are held at a time."""


@dataclass(frozen=True)
class LongSignal:
    """Leads at a fixed rate, as `hounsfield.core.signal.Signal` has them, read by stretches.

    Parameters
    ----------
    leads, units : tuple of str
        One for each lead.
    samples : int
    rate_hz : float
    read : callable
        First sample and end to `Signal`, counted from the signal's own first sample; raises ReadError.
    start_s : float
        When the first sample was taken, in seconds since the record began.
    """

    leads: tuple[str, ...]
    units: tuple[str, ...]
    samples: int
    rate_hz: float
    read: Callable[[int, int], Signal] = field(repr=False, compare=False)
    start_s: float = 0.0

    @property
    def times_s(self) -> Float64Array | None:
        """None: a signal of irregular times is never read by stretches."""
        return None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / self.rate_hz

    @property
    def stretch_samples(self) -> int:
        """How many samples of each lead are held at a time."""
        return max(1, STRETCH_VALUES // len(self.leads))

    def stretch(self, start: int, stop: int) -> Signal:
        """Return the samples from `start` up to, not including, `stop`.

        Raises
        ------
        ReadError
            If they cannot be read, or are not of the leads that the header promises.
        """
        found = self.read(start, stop)
        if found.leads != self.leads or found.samples != stop - start:
            raise ReadError(
                f"A stretch of a record holds {len(found.leads)} leads of {found.samples} samples, its header promises "
                f"{len(self.leads)} of {stop - start}.",
                expected="the same leads from beginning to end",
                next_step="copy the record again, or leave it out",
            )
        return found

    def stretches(self) -> Iterator[Signal]:
        """Give the whole signal in stretches of `stretch_samples`, one after another."""
        size = self.stretch_samples
        for start in range(0, self.samples, size):
            yield self.stretch(start, min(self.samples, start + size))

    def picked(self, rows: Sequence[int], names: Sequence[str]) -> "LongSignal":
        """Return some of the leads, in this order and under these names."""
        units = tuple(self.units[row] for row in rows)

        def read(start: int, stop: int) -> Signal:
            found = self.stretch(start, stop)
            return replace(found, array=found.array[list(rows)], leads=tuple(names), units=units)

        return replace(self, leads=tuple(names), units=units, read=read)
