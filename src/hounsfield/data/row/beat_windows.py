"""The windows around the beats of a lead, filtered and less their baselines, read by the minute."""

import itertools
from collections.abc import Iterator

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.signal import SignalHeader
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.signal.readers import read_signal

BEFORE_S, AFTER_S = 0.3, 0.5
"""How much around a beat is its form."""
BASE_S = 1.0
"""The baseline of a beat is the median of so much before and after it: of the beat alone, a wide one would shift it."""
BLOCK_S = 60.0
"""So much of a record is held at once."""
BAND_HZ = (0.5, 40.0)
"""Between breathing and muscle: what lies outside is no wave of a beat, and differs from beat to beat as one would."""
SETTLE_S = 4.0
"""So much before and after a stretch is filtered with it: nine time constants of the lower edge."""


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


def windows_of(
    cohort: Cohort, signal: Ref, places: IntArray, header: SignalHeader
) -> Iterator[tuple[IntArray, Float64Array]]:
    """Yield the windows of the beats of a lead, the beats of `BLOCK_S` at a time.

    Parameters
    ----------
    cohort : Cohort
    signal : Ref
        The lead.
    places : numpy.ndarray
        ``n``, int64, rising: samples of the lead.
    header : SignalHeader
        Of the lead.

    Yields
    ------
    rows : numpy.ndarray
        Which of `places`, int64.
    windows : numpy.ndarray
        ``n t`` float64, `BEFORE_S` before to `AFTER_S` after each, less its baseline; NaN where something is missing.

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
