"""What is known of signals over the training part."""

import numpy as np
import pytest

from hounsfield.core import long_signal
from hounsfield.core.cohort import InputSpec, Ref
from hounsfield.core.errors import CohortError
from hounsfield.core.fingerprint import SignalFacts
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.streams import stream
from hounsfield.stages.fingerprinting.signals import SIGNALS, SignalLook, unlike_unit, usual_units

SPEC = InputSpec(name="x", kind="signal", ndim=1)


def look(signal: Signal, *, anchor: int | None = None, spec: InputSpec = SPEC) -> SignalLook:
    header = SignalHeader(signal.leads, signal.units, 9000, signal.rate_hz, "WFDB", 100)
    part = () if anchor is None else (("anchor", anchor),)
    return SIGNALS.look(signal, header, spec=spec, ref=Ref("wfdb", "100.hea", part))


def wave(number: int, *, leads: tuple[str, ...] = ("I", "V1"), steps: int = 100, rate_hz: float = 100.0) -> Signal:
    values = stream(number, "facts").normal(3.0, 2.0, (len(leads), steps)).astype(np.float32)
    return Signal(values, leads, ("mV",) * len(leads), rate_hz=rate_hz)


def facts(looks: list[SignalLook]) -> SignalFacts:
    return SIGNALS.facts("x", looks)


def test_means_and_deviations_are_those_of_all_values() -> None:
    signals = [wave(n, steps=50 + n) for n in range(30)]
    found = facts([look(s) for s in signals])
    # each signal counts alike, whatever its length
    means = np.array([s.array.mean(axis=1, dtype=np.float64) for s in signals])
    squares = np.array([(s.array.astype(np.float64) ** 2).mean(axis=1) for s in signals])
    np.testing.assert_allclose(found.mean, means.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.std, np.sqrt(squares.mean(axis=0) - means.mean(axis=0) ** 2), rtol=1e-4)
    assert (found.steps_low, found.steps_median, found.steps_high) == (51, 64, 78)
    assert found.duration_median_s == pytest.approx(0.645)


def test_rare_leads_are_left_out_and_lacking_ones_are_told() -> None:
    looks = [look(wave(n, leads=("I", "V1") if n % 4 else ("V1", "I", "V9"))) for n in range(8)]
    looks += [look(wave(9, leads=("I",)))]
    found = facts(looks)
    assert set(found.leads) == {"I", "V1"}
    assert dict(zip(found.leads, found.empty_share, strict=True))["V1"] == pytest.approx(1 / 9, abs=1e-3)


def test_leads_that_the_cohort_names_keep_its_order_and_names() -> None:
    spec = SPEC.model_copy(update={"leads": ("V1", "II")})
    found = facts([look(wave(n, leads=("MLII", "V1")), spec=spec) for n in range(4)])
    assert found.leads == ("V1", "II")


def test_neighbouring_anchors_tell_how_far_to_look() -> None:
    found = facts([look(wave(n), anchor=100 + 80 * n) for n in range(10)])
    assert found.anchored
    assert found.anchor_gap_s == pytest.approx(0.8)


def test_what_cannot_be_learned_together_is_refused() -> None:
    times = Signal(wave(0).array, ("I", "V1"), ("", ""), times_s=np.arange(100.0))
    with pytest.raises(CohortError, match="irregular"):
        facts([look(wave(1)), look(times)])
    with pytest.raises(CohortError, match="beats with whole records"):
        facts([look(wave(1)), look(wave(2), anchor=5)])
    with pytest.raises(CohortError, match="No lead"):
        facts([look(wave(n, leads=(f"x{n}",))) for n in range(5)])


def test_series_that_are_standardised_already_are_known() -> None:
    plain = [wave(n) for n in range(10)]
    assert not facts([look(s) for s in plain]).own_scale
    own = [(s.array - s.array.mean(axis=1, keepdims=True)) / s.array.std(axis=1, keepdims=True) for s in plain]
    assert facts([look(Signal(v, ("I", "V1"), ("", ""), rate_hz=100.0)) for v in own]).own_scale


def in_unit(signal: Signal, unit: str, scale: float) -> Signal:
    return Signal(signal.array * np.float32(scale), signal.leads, (unit,) * len(signal.leads), rate_hz=signal.rate_hz)


def test_values_in_several_units_are_converted_before_they_are_pooled() -> None:
    plain = [wave(n) for n in range(24)]
    mixed = [in_unit(s, "uV", 1e3) if n % 3 == 0 else s for n, s in enumerate(plain)]
    found, expected = facts([look(s) for s in mixed]), facts([look(s) for s in plain])
    assert found.units == ("mV", "mV")
    for what in ("mean", "std", "low", "high"):
        np.testing.assert_allclose(getattr(found, what), getattr(expected, what), rtol=1e-4)
    whole = np.concatenate([s.array for s in plain], axis=1)
    np.testing.assert_allclose(found.std, whole.std(axis=1, dtype=np.float64), rtol=1e-4)


