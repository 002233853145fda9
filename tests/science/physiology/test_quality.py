import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array
from hounsfield.science.physiology.quality import LeadQuality, lead_quality
from tests.science.physiology.hearts import beat_times, heart

LEAD = heart(beat_times(20), 250, 20, noise=0.01)


def _of(lead: Float64Array) -> LeadQuality:
    return lead_quality(Signal(lead[None].astype(np.float32), ("II",), ("mV",), rate_hz=250.0))[0]


def test_a_clean_lead_is_clean() -> None:
    found = _of(LEAD)
    assert (found.missing, found.flat, found.saturated) == (0, 0, 0)
    assert found.hum < 0.01
    assert found.index > 0.9


def test_gaps_flat_lines_and_saturation_are_told() -> None:
    lead = LEAD.copy()
    lead[:500] = np.nan
    lead[1000:2000] = lead[1000]
    found = _of(lead)
    assert found.missing == pytest.approx(0.1)
    assert found.flat == pytest.approx(0.2, abs=0.001)
    clipped = _of(np.clip(LEAD, -10, 0.4))
    assert clipped.saturated > 0.02
    assert clipped.index < _of(LEAD).index
    assert _of(np.full(5000, np.nan)).index == 0
    assert _of(np.zeros(5000)).index == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_is_told_with_its_frequency(mains: float) -> None:
    hum = 0.2 * np.sin(2 * np.pi * mains * np.arange(len(LEAD)) / 250)
    found = _of(LEAD + hum)
    power = (hum**2).mean() / ((LEAD - LEAD.mean()) ** 2 + hum**2).mean()
    assert found.hum_hz == mains
    assert found.hum > power / 2
    assert found.index < 1 - found.hum


def test_a_series_without_a_rate_has_no_quality() -> None:
    with pytest.raises(InputError, match="rate"):
        lead_quality(Signal(np.zeros((1, 5), np.float32), ("x",), ("",)))


@pytest.mark.parametrize("rate_hz", [1 / 3600, 1 / 60, 0.25, 1.0])
def test_readings_of_a_monitor_are_no_wave(rate_hz: float) -> None:
    rate = np.repeat([72.0, 74.0, 71.0, 80.0], 5)
    oxygen = np.full(20, 100.0)
    oxygen[7] = 97.0
    still = np.full(20, 37.0)
    gone = np.where(np.arange(20) < 5, np.nan, rate)
    array = np.stack([rate, oxygen, still, gone]).astype(np.float32)
    signal = Signal(array, ("HR", "SpO2", "T", "RR"), ("bpm", "%", "C", ""), rate_hz=rate_hz)
    found = lead_quality(signal)
    assert [(q.flat, q.saturated, q.missing) for q in found] == [(0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0.25)]
    assert [q.index for q in found] == [1, 1, 0, 0.75]
    assert all(q.hum == 0 and np.isnan(q.hum_hz) and np.isnan(q.noise) for q in found)
