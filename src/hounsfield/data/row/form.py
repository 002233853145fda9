"""The form of a beat against the usual beat of its record, and how restless the rhythm around it is."""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.row import RowColumn
from hounsfield.core.signal import SignalHeader
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.row.of_beats import OfBeats
from hounsfield.data.row.remembered import (
    OfArray,
    annotations_beside,
    found_beats,
    place_of,
    rate_of_found,
)
from hounsfield.data.signal.readers import read_signal, signal_header
from hounsfield.data.signal.wfdb.aami import beats_of
from hounsfield.data.signal.wfdb.annotations import read_annotations
from hounsfield.data.signal.wfdb.header import parse_header
from hounsfield.data.signal.windows import damaged

BEFORE_S, AFTER_S = 0.3, 0.5
"""How much around a beat is its form."""
BASE_S = 1.0
"""The baseline of a beat is the median of so much before and after it: of the beat alone, a wide one would shift it."""
COMPLEX_S = (-0.1, 0.15)
"""Where the QRS complex lies about its mark."""
STRETCHES_S = ((-0.2, -0.07), (-0.07, 0.01), (0.01, 0.08), (0.08, 0.2), (0.2, 0.45))
"""P wave, first and second half of the QRS complex, ST segment, T wave, about."""
STRETCH_NAMES = ("p", "q", "s", "st", "t")
USUAL_BEATS = 300
"""Beats, evenly spread over the record, whose median is the usual beat."""
BLOCK_S = 60.0
"""So much of a record is held at once."""
BAND_HZ = (0.5, 40.0)
"""Between breathing and muscle: what lies outside is no wave of a beat, and differs from beat to beat as one would."""
SETTLE_S = 4.0
"""So much before and after a stretch is filtered with it: nine time constants of the lower edge."""
LAST, AROUND = 21, 8
SHORTEST_S, LONGEST_S = 0.2, 3.0
STEADY = 0.05
"""What is added to how much intervals vary, as a share of an interval: no rhythm is so steady that less tells."""
UNLIKE = 0.02
"""What is added to one less a correlation before its logarithm."""

FORM = (
    *(RowColumn(name=n) for n in ("rr_spread", "rr_jitter")),
    *(RowColumn(name=f"{n}_rr_to_around") for n in ("before", "pre", "post", "next")),
    *(RowColumn(name=f"{n}_rr_by_record") for n in ("pre", "post")),
    *(RowColumn(name=n) for n in ("form_unlikeness", "form_size")),
    *(RowColumn(name=f"form_odd_{n}") for n in STRETCH_NAMES),
    *(RowColumn(name=f"form_level_{n}") for n in STRETCH_NAMES),
)
"""The variables of a form row."""
_FOUND: OfArray[tuple[IntArray, Float64Array]] = OfArray(8)


class WfdbFormReader(OfBeats):
    """Reads the form of beat ``anchor`` (a sample number) of the WFDB record that a ref's path names.

    Notes
    -----
    A beat is normal or not against the other beats of the same heart: a wide complex is the rule in a bundle branch
    block. So a beat is told by how it differs from the record's usual one, against how the other beats of the record
    do: in a noisy lead all differ. That needs the whole record: none of these numbers is causal. The part
    ``lead`` names the lead (the first one without it), ``reader`` the reader of the signal (``wfdb`` without it);
    ``annotations`` as for ``wfdb-rhythm``, and without it detected beats as there.
    """

    columns: ClassVar[tuple[RowColumn, ...]] = FORM

    def beats(self, cohort: Cohort, ref: Ref) -> tuple[IntArray, Float64Array]:
        """Return all beats of the record and `FORM` of each; forms are NaN where the lead recorded nothing."""
        return _rows(cohort, ref)


def unrest_rows(beats: IntArray, rate_hz: float) -> Float64Array:
    """Return how restless the rhythm is around each beat.

    Parameters
    ----------
    beats : numpy.ndarray
        ``n``, int64, sample numbers, rising.
    rate_hz : float

    Returns
    -------
    numpy.ndarray
        ``n 8`` float64. With x the logarithm of the interval that ends at a beat, held within 0.2 to 3 s (the first
        beat's is the record's median): log(0.01 + deviation of x) over the last 21 beats; log(0.01 + median of
        ``|x_i - x_(i-1)|``) over the last 20 steps and the next one; x of the beat before, of the beat, of the next and
        of the one after it, each less the median of x over the beat and 8 on either side; x of the beat and of the next
        less the record's median of x, over 0.05 + 1.4826 times the median distance from it. Beyond the ends the first
        and last interval stand.

    Notes
    -----
    In atrial fibrillation every beat is early or late; what is early against a steady rhythm is an extrasystole. The
    same share of an interval is much in one record and nothing in another, hence the quotients (MIT-BIH DS1 in four
    parts by record, one network on rows alone, mean of three seeds: with the quotients and without the intervals in
    seconds mean sensitivity .692 and jk .734, before .646 and .695).
    """
    if len(beats) < 2:
        return np.tile([np.log(0.01), np.log(0.01), *[0.0] * 6], (len(beats), 1))
    x = np.log(np.clip(np.diff(beats) / rate_hz, SHORTEST_S, LONGEST_S))
    x = np.concatenate([[np.median(x)], x])
    steps = np.abs(np.diff(x, append=x[-1]))  # step i leads from beat i to the next
    spread = _sliding(x, LAST - 1, 0).std(axis=1)
    jitter = np.median(_sliding(steps, LAST - 1, 0), axis=1)
    usual = np.median(_sliding(x, AROUND, AROUND), axis=1)
    near = _sliding(x, 1, 2) - usual[:, None]
    away = x - np.median(x)
    whole = _sliding(away, 0, 1) / (STEADY + 1.4826 * float(np.median(np.abs(away))))
    return np.column_stack([np.log(spread + 0.01), np.log(jitter + 0.01), near, whole])


