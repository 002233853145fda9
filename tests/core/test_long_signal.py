"""A long signal is read by stretches, each as its header promises."""

import numpy as np
import pytest

from hounsfield.core import long_signal
from hounsfield.core.errors import ReadError
from hounsfield.core.long_signal import LongSignal
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream

VALUES = stream(0, "long").normal(size=(3, 1000)).astype(np.float32)


def read(start: int, stop: int) -> Signal:
    return Signal(VALUES[:, start:stop].copy(), ("a", "b", "c"), ("mV", "", "mmHg"), rate_hz=100.0)


LONG = LongSignal(("a", "b", "c"), ("mV", "", "mmHg"), 1000, 100.0, read)


def test_stretches_are_all_of_it_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_signal, "STRETCH_VALUES", 400)
    pieces = [s.array for s in LONG.stretches()]
    assert max(p.size for p in pieces) <= 400
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), VALUES)
    assert LONG.duration_s == 10
    assert LONG.times_s is None


def test_some_leads_under_other_names() -> None:
    some = LONG.picked([2, 0], ["ABP", "II"])
    found = some.stretch(10, 20)
    assert (found.leads, found.units, some.units) == (("ABP", "II"), ("mmHg", "mV"), ("mmHg", "mV"))
    np.testing.assert_array_equal(found.array, VALUES[[2, 0], 10:20])


def test_a_record_that_is_not_what_its_header_promises_is_refused() -> None:
    wrong = LongSignal(("a", "b"), ("", ""), 1000, 100.0, read)
    with pytest.raises(ReadError, match="holds 3 leads of 5 samples, its header promises 2 of 5"):
        wrong.stretch(0, 5)
