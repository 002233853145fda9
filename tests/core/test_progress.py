"""Progress that nobody watches."""

import pytest

from hounsfield.core.progress import SILENT


def test_silent_progress_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with SILENT.step("reading", total=3) as step:
        step.advance()
        step.advance(2.0, note="loss 0.3")
    SILENT.say("done")
    assert capsys.readouterr() == ("", "")


def test_silent_progress_lets_errors_through() -> None:
    with pytest.raises(KeyError), SILENT.step("reading", None):
        raise KeyError("x")
