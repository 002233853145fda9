"""The form of a beat against the usual beat of its record, and how restless the rhythm around it is."""

import itertools
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.signal import SignalHeader
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.row.remembered import (
    OfArray,
    annotations_beside,
    found_beats,
    of_beats,
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
LAST, AROUND = 21, 8
SHORTEST_S, LONGEST_S = 0.2, 3.0

FORM = (
    *(RowColumn(name=n) for n in ("rr_spread", "rr_jitter")),
    *(RowColumn(name=f"{n}_rr_to_around") for n in ("before", "pre", "post", "next")),
    *(RowColumn(name=n) for n in ("form_likeness", "form_size")),
    *(RowColumn(name=f"form_apart_{n}") for n in STRETCH_NAMES),
    *(RowColumn(name=f"form_level_{n}") for n in STRETCH_NAMES),
)
"""The variables of a form row."""
_NAMES = tuple(c.name for c in FORM)
_FOUND: OfArray[tuple[IntArray, Float64Array]] = OfArray(8)


class WfdbFormReader:
    """Reads the form of beat ``anchor`` (a sample number) of the WFDB record that a ref's path names.

    Notes
    -----
    A beat is normal or not against the other beats of the same heart: a wide complex is the rule in a bundle branch
    block. So a beat is told by how it differs from the record's usual one, which needs the whole record: none of these
    numbers is causal. The part ``lead`` names the lead (the first one without it), ``reader`` the reader of the signal
    (``wfdb`` without it); ``annotations`` as for ``wfdb-rhythm``, and without it detected beats as there.
    """

    columns: ClassVar[tuple[RowColumn, ...]] = FORM

    def read(self, cohort: Cohort, ref: Ref) -> Row:
        """Return `FORM` for one beat; forms are NaN where the lead recorded nothing."""
        parts = dict(ref.part)
        try:
            anchor = int(parts["anchor"])
        except (KeyError, ValueError):
            raise damaged(ref, "the ref does not say which beat.", "a part anchor=...", "correct the cohort") from None
        return Row(_NAMES, self.rows(cohort, ref, np.array([anchor], np.int64))[0])

    def rows(self, cohort: Cohort, ref: Ref, anchors: IntArray) -> Float64Array:
        """Return the same for many beats of one record, ``n c`` float64.

        Parameters
        ----------
        cohort : Cohort
        ref : Ref
        anchors : numpy.ndarray
            ``n``, int64, in any order.

        Raises
        ------
        ReadError
            If there is no beat at one of them.
        """
        return of_beats(*_rows(cohort, ref), anchors, ref)


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
        ``n 6`` float64. With x the logarithm of the interval that ends at a beat, held within 0.2 to 3 s (the first
        beat's is the record's median): log(0.01 + deviation of x) over the last 21 beats; log(0.01 + median of
        ``|x_i - x_(i-1)|``) over the last 20 steps and the next one; x of the beat before, of the beat, of the next and
        of the one after it, each less the median of x over the beat and 8 on either side. Beyond the ends the first and
        last interval stand.

    Notes
    -----
    In atrial fibrillation every beat is early or late; what is early against a steady rhythm is an extrasystole.
    """
    if len(beats) < 2:
        return np.tile([np.log(0.01), np.log(0.01), 0.0, 0.0, 0.0, 0.0], (len(beats), 1))
    x = np.log(np.clip(np.diff(beats) / rate_hz, SHORTEST_S, LONGEST_S))
    x = np.concatenate([[np.median(x)], x])
    steps = np.abs(np.diff(x, append=x[-1]))  # step i leads from beat i to the next
    spread = _sliding(x, LAST - 1, 0).std(axis=1)
    jitter = np.median(_sliding(steps, LAST - 1, 0), axis=1)
    usual = np.median(_sliding(x, AROUND, AROUND), axis=1)
    near = _sliding(x, 1, 2) - usual[:, None]
    return np.column_stack([np.log(spread + 0.01), np.log(jitter + 0.01), near])


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
        ``n 12`` float64: the correlation of the QRS complexes; the logarithm of the ratio of their sizes (root mean
        square about their means); then for each of `STRETCHES_S` log(0.05 + root mean square of the difference), and
        the mean difference, both in units of the usual beat's root mean square. NaN where the rate leaves a stretch
        without a sample.
    """
    at = (np.arange(len(usual)) - round(BEFORE_S * rate_hz)) / rate_hz
    unit = max(float(np.sqrt(np.mean(usual**2))), 1e-9)
    within = (at >= COMPLEX_S[0]) & (at < COMPLEX_S[1])
    own = windows[:, within] - windows[:, within].mean(axis=1, keepdims=True)
    theirs = usual[within] - usual[within].mean()
    sizes = np.linalg.norm(own, axis=1), float(np.linalg.norm(theirs))
    floor = 1e-2 * unit
    columns = [
        own @ theirs / (sizes[0] * sizes[1] + floor**2),
        np.log((sizes[0] + floor) / (sizes[1] + floor)),
    ]
    apart = (windows - usual) / unit
    stretches = [apart[:, (at >= first) & (at < last)] for first, last in STRETCHES_S]
    empty = np.full(len(windows), np.nan)
    columns += [np.log(0.05 + np.sqrt(np.mean(s**2, axis=1))) if s.shape[1] else empty for s in stretches]
    columns += [s.mean(axis=1) if s.shape[1] else empty for s in stretches]
    return np.column_stack(columns)


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
        for rows, windows in _windows(cohort, signal, places, header):
            full = np.isfinite(windows).all(axis=1)
            forms[rows[full]] = form_rows(windows[full], usual, rate)
    return np.column_stack([unrest, forms])


def _windows(
    cohort: Cohort, signal: Ref, places: IntArray, header: SignalHeader
) -> Iterator[tuple[IntArray, Float64Array]]:
    """Yield which beats, and their windows ``n t`` less their baselines (NaN where something is missing).

    Notes
    -----
    Outside the record the first and last sample stand, so that a beat at its edge has a form.
    """
    rate = header.rate_hz or 1.0
    before, after, base = (round(seconds * rate) for seconds in (BEFORE_S, AFTER_S, BASE_S))
    blocks = places // max(1, round(BLOCK_S * rate))
    edges = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(places)]
    for rows in (np.arange(a, b, dtype=np.int64) for a, b in itertools.pairwise(edges)):
        first, last = int(places[rows[0]]) - base, int(places[rows[-1]]) + base
        start, stop = max(0, first), min(header.samples, last)
        values = read_signal(cohort, signal, start=start, stop=stop).array[0].astype(np.float64)
        values = np.pad(values, (start - first, last - stop), mode="edge")
        around = np.lib.stride_tricks.sliding_window_view(values, 2 * base)[places[rows] - first - base]
        baseline = np.median(around, axis=1, keepdims=True)
        yield rows, around[:, base - before : base + after] - baseline
