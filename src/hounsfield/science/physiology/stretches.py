"""Records of many hours at another rate, read by stretches: the values of the whole, never the whole itself."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.physiology.filters import low_pass, resampling_factors

ReadValues: TypeAlias = Callable[[int, int], Float64Array]
"""First sample and end to values ``l t``, float64, NaN where nothing was recorded."""
PROBE = 4096
"""Samples that are looked at first where the next known value is searched for; each further look is four times that."""


def resampled_stretches(
    read: ReadValues, samples: int, *, rate_hz: float, to_hz: float, stretch: int
) -> Iterator[Float64Array]:
    """Give a record at another rate, stretch by stretch.

    Parameters
    ----------
    read : callable
        First sample and end to values ``l t``, float64, NaN where nothing was recorded.
    samples : int
        Length of the record, at least 2.
    rate_hz, to_hz : float
    stretch : int
        Samples that are read at a time, about.

    Yields
    ------
    numpy.ndarray
        ``l t``, float64: together `hounsfield.learn.prepare.signal_values.at_rate` of the whole record, to rounding.

    Notes
    -----
    The filter is linear and of finite length: what each stretch adds to the samples of the new rate is added up
    (overlap and add), and a sample is handed out when no later stretch can add to it. Gaps are bridged between the same
    two known values as in the whole, however far they lie apart, and both ends continued by the same line.
    """
    from scipy.signal import upfirdn

    up, down = resampling_factors(rate_hz, to_hz)
    taps = low_pass(max(up, down)) * up
    half = (len(taps) - 1) // 2
    pad = down - half % down
    taps = np.concatenate([np.zeros(pad), taps])
    behind = (half + pad) // down
    reach = (half // up // down + 1) * down
    size = max(1, stretch // down) * down
    count = -(-samples * up // down)
    record = _Bridged(read, samples, stretch)
    missing = _Missing(samples, count, rate_hz=rate_hz, to_hz=to_hz)
    waiting, done = np.zeros((record.leads, 0)), 0
    for start in range(-reach, samples + reach, size):
        stop = min(start + size, samples + reach)
        values, known = record.within(start, stop)
        missing.add(min(max(start, 0), samples), known)
        added = np.asarray(upfirdn(taps, values, up, down, axis=-1), np.float64)
        first = start * up // down - behind
        if first < count:
            added = added[:, max(0, done - first) : count - first]
            at = max(first, done) - done
            waiting = _grown(waiting, at + added.shape[1])
            waiting[:, at : at + added.shape[1]] += added
        ready = min((start + size) * up // down - behind, missing.told, count)
        if stop == samples + reach:
            ready = count
        if ready > done:
            waiting = _grown(waiting, ready - done)
            piece, waiting = waiting[:, : ready - done], waiting[:, ready - done :].copy()
            yield np.where(missing.take(ready - done), np.nan, piece)
            done = ready


def _grown(values: Float64Array, width: int) -> Float64Array:
    """Return values ``l t`` with zeros behind them up to a width."""
    lacking = width - values.shape[1]
    return values if lacking <= 0 else np.pad(values, [(0, 0), (0, lacking)])


class _Missing:
    """Which samples of the new rate lie nearest to one that was not recorded."""

    def __init__(self, samples: int, count: int, *, rate_hz: float, to_hz: float) -> None:
        self._samples, self._count = samples, count
        self._rate_hz, self._to_hz = rate_hz, to_hz
        self._waiting: list[BoolArray] = []
        self.told = 0

    def add(self, start: int, known: BoolArray) -> None:
        """Take in which samples of a stretch ``l t`` were recorded; stretches come one after another."""
        stop = start + known.shape[1]
        if not known.shape[1]:
            return
        most = self._count if stop == self._samples else int(stop * self._to_hz / self._rate_hz) + 2
        places = np.arange(self.told, min(self._count, most))
        nearest = np.clip(np.rint(places * self._rate_hz / self._to_hz).astype(np.int64), 0, self._samples - 1)
        nearest = nearest[nearest < stop]
        self._waiting.append(~known[:, nearest - start])
        self.told += len(nearest)

    def take(self, width: int) -> BoolArray:
        """Return the next of them, ``l t``, and forget them."""
        held = np.concatenate(self._waiting, axis=1)
        self._waiting = [held[:, width:].copy()]
        return held[:, :width]


class _Bridged:
    """A record without gaps: straight lines between the known values, and beyond its ends."""

    def __init__(self, read: ReadValues, samples: int, stretch: int) -> None:
        self._read, self._samples, self._stretch = read, samples, stretch
        self.leads = len(read(0, 1))
        first, first_at = self._searched(range(self.leads), 0, forward=True)
        self._never = first_at < 0
        held = np.flatnonzero(~self._never)
        last, _ = self._searched(held, samples, forward=False)
        self._first, self._last = np.where(self._never, 0.0, first), np.where(self._never, 0.0, last)
        self._before, self._before_at = np.full(self.leads, np.nan), np.full(self.leads, -1)
        self._after, self._after_at = np.full(self.leads, np.nan), np.full(self.leads, -1)
        self._after_from = np.zeros(self.leads, np.int64)

    def within(self, start: int, stop: int) -> tuple[Float64Array, BoolArray]:
        """Return values ``l t``, finite, and which of those inside the record were recorded; each call goes on."""
        begin, end = max(start, 0), min(stop, self._samples)
        known = np.zeros((self.leads, 0), bool)
        values = np.zeros((self.leads, 0))
        if begin < end:
            values = self._read(begin, end)
            known = np.isfinite(values)
            values = self._bridged(values, known, begin)
        slope = ((self._last - self._first) / (self._samples - 1))[:, None]
        left = np.arange(start, min(stop, 0))
        right = np.arange(max(start, self._samples), stop)
        pieces = [
            self._first[:, None] + left * slope,
            values,
            self._last[:, None] + (right - self._samples + 1) * slope,
        ]
        return np.concatenate(pieces, axis=1), known

    def _bridged(self, values: Float64Array, known: BoolArray, start: int) -> Float64Array:
        stop = start + values.shape[1]
        gapped = np.flatnonzero(~known.all(axis=1) & ~self._never)
        self._look_ahead([int(row) for row in gapped if not known[row, -1]], stop)
        filled = np.where(known, values, 0.0)
        for row in gapped:
            inside = np.flatnonzero(known[row])
            before = self._before_at[row : row + 1][self._before_at[row : row + 1] >= 0]
            ahead = not known[row, -1] and self._after_at[row] >= 0
            after = self._after_at[row : row + 1] if ahead else np.zeros(0, np.int64)
            at = np.concatenate([before, inside + start, after])
            of = [self._before[row]] * len(before) + values[row, inside].tolist() + [self._after[row]] * len(after)
            gap = np.flatnonzero(~known[row])
            filled[row, gap] = np.interp(gap + start, at, of)
        for row in np.flatnonzero(known.any(axis=1)):
            place = int(np.flatnonzero(known[row])[-1])
            self._before[row], self._before_at[row] = values[row, place], start + place
        return filled

    def _look_ahead(self, rows: Sequence[int], start: int) -> None:
        """Find the next known value of leads that a stretch ends without, unless it was found before."""
        asked = [
            row
            for row in rows
            if not (self._after_from[row] <= start <= self._after_at[row])
            and not (self._after_at[row] == _NONE and self._after_from[row] <= start)
        ]
        if not asked:
            return
        found, at = self._searched(asked, start, forward=True)
        for row in asked:
            self._after[row], self._after_from[row] = found[row], start
            self._after_at[row] = at[row] if at[row] >= 0 else _NONE

    def _searched(self, rows: Sequence[int] | IntArray, start: int, *, forward: bool) -> tuple[Float64Array, IntArray]:
        """Return the first known value of leads from a sample on, or the last before it, and where; -1 for none."""
        values, places = np.full(self.leads, np.nan), np.full(self.leads, -1)
        open_, at, size = [int(row) for row in rows], start, min(PROBE, max(self._stretch, 1))
        while open_ and (at < self._samples if forward else at > 0):
            begin, end = (at, min(self._samples, at + size)) if forward else (max(0, at - size), at)
            looked = self._read(begin, end)
            known = np.isfinite(looked)
            for row in open_:
                inside = np.flatnonzero(known[row])
                if len(inside):
                    place = int(inside[0 if forward else -1])
                    values[row], places[row] = looked[row, place], begin + place
            open_ = [row for row in open_ if places[row] < 0]
            at, size = (end if forward else begin), min(4 * size, max(self._stretch, 1))
        return values, places


_NONE = -2
"""Where nothing known follows."""
