"""What a plan wants of a signal is read: so much around an anchor, or all of it."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.core import long_signal
from hounsfield.core.cohort import Cohort, InputSpec, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.kinds import AS_IT_IS, BY_STRETCHES, Wanted
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal
from hounsfield.data.kinds import signals
from hounsfield.data.kinds.signals import SIGNALS
from hounsfield.data.signal.readers import read_signal

RATE, SAMPLES = 360, 3600
AROUND, WHOLE = Wanted(around_s=(0.5, 1.0)), Wanted(around_s=(0.0, 0.0))


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    write_record(tmp_path, "100", np.arange(SAMPLES) % 900 + 600, [(1800, "N", "")])
    return Cohort("ward", str(tmp_path), (), Schema(inputs=(InputSpec(name="x", kind="signal", ndim=1),)))


def signal_of(cohort: Cohort, ref: Ref, *, wanted: Wanted = AS_IT_IS) -> Signal:
    found = SIGNALS.read(cohort, ref, wanted=wanted)
    assert isinstance(found, Signal)
    return found


def at(anchor: int | str | None) -> Ref:
    return Ref("wfdb", "100.hea", () if anchor is None else (("anchor", anchor),))


def test_the_window_lies_around_the_anchor(cohort: Cohort) -> None:
    whole = signal_of(cohort, at(None), wanted=WHOLE)
    found = signal_of(cohort, at(1800), wanted=AROUND)
    np.testing.assert_array_equal(found.array, whole.array[:, 1620:2160])
    assert found.array[0, 180] == whole.array[0, 1800]  # half a second in


@pytest.mark.parametrize(("anchor", "known"), [(100, slice(80, 540)), (3500, slice(0, 280))])
def test_beyond_the_ends_of_the_record_nothing_is_known(cohort: Cohort, anchor: int, known: slice) -> None:
    found = signal_of(cohort, at(anchor), wanted=AROUND)
    assert found.samples == 540
    finite = np.isfinite(found.array[0])
    assert finite[known].all()
    assert finite.sum() == known.stop - known.start


@pytest.mark.parametrize(("anchor", "said"), [(SAMPLES, "outside a record of 3600"), (-1, "outside"), ("x", "no")])
def test_an_anchor_that_is_none_is_refused(cohort: Cohort, anchor: int | str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        signal_of(cohort, at(anchor), wanted=AROUND)


def test_beats_and_whole_records_are_not_taken_for_each_other(cohort: Cohort) -> None:
    with pytest.raises(ReadError, match="the model looks at beats"):
        signal_of(cohort, at(None), wanted=AROUND)
    with pytest.raises(ReadError, match="the model looks at whole signals"):
        signal_of(cohort, at(1800), wanted=WHOLE)
    assert signal_of(cohort, at(1800)).samples == 2 * RATE  # before there is a plan: a second on either side


def test_a_header_is_read_anew_when_the_record_changes(cohort: Cohort) -> None:
    assert SIGNALS.header(cohort, at(1800)).samples == SAMPLES
    write_record(Path(cohort.root), "100", np.arange(720) % 900 + 600, [(360, "N", "")])
    assert SIGNALS.header(cohort, at(360)).samples == 720


def test_windows_of_a_long_record_are_the_same_out_of_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = 3 * signals.BLOCK + 500
    write_record(tmp_path, "100", np.arange(samples) * 7 % 900 + 600, [])
    cohort = Cohort("ward", str(tmp_path), (), Schema())
    read: list[int] = []

    def counted(cohort: Cohort, ref: Ref, *, start: int = 0, stop: int | None = None) -> Signal:
        found = read_signal(cohort, ref, start=start, stop=stop)
        read.append(found.samples)
        return found

    monkeypatch.setattr(signals, "read_signal", counted)
    border = signals.BLOCK
    anchors = [200, border - 300, border - 1, border, border + 1, border + 179, border + 180, 3 * border + 300]
    for anchor in anchors:
        direct = read_signal(cohort, at(None), start=max(0, anchor - 180), stop=min(samples, anchor + 360))
        found = signal_of(cohort, at(anchor), wanted=AROUND)
        np.testing.assert_array_equal(found.array[:, : direct.samples], direct.array)
        assert found.start_s == pytest.approx(direct.start_s, abs=1e-9)
        assert found.samples == 540
        assert found.rate_hz == direct.rate_hz
    assert len(read) == 3  # blocks, and not windows
    assert max(read) == signals.BLOCK + signals.OVERLAP


def test_a_long_record_is_handed_out_by_stretches_where_that_is_wanted(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = signal_of(cohort, at(None), wanted=BY_STRETCHES)
    monkeypatch.setattr(long_signal, "LONG_VALUES", SAMPLES)
    assert isinstance(SIGNALS.read(cohort, at(None), wanted=BY_STRETCHES), Signal)
    monkeypatch.setattr(long_signal, "LONG_VALUES", 1000)
    monkeypatch.setattr(long_signal, "STRETCH_VALUES", 700)
    assert isinstance(SIGNALS.read(cohort, at(None)), Signal)
    assert isinstance(SIGNALS.read(cohort, at(1800), wanted=BY_STRETCHES), Signal)
    some = Ref("wfdb", "100.hea", (("start", 360), ("stop", 3000)))
    for ref, first, stop in ((at(None), 0, SAMPLES), (some, 360, 3000)):
        found = SIGNALS.read(cohort, ref, wanted=BY_STRETCHES)
        assert isinstance(found, LongSignal)
        assert (found.samples, found.start_s, found.rate_hz) == (stop - first, first / RATE, RATE)
        pieces = [stretch.array for stretch in found.stretches()]
        assert max(piece.shape[1] for piece in pieces) == 700
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole.array[:, first:stop])
