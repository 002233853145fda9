"""Where the heart beats: R peaks of one lead or several, by rules, polarity-free, refined to the peak."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray, BoolArray, Float64Array, IntArray
from hounsfield.science.physiology.filters import band_pass, filled, resampled
from hounsfield.science.statistics.small_quantiles import middle_around, quantile_within

WORK_HZ = 250.0
"""Rate at which beats are looked for; the peak itself is found in the record's own samples."""
BAND_HZ = (7.0, 22.0)
"""Where a QRS complex has its energy and T waves, baseline and muscle have little (Thakor et al. 1984: 10-25 Hz)."""
WIDTH_S = 0.1
"""Length of a QRS complex: the energy is summed over it."""
REFRACTORY_S = 0.2
"""No ventricle beats twice within it (Pan & Tompkins 1985)."""
T_WAVE_S = 0.36
"""A peak within it that is less than half as steep as the beat before is that beat's T wave (Pan & Tompkins 1985)."""
P_WAVE_S = 0.25
"""A peak within it before one that is steeper by a third is its P wave: no ventricle beats weakly, then fully."""
LONGEST_S = 1.5
"""Beats are looked for again in any longer interval (below 40 beats per minute), however usual it is."""
BLOCK_S = 2.0
"""Any heart above 30 beats per minute beats in each such block; its largest peak tells the level."""
WINDOW_S, MARGIN_S = 600.0, 30.0
AROUND_BLOCKS = 4
"""Blocks before and after that vote on the level."""
AROUND_GAPS = 8
"""Intervals before and after that say which one is usual."""


@dataclass(frozen=True)
class Rules:
    """The shares of the local level of beats at which a peak is one.

    Parameters
    ----------
    share : float
        Of the level above the noise: a peak that high is a beat.
    searching : float
        The same where a beat is overdue.
    overdue : float
        A beat is overdue after so many times the usual interval (Pan & Tompkins 1985: 1.66), and after 1.5 s.
    t_wave : float
        A peak soon after a beat must be that many times as steep as the beat, or it is its T wave.
    p_wave : float
        A peak just before a beat must be that many times as steep as the beat, or it is its P wave.
    between : float
        Which quantile of the peaks between beats is the noise that a beat must stand above.
    """

    share: float = 0.20
    searching: float = 0.12
    overdue: float = 1.5
    t_wave: float = 0.5
    p_wave: float = 0.75
    between: float = 0.75


def r_peaks(leads: AnyArray, rate_hz: float, *, rules: Rules | None = None) -> IntArray:
    """Return where the R peaks of an electrocardiogram lie.

    Parameters
    ----------
    leads : numpy.ndarray
        ``t`` or ``l t`` in any unit; NaN where nothing was recorded. Lead names do not matter.
    rate_hz : float
        At least 80.
    rules : Rules, optional

    Returns
    -------
    numpy.ndarray
        Sample numbers, ascending, int64: of each beat the largest deflection, up or down, of the clearest lead.

    Raises
    ------
    InputError
        If the rate is too low or not a number, or the array has another shape.
    """
    x = np.atleast_2d(np.asarray(leads))
    if x.ndim != 2 or not np.isfinite(rate_hz) or rate_hz < 80:
        raise InputError(
            f"Beats were asked of an array of shape {np.shape(leads)} at {rate_hz:g} Hz.",
            expected="leads x time at 80 Hz or more",
            next_step="choose another record, or correct its rate",
        )
    if x.shape[1] < rate_hz / 2:
        return np.zeros(0, np.int64)
    bridged = [filled(lead) for lead in x]
    series = np.stack([b[0] - np.median(b[0]) for b in bridged])
    missing = np.stack([b[1] for b in bridged])
    energies, gone = _energies(series, missing, rate_hz)
    weights = np.array([_clarity(e, g) for e, g in zip(energies, gone, strict=True)])
    if not weights.any():
        return np.zeros(0, np.int64)
    feature = _together(energies, gone, weights)
    at = _beats(feature, rules or Rules())
    narrow = band_pass(series[int(np.argmax(weights))], rate_hz, (2.0, min(40.0, 0.45 * rate_hz)))
    return _refined(np.round(at * rate_hz / WORK_HZ).astype(np.int64), narrow, rate_hz)


