"""What kind of series a prepared signal is, in cheap numbers: for the input guard and for the linear baseline."""

from functools import lru_cache

import numpy as np

from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.science.statistics.small_quantiles import quantiles

FEW = 12
"""Up to so many channels each has all numbers; more have their mean, spread and missing share."""
SHARES = (0.02, 0.25, 0.5, 0.75, 0.98)
BANDS = 6
COARSE = 32
"""Means over so many stretches of time describe the course of a channel."""
MOST_COARSE = 512
FLOOR = 1e-6


def signal_looks(stored: AnyArray) -> Float64Array:
    """Describe the kind of one prepared signal.

    Parameters
    ----------
    stored : numpy.ndarray
        ``c t``, float16 or float32, NaN where nothing was recorded.

    Returns
    -------
    numpy.ndarray
        One vector, float64, of the same length for signals of the same shape, no NaN: of each channel quantiles, how
        strongly neighbours differ, power by frequency, share of missing and of repeated values.
    """
    found: Float64Array = looks_of_signals(stored[None])[0]
    return found


def looks_of_signals(stored: AnyArray) -> Float64Array:
    """Describe the kind of many prepared signals, ``n c t``, as `signal_looks` does each: ``n f``."""
    values = stored.astype(np.float64)
    number, channels, steps = values.shape
    rows = values.reshape(-1, steps)
    if channels > FEW:
        return np.stack([_few_of(row) for row in rows]).reshape(number, -1)
    found = np.empty((len(rows), len(SHARES) + 4 + BANDS + 1))
    full = np.isfinite(rows).all(axis=1) & (steps > 1)
    found[full] = _of_known(rows[full], steps)
    for place in np.flatnonzero(~full):
        known = rows[place][np.isfinite(rows[place])]
        found[place] = _of_known(known[None], steps)[0] if len(known) > 1 else _of_nothing(len(known), steps)
    return found.reshape(number, -1)


def signal_numbers(stored: AnyArray) -> Float64Array:
    """Describe the course of one prepared signal for a linear model: means over stretches of time, and the kind.

    Parameters
    ----------
    stored : numpy.ndarray
        ``c t``, float16 or float32, NaN where nothing was recorded.
    """
    count = max(2, min(COARSE, MOST_COARSE // len(stored), stored.shape[1]))
    return np.concatenate([_stretches(stored.astype(np.float64), count).ravel(), signal_looks(stored)])


def _stretches(values: Float64Array, count: int) -> Float64Array:
    """Return the mean of each stretch of each channel; the channel's own mean where a stretch holds nothing."""
    starts = np.arange(count) * values.shape[1] // count
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    number = np.add.reduceat(known.astype(np.float64), starts, axis=1)
    total = np.add.reduceat(filled, starts, axis=1)
    whole = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    means: Float64Array = np.where(number > 0, total / np.maximum(number, 1), whole)
    return means


def _few_of(row: Float64Array) -> Float64Array:
    known = row[np.isfinite(row)]
    missing = 1.0 - len(known) / len(row)
    if not len(known):
        return np.array([0.0, 0.0, 0.0, 0.0, missing])
    return np.array([known.mean(), known.std(), known.min(), known.max(), missing])


def _of_nothing(count: int, steps: int) -> Float64Array:
    return np.append(np.zeros(len(SHARES) + 4 + BANDS), 1.0 - count / steps)


def _of_known(known: Float64Array, steps: int) -> Float64Array:
    """Describe channels ``n t`` by the values that are known, of which each of so many steps has t."""
    apart = np.diff(known, axis=1)
    rough, spread = np.sqrt((apart**2).mean(axis=1)), known.std(axis=1)
    numbers = [np.log10(rough + FLOOR), np.log10(spread + FLOOR), known.mean(axis=1), (apart == 0).mean(axis=1)]
    missing = np.full(len(known), 1.0 - known.shape[1] / steps)
    return np.column_stack([quantiles(known, SHARES), *numbers, _bands(known), missing])


@lru_cache(maxsize=8)
def _windowed(count: int) -> tuple[Float64Array, IntArray, IntArray]:
    """Return the window of so many values, the octaves below half the rate, and the first frequency of each.

    Notes
    -----
    The first frequencies are counted without the constant, from the lowest on.
    """
    frequency = np.fft.rfftfreq(count)[1:]
    octave = np.clip(np.floor(np.log2(0.5 / frequency)).astype(np.int64), 0, BANDS - 1)
    first = np.flatnonzero(np.diff(octave, prepend=BANDS))
    return np.hanning(count), octave[first], first


def _bands(known: Float64Array) -> Float64Array:
    """Return the share of power in octaves below half the rate, as square roots, ``n k``; of values ``n t``."""
    window, octaves, first = _windowed(known.shape[1])
    power = np.abs(np.fft.rfft((known - known.mean(axis=1, keepdims=True)) * window, axis=1)) ** 2
    energy = np.zeros((len(known), BANDS))
    energy[:, octaves] = np.add.reduceat(power[:, 1:], first, axis=1)
    shares: Float64Array = np.sqrt(energy / (energy.sum(axis=1, keepdims=True) + FLOOR))
    return shares
