"""Times as columns write them: hours by the clock, AM and PM, dates, midnights, and heads that are no times."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal, SignalHeader
from hounsfield.data.signal.columns import clock_s, head_of, moment_s, time_column
from hounsfield.data.signal.readers import read_signal, signal_header
from hounsfield.data.signal.times import NO_HOUR, records_over_midnight, shape_of, written_times
from tests.data_room.signal.records import cohort_in


def _read(folder: Path, text: str) -> tuple[Signal, SignalHeader]:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    cohort, ref = cohort_in(folder), Ref("columns", "a.csv")
    return read_signal(cohort, ref), signal_header(cohort, ref)


@pytest.mark.parametrize(
    ("head", "cells", "seconds"),
    [
        ("time", ("00:07", "01:30", "57:07"), (420, 5400, 205620)),
        ("time", ("0:00.004", "0:01.5"), (0.004, 1.5)),
        ("time", ("59:59", "1:00:00"), (3599, 3600)),
        ("charttime", ("08:00", "08:15:30"), (28800, 29730)),
        ("time (mm:ss)", ("00:07", "01:30"), (7, 90)),
        ("Zeit [hh:mm]", ("00:07", "01:30"), (420, 5400)),
        ("time", ("2150-01-01", "2150-01-02"), (5680281600, 5680368000)),
        ("time", ("14.05.2020 8:15", "14.05.2020 18:15"), (1589444100, 1589480100)),
        ("time_min", ("0,5", "1.5"), (30, 90)),
        ("time", ("0", "1", "08:00", ""), (0, 1, np.nan, np.nan)),
        ("time", ("08:75", "08:15"), (np.nan, 29700)),
    ],
)
def test_a_column_is_read_in_one_form(head: str, cells: tuple[str, ...], seconds: tuple[float, ...]) -> None:
    np.testing.assert_allclose(written_times(cells, head_of(head)).seconds, seconds)


def test_what_two_fields_are_taken_for_is_told() -> None:
    assert "hours and minutes" in written_times(("08:00", "08:15"), head_of("time")).notes[0]
    assert "minutes and seconds, as others" in written_times(("08:00", "1:08:15"), head_of("time")).notes[0]
    assert written_times(("08:00",), head_of("time (mm:ss)")).notes == ()
    assert clock_s("1:02:03.5") == 3723.5
    assert clock_s("1:61:00") is None
    assert moment_s("31.02.2020") is None
    assert shape_of(["05/14/2020", "x", "06/15/2020"]) == "99/99/9999"


def test_a_chart_of_quarter_hours_has_their_rate(tmp_path: Path) -> None:
    rows = "\n".join(f"{8 + t // 4:02d}:{t % 4 * 15:02d},{80 + t % 9}" for t in range(40))
    found, header = _read(tmp_path, f"time,HR\n{rows}\n")
    assert found.rate_hz == pytest.approx(1 / 900)
    assert any("hours and minutes" in n for n in header.notes)


def test_a_clock_goes_on_behind_midnight(tmp_path: Path) -> None:
    rows = "\n".join(f"{(22 + t // 4) % 24:02d}:{t % 4 * 15:02d}:00,{80 + t}" for t in range(20))
    found, header = _read(tmp_path, f"time,HR\n{rows}\n")
    assert found.rate_hz == pytest.approx(1 / 900)
    assert found.duration_s == pytest.approx(20 * 900)
    assert any("midnight" in n for n in header.notes)


@pytest.mark.parametrize("text", ["time,HR\n09:00:00,1\n08:00:00,2\n", "time,HR\n50:00:00,1\n01:00:00,2\n"])
def test_times_that_fall_otherwise_run_backwards(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError, match="backwards 1 times"):
        _read(tmp_path, text)


@pytest.mark.parametrize(
    ("heads", "at"),
    [
        ("HR,SpO2,time_s", 2),
        ("min,max,mean", None),
        ("hr,minute", 1),
        ("day,time", 1),
        ("t,HR", 0),
        ("hour,HR", 0),
        ("HR,SpO2", None),
    ],
)
def test_the_heart_rate_and_the_least_value_are_no_times(heads: str, at: int | None) -> None:
    assert time_column([head_of(h) for h in heads.split(",")]) == at


def test_quantities_before_the_time_are_leads(tmp_path: Path) -> None:
    rows = "\n".join(f"{80 + (i * 7) % 5},{97 - i % 2},{i}" for i in range(12))
    found, _ = _read(tmp_path, f"HR,SpO2,time_s\n{rows}\n")
    assert (found.leads, found.rate_hz) == (("HR", "SpO2"), 1.0)
    rows = "\n".join(f"{60 + (i * 7) % 5},{90 + i % 3}" for i in range(12))
    assert _read(tmp_path, f"min,max\n{rows}\n")[0].leads == ("min", "max")
    rows = "\n".join(f"{i},{90 + i % 3}" for i in range(12))
    found, _ = _read(tmp_path, f"min,HR\n{rows}\n")
    assert found.leads == ("HR",)
    assert found.rate_hz == pytest.approx(1 / 60)


@pytest.mark.parametrize("head", ["", "'sample #'", "index", "Unnamed: 0"])
def test_a_column_that_numbers_the_rows_is_no_lead(tmp_path: Path, head: str) -> None:
    rows = "\n".join(f"{i},{(i * 7) % 5},{i % 3}" for i in range(12))
    found, header = _read(tmp_path, f"{head},'MLII','V5'\n{rows}\n")
    assert found.leads == ("MLII", "V5")
    assert header.notes == ("its first column numbers the rows and is left out",)


def test_a_first_column_that_does_not_number_is_a_lead(tmp_path: Path) -> None:
    rows = "\n".join(f"{(i * 7) % 5},{i % 3}" for i in range(12))
    assert _read(tmp_path, f"index,V5\n{rows}\n")[0].leads == ("index", "V5")
    assert _read(tmp_path, "sample\n0\n1\n2\n")[0].leads == ("sample",)


@pytest.mark.parametrize(
    ("cells", "clock"),
    [
        (("02:15 PM", "2:15:03 pm", "2:15pm"), ("14:15", "14:15:03", "14:15")),
        (("12:00 AM", "12:59 am", "1:00 a.m."), ("00:00", "00:59", "01:00")),
        (("12:00 PM", "12:30 P.M.", "11:59:59.5 p.m."), ("12:00", "12:30", "23:59:59.5")),
        (("9 AM", "12 AM", "12 PM", "10 p. m."), ("09:00", "00:00", "12:00", "22:00")),
        (("11:05 AM", "11:59", "1:05\N{NARROW NO-BREAK SPACE}PM"), ("11:05", "11:59", "13:05")),
    ],
)
def test_hours_before_and_after_noon_are_hours_of_the_day(cells: tuple[str, ...], clock: tuple[str, ...]) -> None:
    found = written_times(cells, head_of("time"))
    seconds = [sum(float(f) * 60 ** (2 - i) for i, f in enumerate(c.split(":"))) for c in clock]
    np.testing.assert_allclose(found.seconds, seconds)
    assert (found.form, found.daily, found.notes) == ("clock", True, ())


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024-03-01 2:15 PM", "2024-03-01 14:15"),
        ("2024-03-01T12:05:07 a.m.", "2024-03-01 00:05:07"),
        ("2024-02-29, 12:00 pm", "2024-02-29 12:00"),
        ("1.3.2024 11:59 p.m.", "2024-03-01 23:59"),
        ("01.03.2024 8 AM", "2024-03-01 08:00"),
    ],
)
def test_dates_may_have_hours_before_and_after_noon(written: str, iso: str) -> None:
    assert moment_s(written) == moment_s(iso)
    assert moment_s(written) is not None


@pytest.mark.parametrize("cell", ["13:15 PM", "0:15 AM", "00:15 pm", "2:75 PM", "24 AM", "2024-03-01 13:15 PM"])
def test_a_time_that_no_half_of_a_day_has_is_none_and_says_so(cell: str) -> None:
    assert clock_s(cell) is None
    assert moment_s(cell) is None
    rest = "2024-03-01 1:00 PM" if "-" in cell else "1:00 PM"
    found = written_times((rest, rest, cell), head_of("time"))
    assert np.isfinite(found.seconds).tolist() == [True, True, False]
    assert found.notes == (NO_HOUR,)


def test_am_and_pm_alone_are_no_time() -> None:
    assert [clock_s(text) for text in ("am", "PM", "p.m.", "T1 am", "", "2:15 XM", "-1 PM")] == [None] * 7
    assert [moment_s(text) for text in ("am", "5 March 2 PM", "2024-13-01 2:15 PM")] == [None] * 3


def test_a_series_with_am_and_pm_goes_on_behind_midnight(tmp_path: Path) -> None:
    hours = [(13 + t // 4) % 24 for t in range(56)]
    rows = "\n".join(
        f"{(h + 11) % 12 + 1}:{t % 4 * 15:02d} {'PM' if h >= 12 else 'AM'},{80 + t % 7}" for t, h in enumerate(hours)
    )
    found, header = _read(tmp_path, f"time,HR\n{rows}\n")
    assert found.rate_hz == pytest.approx(1 / 900)
    assert found.duration_s == pytest.approx(56 * 900)
    assert any("midnight" in n for n in header.notes)
    assert not any("hours and minutes" in n for n in header.notes)  # they leave no doubt


def test_a_series_with_a_wrong_hour_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=f"row 2 of the times is not one: {NO_HOUR}") as caught:
        _read(tmp_path, "time,HR\n1:00 PM,80\n13:15 PM,81\n2:00 PM,82\n")
    assert "2:15 PM" in caught.value.expected
    assert "13:15" not in caught.value.message()
    with pytest.raises(ReadError, match=r"row 2 of the times is not one\.\n"):
        _read(tmp_path, "time,HR\n1:00 PM,80\nnoon,81\n2:00 PM,82\n")


HOUR = 3600.0


@pytest.mark.parametrize(
    ("hours", "variables", "course", "found"),
    [
        ([22, 23, 0, 2], [0, 1, 0, 1], [22, 23, 24, 26], (1, 0)),  # by time
        ([22, 0, 2, 22, 1, 3], [0, 0, 0, 1, 1, 1], [22, 24, 26, 22, 25, 27], (1, 0)),  # by variable
        ([22, 0, 2, 1], [0, 0, 0, 1], [22, 24, 26, 25], (1, 0)),  # the second only after midnight
        ([0, 8, 20, 0, 8, 20], [0, 0, 0, 1, 1, 1], [0, 8, 20, 0, 8, 20], (0, 0)),  # hours of one day, by variable
        ([9, 3, 22, 5, 20], [0, 0, 0, 0, 0], [9, 3, 22, 5, 20], (0, 1)),  # no order
        ([8, 9, 23], [0, 0, 0], [8, 9, 23], (0, 0)),
    ],
)
def test_records_go_on_behind_midnight(
    hours: list[int], variables: list[int], course: list[int], found: tuple[int, int]
) -> None:
    """A second record beside it, of one row, is left as it is."""
    seconds = HOUR * np.array([*hours, 5.0])
    records = np.array([0] * len(hours) + [1])
    made, moved, disorder = records_over_midnight(seconds, records, np.array([*variables, 0]))
    np.testing.assert_allclose(made / HOUR, [*course, 5])
    assert (moved, disorder) == found
