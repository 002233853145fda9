"""What the page and the picture of explained forecasts say."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from hounsfield.core.errors import UnknownNameError
from hounsfield.stages.explaining.forecast_page import counted, doubts, leader, opening, part_words, render_forecasts
from hounsfield.stages.explaining.forecast_picture import LOWERED, RAISED, Trail, ago, draw_forecast, signed
from hounsfield.stages.explaining.forecast_result import ExplainedForecast, ForecastExplanations, Moved, Question
from hounsfield.stages.explaining.forecast_words import say
from hounsfield.stages.explaining.result import LeftOut

EDGES = (0.0, 0.5, 2.0)


def moved(variable: str, span: tuple[float, float] | None, *moves: float) -> Moved:
    first, last = span if span is not None else (None, None)
    counts = tuple(abs(m) >= 1.0 for m in moves)
    return Moved(variable=variable, from_h=first, to_h=last, readings=3, moved=moves, counts=counts)


def one(*, sample: str = "a", wholes: tuple[Moved, ...] = (), stretches: tuple[Moved, ...] = ()) -> ExplainedForecast:
    questions = (
        Question(name="next reading", median=70.0, low=60.0, high=80.0, came=None, least=1.0),
        Question(name="lowest within 1 h", median=66.0, low=56.0, high=76.0, below=0.4, came=58.5, least=1.0),
    )
    return ExplainedForecast(
        sample=sample,
        picture=f"trace-{sample}.svg",
        time_h=3.0,
        present=71.5,
        readings=9,
        variable="MAP",
        why="miss",
        questions=questions,
        wholes=wholes,
        stretches=stretches,
    )


def told(*forecasts: ExplainedForecast, left: tuple[LeftOut, ...] = ()) -> ForecastExplanations:
    return ForecastExplanations(
        hounsfield="0.1.0",
        created="2026-01-01T00:00:00+00:00",
        cohort="ward",
        part="test",
        variable="MAP",
        unit="mmHg",
        limit=65.0,
        interval=0.9,
        share=0.1,
        forecasts=forecasts,
        series=len(forecasts) + len(left),
        searched=len(forecasts),
        left_out=left,
    )


STRETCHES = (
    moved("MAP", (0.4, 0.0), 2.0, -1.5),
    moved("MAP", (2.0, 0.6), 0.2, 0.1),
    moved("HR", (0.0, 0.0), -4.0, 0.5),
)
COUNTING = one(wholes=(moved("HR", None, -4.5, 0.2), moved("MAP", None, 0.1, 0.1)), stretches=STRETCHES)
QUIET = one(sample="b", wholes=(moved("HR", None, 0.1, 0.2),), stretches=(moved("MAP", (0.4, 0.0), 0.2, 0.2),))


def test_what_counts_comes_first_and_names_its_variable() -> None:
    assert leader(COUNTING) == "HR"
    assert leader(QUIET) == ""
    assert [(m.variable, m.from_h) for m in counted(COUNTING)] == [("HR", None), ("HR", 0.0), ("MAP", 0.4)]
    first, second = opening(told(COUNTING, QUIET))
    assert first.en.startswith("In 1 of 2 forecasts")
    assert "most often HR" in first.en
    assert "1 of 2 forecasts hardly" in second.en
    assert opening(told(QUIET))[0].en.startswith("Nothing but the present reading")


def test_parts_are_called_by_when_they_were() -> None:
    words = [part_words(m, "MAP").en for m in (*COUNTING.wholes, *STRETCHES)]
    assert words == [
        "HR, all of it",
        "MAP, all before the present reading",
        "the present reading, as against the one before",
        "MAP, 2 h to 36 min ago",
        "HR, the newest",
    ]
    assert [ago(h) for h in (1.653, 0.8117, 0.001)] == ["1.7 h", "49 min", "3.6 s"]
    assert signed(-1.234) == "\N{MINUS SIGN}1.23"


def test_the_present_reading_is_nothing_beside_itself() -> None:
    alone = one(stretches=(moved("MAP", (0.4, 0.0), -9.0, -9.0), moved("MAP", (2.0, 0.6), 0.1, 0.1)))
    assert not alone.explained
    assert leader(alone) == ""
    assert opening(told(alone))[0].en.startswith("Nothing but the present reading")
    page = render_forecasts(told(alone), {alone.picture: b""})
    assert "Nothing counts beside the present reading" in page
    assert "the present reading, as against the one before" in page  # its own move is in the table all the same


def test_the_page_says_among_how_many_it_was_sought() -> None:
    found = told(COUNTING).model_copy(update={"series": 900, "searched": 200})
    assert "Sought in 200 of 900 series" in render_forecasts(found, {"trace-a.svg": b""})
    assert "Sought in" not in render_forecasts(told(COUNTING), {"trace-a.svg": b""})


def test_the_page_says_it_in_both_languages() -> None:
    page = render_forecasts(
        told(COUNTING, QUIET, left=(LeftOut(sample="c", reason="MAP was never measured."),)),
        {"trace-a.svg": b"<svg/>", "trace-b.svg": b""},
    )
    assert "What moved the forecast of MAP?" in page
    assert "哪些数据改变了对 MAP 的预测？" in page
    assert "71.5 mmHg" in page
    assert "58.5" in page
    assert "40%" in page
    assert "MAP was never measured." in page
    assert "Nothing counts beside the present reading" in page
    assert len(doubts(told(COUNTING))) == 5
    assert 'id="zh" aria-label="中文" checked' in render_forecasts(told(COUNTING), {"trace-a.svg": b""}, lang="zh")
    with pytest.raises(UnknownNameError):
        render_forecasts(told(COUNTING), {"trace-a.svg": b""}, lang="fr")
    with pytest.raises(UnknownNameError):
        say("nonsense")


def test_markup_in_names_is_shown_not_run() -> None:
    bad = one(sample="<script>", stretches=(moved("<b>HR</b>", (0.0, 0.0), 9.0, 9.0),))
    page = render_forecasts(told(bad), {bad.picture: b""})
    assert "<script>" not in page
    assert "<b>HR</b>" not in page
    svg = draw_forecast(bad, [Trail("<b>HR</b>", "", np.array([1.0, 0.0]), np.array([1.0, 2.0]))], EDGES, asked=[0])
    ElementTree.fromstring(svg)  # noqa: S314  # our own


def test_only_what_counts_has_a_colour() -> None:
    ages = np.array([2.0, 1.0, 0.4, 0.0])
    trails = [Trail("MAP", "mmHg", ages, np.array([70, 75, np.nan, 71.5])), Trail("HR", "", ages, np.full(4, np.nan))]
    svg = draw_forecast(COUNTING, trails, EDGES, asked=[0, 1])
    ElementTree.fromstring(svg)  # noqa: S314  # our own
    drawn = re.findall(r'class="map" x="([\d.]+)" y="[\d.]+" .*?fill="(#\w+)" fill-opacity="([\d.]+)"', svg)
    assert [colour for _, colour, _ in drawn] == [RAISED, LOWERED, LOWERED]
    assert float(drawn[0][2]) == pytest.approx(float(drawn[1][2]) / 2, rel=0.01)  # 2 beside -4
    assert len({x for x, _, _ in drawn}) == 1  # all of the newest stretch
    assert "came 58.5" in svg
    assert "30 min ago" in svg
    assert "all: +0.1" in svg


def test_a_series_of_one_reading_is_drawn() -> None:
    alone = one(stretches=(moved("MAP", (0.0, 0.0), 0.0, 0.0),))
    svg = draw_forecast(alone, [Trail("MAP", "mmHg", np.zeros(1), np.array([70.0]))], (0.0, 0.0), asked=[0])
    ElementTree.fromstring(svg)  # noqa: S314  # our own
    assert "nan" not in svg
