"""How numbers are written."""

import pytest

from hounsfield.core.report import Figure
from hounsfield.stages.reporting.numbers import change, interval, minutes, with_interval, written
from hounsfield.stages.reporting.svg import ticks
from hounsfield.stages.reporting.words import metric_words

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (0.8712, "decimal", "0.871"),
        (0.8712, "percent", "87.1%"),
        (-0.05, "signed", f"{MINUS}0.050"),
        (2.534, "number", "2.53"),
        (253.4, "number", "253"),
        (0.002534, "number", "0.00253"),
        (0.0, "number", "0"),
        (None, "decimal", DASH),
        (float("nan"), "percent", DASH),
    ],
)
def test_written(value: float | None, how: str, text: str) -> None:
    assert written(value, how) == text


def test_intervals_and_differences() -> None:
    figure = Figure(value=0.5, low=0.4, high=0.6)
    assert with_interval(figure, "percent") == f"50.0% (40.0{DASH}60.0%)"
    assert interval(Figure(value=0.5)) == ""
    assert interval(Figure(value=0.0, low=-0.1, high=0.1)) == f"{MINUS}0.100 … 0.100"
    assert change(figure, metric_words("auroc")) == "+0.500 (+0.400 … +0.600)"
    assert change(figure, metric_words("accuracy")) == "+50.0 (+40.0 … +60.0)"
    assert with_interval(None) == DASH


def test_durations_and_ticks() -> None:
    assert [minutes(s) for s in (0.25, 12.0, 900.0, None)] == ["250 ms", "12.0 s", "15.0 min", DASH]
    assert ticks(0, 1) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert ticks(2, 2) == (2,)
    assert ticks(float("nan"), 1) == ()
