from datetime import date

import pytest

from hounsfield.privacy.dates import dates_in, is_date, spellings_of

DAY = date(2024, 1, 31)


@pytest.mark.parametrize(
    "text",
    [
        "20240131", "2024-01-31", "31.01.2024", "01/31/2024", "31/1/2024", "2024:01:31 08:15:00",
        "31-JAN-2024", "31 January 2024",
        "January 31, 2024", "31. Januar 2024", "31 janvier 2024", "2024年1月31日", "20240131081500.000000+0100",
        "2024-01-31T08:15:00Z",
    ],
)  # fmt: skip
def test_a_date_is_read(text: str) -> None:
    assert dates_in(text) == {DAY}
    assert is_date(text)


def test_day_and_month_may_be_swapped_and_centuries_left_out() -> None:
    assert dates_in("02/03/2024") == {date(2024, 2, 3), date(2024, 3, 2)}
    assert date(1951, 8, 2) in dates_in("02.08.51")


def test_dates_stand_inside_texts() -> None:
    assert dates_in("seen on 31.01.2024 by a colleague, again 2024-02-01") == {DAY, date(2024, 2, 1)}
    assert not is_date("2024-01-31 by Dr Dupont")


@pytest.mark.parametrize("text", ["", "12345678", "20241399", "1.2.840.113619", "Doe", "2024", "31.13.2024"])
def test_other_texts_are_none(text: str) -> None:
    assert not is_date(text)


def test_what_is_spelled_can_be_read() -> None:
    spelled = set(spellings_of(DAY))
    assert {
        "20240131",
        "31.01.2024",
        "01/31/2024",
        "2024-01-31",
        "31 january 2024",
        "jan 31, 2024",
        "31-jan-2024",
    } <= spelled
    assert {"31 января 2024", "2024年01月31日", "1/31/2024", "31.01.24"} <= spelled
    read = [t for t in spelled if "년" not in t and len(t) > 8 and not t[0].isalpha()]
    assert sum(DAY in dates_in(t) for t in read) > 0.85 * len(read)
