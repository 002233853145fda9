"""Contents of many samples that are alike, in one array: what a hundred thousand beats share is held once."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from hounsfield.core.kinds import Content
from hounsfield.core.row import Row
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float32Array, Float64Array


class Block(Protocol):
    """One input of several samples, as read together."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def one(self, place: int) -> Content:
        """Return the content of one sample, as it is read alone."""


@dataclass(frozen=True)
class SignalBlock:
    """Signals of the same leads, rate and length.

    Parameters
    ----------
    array : numpy.ndarray
        ``n l t``, float32, NaN where nothing was recorded.
    leads, units : tuple of str
        One for each lead, as `Signal` has them.
    rate_hz : float
    start_s : numpy.ndarray
        ``n``, float64: when the first sample of each was taken, in seconds since the record began.
    """

    array: Float32Array
    leads: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    start_s: Float64Array

    def __len__(self) -> int:
        """Return the number of signals."""
        return len(self.array)

    def one(self, place: int) -> Signal:
        """Return one of the signals."""
        start = float(self.start_s[place])
        return Signal(self.array[place].copy(), self.leads, self.units, rate_hz=self.rate_hz, start_s=start)


@dataclass(frozen=True)
class RowBlock:
    """Rows of the same variables.

    Parameters
    ----------
    names : tuple of str
        Of the variables.
    values : numpy.ndarray
        ``n c``, float64, finite, NaN where missing.
    around : numpy.ndarray or None
        ``n s c``, float64, s odd: the rows of the beats around each, its own in the middle.
    """

    names: tuple[str, ...]
    values: Float64Array
    around: Float64Array | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def one(self, place: int) -> Row:
        """Return one of the rows."""
        near = None if self.around is None else np.array(self.around[place])
        return Row(self.names, np.array(self.values[place]), near)
