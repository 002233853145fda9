"""Reading signals: whole, by stretch, or so much around an anchor."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from hounsfield.core import long_signal
from hounsfield.core.block import SignalBlock
from hounsfield.core.cohort import Cohort, Ref, Roles, Schema
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.kinds import AS_IT_IS, Wanted
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.types import IntArray
from hounsfield.data.signal.readers import read_signal, signal_header
from hounsfield.data.signal.windows import window_of

ANCHOR = "anchor"
BY_WINDOW = ("wfdb", "edf")
"""Readers that read a window of a record without reading all of it; the others hold whole files anyway."""
GLANCED_S = (1.0, 1.0)
"""What is looked at around an anchor before a plan says how much: about a heartbeat on either side."""
UNTIMED = 100.0
"""Samples per second that a window around an anchor is counted by where the record tells no rate."""

BLOCK, OVERLAP = 1 << 16, 1 << 13
"""Samples of a record that are read at once for the windows in it, and how many more, so that none is cut."""


class Signals:
    """Signals, by the table of signal readers."""

    def read(self, cohort: Cohort, ref: Ref, *, wanted: Wanted = AS_IT_IS) -> Signal | LongSignal:
        """Return the signal; of an anchored ref the window around its anchor, NaN beyond the ends of the record.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            Its part may hold ``anchor``: a sample number of the record.
        wanted : Wanted
            Its `around_s` says how much; `GLANCED_S` if None. Its `long` allows for a `LongSignal` where a signal
            without an anchor has more than `hounsfield.core.long_signal.LONG_VALUES` values.

        Raises
        ------
        ReadError
            If it cannot be read, the anchor lies outside the record, or a beat was given for a whole record or the
            other way round.
        """
        anchor = anchor_of(ref)
        if wanted.around_s is not None and (sum(wanted.around_s) > 0) != (anchor is not None):
            raise _unlike(ref, anchored=anchor is not None)
        if anchor is None:
            by_stretches = self._long(cohort, ref) if wanted.long else None
            return read_signal(cohort, ref) if by_stretches is None else by_stretches
        whole = without_anchor(ref)
        told = self.header(cohort, whole)
        if not 0 <= anchor < told.samples:
            raise _outside(ref, anchor, told)
        before, after = _around(told, wanted)
        first, end = max(0, anchor - before), min(told.samples, anchor + after)
        found = _between(cohort, whole, told, (first, end))
        edges = (first - (anchor - before), anchor + after - end)
        if edges == (0, 0) or found.times_s is not None:
            return found
        array = np.pad(found.array, [(0, 0), edges], constant_values=np.float32(np.nan))
        return replace(found, array=array)

    def block(self, cohort: Cohort, ref: Ref, anchors: IntArray, *, wanted: Wanted = AS_IT_IS) -> SignalBlock | None:
        """Return the windows around many anchors of one record, as `read` does each.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
            The record, without an anchor.
        anchors : numpy.ndarray
            ``n``, int64: sample numbers, in any order.
        wanted : Wanted

        Returns
        -------
        SignalBlock or None
            None of a record without a rate, or where no window is wanted.

        Raises
        ------
        ReadError
            If the record cannot be read, or an anchor lies outside it.

        Notes
        -----
        A stretch of `BLOCK` samples is read at a time, so that memory does not grow with what lies between anchors.
        """
        told = self.header(cohort, ref)
        if told.rate_hz is None or (wanted.around_s is not None and sum(wanted.around_s) == 0):
            return None
        wrong = anchors[(anchors < 0) | (anchors >= told.samples)]
        if len(wrong):
            raise _outside(ref, int(wrong[0]), told)
        before, after = _around(told, wanted)
        order = np.argsort(anchors, kind="stable")
        sorted_anchors = anchors[order]
        array = np.empty((len(anchors), len(told.leads), before + after), np.float32)
        at = 0
        while at < len(order):
            first = int(sorted_anchors[at]) - before
            stop = int(np.searchsorted(sorted_anchors, first + before + BLOCK, side="left"))
            rows, last = order[at:stop], int(sorted_anchors[stop - 1]) + after
            begin, end = max(0, first), min(told.samples, last)
            found = read_signal(cohort, ref, start=begin, stop=end)
            if found.rate_hz is None or found.leads != told.leads:
                return None
            edges = (begin - first, last - end)
            values = np.pad(found.array, [(0, 0), edges], constant_values=np.float32(np.nan))
            windows = np.lib.stride_tricks.sliding_window_view(values, before + after, axis=1)
            array[rows] = windows[:, anchors[rows] - before - first].swapaxes(0, 1)
            at = stop
        start_s = np.maximum(anchors - before, 0) / told.rate_hz
        return SignalBlock(array, told.leads, told.units, told.rate_hz, start_s)

    def header(self, cohort: Cohort, ref: Ref) -> SignalHeader:
        """Return leads, units, rate and length of the record."""
        whole = without_anchor(ref)
        try:
            written = (Path(cohort.root) / whole.path).stat().st_mtime_ns
        except OSError:
            return signal_header(cohort, whole)
        return _remembered(cohort.root, whole, written)

    def _long(self, cohort: Cohort, ref: Ref) -> LongSignal | None:
        """Return a signal at a fixed rate that is too long to be held whole; None for every other."""
        if ref.reader not in BY_WINDOW:
            return None
        told = self.header(cohort, ref)
        first, end = window_of(ref, told.samples, 0, None)
        if told.rate_hz is None or (end - first) * len(told.leads) <= long_signal.LONG_VALUES:
            return None

        def read(start: int, stop: int) -> Signal:
            return read_signal(cohort, ref, start=start, stop=stop)

        return LongSignal(told.leads, told.units, end - first, told.rate_hz, read, start_s=first / told.rate_hz)

    def loose(self, paths: Sequence[str | Path], roles: Roles, wanted: Mapping[str, Wanted]) -> tuple[Cohort, ...]:
        """Return the records, or series of an archive, that paths hold; see `hounsfield.data.loose_signals`."""
        from hounsfield.data.loose_signals import loose_signals

        return loose_signals(paths, roles, tuple(wanted))


def _around(told: SignalHeader, wanted: Wanted) -> tuple[int, int]:
    """Return how many samples before and after an anchor are wanted."""
    before, after = wanted.around_s or GLANCED_S
    rate = told.rate_hz or UNTIMED
    return max(1, round(before * rate)), max(1, round(after * rate))


def _outside(ref: Ref, anchor: int, told: SignalHeader) -> ReadError:
    return ReadError(
        f"Case {case_id(ref.path)}: the anchor {anchor} lies outside a record of {told.samples} samples.",
        expected="an anchor in the record",
        next_step="correct the annotations or leave the case out",
    )


def _unlike(ref: Ref, *, anchored: bool) -> ReadError:
    if anchored:
        return ReadError(
            f"Case {case_id(ref.path)}: a beat was given, and the model looks at whole signals.",
            expected="whole records or windows, as in training",
            next_step="give the records without asking for beats",
        )
    return ReadError(
        f"Case {case_id(ref.path)}: a whole signal was given, and the model looks at beats.",
        expected="annotated beats, or detected R peaks",
        next_step="give the annotations beside the record",
    )


def _between(cohort: Cohort, whole: Ref, told: SignalHeader, span: tuple[int, int]) -> Signal:
    """Return a window of a record; of a long one at a fixed rate out of a block that its neighbours are in too."""
    first, end = span
    if told.rate_hz is None or end - first > OVERLAP or told.samples * max(1, len(told.leads)) < BLOCK:
        return read_signal(cohort, whole, start=first, stop=end)
    number = first // BLOCK
    try:
        written = (Path(cohort.root) / whole.path).stat().st_mtime_ns
    except OSError:
        return read_signal(cohort, whole, start=first, stop=end)
    block = _block(cohort.root, whole, number, told.samples, written)
    begin = first - number * BLOCK
    array = block.array[:, begin : end - number * BLOCK].copy()
    return replace(block, array=array, start_s=block.start_s + begin / told.rate_hz)


@lru_cache(maxsize=4)
def _block(root: str, whole: Ref, number: int, samples: int, _written: int) -> Signal:
    """Return a stretch of a record, once for all the beats in it: opening a file takes longer than reading a beat."""
    first = number * BLOCK
    return read_signal(Cohort("", root, (), Schema()), whole, start=first, stop=min(samples, first + BLOCK + OVERLAP))


@lru_cache(maxsize=64)
def _remembered(root: str, ref: Ref, _written: int) -> SignalHeader:
    """Return a record's header once for all its beats: there are thousands in each."""
    return signal_header(Cohort("", root, (), Schema()), ref)


def anchor_of(ref: Ref) -> int | None:
    """Return the sample number that a ref is about, None where it means all of its record."""
    found = dict(ref.part).get(ANCHOR)
    if found is None:
        return None
    try:
        return int(found)
    except ValueError:
        raise ReadError(
            f"Case {case_id(ref.path)}: the anchor of a ref is not a number.",
            expected="a sample number",
            next_step="correct the cohort",
        ) from None


def without_anchor(ref: Ref) -> Ref:
    """Return the ref of the record that an anchor lies in."""
    return Ref(ref.reader, ref.path, tuple(part for part in ref.part if part[0] != ANCHOR))


SIGNALS = Signals()
