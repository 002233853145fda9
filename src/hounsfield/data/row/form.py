"""The form of a beat against the usual beat of its record, and how restless the rhythm around it is."""

from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.row import RowColumn
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.row.beat_windows import windows_of
from hounsfield.data.row.of_beats import OfBeats
from hounsfield.data.row.remembered import (
    OfArray,
    annotations_beside,
    found_beats,
    place_of,
    rate_of_found,
)
from hounsfield.data.row.unlikeness import STRETCH_NAMES, form_rows, usual_difference
from hounsfield.data.row.unrest import unrest_rows
from hounsfield.data.signal.readers import signal_header
from hounsfield.data.signal.wfdb.aami import beats_of
from hounsfield.data.signal.wfdb.annotations import read_annotations
from hounsfield.data.signal.wfdb.header import parse_header
from hounsfield.data.signal.windows import damaged

USUAL_BEATS = 300
"""Beats, evenly spread over the record, whose median is the usual beat."""

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
    sample = np.concatenate([w for _, w in windows_of(cohort, signal, places[some], header)])
    known = sample[np.isfinite(sample).all(axis=1)]
    forms = np.full((len(beats), len(FORM) - unrest.shape[1]), np.nan)
    if len(known):
        usual = np.median(known, axis=0)
        middle, spread = usual_difference(known, usual, rate)
        for rows, windows in windows_of(cohort, signal, places, header):
            full = np.isfinite(windows).all(axis=1)
            forms[rows[full]] = (form_rows(windows[full], usual, rate) - middle) / spread
    return np.column_stack([unrest, forms])
