"""What is prepared of a long signal is what is prepared of the same held whole."""

import tracemalloc

import numpy as np
import pytest

from hounsfield.core import long_signal
from hounsfield.core.errors import PlanError
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.learn.guard import GuardLimits
from hounsfield.learn.prepare.long_signal import LeadMoments
from hounsfield.learn.prepare.signal import SignalPreparation

LEADS = ("II", "ABP", "V1")
UNITS = ("uV", "mmHg", "mV")


def whole(samples: int = 20_000, rate_hz: float = 360.0) -> Signal:
    draws = stream(0, "long preparation")
    values = draws.normal(size=(3, samples)).cumsum(axis=1) + 80
    values[1, 3000:9000] = np.nan
    values[2, :50] = np.nan
    return Signal(values.astype(np.float32), LEADS, UNITS, rate_hz=rate_hz)


def long(signal: Signal) -> LongSignal:
    def read(start: int, stop: int) -> Signal:
        return Signal(signal.array[:, start:stop].copy(), signal.leads, signal.units, rate_hz=signal.rate_hz)

    assert signal.rate_hz is not None
    return LongSignal(signal.leads, signal.units, signal.samples, signal.rate_hz, read)


def plan(**changes: object) -> SignalPreparation:
    values: dict[str, object] = {
        "leads": ("II", "ABP", "aVF"),
        "optional": ("aVF",),
        "units": ("mV", "mmHg", "mV"),
        "steps": 700,
        "rate_hz": 125.0,
        "mean": (0.0, 80.0, 0.0),
        "std": (0.1, 20.0, 1.0),
    }
    return SignalPreparation.model_validate(values | changes)


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_signal, "STRETCH_VALUES", 3000)


@pytest.mark.parametrize("scale", ["training", "level", "own", "none"])
@pytest.mark.parametrize("rate_hz", [125.0, 360.0, None, 500.0])
@pytest.mark.parametrize("steps", [700, 40_000])
def test_long_as_whole(scale: str, rate_hz: float | None, steps: int) -> None:
    signal = whole()
    spec = plan(scale=scale, rate_hz=rate_hz, steps=steps)
    wanted, found = spec.prepared(signal), spec.prepared(long(signal))
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found.astype(np.float64), wanted.astype(np.float64), rtol=2e-6, atol=2e-6)


def test_half_precision_is_stored_alike() -> None:
    spec = plan(storage="float16", scale="own")
    found, wanted = spec.prepared(long(whole())), spec.prepared(whole())
    assert found.dtype == np.float16
    np.testing.assert_allclose(found.astype(np.float32), wanted.astype(np.float32), rtol=1e-3)


def test_what_does_not_fit_is_refused_for_the_same_reason() -> None:
    signal = whole(9000)
    for changes in (
        {"leads": ("II", "ABP", "V5"), "optional": ()},
        {"units": ("mmHg", "mmHg", "mV")},
        {"rate_hz": 1000.0},
        {"times": True, "rate_hz": None},
    ):
        spec = plan(**changes)
        with pytest.raises(PlanError) as wanted:
            spec.prepared(signal)
        with pytest.raises(PlanError) as found:
            spec.prepared(long(signal))
        assert found.value.message() == wanted.value.message()


def test_a_rate_that_nothing_tells_is_refused_still() -> None:
    signal = whole(9000)
    with pytest.raises(PlanError, match="does not say at which rate"):
        plan().prepared(Signal(signal.array, LEADS, UNITS))


def test_leads_without_a_value_are_doubted_in_long_signals_too() -> None:
    limits = GuardLimits(flag=1e9, refuse=1e9, ndim=1, size_low=(50_000,), size_high=(100_000,), colour=False)
    signal = whole(9000)
    signal.array[1] = np.nan
    said = plan().doubts(signal, limits)
    assert said == [
        "9000 steps are under half of the training signals' (50000 at the 5th percentile)",
        "lead ABP holds no value",
    ]
    assert plan().doubts(long(signal), limits) == said


def test_a_picture_shows_what_is_looked_at() -> None:
    signal = whole()
    spec = plan(scale="none")
    shown = spec.shown(long(signal))
    assert isinstance(shown, Signal)
    assert (shown.samples, shown.rate_hz, shown.leads) == (700, 125.0, ("II", "ABP", "aVF"))
    np.testing.assert_allclose(shown.array.astype(np.float64), spec.prepared(signal).astype(np.float64), rtol=1e-5)
    np.testing.assert_allclose(spec.moments(shown), spec.moments(signal))
    assert spec.shown(signal) is signal


def test_moments_of_pieces_are_those_of_the_whole() -> None:
    values = stream(3, "pieces").normal(1e6, 1.0, (2, 5001))
    values[0, 100:2000] = np.nan
    values[1] = np.nan
    found = LeadMoments.of(np.array_split(values, 17, axis=1))
    assert found.mean[0] == pytest.approx(np.nanmean(values[0]), rel=1e-14)
    assert found.std[0] == pytest.approx(np.nanstd(values[0]), rel=1e-9)
    assert (found.count[1], found.mean[1], found.std[1]) == (0, 0, 0)


def test_memory_does_not_grow_with_the_record() -> None:
    def made(start: int, stop: int) -> Signal:
        at = np.arange(start, stop)
        rows = [np.sin(at / (3 + n)) for n in range(3)]
        return Signal(np.array(rows, np.float32), LEADS, UNITS, rate_hz=500.0)

    spec = plan(scale="own", optional=("aVF",), rate_hz=100.0)
    peaks = []
    for samples in (100_000, 800_000):
        signal = LongSignal(LEADS, UNITS, samples, 500.0, made)
        spec.prepared(signal)
        tracemalloc.start()
        spec.prepared(signal)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 1 << 20  # whole it is 9.6 million bytes, as it is stored alone
