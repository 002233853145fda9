import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal


def _signal(**change: object) -> Signal:
    whole: dict[str, object] = {
        "array": np.zeros((2, 5), np.float32), "leads": ("I", "II"), "units": ("mV", "mV"), "rate_hz": 250.0,
    }  # fmt: skip
    return Signal(**(whole | change))  # type: ignore[arg-type]  # wrong on purpose in some tests


def test_a_signal_knows_its_length() -> None:
    assert (_signal().samples, _signal().duration_s) == (5, 0.02)
    assert _signal(rate_hz=None).duration_s is None
    assert _signal(rate_hz=None, times_s=np.array([0.0, 1, 1, 2, 7])).duration_s == 7
    assert _signal().lead("II").shape == (5,)
    with pytest.raises(ReadError, match="no lead 'V1'"):
        _signal().lead("V1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"array": np.zeros((0, 5), np.float32)}, "shape"),
        ({"array": np.zeros((2, 0), np.float32)}, "shape"),
        ({"array": np.zeros(5, np.float32)}, "shape"),
        ({"array": np.zeros((2, 5))}, "float64"),
        ({"leads": ("I",)}, "1 names"),
        ({"leads": ("I", "I")}, "same name"),
        ({"rate_hz": 0.0}, "rate of 0"),
        ({"rate_hz": float("nan")}, "rate of nan"),
        ({"times_s": np.arange(5.0)}, "both"),
        ({"rate_hz": None, "times_s": np.arange(4.0)}, "time stamps of shape"),
        ({"rate_hz": None, "times_s": np.array([0, 1, np.nan, 3, 4])}, "not all numbers"),
        ({"rate_hz": None, "times_s": np.array([0.0, 1, 3, 2, 4])}, "backwards 1 times"),
    ],
)
def test_contradictions_are_errors(change: dict[str, object], why: str) -> None:
    with pytest.raises(ReadError, match=why):
        _signal(**change)