def _sliding(values: Float64Array, before: int, after: int) -> Float64Array:
    padded = np.pad(values, (before, after), mode="edge")
    view: Float64Array = np.lib.stride_tricks.sliding_window_view(padded, before + 1 + after)
    return view


def form_rows(windows: Float64Array, usual: Float64Array, rate_hz: float) -> Float64Array:
    """Return how beats differ from the usual one.

    Parameters
    ----------
    windows : numpy.ndarray
        ``n t`` float64, `BEFORE_S` before to `AFTER_S` after each beat, each less its baseline.
    usual : numpy.ndarray
        ``t``, the usual beat.
    rate_hz : float

    Returns
    -------
    numpy.ndarray
        ``n 12`` float64: log(1.02 - r) with r the correlation of the QRS complexes; the logarithm of the ratio of their
        sizes (root mean square about their means); then for each of `STRETCHES_S` log(0.05 + root mean square of the
        difference), and the mean difference, both in units of the usual beat's root mean square. NaN where the rate
        leaves a stretch without a sample.
    """
    at = (np.arange(len(usual)) - round(BEFORE_S * rate_hz)) / rate_hz
    unit = max(float(np.sqrt(np.mean(usual**2))), 1e-9)
    within = (at >= COMPLEX_S[0]) & (at < COMPLEX_S[1])
    own = windows[:, within] - windows[:, within].mean(axis=1, keepdims=True)
    theirs = usual[within] - usual[within].mean()
    sizes = np.linalg.norm(own, axis=1), float(np.linalg.norm(theirs))
    floor = 1e-2 * unit
    columns = [
        np.log(1.0 + UNLIKE - np.minimum(own @ theirs / (sizes[0] * sizes[1] + floor**2), 1.0)),
        np.log((sizes[0] + floor) / (sizes[1] + floor)),
    ]
    apart = (windows - usual) / unit
    stretches = [apart[:, (at >= first) & (at < last)] for first, last in STRETCHES_S]
    empty = np.full(len(windows), np.nan)
    columns += [np.log(0.05 + np.sqrt(np.mean(s**2, axis=1))) if s.shape[1] else empty for s in stretches]
    columns += [s.mean(axis=1) if s.shape[1] else empty for s in stretches]
    return np.column_stack(columns)


def usual_difference(windows: Float64Array, usual: Float64Array, rate_hz: float) -> tuple[Float64Array, Float64Array]:
    """Return by how much beats of a record differ from its usual one as a rule.

    Parameters
    ----------
    windows, usual, rate_hz
        As `form_rows` takes them.

    Returns
    -------
    middle : numpy.ndarray
        ``12`` float64: medians of the columns of `form_rows`.
    spread : numpy.ndarray
        ``12`` float64, positive: the lesser of the distances from the median to the 16th and the 84th percentile, plus
        0.3 for the logarithms of what is never negative (unlikeness, distances), plus 0.1 for what goes either way.

    Notes
    -----
    What noise, breathing and a changing axis add to every beat of a record is no sign of an odd beat. Odd beats, even
    if they are a third, stretch one side only: hence the lesser distance. MIT-BIH DS1 in four parts by record, one
    network on rows alone, mean of three seeds: accuracy .950, mean sensitivity .696, jk .743; less the medians and not
    over the spreads .941, .692, .734.
    """
    low, middle, high = np.percentile(form_rows(windows, usual, rate_hz), (16, 50, 84), axis=0)
    floor = np.full(len(middle), 0.1)
    floor[[0, *range(2, 2 + len(STRETCHES_S))]] = 0.3
    return middle, floor + np.minimum(middle - low, high - middle)


