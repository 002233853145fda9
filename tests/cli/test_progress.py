import io
import time

import pytest

from hounsfield.cli.progress import Bars, Lines, duration


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_line_now_and_then_with_the_time_left(clock: list[float]) -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    with lines.step("train", 100) as step:
        for _ in range(50):
            clock[0] += 0.5
            step.advance(1, "loss 0.5")
    assert stream.getvalue().splitlines() == [
        "train ...",
        "train: 20 of 100 (20%), 40 s left, loss 0.5",
        "train: 40 of 100 (40%), 30 s left, loss 0.5",
        "train: done in 25 s",
    ]


def test_unknown_total_and_nothing_done(clock: list[float]) -> None:
    stream = io.StringIO()
    with Lines(stream).step("read", None) as step:
        clock[0] += 11
        step.advance(3)
    with Lines(stream).step("wait", 10) as step:
        clock[0] += 11
        step.advance(0)
    assert "read: 3" in stream.getvalue()


def test_bars_lie_within_one_another_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    bars = Bars()
    bars.say("[bold] before")
    with bars.step("outer [x]", 2) as outer:
        with bars.step("inner", None) as inner:
            inner.advance(1, "loss 0.5")
            bars.say("between")
        outer.advance()
    bars.say("after")
    found = capsys.readouterr()
    assert found.out == ""
    assert "[bold] before" in found.err
    assert "between" in found.err
    assert "after" in found.err


def test_bars_end_after_an_error() -> None:
    bars = Bars()
    with pytest.raises(ZeroDivisionError), bars.step("x", 1):
        raise ZeroDivisionError
    with bars.step("y", 1) as step:
        step.advance()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (42.4, "42 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words