def r_peaks_by_window(
    read: Callable[[int, int], AnyArray], samples: int, rate_hz: float, *, rules: Rules | None = None
) -> IntArray:
    """Return the R peaks of a record of any length, of which ten minutes at a time are held.

    Parameters
    ----------
    read : callable
        From first sample and end to that window of the record, ``l t``.
    samples : int
        Length of the record.
    rate_hz : float
    rules : Rules, optional

    Returns
    -------
    numpy.ndarray
        As `r_peaks`; levels are local, so that all but few beats are those of the record as a whole.
    """
    size, margin = round(WINDOW_S * rate_hz), round(MARGIN_S * rate_hz)
    found = []
    for start in range(0, samples, size):
        stop = min(samples, start + size)
        first = max(0, start - margin)
        peaks = r_peaks(read(first, min(samples, stop + margin)), rate_hz, rules=rules) + first
        found.append(peaks[(peaks >= start) & (peaks < stop)])
    whole = np.concatenate(found) if found else np.zeros(0, np.int64)
    apart = np.diff(whole, prepend=-samples) > REFRACTORY_S * rate_hz / 2  # a beat on the border, seen from both sides
    return np.asarray(whole[apart], np.int64)


def _energies(series: Float64Array, missing: BoolArray, rate_hz: float) -> tuple[Float64Array, BoolArray]:
    """Return root mean square slope over a QRS's length at the working rate, and where it is not known."""
    from scipy.ndimage import binary_dilation, uniform_filter1d

    x = resampled(series, rate_hz, WORK_HZ)
    slope = np.gradient(band_pass(x, WORK_HZ, BAND_HZ), axis=-1) * WORK_HZ
    width = round(WIDTH_S * WORK_HZ)
    power = uniform_filter1d(slope**2, width, axis=-1, mode="nearest")
    n = x.shape[-1]
    source = np.minimum((np.arange(n) * rate_hz / WORK_HZ).astype(np.int64), series.shape[-1] - 1)
    gone = np.stack([binary_dilation(m[source], np.ones(width, bool)) for m in missing])
    energy = np.sqrt(np.maximum(power, 0))
    energy[gone] = 0
    return energy, gone


def _clarity(energy: Float64Array, gone: BoolArray) -> float:
    """Return how far the beats of a lead stand out: level of the beats over the floor between them, 0 without any."""
    known = energy[~gone]
    if len(known) < WORK_HZ / 2 or not known.max() > 0:
        return 0.0
    floor = max(float(np.quantile(known, 0.3)), 1e-6 * float(known.max()))
    return float(np.median(_block_maxima(known)) / floor)


def _together(energies: Float64Array, gone: BoolArray, weights: Float64Array) -> Float64Array:
    """Return one series of all leads: each by its own level, weighed by its clarity."""
    total = np.zeros(energies.shape[1])
    weight = np.zeros(energies.shape[1])
    for energy, without, w in zip(energies, gone, weights, strict=True):
        if w > 0:
            total += w * energy / np.median(_block_maxima(energy[~without]))
            weight += w * ~without
    return np.asarray(total / np.maximum(weight, 1e-12), np.float64)


