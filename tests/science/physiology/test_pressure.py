import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.science.physiology.pressure import pressure_beats


def _pulses(systolic: Float64Array, diastolic: Float64Array, rate_hz: float, beat_s: float = 0.8) -> Float64Array:
    """Return pulses that rise in 0.12 s as half a cosine and fall evenly, with a small dicrotic wave."""
    out = []
    for s, d, after in zip(systolic, diastolic, np.r_[diastolic[1:], diastolic[-1]], strict=True):
        t = np.arange(round(beat_s * rate_hz)) / rate_hz
        up = d + (s - d) * (1 - np.cos(np.pi * np.minimum(t / 0.12, 1))) / 2
        down = s + (after - s) * np.clip((t - 0.12) / (beat_s - 0.12), 0, 1)
        wave = 0.1 * (s - d) * np.exp(-((t - 0.36) ** 2) / (2 * 0.03**2))
        out.append(np.where(t < 0.12, up, down) + wave)
    return np.concatenate(out)


@pytest.mark.parametrize("rate_hz", [60.0, 125.0, 500.0])
def test_pressures_are_those_that_were_put_in(rate_hz: float) -> None:
    rng = stream(0, "pressure")
    systolic, diastolic = rng.normal(120, 6, 60), rng.normal(75, 4, 60)
    series = _pulses(systolic, diastolic, rate_hz)
    found = pressure_beats(series, rate_hz)
    assert len(found.peak) in (59, 60)
    skip = 60 - len(found.peak)
    np.testing.assert_allclose(found.systolic, systolic[skip:], atol=2.5)
    np.testing.assert_allclose(found.diastolic[1:], diastolic[skip + 1 :], atol=2.5)
    size = round(0.8 * rate_hz)
    means = series.reshape(60, size).mean(1)[skip:]
    np.testing.assert_allclose(found.mean[1:-1], means[1:-1], atol=1.5)
    assert np.isnan(found.mean[-1])
    np.testing.assert_allclose(found.pulse, found.systolic - found.diastolic)


def test_a_damped_line_and_silence_have_no_beats() -> None:
    flat = np.full(5000, 80.0)
    assert len(pressure_beats(flat, 125).peak) == 0
    assert len(pressure_beats(np.full(5000, np.nan), 125).peak) == 0
    tiny = 80 + 2 * np.sin(2 * np.pi * 1.2 * np.arange(5000) / 125)
    assert len(pressure_beats(tiny, 125).peak) == 0
    assert len(pressure_beats(np.zeros(10), 125).peak) == 0


def test_a_gap_leaves_no_mean() -> None:
    series = _pulses(np.full(40, 120.0), np.full(40, 70.0), 125)
    series[1500:1800] = np.nan
    found = pressure_beats(series, 125)
    assert not ((found.peak >= 1500) & (found.peak < 1800)).any()
    across = (found.onset < 1500) & (np.r_[found.onset[1:], 10**9] > 1500)
    assert np.isnan(found.mean[across]).all()
    whole = found.mean[np.isfinite(found.mean)]
    assert np.ptp(whole) < 1


def test_a_wrong_rate_or_shape_is_an_error() -> None:
    for x, rate in ((np.zeros((2, 500)), 125.0), (np.zeros(500), 0.0), (np.zeros(500), float("nan"))):
        with pytest.raises(InputError):
            pressure_beats(x, rate)
