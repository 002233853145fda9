"""Signals come out with the same leads, rate, length and scale, or with the reason why not."""

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.guard import GuardLimits
from hounsfield.learn.prepare.signal import CLIP, SignalPreparation

LIMITS = GuardLimits(flag=1e9, refuse=1e9, ndim=1, size_low=(100,), size_high=(100,), colour=False)


def plan(**changes: object) -> SignalPreparation:
    values: dict[str, object] = {
        "leads": ("I", "V1"),
        "units": ("mV", "mV"),
        "steps": 100,
        "rate_hz": 100.0,
        "mean": (0.0, 0.0),
        "std": (1.0, 2.0),
    }
    return SignalPreparation.model_validate(values | changes)


def numbers(spec: SignalPreparation, signal: Signal) -> Float64Array:
    """What is prepared, as numbers to compare."""
    return spec.prepared(signal).astype(np.float64)


def wave(samples: int = 100, rate_hz: float | None = 100.0, leads: tuple[str, ...] = ("I", "V1")) -> Signal:
    t = np.arange(samples) / (rate_hz or 100.0)
    rows = [np.sin(2 * np.pi * (3 + n) * t) for n in range(len(leads))]
    return Signal(np.array(rows, dtype=np.float32), leads, ("mV",) * len(leads), rate_hz=rate_hz)


def test_leads_are_found_by_synonym_in_any_order() -> None:
    plain, turned = wave(), wave(leads=("ecg v1", "Lead I"))
    swapped = Signal(plain.array[::-1].copy(), turned.leads, turned.units, rate_hz=100.0)
    np.testing.assert_array_equal(numbers(plan(), plain), numbers(plan(), swapped))


def test_a_single_lead_needs_no_name() -> None:
    spec = plan(leads=("x",), units=("",), mean=(0.0,), std=(1.0,))
    assert np.isfinite(numbers(spec, wave(leads=("II",)))).all()


def test_a_lead_that_is_not_there_is_refused_or_missing() -> None:
    with pytest.raises(PlanError, match="no lead 'V1'"):
        numbers(plan(), wave(leads=("I", "V2")))
    found = numbers(plan(optional=("V1",)), wave(leads=("I", "V2")))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_units_are_converted_or_refused() -> None:
    mine = wave()
    micro = Signal(mine.array * 1000, mine.leads, ("uV", "uV"), rate_hz=100.0)
    np.testing.assert_allclose(numbers(plan(), micro), numbers(plan(), mine), rtol=1e-5)
    small = plan(units=("\u00b5V", "\u03bcV"))  # the micro sign and the Greek letter
    for unit in ("uV", "\u00b5V", "\u03bcV"):
        same = Signal(mine.array, mine.leads, (unit, unit), rate_hz=100.0)
        np.testing.assert_allclose(numbers(small, same), numbers(plan(), mine), rtol=1e-5)
    kilo = Signal(mine.array * np.float32(0.133322), mine.leads, ("kPa", "kPa"), rate_hz=100.0)
    np.testing.assert_allclose(numbers(plan(units=("mmHg", "mmHg")), kilo), numbers(plan(), mine), rtol=1e-4, atol=1e-5)
    with pytest.raises(PlanError, match="in mmHg, the plan is for mV"):
        numbers(plan(), Signal(mine.array, mine.leads, ("mmHg", "mmHg"), rate_hz=100.0))


def in_units(signal: Signal, *units: str) -> Signal:
    return Signal(signal.array, signal.leads, units, rate_hz=signal.rate_hz)


@pytest.mark.parametrize("unit", ["mmHg", "wobbles"])
def test_what_is_expected_and_what_to_do_are_told_where_a_unit_cannot_be_converted(unit: str) -> None:
    with pytest.raises(PlanError, match=f"Lead 'V1' is in {unit}, the plan is for mV") as caught:
        numbers(plan(), in_units(wave(), "mV", unit))
    assert "values in mV" in caught.value.expected
    assert "correct its header" in caught.value.next_step


def test_where_a_lead_holds_nothing_its_unit_does_not_matter() -> None:
    mine = wave()
    mine.array[1] = np.nan
    found = numbers(plan(), in_units(mine, "mV", "wobbles"))
    np.testing.assert_array_equal(found, numbers(plan(), mine))
    assert np.isfinite(found[0]).all()


def test_temperatures_and_concentrations_are_converted_too() -> None:
    spec = plan(leads=("Temp", "Glucose"), units=("degC", "mmol/L"), scale="none")
    t = np.arange(100) / 100
    here = np.stack([37 + t, 5 + t])
    there = np.stack([here[0] * 9 / 5 + 32, here[1] * 18.0156])
    found = numbers(spec, Signal(there.astype(np.float32), ("Temp", "Glucose"), ("\u00b0F", "mg/dL"), rate_hz=100.0))
    np.testing.assert_allclose(found, here, rtol=1e-5)


