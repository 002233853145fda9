"""Warnings counted by hand, and by plain loops over random series."""

import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.science.statistics.warning import Watched, warn

THRESHOLDS = np.array([0.1, 0.5, 0.9])


def one(values: list[float], scores: list[float], *, end: float | None = None, gap: float = 0.5) -> Watched:
    times = np.arange(len(values), dtype=np.float64) * gap
    return Watched(0, times, np.array(values), np.array(scores), float(times[-1]) if end is None else end)


def test_a_fall_that_was_foreseen() -> None:
    series = one([80, 80, 80, 60, 60, 80, 80, 80], [0.0, 0.6, 0.7, 1.0, 1.0, 0.0, 0.0, 0.0])
    found = warn([series], THRESHOLDS, below=65, within_h=1.0, patients=1)
    np.testing.assert_array_equal(found.onsets, [1])
    np.testing.assert_array_equal(found.sensitivity(), [1, 1, 0])
    np.testing.assert_array_equal(found.false_per_hour(), [0, 0, 0])
    np.testing.assert_array_equal(found.true[0], [1, 1, 0])
    np.testing.assert_array_equal(found.leads_h, [[1.0, 1.0, np.nan]])
    # an alarm of the last hour could not be judged
    assert found.hours[0] == pytest.approx(4 * 0.5)
    assert found.lead_h(0) == (1.0, 1.0, 1.0)
    assert np.isnan(found.lead_h(2)).all()


def test_a_standing_alarm_counts_anew_after_the_horizon() -> None:
    series = one([80] * 9, [0.6] * 9)
    found = warn([series], THRESHOLDS, below=65, within_h=1.0, patients=1)
    # raised at 0, 1, 2 and 3 h; what would be raised at 4 h is not watched to its end
    np.testing.assert_array_equal(found.false[0], [4, 4, 0])
    assert found.hours[0] == pytest.approx(3.5)  # readings from 0 to 3 h, half an hour each
    assert np.isnan(found.sensitivity()).all()
    np.testing.assert_allclose(found.false_per_hour(), [4 / 3.5, 4 / 3.5, 0])
    assert np.isnan(found.precision()[2])


def test_who_begins_low_and_who_was_not_seen_cannot_be_warned() -> None:
    low_at_first = one([60, 60, 80, 80], [1, 1, 0, 0])
    unseen = Watched(0, np.array([0.0, 5.0]), np.array([80.0, 60.0]), np.array([1.0, 1.0]), 5.0)
    found = warn([low_at_first, unseen], THRESHOLDS, below=65, within_h=1.0, patients=1)
    assert found.onsets[0] == 0
    assert found.unforeseen == 1
    np.testing.assert_array_equal(found.false[0], [0, 0, 0])  # nobody looked within the hour: who says it was false?
    np.testing.assert_array_equal(found.true[0], [0, 0, 0])
    assert found.hours[0] == pytest.approx(0.0)  # 80 after an hour of low readings, and then the series ends


def test_an_alarm_is_judged_only_where_it_would_be_called_false_too() -> None:
    """An onset before the end of a series shorter than the horizon is warned of, and proves no alarm right."""
    falls, stays = one([80, 80, 60, 60], [1.0] * 4), one([80, 80, 80, 80], [1.0] * 4)
    found = warn([falls, stays], THRESHOLDS, below=65, within_h=3.0, patients=1)
    np.testing.assert_array_equal(found.warned[0], [1, 1, 1])
    np.testing.assert_array_equal([found.true[0], found.false[0]], np.zeros((2, 3)))
    assert np.isnan(found.precision()).all()
    interval = found.at_rate(0.25, stream(0, "rate"))
    assert np.isnan(interval.value)
    assert interval.reason == "no alarm could be judged"
    nothing = warn([one([80] * 9, [0.6] * 9)], THRESHOLDS, below=65, within_h=1.0, patients=1)
    assert "no onset" in str(nothing.at_rate(0.25, stream(0, "rate")).reason)


def test_alarms_before_an_earlier_episode_do_not_warn_of_the_next() -> None:
    series = one([80, 60, 80, 60], [1.0, 1.0, 0.0, 0.0])
    found = warn([series], THRESHOLDS, below=65, within_h=2.0, patients=1)
    np.testing.assert_array_equal(found.warned[0], [1, 1, 1])
    np.testing.assert_array_equal(found.onsets, [2])


