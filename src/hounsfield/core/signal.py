"""Signals: series over time, one row for each lead."""

from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import Float32Array, Float64Array


@dataclass(frozen=True)
class Signal:
    """Leads over time: an electrocardiogram, a pressure, vital signs.

    Parameters
    ----------
    array : numpy.ndarray
        ``l t``, float32, in `units`; NaN where nothing was recorded.
    leads : tuple of str
        One name for each row, none twice.
    units : tuple of str
        One for each row, such as ``"mV"`` or ``"mmHg"``; ``""`` where not known.
    rate_hz : float or None
        Samples per second; None where times are irregular or the rate is not known.
    times_s : numpy.ndarray or None
        ``t``, float64: seconds since the record began, for irregular times only; never falling.
    start_s : float
        When the first sample was taken, in seconds since the record began. Date and hour of the day are not kept:
        they identify.

    Raises
    ------
    ReadError
        If the shape, the names, the rate or the times contradict each other.
    """

    array: Float32Array
    leads: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float | None = None
    times_s: Float64Array | None = field(default=None, repr=False)
    start_s: float = 0.0

    def __post_init__(self) -> None:
        found = _shape_fault(self) or _time_fault(self)
        if found:
            raise ReadError(
                found,
                expected="leads x time, none of length 0, each lead with a name of its own, at a positive rate or at "
                "times that never fall",
                next_step="correct the record or leave the case out",
            )

    @property
    def samples(self) -> int:
        """Number of time steps."""
        return int(self.array.shape[1])

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None where neither rate nor times are known."""
        if self.times_s is not None:
            return float(self.times_s[-1] - self.times_s[0])
        return self.samples / self.rate_hz if self.rate_hz else None

    def lead(self, name: str) -> Float32Array:
        """Return one lead, ``t``.

        Raises
        ------
        ReadError
            If the signal has no such lead.
        """
        if name not in self.leads:
            raise ReadError(
                f"A signal has no lead {name!r}.",
                expected="one of " + ", ".join(self.leads[:20]),
                next_step="name another lead, or leave the case out",
            )
        row: Float32Array = self.array[self.leads.index(name)]
        return row


def _shape_fault(signal: Signal) -> str:
    array = signal.array
    if array.ndim != 2 or 0 in array.shape:
        return f"A signal has the shape {array.shape}."
    if array.dtype != np.float32:
        return f"A signal is stored as {array.dtype}, not as float32."
    if len(signal.leads) != array.shape[0] or len(signal.units) != array.shape[0]:
        return f"A signal of {array.shape[0]} leads has {len(signal.leads)} names and {len(signal.units)} units."
    if len(set(signal.leads)) != len(signal.leads):
        return "Two leads of a signal have the same name."
    return ""


def _time_fault(signal: Signal) -> str:
    rate, times = signal.rate_hz, signal.times_s
    if rate is not None and times is not None:
        return "A signal has both a rate and time stamps."
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        return f"A signal has a rate of {rate:g} samples per second."
    if times is None:
        return "" if np.isfinite(signal.start_s) else "The start of a signal is not a number."
    if times.shape != (signal.samples,):
        return f"A signal of {signal.samples} steps has time stamps of shape {times.shape}."
    if not np.isfinite(times).all():
        return "Time stamps of a signal are not all numbers."
    if (np.diff(times) < 0).any():
        return f"Time stamps of a signal run backwards {int((np.diff(times) < 0).sum())} times."
    return ""


@dataclass(frozen=True)
class SignalHeader:
    """What a reader can say of a signal without handing it out.

    Parameters
    ----------
    leads : tuple of str
    units : tuple of str
        One for each lead; ``""`` where not known.
    samples : int
        Time steps that can be read.
    rate_hz : float or None
        None where times are irregular or the rate is not known.
    file_format : str
        ``"WFDB"``, ``"EDF"``, ``"CSV"``, ...
    bytes : int
        Size of the files that hold the values.
    notes : tuple of str
        What was remarkable about reading it, as a person should be told: a gain of 0, a file shorter than promised.
    """

    leads: tuple[str, ...]
    units: tuple[str, ...]
    samples: int
    rate_hz: float | None
    file_format: str
    bytes: int
    notes: tuple[str, ...] = ()
