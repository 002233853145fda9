"""Warnings of an event in a series: how many come in time, how early, and how many are false for each hour watched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hounsfield.core.types import BoolArray, Float64Array, IntArray
from hounsfield.science.statistics.intervals import Interval, patient_weights, percentile_interval

REPLICATES = 1000


@dataclass(frozen=True)
class Watched:
    """One series and how strongly it was warned of at each reading.

    Parameters
    ----------
    patient : int
        Number of the patient.
    times_h : numpy.ndarray
        ``m`` hours, rising.
    values : numpy.ndarray
        ``m`` readings.
    scores : numpy.ndarray
        ``m``: higher is more alarming; NaN where nothing was said. Made from that reading and earlier ones alone.
    end_h : float
        Until when the series was watched.
    """

    patient: int
    times_h: Float64Array
    values: Float64Array
    scores: Float64Array
    end_h: float


@dataclass(frozen=True)
class Warnings:
    """What thresholds do, by patient.

    Parameters
    ----------
    thresholds : numpy.ndarray
        ``a``, rising.
    warned, true, false : numpy.ndarray
        ``p a``: onsets that an alarm stood for, judged alarms that an onset followed, judged ones that none followed.
    onsets, hours : numpy.ndarray
        ``p``: onsets that could be warned of, and hours outside of episodes at which an alarm can be judged.
    unforeseen : int
        Onsets before which there was no reading within the horizon: nobody could warn of them.
    again : int
        Of the onsets that could be warned of, those whose patient was below the limit already within the horizon: a
        value that hovers about the limit, which takes no foresight.
    leads_h : numpy.ndarray
        ``e a``: hours from the first alarm that stood to each onset; NaN where none stood.
    """

    thresholds: Float64Array
    warned: Float64Array
    true: Float64Array
    false: Float64Array
    onsets: Float64Array
    hours: Float64Array
    unforeseen: int
    again: int
    leads_h: Float64Array

    def sensitivity(self) -> Float64Array:
        """Return the share of onsets warned of at each threshold, ``a``."""
        return _share(self.warned, self.onsets, np.ones((len(self.onsets), 1))).ravel()

    def false_per_hour(self) -> Float64Array:
        """Return false alarms for each hour at which one could be judged at each threshold, ``a``; NaN without one."""
        return _share(self.false, self.hours, np.ones((len(self.hours), 1))).ravel()

    def precision(self) -> Float64Array:
        """Return the share of judged alarms that an onset followed, ``a``; NaN without an alarm."""
        right, wrong = self.true.sum(axis=0), self.false.sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(right / (right + wrong), np.float64)

    def place_of(self, per_hour: float) -> int | None:
        """Return the lowest threshold with at most so many false alarms per hour; None where there is none."""
        fitting = np.flatnonzero(self.false_per_hour() <= per_hour + 1e-12)
        return int(fitting[0]) if len(fitting) else None

    def at_rate(self, per_hour: float, rng: np.random.Generator) -> Interval:
        """Return the sensitivity at so many false alarms per hour, with its patient-level bootstrap interval.

        Notes
        -----
        The threshold is looked for anew in every replicate: the interval is of the curve at that rate, not of a
        threshold fixed beforehand.
        """
        people = np.arange(len(self.onsets))
        value = float(self._at(per_hour, np.ones((len(people), 1)))[0])
        if np.isnan(value):
            why = "no alarm could be judged" if self.onsets.sum() else "there was no onset that could be warned of"
            return Interval(np.nan, np.nan, np.nan, why)
        drawn = [self._at(per_hour, chunk) for chunk in patient_weights(people, replicates=REPLICATES, rng=rng)]
        every = np.concatenate(drawn) if drawn else np.zeros(0)
        return percentile_interval(value, every, patients=len(people), name="sensitivity")

    def lead_h(self, place: int) -> tuple[float, float, float]:
        """Return the quartiles of the time from warning to onset at a threshold, in hours; NaN without a warning."""
        found = self.leads_h[:, place]
        found = found[np.isfinite(found)]
        if not len(found):
            return np.nan, np.nan, np.nan
        low, middle, high = np.quantile(found, [0.25, 0.5, 0.75])
        return float(low), float(middle), float(high)

    def _at(self, per_hour: float, weights: Float64Array) -> Float64Array:
        """Return the sensitivity at a rate for weights ``p r``: ``r``, NaN where no threshold has it."""
        fitting = _share(self.false, self.hours, weights) <= per_hour + 1e-12
        place = fitting.argmax(axis=1)
        found = _share(self.warned, self.onsets, weights)[np.arange(len(place)), place]
        return np.where(fitting.any(axis=1), found, np.nan)


def _share(top: Float64Array, bottom: Float64Array, weights: Float64Array) -> Float64Array:
    """Return the share of sums ``p a`` and ``p`` for weights ``p r``, ``r a``."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights.T @ top) / (weights.T @ bottom)[:, None], np.float64)


