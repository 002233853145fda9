"""Filters: zero-phase where the whole record is there, causal where a forecast is made, and resampling."""

from fractions import Fraction
from functools import lru_cache

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array

LARGEST_FACTOR = 10_000
"""Up- and down-sampling factors stay below this; a rate that needs more is rounded, at most 0.0001 beside it."""


def filled(x: AnyArray) -> tuple[Float64Array, BoolArray]:
    """Return a series with its gaps bridged by straight lines, and where it was not a number.

    Parameters
    ----------
    x : numpy.ndarray
        ``t``.

    Returns
    -------
    series : numpy.ndarray
        ``t``, float64, finite; all zeros where nothing was.
    missing : numpy.ndarray
        ``t``, bool.
    """
    values = np.array(x, np.float64)
    missing = ~np.isfinite(values)
    if missing.all():
        return np.zeros_like(values), missing
    if missing.any():
        at = np.arange(len(values))
        values[missing] = np.interp(at[missing], at[~missing], values[~missing])
    return values, missing


def band_pass(x: AnyArray, rate_hz: float, band_hz: tuple[float, float], order: int = 2) -> Float64Array:
    """Return the part of a series between two frequencies, without delay (forward and backward).

    Parameters
    ----------
    x : numpy.ndarray
        ``... t``, finite.
    rate_hz : float
    band_hz : tuple of float
        Lower and upper edge (-3 dB for one pass, so -6 dB for both). A lower edge of 0 makes a low-pass, an upper
        edge at or above half the rate a high-pass.
    order : int
        Of one pass of the Butterworth filter.

    Raises
    ------
    InputError
        If the band is empty or lies above half the rate.

    Notes
    -----
    It looks into the future: never before a forecast; see `causal_band_pass`.
    """
    from scipy.signal import sosfiltfilt

    sos = _sections(float(rate_hz), (float(band_hz[0]), float(band_hz[1])), order)
    values = np.asarray(x, np.float64)
    if sos is None or values.shape[-1] < 2:
        return values.copy()
    reach = round(rate_hz / max(band_hz[0], 0.5))  # the longest period that passes
    result: Float64Array = sosfiltfilt(sos, values, axis=-1, padtype="odd", padlen=min(reach, values.shape[-1] - 1))
    return result


def causal_band_pass(x: AnyArray, rate_hz: float, band_hz: tuple[float, float], order: int = 2) -> Float64Array:
    """Return the part of a series between two frequencies, using no later value than each moment's own.

    Parameters and errors are those of `band_pass`; what comes out is delayed, and changing the future of the input
    changes nothing before it. The filter starts as if the first value had always been there.
    """
    from scipy.signal import sosfilt, sosfilt_zi

    sos = _sections(float(rate_hz), (float(band_hz[0]), float(band_hz[1])), order)
    values = np.asarray(x, np.float64)
    if sos is None or not values.size:
        return values.copy()
    zi = sosfilt_zi(sos)
    shape = (len(sos), *([1] * (values.ndim - 1)), 2)
    result, _ = sosfilt(sos, values, axis=-1, zi=zi.reshape(shape) * values[..., :1])
    return np.asarray(result, np.float64)


@lru_cache(maxsize=64)
def _sections(rate_hz: float, band_hz: tuple[float, float], order: int) -> Float64Array | None:
    from scipy.signal import butter

    low, high = band_hz
    half = rate_hz / 2
    if not (np.isfinite(rate_hz) and 0 <= low < high) or low >= half:
        raise InputError(
            f"A filter from {low:g} to {high:g} Hz at {rate_hz:g} samples per second.",
            expected="a band below half the rate, its lower edge first",
            next_step="name another band",
        )
    if low == 0 and high >= half:
        return None
    if low == 0:
        return np.asarray(butter(order, high, "low", fs=rate_hz, output="sos"))
    if high >= half:
        return np.asarray(butter(order, low, "high", fs=rate_hz, output="sos"))
    return np.asarray(butter(order, (low, high), "band", fs=rate_hz, output="sos"))


def without_mains(x: AnyArray, rate_hz: float, mains_hz: float) -> Float64Array:
    """Return a series without the hum of the mains and its harmonics, without delay.

    Parameters
    ----------
    x : numpy.ndarray
        ``... t``, finite.
    rate_hz : float
    mains_hz : float
        50 or 60.

    Notes
    -----
    Notches 2 Hz wide (IIR, forward and backward): a QRS complex loses next to nothing of its height.
    """
    from scipy.signal import filtfilt, iirnotch

    values = np.array(x, np.float64)
    hum = mains_hz
    while hum < rate_hz / 2 * 0.95 and hum <= 3 * mains_hz:
        b, a = iirnotch(hum, hum / 2, fs=rate_hz)
        values = filtfilt(b, a, values, axis=-1, padlen=min(round(rate_hz), values.shape[-1] - 1))
        hum += mains_hz
    return values


def resampled(x: AnyArray, rate_hz: float, to_hz: float) -> Float64Array:
    """Return a series at another rate, with what the new rate cannot hold filtered out first.

    Parameters
    ----------
    x : numpy.ndarray
        ``... t``, finite; bridge gaps with `filled` before.
    rate_hz, to_hz : float

    Returns
    -------
    numpy.ndarray
        ``... t``, float64, ``ceil(t * to_hz / rate_hz)`` samples; the first lies where the first lay.

    Raises
    ------
    InputError
        If a rate is not positive.

    Notes
    -----
    Polyphase with a Kaiser-windowed linear-phase low-pass (``scipy.signal.resample_poly``); edges are continued by
    the line between first and last value, so that an offset makes no ringing.
    """
    from scipy.signal import resample_poly

    if not (np.isfinite(rate_hz) and np.isfinite(to_hz) and rate_hz > 0 and to_hz > 0):
        raise InputError(
            f"A change of rate from {rate_hz:g} to {to_hz:g} Hz.",
            expected="two positive rates",
            next_step="correct the rate",
        )
    up, down = resampling_factors(rate_hz, to_hz)
    values = np.asarray(x, np.float64)
    if up == down or values.shape[-1] < 2:
        return values.copy()
    result: Float64Array = resample_poly(values, up, down, axis=-1, padtype="line", window=low_pass(max(up, down)))
    return result


def resampling_factors(rate_hz: float, to_hz: float) -> tuple[int, int]:
    """Return by which whole numbers a series is sampled up and down to be at another rate.

    Parameters
    ----------
    rate_hz, to_hz : float
        Positive.

    Notes
    -----
    Both stay up to `LARGEST_FACTOR`, but for a rate that is slower by more than that: every so many samples, rounded.
    """
    ratio = Fraction(to_hz / rate_hz).limit_denominator(LARGEST_FACTOR)
    if ratio.numerator == 0 or to_hz * LARGEST_FACTOR < rate_hz:
        return 1, max(1, round(rate_hz / to_hz))
    return ratio.numerator, ratio.denominator


@lru_cache(maxsize=64)
def low_pass(factor: int) -> Float64Array:
    """Return the filter that ``resample_poly`` designs at each call: for one beat that takes longer than the rest."""
    from scipy.signal import firwin

    design: Float64Array = firwin(20 * factor + 1, 1.0 / factor, window=("kaiser", 5.0))
    return design
