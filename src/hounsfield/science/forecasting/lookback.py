"""What lies behind each question, in numbers: the last readings, how they moved, and what else was last seen."""

from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.forecasting.course import Course, carried

BACK = 48
"""Readings that are looked back at: two days of a chart, a minute and a half of beats."""
EACH = 12
"""So many of them are told one by one."""
SPANS = (3, 6, 12, 24, BACK)
MEDIANS = (3, 6, 12)
ENDS = (12, BACK)
SLOPES = (6, 12)
GAPS = (1, 2, 3, 12)


@dataclass(frozen=True)
class Lookback:
    """What is known at ``m`` questions, each a reading of the variable; nothing of it is later.

    Parameters
    ----------
    times_h, values : numpy.ndarray
        ``m b``: the last `BACK` readings, column 0 the present one, NaN before the first of the series.
    seen, ages_h : numpy.ndarray
        ``m c``: what was last seen of each other variable, and how long ago; NaN where nothing was.
    before : numpy.ndarray
        ``m c``: what was last seen at the reading before.
    """

    times_h: Float64Array
    values: Float64Array
    seen: Float64Array
    ages_h: Float64Array
    before: Float64Array


def lookback(course: Course, row: int) -> Lookback:
    """Return what lies behind each reading of a variable.

    Parameters
    ----------
    course : Course
        Cleaned.
    row : int
        The variable.
    """
    steps = course.readings(row)
    times, values = course.times_h[steps], course.values[row, steps]
    place = np.arange(len(steps))[:, None] - np.arange(BACK)[None]
    there, at = place >= 0, place.clip(0)
    others = np.delete(course.values, row, axis=0)
    when = np.where(np.isfinite(others), course.times_h, np.nan)
    seen = carried(others)[:, steps].T
    return Lookback(
        times_h=np.where(there, times[at].reshape(place.shape), np.nan),
        values=np.where(there, values[at].reshape(place.shape), np.nan),
        seen=seen,
        ages_h=times[:, None] - carried(when)[:, steps].T,
        before=np.concatenate([np.full((min(1, len(steps)), len(others)), np.nan), seen[:-1]]),
    )


def summaries(behind: Lookback) -> Float64Array:
    """Return numbers that trees look at, ``m f`` float64, NaN where there is nothing to tell.

    Parameters
    ----------
    behind : Lookback

    Notes
    -----
    The present reading; relative to it each of the last `EACH`, means, medians, smallest and largest of several spans;
    standard deviations, the mean step, the mean of the newer less that of the older half of a span; how many readings
    there are and how far they lie apart; of the other variables what was last seen, how old it is, and how far it moved
    since the reading before. Spans are counted in readings, so that a chart and a waveform are treated alike.
    """
    values, now = behind.values, behind.values[:, :1]
    known = np.isfinite(values)
    filled, over = np.where(known, values, 0.0), np.where(known, values - now, np.nan)
    counts, sums = known.cumsum(axis=1), filled.cumsum(axis=1)
    about = np.where(known, values - now, 0.0)
    squares, shifted = (about**2).cumsum(axis=1), about.cumsum(axis=1)
    told = [now[:, 0], *over[:, 1 : EACH + 1].T]
    for span in SPANS:
        mean = shifted[:, span - 1] / counts[:, span - 1]
        told += [mean, np.sqrt(np.maximum(squares[:, span - 1] / counts[:, span - 1] - mean**2, 0.0))]
    told += [np.nanmedian(over[:, :span], axis=1) for span in MEDIANS] if len(now) else [now[:, 0]] * len(MEDIANS)
    for span in ENDS:
        told += [about[:, :span].min(axis=1), about[:, :span].max(axis=1)]
    steps = np.abs(np.diff(np.where(known, values, np.nan)[:, : EACH + 1], axis=1))
    moved = np.isfinite(steps)
    with np.errstate(invalid="ignore", divide="ignore"):
        told.append(np.where(moved, steps, 0.0).sum(axis=1) / moved.sum(axis=1))
        for span in SLOPES:
            half = span // 2
            newer, older = counts[:, half - 1], counts[:, span - 1] - counts[:, half - 1]
            told.append(sums[:, half - 1] / newer - (sums[:, span - 1] - sums[:, half - 1]) / older)
    told.append(counts[:, -1].astype(np.float64))
    told += [_rounded(behind.times_h[:, 0] - behind.times_h[:, back]) for back in GAPS]
    return np.column_stack([*told, behind.seen, _rounded(behind.ages_h), behind.seen - behind.before])


def _rounded(hours: Float64Array) -> Float64Array:
    """Return times without what differs when the clock began elsewhere: trees ask whether one is over another."""
    return np.asarray(np.round(hours, 7), np.float64)


def features(variables: int) -> int:
    """Return how many numbers `summaries` gives for series of so many variables."""
    own = 1 + EACH + 2 * len(SPANS) + len(MEDIANS) + 2 * len(ENDS) + 1 + len(SLOPES) + 1 + len(GAPS)
    return own + 3 * (variables - 1)
