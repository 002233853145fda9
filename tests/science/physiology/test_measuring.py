"""Which leads are taken for an electrocardiogram or a blood pressure."""

import numpy as np
import pytest

from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.science.physiology.measuring import measure_signal

RATE = 100.0


def beating(lead: str, unit: str, *, level: float = 0.0, size: float = 1.0) -> Signal:
    """Return 30 s of one lead with 72 sharp beats a minute."""
    t = np.arange(0, 30, 1 / RATE)
    phase = (t * 1.2) % 1.0
    row = level + size * np.exp(-(((phase - 0.3) / 0.03) ** 2)) + stream(0, lead).normal(0, 0.01 * size, len(t))
    return Signal(row[None].astype(np.float32), (lead,), (unit,), rate_hz=RATE)


@pytest.mark.parametrize(
    ("lead", "unit"), [("EEG Fpz-Cz", "uV"), ("Fpz-Cz", "uV"), ("PLETH", "mV"), ("EMG chin", "mV")]
)
def test_what_is_no_heart_has_no_heart_rate(lead: str, unit: str) -> None:
    found = measure_signal(beating(lead, unit))
    assert "heart_rate_bpm" not in found.values
    assert "no lead is known as an electrocardiogram" in found.missing["heart rate"]


@pytest.mark.parametrize(("lead", "unit"), [("ECG", ""), ("ekg1", ""), ("ECG MCL1", ""), ("II", ""), ("X", "mV")])
def test_an_electrocardiogram_is_known_by_name_or_volts(lead: str, unit: str) -> None:
    assert measure_signal(beating(lead, unit)).values["heart_rate_bpm"] == pytest.approx(72, abs=1)


@pytest.mark.parametrize("lead", ["CO2", "etCO2", "ICP"])
def test_not_all_mercury_is_blood_pressure(lead: str) -> None:
    found = measure_signal(beating(lead, "mmHg", level=70, size=40))
    assert not [name for name in found.values if name.endswith("_mmhg")]
    assert measure_signal(beating("ABP", "mmHg", level=70, size=40)).values["abp_systolic_mmhg"] > 100
