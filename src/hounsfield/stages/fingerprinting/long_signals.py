"""What is kept of the values of a signal too long to be held whole: the numbers of the whole, read by stretches."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.long_signal import LongSignal
from hounsfield.core.types import Float32Array, Float64Array, IntArray


@dataclass(frozen=True)
class LeadValues:
    """Of each lead, NaN where it holds no value.

    Parameters
    ----------
    missing : numpy.ndarray
        Share of missing values, float64 ``l``.
    moments : numpy.ndarray
        Mean and mean square, float64 ``l 2``.
    few : tuple of numpy.ndarray
        Evenly spread known values, float32 ``n`` of each lead: those that are taken of a signal held whole.
    """

    missing: Float64Array
    moments: Float64Array
    few: tuple[Float32Array, ...]


def long_values(signal: LongSignal, *, most: int) -> LeadValues:
    """Read a signal once, and its leads with gaps twice: which of their values are every so many is known at its end.

    Parameters
    ----------
    signal : LongSignal
    most : int
        Known values of a lead are every so many that there are fewer than twice that.
    """
    count = np.zeros(len(signal.leads), np.int64)
    sums = np.zeros((len(signal.leads), 2))
    step, start = max(1, signal.samples // most), 0
    spread: list[Float32Array] = []
    for stretch in signal.stretches():
        known = np.isfinite(stretch.array)
        count += known.sum(axis=1)
        for row, (values, told) in enumerate(zip(stretch.array, known, strict=True)):
            wide = values[told].astype(np.float64)
            sums[row] += wide.sum(), (wide**2).sum()
        spread.append(stretch.array[:, -start % step :: step].copy())
        start += stretch.samples
    few = np.concatenate(spread, axis=1)
    gapped = [row for row in range(len(few)) if 0 < count[row] < signal.samples]
    again = _every(signal, gapped, np.maximum(1, count // most)) if gapped else {}
    none = np.zeros(0, np.float32)
    with np.errstate(invalid="ignore"):
        moments = sums / count[:, None]
    return LeadValues(
        missing=1.0 - count / signal.samples,
        moments=moments,
        few=tuple(again.get(row, few[row] if count[row] else none) for row in range(len(few))),
    )


def _every(signal: LongSignal, rows: list[int], steps: IntArray) -> dict[int, Float32Array]:
    """Return every so many of the known values of some leads."""
    found: dict[int, list[Float32Array]] = {row: [] for row in rows}
    before = dict.fromkeys(rows, 0)
    for stretch in signal.stretches():
        for row in rows:
            values = stretch.array[row][np.isfinite(stretch.array[row])]
            found[row].append(values[-before[row] % int(steps[row]) :: int(steps[row])])
            before[row] += len(values)
    return {row: np.concatenate(pieces) for row, pieces in found.items()}
