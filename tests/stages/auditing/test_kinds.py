"""Signals and rows are glanced at: what repeats, what is faulty."""

import numpy as np
import pytest

from hounsfield.core import long_signal
from hounsfield.core.cohort import InputSpec
from hounsfield.core.image import Header
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.row import Row, RowColumn
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array
from hounsfield.stages.auditing.findings import audit
from hounsfield.stages.auditing.kinds import ROWS, SIGNALS
from hounsfield.stages.auditing.thumbnails import Glance
from tests.stages.auditing.making import cohort, sample

SIGNAL = InputSpec(name="x", kind="signal", ndim=1)
COLUMNS = tuple(RowColumn(name=f"v{i}") for i in range(6))
ROW = InputSpec(name="x", kind="row", ndim=0, columns=COLUMNS)


def seen(values: Float32Array, name: str = "a") -> Glance:
    leads = tuple(f"l{i}" for i in range(len(values)))
    header = SignalHeader(leads, ("",) * len(leads), values.shape[1], None, "NPZ", 100)
    return SIGNALS.glance(name, Signal(values, leads, ("",) * len(leads)), header, SIGNAL)


def seen_long(values: Float32Array, name: str = "a") -> Glance:
    leads = tuple(f"l{i}" for i in range(len(values)))
    header = SignalHeader(leads, ("",) * len(leads), values.shape[1], 100.0, "WFDB", 100)

    def read(start: int, stop: int) -> Signal:
        return Signal(values[:, start:stop].copy(), leads, ("",) * len(leads), rate_hz=100.0)

    return SIGNALS.glance(name, LongSignal(leads, header.units, values.shape[1], 100.0, read), header, SIGNAL)


def row(values: list[float], name: str = "a") -> Glance:
    held = Row(tuple(c.name for c in COLUMNS), np.array(values, dtype=np.float64))
    return ROWS.glance(name, held, Header((6,), 1, 64, "COLUMNS", 100), ROW)


def test_signals_repeat_whatever_bits_stand_for_what_is_missing() -> None:
    wave = np.sin(np.arange(20, dtype=np.float32))[None]
    gap, other = wave.copy(), wave.copy()
    gap[0, 3] = np.nan
    other[0, 3] = np.uint32(0x7FC00001).view(np.float32)  # another NaN
    assert seen(gap).digest == seen(other, "b").digest != seen(wave).digest


def test_faults_of_signals() -> None:
    assert seen(np.zeros((1, 20), np.float32)).fault.startswith("the signal is flat")
    assert "missing" in seen(np.full((2, 20), np.nan, np.float32)).fault
    assert "single point" in seen(np.ones((1, 1), np.float32)).fault
    half = np.stack([np.sin(np.arange(20)), np.full(20, np.nan)]).astype(np.float32)
    assert seen(half).fault == ""


def _limbs(names: tuple[str, ...], *, seconds: int = 10) -> Signal:
    base = stream(0, "limbs").normal(0, 0.02, 250 * seconds)
    base[125::250] += 3.0
    i = np.convolve(base, np.hanning(15), "same")
    ii = np.roll(i, 20) + i / 2
    array = np.stack([i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2]).astype(np.float32)
    return Signal(array, names, ("mV",) * 6, rate_hz=250.0)


RIGHT = ("I", "II", "III", "aVR", "aVL", "aVF")
SWAPPED = ("I", "II", "III", "aVL", "aVR", "aVF")


def _glanced(name: str, signal: Signal) -> Glance:
    header = SignalHeader(signal.leads, signal.units, signal.samples, signal.rate_hz, "WFDB", 100)
    return SIGNALS.glance(name, signal, header, SIGNAL)


def test_the_audit_names_every_record_whose_leads_contradict_each_other() -> None:
    looks = [_glanced(f"r{n}", _limbs(SWAPPED if n in (3, 47) else RIGHT)) for n in range(50)]
    assert not any(look.fault for look in looks)
    samples = [sample(f"r{n}", ("no", "yes")[n % 2]) for n in range(50)]
    found = audit(cohort(samples), looks, [], seed=0)
    assert [entry.sample for entry in found.in_doubt] == ["r3", "r47"]
    assert found.in_doubt[0].reason.startswith("aVR and aVL swapped: each differs")
    assert any(w.startswith("2 of 50 records hold leads that contradict") for w in found.warnings)
    assert not any("r47" in w for w in found.warnings)


def test_beats_are_too_short_to_be_judged() -> None:
    assert _glanced("a", _limbs(SWAPPED, seconds=5)).doubt
    assert not _glanced("a", _limbs(SWAPPED, seconds=2)).doubt


def test_long_signals_are_glanced_at_by_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_signal, "STRETCH_VALUES", 500)
    values = stream(0, "long glance").normal(1e3, 2.0, (3, 4001)).astype(np.float32)
    values[1, 100:1500] = np.nan
    values[2] = np.nan
    found, whole = seen_long(values), seen(values)
    assert (found.size, found.fault, found.kind) == (whole.size, "", "signal")
    assert found.brightness == pytest.approx(whole.brightness, rel=1e-12)
    assert found.contrast == pytest.approx(whole.contrast, rel=1e-9)
    again, other = values.copy(), values.copy()
    again[1, 200] = np.uint32(0x7FC00001).view(np.float32)  # another NaN
    other[0, 4000] += 1
    assert seen_long(again, "b").digest == found.digest != seen_long(other).digest
    assert "missing" in seen_long(np.full_like(values, np.nan)).fault
    assert seen_long(np.ones_like(values)).fault.startswith("the signal is flat")


def test_equal_rows_are_a_repeat_only_where_they_tell_patients_apart() -> None:
    telling = [61.5, 1.73, 80.2, 4.91, 133.0, 1.0]
    assert row(telling, "a").digest == row(telling, "b").digest
    common = [1.0, 0.0, 2.0, 3.0, 1.0, 61.0]
    assert row(common, "a").digest != row(common, "b").digest


def test_an_empty_row_is_a_fault() -> None:
    assert row([np.nan] * 6).fault
    assert row([np.nan] * 5 + [1.0]).fault == ""