def _block_maxima(x: Float64Array) -> Float64Array:
    size = round(BLOCK_S * WORK_HZ)
    blocks = max(1, len(x) // size)
    size = min(size, len(x))
    return np.asarray(x[: blocks * size].reshape(blocks, size).max(1), np.float64)


def _beats(feature: Float64Array, rules: Rules) -> Float64Array:
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(feature, distance=round(REFRACTORY_S * WORK_HZ))
    if not len(peaks):
        return np.zeros(0)
    height = feature[peaks]
    level, floor = (series[peaks] for series in _local(feature))
    found = np.zeros(0, np.int64)
    for _ in range(2):  # first above the floor, then above the waves between the beats that were found
        score = (height - floor) / np.maximum(level - floor, 1e-12)
        sure = _without_waves(list(np.flatnonzero(score > rules.share)), peaks, height, rules)
        found = np.array(_searched(sure, peaks, score, rules), np.int64)
        floor = np.maximum(floor, _between(peaks, height, found, rules.between))
    return np.asarray(peaks[found], np.float64)


def _between(peaks: IntArray, height: Float64Array, beats: IntArray, share: float) -> Float64Array:
    """Return at each peak how high those around it are that are no beats: T and P waves, noise."""
    other = np.ones(len(peaks), bool)
    other[beats] = False
    at, high = peaks[other], height[other]
    if not len(at):
        return np.zeros(len(peaks))
    reach = (AROUND_BLOCKS + 0.5) * BLOCK_S * WORK_HZ
    first, last = np.searchsorted(at, peaks - reach), np.searchsorted(at, peaks + reach)
    return np.nan_to_num(quantile_within(high, first, last, share=share))


def _local(feature: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the level of beats and of what lies between them, at each sample."""
    size = round(BLOCK_S * WORK_HZ)
    tops = _block_maxima(feature)
    blocks = len(tops)
    step = min(size, len(feature))
    lows = np.quantile(feature[: blocks * step].reshape(blocks, step), 0.3, axis=1)
    level, floor = (middle_around(values, AROUND_BLOCKS) for values in (tops, lows))
    centres = (np.arange(blocks) + 0.5) * step
    at = np.arange(len(feature))
    return np.interp(at, centres, level), np.interp(at, centres, floor)


def _without_waves(sure: list[int], peaks: IntArray, height: Float64Array, rules: Rules) -> list[int]:
    """Return the peaks that are neither the T wave of the beat before nor the P wave of the beat after."""
    kept: list[int] = []
    for i in sure:
        if kept and peaks[i] - peaks[kept[-1]] < P_WAVE_S * WORK_HZ and height[kept[-1]] < rules.p_wave * height[i]:
            kept.pop()
        if kept and peaks[i] - peaks[kept[-1]] < T_WAVE_S * WORK_HZ and height[i] < rules.t_wave * height[kept[-1]]:
            continue
        kept.append(i)
    return kept


def _searched(sure: list[int], peaks: IntArray, score: Float64Array, rules: Rules) -> list[int]:
    """Return the beats with those that were found again where one was overdue."""
    found = list(sure)
    for _ in range(4):
        at = peaks[found]
        if len(at) < 3:
            return found
        gaps = np.diff(at)
        usual = middle_around(gaps, AROUND_GAPS)
        added: list[int] = []
        for i in np.flatnonzero(gaps > np.minimum(rules.overdue * usual, LONGEST_S * WORK_HZ)):
            inner = np.arange(found[i] + 1, found[i + 1])
            inner = inner[(peaks[inner] - at[i] > T_WAVE_S * WORK_HZ) & (at[i + 1] - peaks[inner] > P_WAVE_S * WORK_HZ)]
            if len(inner):
                best = int(inner[np.argmax(score[inner])])
                if score[best] > rules.searching:
                    added.append(best)
        if not added:
            return found
        found = sorted([*found, *added])
    return found


def _refined(at: IntArray, lead: Float64Array, rate_hz: float) -> IntArray:
    """Return the largest deflection within 80 ms of each beat."""
    reach = round(0.08 * rate_hz)
    at = at[at - reach < len(lead)]
    inner = (at >= reach) & (at + reach < len(lead))
    result = [np.zeros(0, np.int64)]
    if inner.any():
        pieces = np.lib.stride_tricks.sliding_window_view(lead, 2 * reach + 1)[at[inner] - reach]
        away = np.abs(pieces - np.median(pieces, axis=1, keepdims=True))
        result.append(at[inner] - reach + away.argmax(axis=1))
    for i in at[~inner].tolist():
        low = max(0, i - reach)
        piece = lead[low : i + reach + 1]
        result.append(np.array([low + int(np.argmax(np.abs(piece - np.median(piece))))], np.int64))
    return np.unique(np.concatenate(result))
