import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.types import Float64Array
from hounsfield.science.physiology.beats import r_peaks, r_peaks_by_window
from hounsfield.science.physiology.matching import BeatMatch, match_beats
from tests.science.physiology.hearts import beat_times, heart


def _check(times: Float64Array, found: np.ndarray, rate_hz: float, within_s: float = 0.012) -> None:
    assert len(found) == len(times)
    assert np.abs(found / rate_hz - times).max() < within_s


@pytest.mark.parametrize("rate_hz", [100.0, 128.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_beats_are_found_at_every_rate_and_polarity(rate_hz: float, sign: int) -> None:
    times = beat_times(60)
    _check(times, r_peaks(sign * heart(times, rate_hz, 60), rate_hz), rate_hz, max(0.012, 1.5 / rate_hz))


@pytest.mark.parametrize("scale", [1e-3, 200.0, 1e6])
def test_the_unit_does_not_matter(scale: float) -> None:
    times = beat_times(30)
    lead = heart(times, 250, 30)
    np.testing.assert_array_equal(r_peaks(lead * scale + 17 * scale, 250), r_peaks(lead, 250))


def test_tall_t_waves_are_no_beats() -> None:
    times = beat_times(60, rr_s=1.0)
    _check(times, r_peaks(heart(times, 360, 60, t_height=1.2), 360), 360)


def test_slow_and_fast_hearts() -> None:
    for rr, spread in ((1.7, 0.05), (0.42, 0.01)):
        times = beat_times(120, rr_s=rr, spread=spread)
        _check(times, r_peaks(heart(times, 250, 120), 250), 250)


def test_a_small_beat_is_found_where_one_is_overdue() -> None:
    times = beat_times(60, rr_s=0.8, spread=0.01)
    lead = heart(np.delete(times, 30), 250, 60) + 0.22 * heart(times[30:31], 250, 60, noise=0)
    _check(times, r_peaks(lead, 250), 250, 0.05)


def test_a_gap_and_an_unplugged_lead_do_not_matter() -> None:
    times = beat_times(60)
    lead = heart(times, 250, 60)
    gap = lead.copy()
    gap[250 * 20 : 250 * 24] = np.nan
    found = r_peaks(gap, 250)
    kept = times[(times < 19.9) | (times > 24.1)]
    assert match_beats(kept * 250, found, 250).false_negatives <= 1
    assert not ((found > 250 * 20) & (found < 250 * 24)).any()
    dead = np.stack([np.zeros_like(lead), np.full_like(lead, np.nan), lead])
    np.testing.assert_array_equal(r_peaks(dead, 250), r_peaks(lead, 250))


def test_leads_help_each_other() -> None:
    times = beat_times(60)
    noisy = np.stack([heart(times, 250, 60, noise=0.02, seed=s) for s in range(3)])
    for row, start in enumerate((10, 25, 40)):
        noisy[row, start * 250 : (start + 10) * 250] = 0  # each lead is lost for ten seconds
    _check(times, r_peaks(noisy, 250), 250, 0.1)


@pytest.mark.parametrize("lead", [np.zeros(5000), np.full(5000, np.nan), np.zeros(10), np.full((3, 5000), 7.0)])
def test_silence_has_no_beats(lead: Float64Array) -> None:
    assert len(r_peaks(lead, 250)) == 0


def test_a_rate_that_is_too_low_is_an_error() -> None:
    for rate in (0.0, 50.0, float("nan")):
        with pytest.raises(InputError, match="80 Hz"):
            r_peaks(np.zeros(5000), rate)


def test_windows_give_the_beats_of_the_whole() -> None:
    times = beat_times(1900)
    lead = heart(times, 100, 1900)
    longest = 0

    def read(start: int, stop: int) -> Float64Array:
        nonlocal longest
        longest = max(longest, stop - start)
        return lead[None, start:stop]

    found = r_peaks_by_window(read, len(lead), 100)
    assert longest <= 660 * 100
    _check(times, found, 100, 0.02)


def test_matching_is_one_to_one_within_150_ms() -> None:
    reference = np.array([100, 200, 300, 400])
    assert match_beats(reference, np.array([115, 185, 316, 320]), 100.0) == BeatMatch(2, 2, 2)
    assert match_beats(reference, reference, 100.0) == BeatMatch(4, 0, 0)
    assert match_beats(reference, np.array([99, 101]), 100.0) == BeatMatch(1, 3, 1)
    assert match_beats(reference, np.array([150]), 100.0) == BeatMatch(0, 4, 1)


def test_beats_in_flutter_do_not_count() -> None:
    found = match_beats(np.array([100, 200, 300]), np.array([100, 230, 240, 300]), 100.0, excluded=[(190, 250)])
    assert found == BeatMatch(2, 0, 0)
    assert (found + BeatMatch(0, 2, 1)) == BeatMatch(2, 2, 1)
    assert (found + BeatMatch(0, 2, 1)).sensitivity == 0.5
    assert (found + BeatMatch(0, 2, 1)).positive_predictivity == pytest.approx(2 / 3)
    assert np.isnan(BeatMatch(0, 0, 0).sensitivity)
