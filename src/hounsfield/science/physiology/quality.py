"""How good a recording is, lead by lead: gaps, flat lines, saturation, hum of the mains, noise, one index."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.signal import Signal
from hounsfield.core.types import BoolArray, Float32Array, Float64Array
from hounsfield.science.physiology.filters import filled

FLAT_S = 1.0
"""A lead that does not change at all for so long is not recorded; converters always flicker."""
AT_RAIL = 3
"""Samples in a row at the largest or smallest value that count as saturated."""
MAINS_HZ = (50.0, 60.0)
SLOWEST_HZ = 4.0
"""Below this rate values are readings of a monitor, not a wave: equal ones in a row are no fault of the lead."""


@dataclass(frozen=True)
class LeadQuality:
    """What was found of one lead.

    Parameters
    ----------
    lead : str
    missing, flat, saturated : float
        Shares of the time, 0 to 1: not recorded, without any change for a second, at the end of its range. Below
        `SLOWEST_HZ` a lead is flat where it never changes at all, and none is saturated: a heart rate of 72 in three
        minutes in a row, or a saturation of 100 %, is what was measured.
    hum : float
        Share of the power above 1 Hz that lies within 1 Hz of the mains frequency, 0 to 1; 0 where the rate is too
        low to tell.
    hum_hz : float
        50 or 60, whichever is stronger; NaN where the rate is too low for both.
    noise : float
        Of an electrocardiogram: the share of the power above 1 Hz that lies above 40 Hz, without the hum; NaN where
        the rate is below 100 Hz.
    index : float
        0 (useless) to 1 (clean): the share of time that is recorded, neither flat nor saturated, times 1 - hum, times
        1 - noise where it is known.
    """

    lead: str
    missing: float
    flat: float
    saturated: float
    hum: float
    hum_hz: float
    noise: float
    index: float


def lead_quality(signal: Signal) -> tuple[LeadQuality, ...]:
    """Return the quality of each lead.

    Parameters
    ----------
    signal : Signal
        With a rate; irregular series have none of these faults.

    Raises
    ------
    InputError
        If the signal has no rate.

    Notes
    -----
    The index orders recordings; it is no probability. Spectra are Welch's with segments of 2 s. Saturation is what
    stays at the lead's own extremes for 3 samples and more, so that a lead with a range it never reaches has none;
    a flat stretch is counted as flat only.
    """
    if signal.rate_hz is None:
        raise InputError(
            "The quality of a signal without a rate was asked for.",
            expected="a regular series with its rate",
            next_step="name the rate",
        )
    pairs = zip(signal.leads, signal.array, strict=True)
    return tuple(_quality(name, lead, signal.rate_hz) for name, lead in pairs)


def _quality(name: str, lead: Float32Array, rate_hz: float) -> LeadQuality:
    series, missing = filled(lead)
    if rate_hz < SLOWEST_HZ:
        flat = ~missing & (series.min() == series.max())
        saturated = np.zeros(len(series), bool)
    else:
        flat = _runs(np.diff(series, prepend=np.nan) == 0, max(2, round(FLAT_S * rate_hz))) & ~missing
        saturated = _saturated(series, missing, flat)
    usable = ~(missing | flat | saturated)
    told = rate_hz >= SLOWEST_HZ and usable.mean() > 0.05
    hum, hum_hz, noise = _spectral(series, rate_hz) if told else (0.0, float("nan"), float("nan"))
    index = float(usable.mean()) * (1 - hum) * (1 - (noise if np.isfinite(noise) else 0.0))
    away, still, clipped = (float(x.mean()) for x in (missing, flat, saturated))
    return LeadQuality(name, away, still, clipped, hum, hum_hz, noise, index)


def _runs(same: BoolArray, least: int) -> BoolArray:
    """Return the members of runs of True that are at least so long."""
    edges = np.diff(np.r_[0, same.astype(np.int8), 0])
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    result = np.zeros(len(same), bool)
    for a, b in zip(starts, stops, strict=True):
        if b - a >= least:
            result[a:b] = True
    return result


def _saturated(series: Float64Array, missing: BoolArray, flat: BoolArray) -> BoolArray:
    known = ~(missing | flat)
    if not known.any():
        return np.zeros(len(series), bool)
    low, high = float(series[known].min()), float(series[known].max())
    if low == high:
        return np.zeros(len(series), bool)
    return (_runs((series == high) & known, AT_RAIL) | _runs((series == low) & known, AT_RAIL)) & known


def _spectral(series: Float64Array, rate_hz: float) -> tuple[float, float, float]:
    from scipy.signal import welch

    size = min(len(series), round(2 * rate_hz))
    hz, power = welch(series, rate_hz, nperseg=size, detrend="linear")
    whole = float(power[hz >= 1].sum())
    if not whole > 0:
        return 0.0, float("nan"), float("nan")
    hums = {m: _above(hz, power, m) / whole for m in MAINS_HZ if m + 2 < rate_hz / 2}
    mains = max(hums, key=lambda m: hums[m]) if hums else float("nan")
    hum = min(1.0, hums.get(mains, 0.0))
    if rate_hz < 100:
        return hum, mains, float("nan")
    noise = float(power[(hz > 40) & ~(np.abs(hz - mains) <= 1)].sum()) / whole
    return hum, mains, min(1.0, noise)


def _above(hz: Float64Array, power: Float64Array, mains: float) -> float:
    """Return the power of a line above what its neighbours (2 to 5 Hz away) have."""
    away = np.abs(hz - mains)
    near, beside = power[away <= 1], power[(away >= 2) & (away <= 5)]
    return max(0.0, float(near.sum()) - len(near) * (float(np.median(beside)) if len(beside) else 0.0))
