import itertools
import statistics

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.physiology.variability import band_powers_ms2, normal_intervals, variability

INTERVALS_MS = [812, 830, 795, 801, 880, 902, 845, 790, 760, 812, 870, 801, 799, 850, 841]


def test_the_time_domain_by_hand() -> None:
    times = np.cumsum([0, *INTERVALS_MS]) / 1000
    found = variability(times)
    steps = [b - a for a, b in itertools.pairwise(INTERVALS_MS)]
    assert (found.beats, found.left_out) == (15, 0)
    assert found.mean_rate_bpm == pytest.approx(60_000 / statistics.mean(INTERVALS_MS))
    assert found.sdnn_ms == pytest.approx(statistics.stdev(INTERVALS_MS))
    assert found.rmssd_ms == pytest.approx(statistics.mean(s * s for s in steps) ** 0.5)
    assert found.pnn50 == pytest.approx(sum(abs(s) > 50 for s in steps) / len(steps))
    assert np.isnan(found.hf_ms2)  # 12 s tell no spectrum


def test_ectopic_and_missed_beats_are_left_out() -> None:
    intervals = [800] * 10 + [500, 1100] + [800] * 10 + [1600] + [800] * 10
    found = variability(np.cumsum([0, *intervals]) / 1000)
    assert (found.beats, found.left_out) == (30, 3)
    assert found.sdnn_ms == pytest.approx(0, abs=1e-6)
    assert found.rmssd_ms == pytest.approx(0, abs=1e-6)
    normal = np.ones(len(intervals) + 1, bool)
    normal[11] = False
    assert normal_intervals(np.cumsum([0, *intervals]) / 1000, normal)[1][9:12].tolist() == [True, False, False]


@pytest.mark.parametrize(("hz", "band"), [(0.1, "lf"), (0.25, "hf"), (0.02, "vlf")])
def test_a_sine_has_its_power_in_its_band(hz: float, band: str) -> None:
    times, at = [0.0], 0.0
    while at < 3600:
        at += 0.8 + 0.03 * np.sin(2 * np.pi * hz * at)
        times.append(at)
    beats = np.array(times)
    powers = band_powers_ms2(beats[1:], np.diff(beats) * 1000)
    # interpolating between beats weakens what is near half their rate (0.62 Hz): 0.25 Hz by about a tenth
    assert powers[band] == pytest.approx(30**2 / 2, rel=0.12)
    assert sum(v for k, v in powers.items() if k != band) < 0.05 * powers[band]


def test_a_stretch_that_is_too_short_for_a_band_has_none() -> None:
    times = np.cumsum(0.8 + 0.01 * np.sin(np.arange(200)))
    found = variability(times)
    assert np.isfinite(found.hf_ms2)
    assert np.isnan(found.lf_ms2)
    assert np.isnan(found.vlf_ms2)
    assert np.isnan(found.lf_hf)


def test_few_beats_have_no_variability() -> None:
    assert np.isnan(variability(np.array([0.0])).mean_rate_bpm)
    assert variability(np.array([0.0, 0.8])).mean_rate_bpm == pytest.approx(75)
    assert np.isnan(variability(np.array([0.0, 0.8])).sdnn_ms)
    with pytest.raises(InputError, match="rise"):
        variability(np.array([0.0, 1.0, 0.5]))


@pytest.mark.parametrize("gap_s", [6.0, 15.0, 40.0])
def test_a_gap_leaves_the_spectrum_as_it_was(gap_s: float) -> None:
    """Beats that were not seen for a while: power in each band is that of the beats on both sides."""
    rng = stream(0, "gap")
    drawn = 0.9 + np.convolve(rng.normal(0, 0.03, 900), np.ones(3) / 3, "same")
    beats = np.concatenate([[0.0], np.cumsum(drawn)])
    whole = variability(beats)
    middle = float(beats[450])
    seen = variability(beats[(beats < middle) | (beats > middle + gap_s)])
    assert seen.lf_ms2 == pytest.approx(whole.lf_ms2, rel=0.25)
    assert seen.hf_ms2 == pytest.approx(whole.hf_ms2, rel=0.25)


def test_stretches_are_averaged_by_their_segments() -> None:
    """Two stretches of one segment each have the mean of their powers."""
    rng = stream(1, "stretches")
    first, second = (np.cumsum(0.9 + rng.normal(0, spread, 300)) for spread in (0.01, 0.03))
    alone = [band_powers_ms2(b[1:], np.diff(b) * 1000)["hf"] for b in (first, second)]
    later = second - second[0] + first[-1] + 60
    ends = np.concatenate([first[1:], later[1:]])
    both = band_powers_ms2(ends, np.concatenate([np.diff(first), np.diff(later)]) * 1000)["hf"]
    assert min(alone) < both < max(alone)
    assert both == pytest.approx(np.mean(alone), rel=0.1)


def test_short_stretches_have_no_spectrum_however_many_there_are() -> None:
    beats = np.concatenate([np.arange(0.0, 50.0, 0.9) + 120 * k for k in range(8)])
    assert np.isnan(variability(beats).hf_ms2)
