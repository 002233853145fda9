"""Series are chosen by what an archive tells of them."""

import pytest

from hounsfield.core.errors import InputError
from hounsfield.data.pacs.archive import SeriesFound
from hounsfield.data.pacs.choosing import series_choice

THIN = SeriesFound("1", "1.1", {"Modality": "CT", "SeriesDescription": "Thin axial", "SeriesNumber": "3"})
SCOUT = SeriesFound("1", "1.2", {"Modality": "CT", "SeriesDescription": "Scout"})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Modality == 'CT'", [True, True]),
        ("SeriesDescription contains 'thin'", [True, False]),
        ("SeriesNumber >= 2 and SeriesNumber < 10", [True, False]),
        ("not SeriesDescription contains 'scout'", [True, False]),
        ("SeriesDescription == 'SliceThickness'", [False, False]),
    ],
)
def test_series_are_chosen(text: str, meant: list[bool]) -> None:
    assert [series_choice(text)(s) for s in (THIN, SCOUT)] == meant


def test_what_archives_do_not_tell_is_refused() -> None:
    with pytest.raises(InputError, match="do not tell SliceThickness") as raised:
        series_choice("Modality == 'CT' and SliceThickness <= 3")
    assert "hu inspect" in raised.value.next_step
    with pytest.raises(InputError):
        series_choice("__import__('os')")
