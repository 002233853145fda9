"""Signals too long to be held whole, prepared piece by piece: at another rate, with their moments, cut to a length."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal
from hounsfield.core.types import AnyArray, Float64Array


def pieces_of(
    signal: LongSignal, leads: Callable[[Signal], Float64Array], *, to_hz: float | None, there: Sequence[int]
) -> Iterator[Float64Array]:
    """Give a long signal piece by piece, together as long as the whole.

    Parameters
    ----------
    signal : LongSignal
    leads : callable
        Stretch to its wanted leads ``l t``, float64, NaN where nothing was recorded.
    to_hz : float or None
        Rate that it is brought to; None for its own.
    there : sequence of int
        Rows of these leads that the signal has at all: nothing is looked for in the others.

    Yields
    ------
    numpy.ndarray
        ``l t``, float64; those at another rate are values of the whole, see
        `hounsfield.science.physiology.stretches.resampled_stretches`.
    """
    if to_hz is None:
        for stretch in signal.stretches():
            yield leads(stretch)
        return
    from hounsfield.science.physiology.stretches import resampled_stretches

    count = len(leads(signal.stretch(0, 1)))
    rows = list(there) or list(range(count))

    def read(start: int, stop: int) -> Float64Array:
        return leads(signal.stretch(start, stop))[rows]

    for found in resampled_stretches(
        read, signal.samples, rate_hz=signal.rate_hz, to_hz=to_hz, stretch=signal.stretch_samples
    ):
        piece = np.full((count, found.shape[1]), np.nan)
        piece[rows] = found
        yield piece


@dataclass(frozen=True)
class LeadMoments:
    """Mean and deviation of what is known of each lead.

    Parameters
    ----------
    count : numpy.ndarray
        ``l``, float64.
    mean, squares : numpy.ndarray
        ``l``, float64: mean, and sum of squared distances from it; 0 where nothing is known.
    """

    count: Float64Array
    mean: Float64Array
    squares: Float64Array

    @property
    def std(self) -> Float64Array:
        """Deviation, ``l``; 0 where nothing is known."""
        found: Float64Array = np.sqrt(self.squares / np.maximum(self.count, 1))
        return found

    @classmethod
    def of(cls, pieces: Iterable[Float64Array]) -> "LeadMoments":
        """Return them over pieces ``l t``, at least one of them, NaN left out.

        Notes
        -----
        Means and squares of two parts are joined as Chan, Golub and LeVeque do (1983): nothing large is subtracted from
        anything large.
        """
        remaining = iter(pieces)
        whole = cls._alone(next(remaining))
        for piece in remaining:
            whole = whole._with(cls._alone(piece))
        return whole

    @classmethod
    def _alone(cls, values: Float64Array) -> "LeadMoments":
        known = np.isfinite(values)
        count = known.sum(axis=1).astype(np.float64)
        mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1)
        away = np.where(known, values - mean[:, None], 0.0)
        return cls(count, mean, (away**2).sum(axis=1))

    def _with(self, other: "LeadMoments") -> "LeadMoments":
        count = self.count + other.count
        share = other.count / np.maximum(count, 1)
        apart = other.mean - self.mean
        squares = self.squares + other.squares + apart**2 * self.count * share
        return LeadMoments(count, self.mean + apart * share, squares)


def begun(
    pieces: Iterator[Float64Array],
    shape: tuple[int, int],
    scaled: Callable[[Float64Array], Float64Array],
    *,
    dtype: str,
) -> AnyArray:
    """Return the beginning of a signal as it is stored, ``l t``; what lies behind it is not read.

    Parameters
    ----------
    pieces : iterator of numpy.ndarray
        ``l t``, float64.
    shape : tuple of int
        Leads, and steps that are kept; where there are fewer NaN stands behind them.
    scaled : callable
        A piece to its values as they are stored.
    dtype : str
    """
    kept: AnyArray = np.full(shape, np.nan, dtype)
    done = 0
    for piece in pieces:
        count = min(shape[1] - done, piece.shape[1])
        kept[:, done : done + count] = scaled(piece[:, :count]).astype(dtype)
        done += count
        if done == shape[1]:
            break
    return kept
