"""Intervals of the averaged beat: QRS duration, QT, and QT corrected for rate."""

from dataclasses import dataclass, replace

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.science.physiology.filters import band_pass, filled

BEFORE_S, AFTER_S = 0.3, 0.6
LEAST_BEATS = 3
PLAUSIBLE_MS = (250.0, 600.0)
"""Bounds of a QT corrected by Fridericia. Beyond them a wave was taken for the T wave that is none: the next P wave,
a return of the baseline."""


@dataclass(frozen=True)
class Intervals:
    """Intervals of an averaged beat.

    Parameters
    ----------
    beats : int
        Beats averaged.
    rr_s : float
        Median interval between beats.
    qrs_ms, qt_ms : float
        Duration of the QRS complex; from its beginning to the end of the T wave; NaN where not found.
    """

    beats: int
    rr_s: float
    qrs_ms: float
    qt_ms: float

    @property
    def qtc_bazett_ms(self) -> float:
        """QT over the square root of RR in seconds (Bazett 1920)."""
        return self.qt_ms / float(self.rr_s**0.5)

    @property
    def qtc_fridericia_ms(self) -> float:
        """QT over the cube root of RR in seconds (Fridericia 1920)."""
        return self.qt_ms / float(self.rr_s ** (1 / 3))


def intervals(lead: AnyArray, peaks: IntArray, rate_hz: float) -> Intervals:
    """Return the intervals of the median of some beats.

    Parameters
    ----------
    lead : numpy.ndarray
        ``t``; NaN where nothing was recorded.
    peaks : numpy.ndarray
        ``n``, R peaks as sample numbers, ascending.
    rate_hz : float

    Raises
    ------
    InputError
        If fewer than 3 whole beats are left.

    Notes
    -----
    The QRS complex lasts as long as the slope of the median beat, smoothed over 10 ms, stays above 5% of its largest
    value; the T wave ends where the tangent at its steepest return meets the baseline before the QRS complex
    (Lepeschkin & Surawicz 1952). One lead: intervals over all leads are longer. Beats of another form
    than the usual one do not move a median, unless they are half of all. The end of a flat or two-phased T wave is
    uncertain by several 10 ms; an implausible one is not given (`PLAUSIBLE_MS`).

    References
    ----------
    Lepeschkin E, Surawicz B. Circulation 1952;6:378. Bazett HC. Heart 1920;7:353. Fridericia LS. Acta Med Scand
    1920;53:469.
    """
    series, missing = filled(lead)
    at = np.asarray(peaks, np.int64)
    before, after = round(BEFORE_S * rate_hz), round(AFTER_S * rate_hz)
    gaps = np.diff(at) / rate_hz
    rr = float(np.median(gaps)) if len(gaps) else float("nan")
    after = min(after, round((rr - 0.1) * rate_hz)) if rr > 0.35 else after
    inside = at[(at >= before) & (at + after < len(series))]
    inside = np.array([i for i in inside if not missing[i - before : i + after].any()], np.int64)
    if len(inside) < LEAST_BEATS or not np.isfinite(rr):
        raise InputError(
            f"{len(inside)} whole beats are there to measure intervals of.",
            expected=f"at least {LEAST_BEATS}",
            next_step="choose a longer or a better stretch",
        )
    calm = band_pass(series, rate_hz, (0.5, min(40.0, 0.45 * rate_hz)))
    beat = np.median(np.stack([calm[i - before : i + after] for i in inside]), axis=0)
    first, last = _qrs(beat, before, rate_hz)
    end = _t_end(beat, first, last, rate_hz)
    qt = float("nan") if end is None else (end - first) / rate_hz * 1000
    found = Intervals(len(inside), rr, (last - first) / rate_hz * 1000, qt)
    low, high = PLAUSIBLE_MS
    return found if low <= found.qtc_fridericia_ms <= high else replace(found, qt_ms=float("nan"))


def _qrs(beat: Float64Array, centre: int, rate_hz: float) -> tuple[int, int]:
    """Return first and last sample of the complex around the R peak of a median beat."""
    from scipy.ndimage import uniform_filter1d

    slope = uniform_filter1d(np.abs(np.gradient(beat)), max(1, round(0.01 * rate_hz)))
    reach = round(0.12 * rate_hz)
    low, high = max(0, centre - reach), min(len(beat), centre + reach)
    limit = 0.05 * float(slope[low:high].max())
    steep = np.flatnonzero(slope[low:high] > 2 * limit) + low
    if not len(steep):
        return centre, centre
    first, last = int(steep[0]), int(steep[-1])
    quiet = max(1, round(0.008 * rate_hz))
    while first > low and (slope[max(low, first - quiet) : first] > limit).any():
        first -= 1
    while last < high - 1 and (slope[last + 1 : min(high, last + 1 + quiet)] > limit).any():
        last += 1
    return first, last


def _t_end(beat: Float64Array, first: int, last: int, rate_hz: float) -> float | None:
    """Return where the tangent at the T wave's steepest return meets the baseline."""
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(beat, max(1, round(0.03 * rate_hz)))
    base = float(np.median(smooth[max(0, first - round(0.03 * rate_hz)) : max(1, first - round(0.005 * rate_hz))]))
    begin = last + round(0.08 * rate_hz)
    if begin >= len(beat) - 3:
        return None
    wave = smooth[begin:] - base
    top = int(np.argmax(np.abs(wave)))
    height = float(wave[top])
    if top in (0, len(wave) - 1) or abs(height) < 0.02 * float(np.ptp(beat)):
        return None
    fall = np.gradient(smooth)[begin + top :] * -np.sign(height)
    reach = fall[: round(0.2 * rate_hz)]
    steepest = int(np.argmax(reach))
    if not reach[steepest] > 0:
        return None
    place = begin + top + steepest
    return place + float((smooth[place] - base) * np.sign(height)) / float(reach[steepest])
