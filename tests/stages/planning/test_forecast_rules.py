"""Rules of forecasts: which readings are believed, how many trees the minutes hold."""

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import Outcome, truths
from hounsfield.stages.planning.forecast import (
    LONGEST_PIECE,
    MOST_STEPS,
    TREES_FROM,
    TREES_SHARE,
    Asked,
    SeriesSeen,
    draft_forecast,
    longest_piece,
    tree_seconds,
    with_trees,
)

SEEN = SeriesSeen(
    name="MAP", unit="mmHg", variables=("MAP", "SysABP", "DiasABP"), below=65.0, low=20.0, high=200.0, series=900,
    readings=40_000, gap_h=1.0, rate_hz=None, missing_share=0.4, between=("DiasABP", "SysABP"),
)  # fmt: skip


def test_a_mean_pressure_is_believed_between_its_two_others() -> None:
    sections = draft_forecast(SEEN, Asked())
    assert sections["preparation"]["between"].value == ["DiasABP", "SysABP"]
    assert "not measured" in sections["preparation"]["between"].rule
    assert draft_forecast(replace(SEEN, between=None), Asked())["preparation"]["between"].value is None
    assert sections["line"]["company"].value is True
    assert draft_forecast(replace(SEEN, variables=("MAP",)), Asked())["line"]["company"].value is False


def test_a_limit_that_nothing_warns_of_is_not_taken_in_silence() -> None:
    wave = replace(SEEN, rate_hz=125.0, below=None)
    assert draft_forecast(SEEN, Asked(ahead=("1 h",), below=60))["forecast"]["below"].value == 60
    assert draft_forecast(SEEN, Asked(ahead=("next",)))["forecast"]["below"].value is None
    with pytest.raises(InputError, match="only the next reading"):
        draft_forecast(SEEN, Asked(ahead=("next",), below=60))
    with pytest.raises(InputError, match="is a waveform"):
        draft_forecast(wave, Asked(below=60))
    assert draft_forecast(replace(wave, below=65.0), Asked())["forecast"]["below"].value is None


def test_trees_are_grown_where_there_is_enough_and_time_for_them() -> None:
    few = draft_forecast(replace(SEEN, readings=TREES_FROM - 1), Asked())
    assert few["trees"]["rounds"].value == 0
    assert tree_seconds(few, 1000, 100) == 0.0
    sections = draft_forecast(SEEN, Asked())
    taken = tree_seconds(sections, SEEN.readings, 40)
    assert taken > 0
    assert with_trees(sections, SEEN.readings, 40, minutes=1e4) == sections
    half = with_trees(sections, SEEN.readings, 40, minutes=taken / 60 / TREES_SHARE / 2)
    rows = half["trees"]["rows"].value
    assert isinstance(rows, int)
    assert abs(rows - SEEN.readings / 2) < 2
    assert "%" in half["trees"]["rows"].evidence
    none = with_trees(sections, SEEN.readings, 40, minutes=0.001)
    assert none["trees"]["rounds"].value == 0
    assert sections["trees"]["rounds"].value != 0


@pytest.mark.parametrize("rate_hz", [5.0, 7.0, 12.5, 25.0, 125 / 3, 50.0])
def test_what_is_asked_of_a_waveform_lies_on_its_samples(rate_hz: float) -> None:
    """Of 125 Hz a third is kept, .024 s apart: no sample lies within 2% of .2 s, the nearest does .192 s ahead."""
    asked = draft_forecast(replace(SEEN, rate_hz=rate_hz, below=None), Asked())["forecast"]["asked"]
    assert isinstance(asked.value, list)
    outcomes = tuple(Outcome.model_validate(one) for one in asked.value)
    times = np.arange(200) / rate_hz / 3600
    came = truths(Course(times, np.arange(200.0)[None], float(times[-1])), 0, outcomes)
    assert len(outcomes) == 5
    for place, outcome in enumerate(outcomes):
        steps = outcome.hours * 3600 * rate_hz
        assert steps == pytest.approx(round(steps), rel=0.011)
        np.testing.assert_array_equal(came[: 190 - round(steps), place] - np.arange(190 - round(steps)), round(steps))
        assert outcome.hours * 3600 == pytest.approx(0.2 * (place + 1), abs=0.5 / rate_hz + 1e-9)
    assert ("nearest sample" in asked.rule) == (rate_hz not in (5.0, 25.0, 50.0))


def test_one_question_is_asked_once_however_it_is_written() -> None:
    asked = draft_forecast(SEEN, Asked(ahead=("20 min", "1200 s", "next", "1 h", "60 min", "next")))["forecast"][
        "asked"
    ]
    assert isinstance(asked.value, list)
    names = [Outcome.model_validate(one).name for one in asked.value]
    assert names == [
        "next reading",
        "mean within 20 min",
        "mean within 1 h",
        "lowest within 20 min",
        "lowest within 1 h",
    ]


def test_a_piece_of_a_long_series_holds_its_horizons() -> None:
    assert longest_piece(None, ()) == MOST_STEPS
    assert longest_piece(1.5, ()) == MOST_STEPS  # a chart
    assert longest_piece(60.0, ()) == MOST_STEPS  # each minute
    assert longest_piece(3600.0, ()) == 8 * 1800  # each second: half an hour is 1,800 of them
    assert longest_piece(60.0, ("24 h",)) == 8 * 24 * 60
    assert longest_piece(3600.0, ("5 h",)) == LONGEST_PIECE
    assert longest_piece(50 * 3600.0, ("2 s", "next")) == MOST_STEPS  # a waveform
    with pytest.raises(InputError, match="too far for a waveform of 50 Hz, which is learned from in pieces of 30 s"):
        longest_piece(50 * 3600.0, ("1 s", "1 min"))
    long = draft_forecast(replace(SEEN, most_steps=14_400), Asked())
    assert long["preparation"]["most_steps"].value == 14_400