def test_onsets_of_a_value_that_hovers_are_told() -> None:
    series = one([80, 60, 66, 60, 66, 60, 80, 80, 80, 80, 60, 80], [0.5] * 12)
    found = warn([series], THRESHOLDS, below=65, within_h=1.0, patients=1)
    assert (found.onsets[0], found.again) == (4, 2)
    assert warn([series], THRESHOLDS, below=65, within_h=3.0, patients=1).again == 3


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_plain_loops(seed: int) -> None:
    rng = stream(seed, "warning")
    times = np.cumsum(rng.choice([0.1, 0.3, 0.7, 2.0], 60))
    values = 70 + np.cumsum(rng.normal(0, 3, 60)) * 0.5 + rng.normal(0, 3, 60)
    scores = np.where(rng.random(60) < 0.1, np.nan, rng.random(60))
    series = Watched(0, times, values, scores, float(times[-1]) + 0.4)
    found = warn([series], THRESHOLDS, below=68, within_h=1.0, patients=1)
    onsets = [i for i in range(1, 60) if values[i] < 68 <= values[i - 1]]
    for place, limit in enumerate(THRESHOLDS):
        warned = able = again = true = false = 0
        last = -1
        for i in onsets:
            before = [
                j for j in range(last + 1, i) if values[j] >= 68 and np.isfinite(scores[j]) and times[j] >= times[i] - 1
            ]
            able += bool(before)
            again += bool(before) and any(values[j] < 68 and times[j] >= times[i] - 1 for j in range(i))
            warned += any(scores[j] >= limit for j in before)
            last = i
        quiet = -1.0
        for j in range(60):
            if values[j] < 68 or not scores[j] >= limit or times[j] < quiet - 1e-9:
                continue
            coming = [times[i] for i in onsets if i > j and times[i] <= times[j] + 1]
            judged = times[j] + 1 <= series.end_h and any(times[j] < t <= times[j] + 1 for t in times)
            true += judged and bool(coming)
            false += judged and not coming
            quiet = coming[0] if coming else times[j] + 1
        hours = 0.0
        ends = [*times[1:], series.end_h]
        for j in range(60):
            if values[j] >= 68 and np.isfinite(scores[j]):
                judged = times[j] + 1 <= series.end_h and any(times[j] < t <= times[j] + 1 for t in times)
                hours += (ends[j] - times[j]) * judged
        assert found.hours[0] == pytest.approx(hours)
        assert found.onsets[0] == able
        assert found.again == again
        assert (found.warned[0, place], found.true[0, place], found.false[0, place]) == (warned, true, false)


@pytest.mark.parametrize("length", [4.0, 6.0, 24.0])
def test_a_rate_does_not_depend_on_how_long_series_are(length: float) -> None:
    """One alarm in each series at a random time: one in so many hours, however few of them can be judged."""
    series = []
    for n in range(800):
        times = np.arange(0.0, length, 0.25)
        scores = np.zeros(len(times))
        scores[stream(n, "alarm").integers(len(times))] = 1.0
        series.append(Watched(n, times, np.full(len(times), 80.0), scores, length))
    found = warn(series, THRESHOLDS, below=65, within_h=3.0, patients=800)
    assert found.false_per_hour()[0] == pytest.approx(1 / length, rel=0.15)


@pytest.mark.parametrize("length", [4.0, 24.0])
def test_what_alarms_at_random_are_worth_does_not_depend_on_how_long_series_are(length: float) -> None:
    """Onsets come at random, one in 6 hours, and so do alarms: each is false as often as no onset follows."""
    series, count = [], round(12_000 / length)
    for n in range(count):
        rng = stream(n, "onsets and alarms")
        times = np.arange(0.0, length + 0.01, 0.25)
        values = np.where(rng.random(len(times)) < 0.25 / 6, 60.0, 80.0)
        scores = np.where(rng.random(len(times)) < 0.01, 1.0, 0.0)
        series.append(Watched(n, times, values, scores, length))
    found = warn(series, THRESHOLDS, below=65, within_h=3.0, patients=count)
    right = 1 - (1 - 0.25 / 6) ** 12  # one of the next twelve readings is low
    assert found.precision()[0] == pytest.approx(right, abs=0.08)
    assert found.false_per_hour()[0] == pytest.approx(0.01 / 0.25 * (1 - right), rel=0.2)


def test_where_no_alarm_can_be_judged_no_rate_is_told() -> None:
    found = warn([one([80] * 9, [0.6] * 9)], THRESHOLDS, below=65, within_h=100.0, patients=1)
    assert np.isnan(found.false_per_hour()).all()
    assert found.place_of(0.25) is None


def test_the_rate_is_kept_and_the_interval_is_of_patients() -> None:
    series = []
    for n in range(30):
        rng = stream(n, "rates")
        values = 75 + np.cumsum(rng.normal(0, 2, 100))
        scores = np.r_[-values[1:], -values[-1]] + rng.normal(0, 3, 100)
        series.append(Watched(n, np.arange(100, dtype=np.float64) * 0.25, values, scores, 25.0))
    grid = np.unique(np.concatenate([s.scores for s in series]))[::20]
    found = warn(series, grid, below=65, within_h=1.0, patients=30)
    place = found.place_of(0.1)
    assert place is not None
    assert found.false_per_hour()[place] <= 0.1
    interval = found.at_rate(0.1, stream(0, "rate"))
    assert interval.low <= interval.value <= interval.high
    assert interval.value == found.sensitivity()[place]
    assert found.place_of(-1.0) is None
