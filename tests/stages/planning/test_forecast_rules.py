"""Rules of forecasts: which readings are believed, how many trees the minutes hold."""

from dataclasses import replace

import pytest

from hounsfield.core.errors import InputError
from hounsfield.stages.planning.forecast import (
    TREES_FROM,
    TREES_SHARE,
    Asked,
    SeriesSeen,
    draft_forecast,
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
