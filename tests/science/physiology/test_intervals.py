import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.signal import Signal
from hounsfield.science.physiology.beats import r_peaks
from hounsfield.science.physiology.intervals import Intervals, intervals
from hounsfield.science.physiology.measuring import measure_signal
from tests.science.physiology.hearts import beat_times, heart


def test_corrections_for_rate_by_hand() -> None:
    found = Intervals(10, 0.64, 100.0, 360.0)
    assert found.qtc_bazett_ms == pytest.approx(450)
    assert found.qtc_fridericia_ms == pytest.approx(360 / 0.64 ** (1 / 3))


@pytest.mark.parametrize("rate_hz", [250.0, 500.0])
def test_intervals_of_bell_curves(rate_hz: float) -> None:
    times = beat_times(60, rr_s=0.9, spread=0.02)
    lead = heart(times, rate_hz, 60, noise=0.005)
    found = intervals(lead, r_peaks(lead, rate_hz), rate_hz)
    # Q begins about 2.5 widths before its middle, S ends as far behind it; the tangent of a bell meets zero 2 widths on
    qrs = 1000 * (0.025 + 2.5 * 0.008) * 2
    assert found.qrs_ms == pytest.approx(qrs, abs=16)
    assert found.qt_ms == pytest.approx(qrs / 2 + 1000 * (0.30 + 2 * 0.045), abs=20)
    assert found.rr_s == pytest.approx(0.9, abs=0.02)


def test_an_upside_down_t_wave_ends_where_the_other_does() -> None:
    times = beat_times(60, rr_s=0.9, spread=0.02)
    up, down = (heart(times, 250, 60, noise=0.005, t_height=h) for h in (0.3, -0.3))
    peaks = r_peaks(up, 250)
    assert intervals(up, peaks, 250).qt_ms == pytest.approx(intervals(down, peaks, 250).qt_ms, abs=8)


def test_a_beat_without_a_t_wave_has_no_qt() -> None:
    times = beat_times(60, rr_s=0.9, spread=0.02)
    lead = heart(times, 250, 60, noise=0.002, t_height=0.0)
    assert np.isnan(intervals(lead, r_peaks(lead, 250), 250).qt_ms)


def test_a_wave_too_late_to_be_a_t_wave_gives_no_qt() -> None:
    times = beat_times(60, rr_s=0.9, spread=0.0)
    lead = heart(times, 250, 60, noise=0.0, t_height=0.0)
    peaks = r_peaks(lead, 250)
    late = np.zeros_like(lead)
    for r in peaks:
        middle = r + round(0.52 * 250)
        span = np.arange(max(0, middle - 30), min(len(lead), middle + 30))
        late[span] += 0.3 * np.exp(-(((span - middle) / 250 / 0.045) ** 2) / 2)
    found = intervals(lead + late, peaks, 250)
    assert np.isnan(found.qt_ms)
    assert found.qrs_ms > 0


def test_too_few_beats_are_an_error() -> None:
    with pytest.raises(InputError, match="1 whole beats"):
        intervals(np.zeros(1000), np.array([500, 900]), 250)


def test_a_signal_is_measured_by_what_its_leads_are() -> None:
    times = beat_times(330, rr_s=0.8, spread=0.02)
    ecg = heart(times, 250, 330)
    cycle = np.mod(np.arange(len(ecg)) / 250, 0.8)
    pressure = 80 + 40 * np.clip(cycle / 0.1, 0, 1) * np.clip((0.8 - cycle) / 0.7, 0, 1)
    array = np.stack([ecg, pressure]).astype(np.float32)
    found = measure_signal(Signal(array, ("MLII", "ABP"), ("mV", "mmHg"), rate_hz=250.0))
    assert found.values["heart_rate_bpm"] == pytest.approx(60 / np.diff(times).mean(), rel=0.002)
    assert found.values["sdnn_ms"] == pytest.approx(1000 * np.diff(times).std(ddof=1), rel=0.1)
    assert found.values["abp_systolic_mmhg"] == pytest.approx(120, abs=2)
    assert found.values["abp_diastolic_mmhg"] == pytest.approx(80, abs=2)
    assert found.values["abp_mean_mmhg"] == pytest.approx(100, abs=2)
    assert found.values["mlii_quality"] > 0.7
    assert 300 < found.values["qt_ms"] < 480
    assert found.missing == {}


def test_what_cannot_be_measured_is_told() -> None:
    x = np.zeros((1, 5000), np.float32)
    assert measure_signal(Signal(x, ("x",), ("",))).missing == {"all": "the signal has no rate"}
    found = measure_signal(Signal(x, ("ABP",), ("",), rate_hz=125.0))
    assert found.missing["pressure"] == "its unit is not told (mmHg)"
    assert "heart rate" in found.missing
    silent = measure_signal(Signal(x, ("II",), ("mV",), rate_hz=250.0))
    assert "intervals" in silent.missing
