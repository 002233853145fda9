"""Beats are explained on ECG paper, beside a row that has no map; where nobody annotated them they are found first."""

from pathlib import Path

import pytest

from hounsfield.workflow.explaining import ExplainWishes, explain
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import quick
from tests.journeys.test_beats_and_stays import write_beats


@pytest.mark.slow
def test_a_beat_is_drawn_on_paper_and_its_map_lies_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hounsfield.workflow.explaining.RANDOM", 3)
    run = quick(write_beats(tmp_path / "records", ("100", "101", "102", "103")), tmp_path / "run", max_steps=30)
    other = write_beats(tmp_path / "other", ("900",))
    asked = ExplainWishes(number=1, methods=("occlusion",))
    found = explain(run.path, [other], out=tmp_path / "out", asked=asked, wishes=Wishes(threads=1))
    assert found.part == "elsewhere"
    assert found.kind == "signal"
    assert found.images
    for image in found.images:
        assert image.held_out is True
        anchor = int(image.sample.rpartition("_")[2]) / 360.0
        (scores,) = image.maps
        assert scores.peak_s is not None
        assert abs(scores.peak_s - anchor) < 1.5  # within the window around the beat
        svg = (tmp_path / "out" / image.picture).read_text(encoding="utf-8")
        assert "a small square is 40 ms by 0.1 mV" in svg
        assert "The triangle marks the beat" in svg
    (other / "900.atr").unlink()
    again = explain(run.path, [other], asked=asked, wishes=Wishes(threads=1))
    assert again.part == "files"
    assert all(image.correct is None for image in again.images)