def steadied(lead: Float64Array, rate_hz: float) -> Float64Array:
    """Return a lead without what is slower or faster than the waves of a beat, not delayed.

    Parameters
    ----------
    lead : numpy.ndarray
        ``t`` float64; NaN where nothing was recorded, and there again afterwards.
    rate_hz : float
        A lead at less than twice the upper edge of `BAND_HZ` keeps its upper end, one too slow for any keeps all.

    Returns
    -------
    numpy.ndarray
        ``t`` float64: a Butterworth filter of second order, forward and backward (half the size at the edges).
    """
    from scipy.signal import butter, sosfiltfilt

    low, high = BAND_HZ
    gone = ~np.isfinite(lead)
    if gone.all() or len(lead) < 2 or rate_hz <= 2.0 * low:
        return lead.copy()
    values = lead.copy()
    at = np.arange(len(lead))
    values[gone] = np.interp(at[gone], at[~gone], lead[~gone])
    passes = "bandpass" if rate_hz > 2.0 * high else "highpass"
    sections = butter(2, (low, high) if passes == "bandpass" else low, passes, fs=rate_hz, output="sos")
    passed = sosfiltfilt(sections, values, padtype="odd", padlen=min(round(rate_hz / low), len(values) - 1))
    return np.where(gone, np.nan, passed)


def _rows(cohort: Cohort, ref: Ref) -> tuple[IntArray, Float64Array]:
    parts = {key: str(value) for key, value in ref.part}
    ending, lead, reader = parts.get("annotations", ""), parts.get("lead", ""), parts.get("reader", "wfdb")
    signal = Ref(reader, ref.path, (("lead", lead),) if lead else ())
    if ending:
        marks, stamp = annotations_beside(cohort.root, ref, ending)
        return _annotated(cohort.root, signal, marks, stamp)
    found = found_beats(cohort.arrays, ref)

    def made() -> tuple[IntArray, Float64Array]:
        beats = np.unique(np.asarray(found, np.int64))
        return beats, _measured(cohort.root, signal, beats, rate_of_found(cohort.arrays, ref))

    return _FOUND.get(found, (cohort.root, signal), made)


@lru_cache(maxsize=8)
def _annotated(root: str, signal: Ref, marks: Path, _stamp: tuple[int, int]) -> tuple[IntArray, Float64Array]:
    frames_hz = parse_header(place_of(root, signal.path), signal).frames_hz
    beats = np.unique(np.array([a.sample for a in beats_of(read_annotations(marks, rate_hz=frames_hz))], np.int64))
    return beats, _measured(root, signal, beats, frames_hz)


def _measured(root: str, signal: Ref, beats: IntArray, beats_hz: float | None) -> Float64Array:
    """Return `FORM` for all beats of a record, holding a minute of it at a time.

    Parameters
    ----------
    root : str
    signal : Ref
        The lead.
    beats : numpy.ndarray
        Rising numbers, at `beats_hz`: annotations count frames, of which a lead may have several samples each. None
        where they count samples of the lead.
    """
    cohort = Cohort("", root, (), Schema())
    header = signal_header(cohort, signal)
    rate = header.rate_hz or beats_hz
    if rate is None:
        raise damaged(signal, "it tells no rate.", "samples per second", "write the rate into its header")
    unrest = unrest_rows(beats, beats_hz or rate)
    if not len(beats):
        return np.zeros((0, len(FORM)))
    places = np.clip(beats * max(1, round(rate / (beats_hz or rate))), 0, header.samples - 1)
    some = np.unique(np.linspace(0, len(beats) - 1, USUAL_BEATS).astype(np.int64))
    sample = np.concatenate([w for _, w in _windows(cohort, signal, places[some], header)])
    known = sample[np.isfinite(sample).all(axis=1)]
    forms = np.full((len(beats), len(FORM) - unrest.shape[1]), np.nan)
    if len(known):
        usual = np.median(known, axis=0)
        middle, spread = usual_difference(known, usual, rate)
        for rows, windows in _windows(cohort, signal, places, header):
            full = np.isfinite(windows).all(axis=1)
            forms[rows[full]] = (form_rows(windows[full], usual, rate) - middle) / spread
    return np.column_stack([unrest, forms])


def _windows(
    cohort: Cohort, signal: Ref, places: IntArray, header: SignalHeader
) -> Iterator[tuple[IntArray, Float64Array]]:
    """Yield which beats, and their windows ``n t`` less their baselines (NaN where something is missing).

    Notes
    -----
    Outside the record the first and last sample stand, so that a beat at its edge has a form. The lead is filtered to
    `BAND_HZ` first: a P wave is a tenth of a millivolt, the wander under it often several.
    """
    rate = header.rate_hz or 1.0
    before, after, base = (round(seconds * rate) for seconds in (BEFORE_S, AFTER_S, BASE_S))
    settle = round(SETTLE_S * rate)
    blocks = places // max(1, round(BLOCK_S * rate))
    edges = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(places)]
    for rows in (np.arange(a, b, dtype=np.int64) for a, b in itertools.pairwise(edges)):
        first, last = int(places[rows[0]]) - base, int(places[rows[-1]]) + base
        start, stop = max(0, first - settle), min(header.samples, last + settle)
        values = read_signal(cohort, signal, start=start, stop=stop).array[0].astype(np.float64)
        values = steadied(values, rate)[max(0, first - start) : last - start]
        values = np.pad(values, (max(0, start - first), max(0, last - stop)), mode="edge")
        around = np.lib.stride_tricks.sliding_window_view(values, 2 * base)[places[rows] - first - base]
        baseline = np.median(around, axis=1, keepdims=True)
        yield rows, around[:, base - before : base + after] - baseline
