"""Arterial pressure beat by beat: onset, systolic, diastolic, mean, pulse pressure."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.physiology.filters import band_pass, filled

WINDOW_S = 0.128
"""Length over which the rising slopes are summed (Zong et al. 2003)."""
REFRACTORY_S = 0.25
LEAST_PULSE_MMHG = 5.0
"""A beat with a smaller pulse pressure is none: a damped line, or noise."""


@dataclass(frozen=True)
class PressureBeats:
    """The beats of an arterial pressure; all ``n``, in order.

    Parameters
    ----------
    onset : numpy.ndarray
        Sample numbers of the foot of each pulse, int64.
    peak : numpy.ndarray
        Sample numbers of the systolic peak, int64.
    systolic, diastolic, mean : numpy.ndarray
        In the unit of the input: the largest value of the beat, the value at its foot, and the average from its foot
        to the next beat's (NaN of the last beat, and of beats with a gap).
    """

    onset: IntArray
    peak: IntArray
    systolic: Float64Array
    diastolic: Float64Array
    mean: Float64Array

    @property
    def pulse(self) -> Float64Array:
        """Pulse pressure: systolic minus diastolic."""
        return self.systolic - self.diastolic


def pressure_beats(pressure: AnyArray, rate_hz: float, *, least_pulse: float = LEAST_PULSE_MMHG) -> PressureBeats:
    """Return the beats of an arterial pressure waveform.

    Parameters
    ----------
    pressure : numpy.ndarray
        ``t``, usually mmHg; NaN where nothing was recorded.
    rate_hz : float
        At least 40.
    least_pulse : float
        Smallest pulse pressure of a beat, in the unit of the input: 5 mmHg.

    Raises
    ------
    InputError
        If the rate is too low or the array has another shape.

    Notes
    -----
    The slope sum function of Zong et al.: rising slopes summed over 128 ms of a 16 Hz low-pass; a pulse begins
    where it passes a threshold that follows the last peaks. The foot is the least value before the steepest rise.

    References
    ----------
    Zong W, Heldt T, Moody GB, Mark RG. Computers in Cardiology 2003;30:259.
    """
    x = np.asarray(pressure)
    if x.ndim != 1 or not np.isfinite(rate_hz) or rate_hz < 40:
        raise InputError(
            f"Beats of pressure were asked of an array of shape {np.shape(pressure)} at {rate_hz:g} Hz.",
            expected="one lead at 40 Hz or more",
            next_step="choose another lead, or correct the rate",
        )
    empty = np.zeros(0)
    nothing = PressureBeats(empty.astype(np.int64), empty.astype(np.int64), empty, empty, empty)
    if len(x) < rate_hz:
        return nothing
    series, missing = filled(x)
    smooth = band_pass(series, rate_hz, (0.0, 16.0))
    width = max(2, round(WINDOW_S * rate_hz))
    rising = np.maximum(np.diff(smooth, prepend=smooth[0]), 0)
    rising[missing] = 0
    slopes = np.convolve(rising, np.ones(width))[: len(rising)]
    rises = _rises(slopes, rate_hz, least_pulse)
    feet = _feet(smooth, rises, rate_hz, width)
    return _measured(series, missing, feet, (rate_hz, least_pulse)) if len(feet) else nothing


def _rises(slopes: Float64Array, rate_hz: float, least_pulse: float) -> IntArray:
    """Return the peaks of the slope sum that are pulses: 35% as high as the usual peak around."""
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(slopes, distance=max(1, round(REFRACTORY_S * rate_hz)), height=least_pulse / 2)
    if not len(peaks):
        return np.zeros(0, np.int64)
    heights = slopes[peaks]
    reach = round(5 * rate_hz)
    first, last = np.searchsorted(peaks, peaks - reach), np.searchsorted(peaks, peaks + reach, "right")
    top = np.array([np.quantile(heights[a:b], 0.8) for a, b in zip(first, last, strict=True)])
    return np.asarray(peaks[heights > 0.35 * top], np.int64)


def _feet(smooth: Float64Array, rises: IntArray, rate_hz: float, width: int) -> IntArray:
    """Return the foot of each pulse: the least value in the 0.3 s before its slope sum is largest."""
    feet = []
    previous = 0
    for peak in rises:
        low = max(previous, int(peak) - width - round(0.15 * rate_hz))
        if peak > low:
            feet.append(low + int(np.argmin(smooth[low : peak + 1])))
            previous = int(peak)
    return np.unique(np.array(feet, np.int64))


def _measured(series: Float64Array, missing: BoolArray, feet: IntArray, limits: tuple[float, float]) -> PressureBeats:
    rate_hz, least_pulse = limits
    ends = np.r_[feet[1:], min(len(series), feet[-1] + round(0.5 * rate_hz))]
    peaks = np.array([a + int(np.argmax(series[a : max(a + 1, b)])) for a, b in zip(feet, ends, strict=True)], np.int64)
    systolic, diastolic = series[peaks], series[feet]
    real = (systolic - diastolic >= least_pulse) & ~missing[feet] & ~missing[peaks]
    sums = np.r_[0.0, np.cumsum(series)]
    lost = np.r_[0, np.cumsum(missing)]
    length = np.maximum(ends - feet, 1)
    mean = (sums[ends] - sums[feet]) / length
    longest = round(3 * rate_hz)
    mean[(lost[ends] - lost[feet] > 0) | (length > longest)] = np.nan
    mean[-1] = np.nan
    # where a beat was left out, the one before has no known end
    mean[:-1][~real[1:]] = np.nan
    return PressureBeats(feet[real], peaks[real], systolic[real], diastolic[real], mean[real])
