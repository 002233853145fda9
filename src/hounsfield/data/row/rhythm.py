"""The rhythm around a beat: intervals between beats before and after it, against what is usual in the record."""

from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.row import RowColumn
from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.data.row.of_beats import OfBeats
from hounsfield.data.row.remembered import (
    OfArray,
    annotations_beside,
    found_beats,
    place_of,
    rate_of_found,
)
from hounsfield.data.signal.wfdb.aami import beats_of
from hounsfield.data.signal.wfdb.annotations import Span, flutter, read_annotations
from hounsfield.data.signal.wfdb.header import parse_header

RHYTHM = (
    RowColumn(name="pre_rr", unit="s"),
    RowColumn(name="post_rr", unit="s"),
    RowColumn(name="pre_rr_to_10s"),
    RowColumn(name="post_rr_to_10s"),
    RowColumn(name="pre_rr_to_5min"),
    RowColumn(name="post_rr_to_5min"),
    RowColumn(name="pre_rr_to_record"),
    RowColumn(name="post_rr_to_record"),
)
"""The variables of a rhythm row."""
_FOUND: OfArray[tuple[IntArray, Float64Array]] = OfArray(8)
SHORT_S, LONG_S = 10.0, 300.0


class WfdbRhythmReader(OfBeats):
    """Reads the rhythm around beat ``anchor`` (a sample number) of the WFDB record that a ref's path names.

    Notes
    -----
    Beats are those of the annotation file whose ending the part ``annotations`` names (``"atr"``), whatever their
    class; without it they are the sample numbers in ``cohort.arrays["beats:PATH"]``, at the rate in
    ``cohort.arrays["rate:PATH"]``, as a detector of R peaks finds them in a record that nobody annotated. ``pre_rr``,
    ``pre_rr_to_10s`` and ``pre_rr_to_5min`` are causal: they are known when the beat is. Those with ``post`` need the
    next beat, and those with ``record`` the whole record.
    """

    columns: ClassVar[tuple[RowColumn, ...]] = RHYTHM

    def beats(self, cohort: Cohort, ref: Ref) -> tuple[IntArray, Float64Array]:
        """Return all beats and `RHYTHM` of each; NaN where no beat lies before or after, or flutter between."""
        return _rhythm(cohort, ref, str(dict(ref.part).get("annotations", "")))


def rhythm_rows(beats: IntArray, rate_hz: float, pauses: tuple[Span, ...] = ()) -> Float64Array:
    """Return the rhythm around each beat.

    Parameters
    ----------
    beats : numpy.ndarray
        ``n``, int64, sample numbers, rising.
    rate_hz : float
    pauses : tuple of Span
        Stretches without beats of their own (ventricular flutter): an interval that touches one is missing.

    Returns
    -------
    numpy.ndarray
        ``n 8`` float64, the columns of `RHYTHM`: the intervals before and after in seconds, and each over the mean of
        the intervals that ended in the last 10 s and the last 5 min up to the beat (its own ``pre_rr`` among them), and
        over the median of the record.
    """
    count = len(beats)
    rr = np.diff(beats) / rate_hz
    for pause in pauses:
        rr[(beats[:-1] < pause.stop) & (beats[1:] >= pause.start)] = np.nan
    pre, post = np.r_[np.nan, rr][:count], np.r_[rr, np.nan][:count]
    times = beats / rate_hz
    known = np.isfinite(pre)
    median = float(np.median(pre[known])) if known.any() else np.nan
    usual = [_mean_before(times, pre, known, SHORT_S), _mean_before(times, pre, known, LONG_S)]
    columns = [pre, post]
    for mean in (*usual, np.full(count, median)):
        columns += [pre / mean, post / mean]
    return np.stack(columns, axis=1)


def _mean_before(times: Float64Array, pre: Float64Array, known: BoolArray, seconds: float) -> Float64Array:
    total = np.r_[0.0, np.cumsum(np.where(known, pre, 0.0))]
    number = np.r_[0, np.cumsum(known)]
    first = np.searchsorted(times, times - seconds, side="right")
    here = np.arange(1, len(times) + 1)
    count = number[here] - number[first]
    mean: Float64Array = np.divide(total[here] - total[first], count, out=np.full(len(times), np.nan), where=count > 0)
    return mean


def _rhythm(cohort: Cohort, ref: Ref, ending: str) -> tuple[IntArray, Float64Array]:
    if not ending:
        found = found_beats(cohort.arrays, ref)

        def made() -> tuple[IntArray, Float64Array]:
            rate = rate_of_found(cohort.arrays, ref) or _rate(place_of(cohort.root, ref.path))
            beats = np.unique(np.asarray(found, np.int64))
            return beats, rhythm_rows(beats, rate)

        return _FOUND.get(found, (cohort.root, ref.path), made)
    marks, stamp = annotations_beside(cohort.root, ref, ending)
    return _annotated(place_of(cohort.root, ref.path), marks, stamp)


@lru_cache(maxsize=64)
def _annotated(path: Path, marks: Path, _stamp: tuple[int, int]) -> tuple[IntArray, Float64Array]:
    rate = _rate(path)
    found = read_annotations(marks, rate_hz=rate)
    beats = np.unique(np.array([a.sample for a in beats_of(found)], np.int64))
    last = int(beats[-1]) + 1 if len(beats) else 0
    return beats, rhythm_rows(beats, rate, flutter(found, last))


def _rate(path: Path) -> float:
    return parse_header(path, Ref("wfdb", path.name)).frames_hz
