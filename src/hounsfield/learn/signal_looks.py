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
    rows = [_all_of(row) if len(stored) <= FEW else _few_of(row) for row in stored.astype(np.float64)]
    return np.concatenate(rows)


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


def _all_of(row: Float64Array) -> Float64Array:
    known = row[np.isfinite(row)]
    missing = 1.0 - len(known) / len(row)
    if len(known) < 2:
        return np.concatenate([np.zeros(len(SHARES) + 4 + BANDS), [missing]])
    steps = np.diff(known)
    rough = float(np.sqrt((steps**2).mean()))
    spread = float(known.std())
    numbers = [np.log10(rough + FLOOR), np.log10(spread + FLOOR), float(known.mean()), float((steps == 0).mean())]
    return np.concatenate([quantiles(known, SHARES), numbers, _bands(known), [missing]])


@lru_cache(maxsize=8)
def _windowed(count: int) -> tuple[Float64Array, IntArray]:
    """Return the window of so many values, and the octave below half the rate that each of their frequencies is in."""
    frequency = np.fft.rfftfreq(count)
    octave = np.clip(np.floor(np.log2(0.5 / np.maximum(frequency, 1e-9))).astype(np.int64), 0, BANDS - 1)
    return np.hanning(count), octave


def _bands(known: Float64Array) -> Float64Array:
    """Return the share of power in octaves below half the rate, as square roots; of the values that are known."""
    window, octave = _windowed(len(known))
    power = np.abs(np.fft.rfft((known - known.mean()) * window)) ** 2
    energy = np.bincount(octave[1:], power[1:], minlength=BANDS)
    shares: Float64Array = np.sqrt(energy / (energy.sum() + FLOOR))
    return shares