def test_another_rate_gives_the_same_wave() -> None:
    # A sine is what it is at any rate: an independent reference for the resampling.
    found = numbers(plan(), wave(samples=360, rate_hz=360.0))
    wanted = numbers(plan(), wave())
    np.testing.assert_allclose(found[:, 5:95], wanted[:, 5:95], atol=0.02)


def test_what_the_lower_rate_cannot_hold_is_filtered_out_first() -> None:
    t = np.arange(1000) / 1000.0
    hum = Signal(np.tile(np.sin(2 * np.pi * 130 * t), (2, 1)).astype(np.float32), ("I", "V1"), ("", ""), rate_hz=1000.0)
    assert np.abs(numbers(plan(), hum)[0, 10:90]).max() < 0.05  # plain thinning would show a wave of 30 Hz


def test_a_gap_stays_a_gap_at_another_rate() -> None:
    signal = wave(samples=200, rate_hz=200.0)
    array = signal.array.copy()
    array[0, 80:120] = np.nan
    found = numbers(plan(), Signal(array, signal.leads, signal.units, rate_hz=200.0))
    assert np.isnan(found[0, 41:59]).all()
    assert np.isfinite(found[0, :39]).all()
    assert np.isfinite(found[0, 61:]).all()
    assert np.isfinite(found[1]).all()


@pytest.mark.parametrize(("rate_hz", "said"), [(None, "does not say at which rate"), (40.0, "sampled at 40 Hz")])
def test_an_unknown_rate_or_one_that_is_too_low_is_refused(rate_hz: float | None, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        numbers(plan(), wave(rate_hz=rate_hz))


def test_without_a_rate_steps_count_as_they_come() -> None:
    spec = plan(rate_hz=None)
    short = numbers(spec, wave(samples=60, rate_hz=None))
    assert np.isfinite(short[:, :60]).all()
    assert np.isnan(short[:, 60:]).all()
    np.testing.assert_array_equal(
        numbers(spec, wave(samples=150, rate_hz=None)), numbers(spec, wave(samples=100, rate_hz=None))
    )


def test_one_point_is_no_series() -> None:
    with pytest.raises(PlanError, match="single point"):
        numbers(plan(rate_hz=None), wave(samples=1, rate_hz=None))


def standardised(values: Float64Array) -> Float64Array:
    found: Float64Array = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    return found


def test_scales() -> None:
    draws = stream(0, "scales")
    values = draws.normal(5.0, 3.0, (2, 100))
    signal = Signal(values.astype(np.float32), ("I", "V1"), ("", ""), rate_hz=100.0)
    about = {"mean": (5.0, 4.0), "std": (3.0, 2.0)}
    training = numbers(plan(scale="training", **about), signal)
    np.testing.assert_allclose(training, (values - [[5.0], [4.0]]) / [[3.0], [2.0]], atol=1e-5)
    level = numbers(plan(scale="level", **about), signal)
    np.testing.assert_allclose(level, (values - values.mean(axis=1, keepdims=True)) / [[3.0], [2.0]], atol=1e-5)
    np.testing.assert_allclose(numbers(plan(scale="own", **about), signal), standardised(values), atol=1e-5)
    np.testing.assert_allclose(numbers(plan(scale="none", **about), signal), values, atol=1e-5)


def test_an_artefact_is_clipped() -> None:
    signal = wave()
    signal.array[0, 50] = 1e6
    assert np.nanmax(numbers(plan(), signal)) == CLIP


def test_irregular_times_become_hours_and_the_latest_steps_are_kept() -> None:
    spec = plan(rate_hz=None, times=True, steps=3)
    times = np.array([600.0, 4200.0, 4200.0, 7800.0])
    values = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = numbers(spec, Signal(values, ("I", "V1"), ("", ""), times_s=times))
    np.testing.assert_allclose(found[0], [1.0, 1.0, 2.0])
    np.testing.assert_allclose(found[1], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(found[2], np.array([5.0, 6.0, 7.0]) / 2.0)
    with pytest.raises(PlanError, match="fixed rate, the plan is for a signal with irregular times"):
        numbers(spec, wave())


def test_nothing_and_a_flat_line_are_refused() -> None:
    spec = plan()
    nothing = Signal(np.full((2, 100), np.nan, np.float32), ("I", "V1"), ("", ""), rate_hz=100.0)
    assert "no value" in spec.blank(numbers(spec, nothing))
    flat = Signal(np.ones((2, 100), np.float32), ("I", "V1"), ("", ""), rate_hz=100.0)
    assert "flat" in plan(std=(1.0, 1.0)).blank(numbers(plan(std=(1.0, 1.0)), flat))


def test_an_empty_lead_and_a_short_signal_are_told_of() -> None:
    signal = wave(samples=40)
    signal.array[1] = np.nan
    said = plan().doubts(signal, LIMITS)
    assert any("40 steps are under half" in s for s in said)
    assert "lead V1 holds no value" in said


@pytest.mark.parametrize(
    "changes", [{"std": (1.0, 0.0)}, {"mean": (0.0,)}, {"times": True}, {"leads": ()}, {"steps": 1}, {"rate_hz": -1.0}]
)
def test_a_plan_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        plan(**changes)