def test_temperatures_of_two_scales_are_pooled_on_one() -> None:
    plain = [in_unit(wave(n), "degC", 1.0) for n in range(24)]
    mixed = [
        Signal((s.array * 9 / 5 + 32).astype(np.float32), s.leads, ("degF", "degF"), rate_hz=s.rate_hz) if n % 3 else s
        for n, s in enumerate(plain[::-1])
    ]
    found, expected = facts([look(s) for s in mixed]), facts([look(s) for s in plain])
    assert found.units == ("degF", "degF")  # most
    np.testing.assert_allclose(found.mean, np.array(expected.mean) * 9 / 5 + 32, rtol=1e-4)
    np.testing.assert_allclose(found.std, np.array(expected.std) * 9 / 5, rtol=1e-4)
    for what in ("low", "high"):
        np.testing.assert_allclose(getattr(found, what), np.array(getattr(expected, what)) * 9 / 5 + 32, rtol=1e-4)


def test_a_signal_in_a_unit_of_another_sort_is_found() -> None:
    plain = [wave(n) for n in range(9)]
    usual = usual_units([look(s) for s in plain])
    assert usual == {"I": "mV", "V1": "mV"}
    assert unlike_unit(look(in_unit(plain[0], "uV", 1e3)), usual) is None
    assert unlike_unit(look(in_unit(plain[0], "", 1.0)), usual) is None
    assert unlike_unit(look(in_unit(plain[0], "mmHg", 1.0)), usual) == ("I", "mmHg")
    one = Signal(plain[0].array, ("lead I", "V1"), ("mV", "adu"), rate_hz=100.0)
    assert unlike_unit(look(one), usual) == ("V1", "adu")
    silent = Signal(np.where([[False], [True]], np.float32(np.nan), one.array), one.leads, one.units, rate_hz=100.0)
    assert unlike_unit(look(silent), usual) is None
    alone = Signal(plain[0].array[:1], ("x",), ("adu",), rate_hz=100.0)
    assert unlike_unit(look(alone), {"I": "mV"}) == ("I", "adu")


def test_values_in_an_unknown_unit_do_not_count_where_others_tell_theirs() -> None:
    plain = [wave(n) for n in range(9)]
    odd = [in_unit(wave(20), "", 1e4), in_unit(wave(21), "mmHg", 40.0)]
    found, expected = facts([look(s) for s in [*plain, *odd]]), facts([look(s) for s in plain])
    assert (found.units, found.mean, found.std) == (expected.units, expected.mean, expected.std)
    nowhere = facts([look(in_unit(s, "", 1.0)) for s in plain])
    assert (nowhere.units, nowhere.std) == (("", ""), expected.std)


@pytest.mark.parametrize("steps", [3000, 40_000, 70_001])
def test_a_long_signal_is_looked_at_as_the_same_held_whole(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_signal, "STRETCH_VALUES", 5003)
    whole = wave(3, leads=("I", "V1", "II", "V9"), steps=steps)
    whole.array[1, stream(1, "gaps").random(steps) < 0.3] = np.nan
    whole.array[1, 500:2500] = np.nan
    whole.array[2] = np.nan
    asked: list[int] = []

    def read(start: int, stop: int) -> Signal:
        asked.append(stop - start)
        return Signal(whole.array[:, start:stop].copy(), whole.leads, whole.units, rate_hz=100.0)

    long = LongSignal(whole.leads, whole.units, steps, 100.0, read)
    header = SignalHeader(whole.leads, whole.units, steps, 100.0, "WFDB", 100)
    ref = Ref("wfdb", "100.hea")
    for spec in (SPEC, SPEC.model_copy(update={"leads": ("V1", "I")})):
        asked.clear()
        found = SIGNALS.look(long, header, spec=spec, ref=ref)
        wanted = SIGNALS.look(whole, header, spec=spec, ref=ref)
        assert (found.leads, found.units, found.steps, found.duration_s, found.rate_hz, found.irregular) == (
            wanted.leads,
            wanted.units,
            wanted.steps,
            wanted.duration_s,
            wanted.rate_hz,
            wanted.irregular,
        )
        np.testing.assert_allclose(found.missing, wanted.missing, atol=1e-15)
        np.testing.assert_allclose(found.moments, wanted.moments, rtol=1e-12)
        np.testing.assert_array_equal(found.quantiles, wanted.quantiles)
        assert sum(asked) == 2 * steps
        assert max(asked) * 2 <= 5003
