"""Heart rate and its variability as the Task Force of 1996 defines them."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array

SHORTEST_S, LONGEST_S = 0.3, 2.0
"""Intervals outside are missed or invented beats: rates above 200 or below 30 per minute."""
MOST_CHANGE = 0.2
"""An interval that differs by more from the median of its five neighbours is no normal one (Malik's 20% rule)."""
TACHOGRAM_HZ = 4.0
SEGMENT_S = 256.0
LONGEST_GAP_S = 3.0
"""Between the ends of two normal intervals: one or two beats left out are bridged, a spline over more swings wide."""
BANDS_HZ = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4)}


@dataclass(frozen=True)
class Variability:
    """Rate and variability of a stretch of normal beats.

    Parameters
    ----------
    beats : int
        Normal-to-normal intervals used.
    left_out : int
        Intervals that were not normal.
    mean_rate_bpm : float
        60 / mean interval.
    sdnn_ms, rmssd_ms, pnn50 : float
        Standard deviation of the intervals (n - 1), root mean square of successive differences, share of successive
        differences above 50 ms (0 to 1).
    vlf_ms2, lf_ms2, hf_ms2 : float
        Power from 0.0033 to 0.04, 0.04 to 0.15 and 0.15 to 0.4 Hz; NaN where the stretch is too short for a band
        (10 periods of its lower edge: 50 min, 250 s, 67 s).

    Notes
    -----
    All but the counts are NaN where too few intervals are left (2; 3 for differences).
    """

    beats: int
    left_out: int
    mean_rate_bpm: float
    sdnn_ms: float
    rmssd_ms: float
    pnn50: float
    vlf_ms2: float
    lf_ms2: float
    hf_ms2: float

    @property
    def lf_hf(self) -> float:
        """Ratio of low to high frequency power; NaN where one of them is."""
        return self.lf_ms2 / self.hf_ms2 if self.hf_ms2 > 0 else float("nan")


def normal_intervals(beat_times_s: AnyArray, normal: BoolArray | None = None) -> tuple[Float64Array, BoolArray]:
    """Return the intervals between beats, and which of them are normal-to-normal.

    Parameters
    ----------
    beat_times_s : numpy.ndarray
        ``n``, seconds, rising.
    normal : numpy.ndarray, optional
        ``n``, bool: which beats are sinus beats; all by default.

    Returns
    -------
    intervals_s : numpy.ndarray
        ``n - 1``.
    good : numpy.ndarray
        ``n - 1``, bool: between two normal beats, 0.3 to 2 s long, and within 20% of the median of its neighbours.

    Raises
    ------
    InputError
        If the times do not rise or are not numbers.
    """
    times = np.asarray(beat_times_s, np.float64)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError(
            "Times of beats do not rise.", expected="one rising row of seconds", next_step="sort them, without repeats"
        )
    intervals = np.diff(times)
    fine = np.ones(len(times), bool) if normal is None else np.asarray(normal, bool)
    good = fine[:-1] & fine[1:] & (intervals >= SHORTEST_S) & (intervals <= LONGEST_S)
    usual = np.array([_median_around(intervals, good, i) for i in range(len(intervals))])
    good &= ~(np.abs(intervals - usual) > MOST_CHANGE * usual)
    return intervals, good


def _median_around(intervals: Float64Array, good: BoolArray, i: int) -> float:
    low = max(0, i - 5)
    near = np.r_[intervals[low:i][good[low:i]], intervals[i + 1 : i + 6][good[i + 1 : i + 6]]]
    return float(np.median(near)) if len(near) else float(intervals[i])


def variability(beat_times_s: AnyArray, normal: BoolArray | None = None) -> Variability:
    """Return heart rate and variability.

    Parameters
    ----------
    beat_times_s : numpy.ndarray
        ``n``, seconds, rising.
    normal : numpy.ndarray, optional
        ``n``, bool: which beats are sinus beats.

    Notes
    -----
    Successive differences are taken of intervals that follow each other only. The spectrum is Welch's, of the
    normal intervals interpolated by a cubic spline at 4 Hz, segments of 256 s (or the whole stretch), half
    overlapping, Hann window, mean removed; no segment reaches over a gap of more than 3 s. Five minutes are the
    standard length; what is longer mixes states.

    References
    ----------
    Task Force of the ESC and NASPE, Circulation 1996;93:1043.
    """
    intervals, good = normal_intervals(beat_times_s, normal)
    kept = intervals[good] * 1000
    pairs = good[:-1] & good[1:]
    steps = np.diff(intervals)[pairs] * 1000
    times = np.asarray(beat_times_s, np.float64)[1:][good]
    bands = band_powers_ms2(times, kept)
    return Variability(
        int(good.sum()),
        int((~good).sum()),
        60_000 / float(kept.mean()) if len(kept) else float("nan"),
        float(kept.std(ddof=1)) if len(kept) > 1 else float("nan"),
        float(np.sqrt((steps**2).mean())) if len(steps) else float("nan"),
        float((np.abs(steps) > 50).mean()) if len(steps) else float("nan"),
        bands["vlf"],
        bands["lf"],
        bands["hf"],
    )


def band_powers_ms2(times_s: AnyArray, intervals_ms: AnyArray) -> dict[str, float]:
    """Return the power of a tachogram in each band.

    Parameters
    ----------
    times_s, intervals_ms : numpy.ndarray
        ``n``: the ends of the intervals, and their lengths.

    Returns
    -------
    dict of str to float
        ``vlf``, ``lf``, ``hf`` in ms²; NaN where the longest stretch without a gap of more than `LONGEST_GAP_S` is
        shorter than 10 periods of the band's lower edge.
    """
    from scipy.interpolate import CubicSpline
    from scipy.signal import welch

    x, y = np.asarray(times_s, np.float64), np.asarray(intervals_ms, np.float64)
    pieces = [p for p in np.split(np.arange(len(x)), np.flatnonzero(np.diff(x) > LONGEST_GAP_S) + 1) if len(p) > 3]
    length = max((float(x[p[-1]] - x[p[0]]) for p in pieces), default=0.0)
    if length < 10 / BANDS_HZ["hf"][0]:
        return dict.fromkeys(BANDS_HZ, float("nan"))
    even = [np.arange(x[p[0]], x[p[-1]], 1 / TACHOGRAM_HZ) for p in pieces]
    longest = SEGMENT_S if length < 10 / BANDS_HZ["vlf"][0] else 10 / BANDS_HZ["vlf"][0]
    size = min(max(map(len, even)), round(longest * TACHOGRAM_HZ))
    hz = np.fft.rfftfreq(size, 1 / TACHOGRAM_HZ)
    total, segments = np.zeros(len(hz)), 0
    for piece, at in zip(pieces, even, strict=True):
        if len(at) < size:
            continue
        series = CubicSpline(x[piece], y[piece])(at)
        _, density = welch(series, TACHOGRAM_HZ, window="hann", nperseg=size, detrend="constant")
        own = 1 + (len(at) - size) // (size - size // 2)
        total, segments = total + own * density, segments + own
    step = float(hz[1] - hz[0])
    return {
        name: float(total[(hz >= low) & (hz < high)].sum() * step / segments) if length >= 10 / low else float("nan")
        for name, (low, high) in BANDS_HZ.items()
    }