def warn(
    series: Sequence[Watched], thresholds: Float64Array, *, below: float, within_h: float, patients: int
) -> Warnings:
    """Count what alarms at thresholds do.

    Parameters
    ----------
    series : sequence of Watched
    thresholds : numpy.ndarray
        ``a``, rising: an alarm stands while the score is at or over it.
    below : float
        The event: a reading below this, such as 65 mmHg of a mean arterial pressure.
    within_h : float
        Horizon in hours, > 0.
    patients : int
        How many there are.

    Notes
    -----
    - An *episode* is a run of readings below the limit, its *onset* the first one, if a reading not below it came
      before. During an episode nobody is warned: it is there.
    - An onset is *warned of* if an alarm stood at a reading since the episode before and at most the horizon earlier;
      *lead time* is from the first such reading on. Onsets with no such reading are counted apart.
    - An alarm *counts* when it begins to stand, and anew each time the horizon has passed while it stands or stands
      again. It is *judged* if it is known what came: the series was watched to the horizon's end, and there was a
      reading within it. It is then *true* if an onset followed within the horizon, else *false*. Alarms that only an
      onset could settle are not judged: near the end of a series, and of each piece of a long one, all that are judged
      would be true.
    - *Hours* are those from readings outside of episodes to the next one. Readings at which no alarm can be judged have
      none: hours in which no false alarm can be counted would make them look rare, the more the shorter a series is.
    """
    count = len(thresholds)
    warned, true, false = np.zeros((3, patients, count))
    found_onsets, hours = np.zeros((2, patients))
    leads: list[Float64Array] = []
    unforeseen = again = 0
    for one in series:
        under = one.values < below
        onsets = np.flatnonzero(under[1:] & ~under[:-1]) + 1
        asked = np.flatnonzero(~under & np.isfinite(one.scores))
        judged = _judged(one, asked, within_h)
        apart = np.diff(np.r_[one.times_h, one.end_h])[asked]
        hours[one.patient] += float(apart[judged].sum())
        standing = one.scores[asked, None] >= thresholds
        lead, foreseen = _leads(one, (onsets, asked), standing, within_h)
        low = np.maximum.accumulate(np.where(under, one.times_h, -np.inf))[onsets - 1]
        unforeseen += int((~foreseen).sum())
        again += int((foreseen & (low >= one.times_h[onsets] - within_h - 1e-9)).sum())
        leads.append(lead)
        found_onsets[one.patient] += len(lead)
        warned[one.patient] += np.isfinite(lead).sum(axis=0)
        right, wrong = _alarms(one, (onsets, asked), standing, judged, within_h)
        true[one.patient] += right
        false[one.patient] += wrong
    stacked = np.concatenate(leads) if leads else np.zeros((0, count))
    return Warnings(thresholds, warned, true, false, found_onsets, hours, unforeseen, again, stacked)


def _leads(
    one: Watched, places: tuple[IntArray, IntArray], standing: BoolArray, within_h: float
) -> tuple[Float64Array, BoolArray]:
    """Return lead times of onsets that could be warned of, ``e a``, and which of all onsets these are."""
    onsets, asked = places
    found: list[Float64Array] = []
    foreseen, before = np.zeros(len(onsets), np.bool_), -1
    for number, onset in enumerate(onsets):
        time = one.times_h[onset]
        chosen = (asked > before) & (asked < onset) & (one.times_h[asked] >= time - within_h - 1e-9)
        before = onset
        if not chosen.any():
            continue
        foreseen[number] = True
        ahead = time - one.times_h[asked[chosen]]
        found.append(np.where(standing[chosen], ahead[:, None], -np.inf).max(axis=0))
    lead = np.array(found).reshape(len(found), standing.shape[1])
    return np.where(np.isfinite(lead), lead, np.nan), foreseen


def _judged(one: Watched, asked: IntArray, within_h: float) -> BoolArray:
    """Return at which readings an alarm can be judged: watched to the horizon's end, and measured within it."""
    until = one.times_h[asked] + within_h
    measured = np.append(one.times_h[1:], np.inf)[asked] <= until + 1e-9
    return np.asarray(measured & (until <= one.end_h + 1e-9), np.bool_)


def _coming(one: Watched, onsets: IntArray, asked: IntArray) -> Float64Array:
    """Return when the next onset after each reading is; infinity where none is."""
    found: Float64Array = np.append(one.times_h[onsets], np.inf)[np.searchsorted(onsets, asked)]
    return found


def _alarms(
    one: Watched, places: tuple[IntArray, IntArray], standing: BoolArray, judged: BoolArray, within_h: float
) -> tuple[Float64Array, Float64Array]:
    """Return how many alarms are true and how many false at each threshold, ``a`` each."""
    onsets, asked = places
    right, wrong = np.zeros(standing.shape[1]), np.zeros(standing.shape[1])
    quiet_until = np.full(standing.shape[1], -np.inf)
    next_onset = _coming(one, onsets, asked)
    for place, step in enumerate(asked):
        now = one.times_h[step]
        raised = standing[place] & (now >= quiet_until - 1e-9)
        if not raised.any():
            continue
        follows = next_onset[place] <= now + within_h + 1e-9
        quiet_until[raised] = next_onset[place] if follows else now + within_h
        if judged[place] and follows:
            right += raised
        elif judged[place]:
            wrong += raised
    return right, wrong
