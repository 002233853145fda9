"""Long tables of events as they are kept: clock times, dates, commas, Latin-1, empty cells, mixed units."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.signal import Signal
from hounsfield.data.signal.event_heads import event_heads
from hounsfield.data.signal.events import event_notes, event_patients, event_records
from hounsfield.data.signal.readers import read_signal
from hounsfield.data.signal.times import NO_HOUR
from tests.data_room.signal.records import cohort_in

HEAD = "record,time,variable,value\n"


def _read(folder: Path, text: str, *, record: str = "1", encoding: str = "utf-8") -> tuple[Signal, tuple[str, ...]]:
    (folder / "events.csv").write_bytes(text.encode(encoding))
    return _table(folder, "events.csv", record)


def _table(folder: Path, name: str, record: str = "1") -> tuple[Signal, tuple[str, ...]]:
    cohort = cohort_in(folder)
    return read_signal(cohort, Ref("events", name, (("record", record),))), event_notes(cohort, Ref("events", name))


@pytest.mark.parametrize(
    ("times", "course", "said"),
    [
        (("00:07", "00:37", "57:07"), (0, 1800, 205200), "hours and minutes"),
        (("08:00", "08:15", "09:00"), (0, 900, 3600), "hours and minutes"),
        (("22:00:00", "23:30:00", "00:30:00"), (0, 5400, 9000), "passes midnight in 1 records"),
        (("2150-01-01", "2150-01-02", "2150-01-04"), (0, 86400, 259200), ""),
        (("2150-01-01 08:00", "2150-01-01T08:00:30", "2150-01-02 08:00"), (0, 30, 86400), ""),
        (("5", "6.5", "7"), (5, 6.5, 7), "unit of its times: seconds"),
    ],
)
def test_times_of_a_csv(tmp_path: Path, times: tuple[str, ...], course: tuple[float, ...], said: str) -> None:
    found, notes = _read(tmp_path, HEAD + "".join(f"1,{t},HR,{60 + i}\n" for i, t in enumerate(times)))
    assert found.times_s is not None
    assert tuple(found.times_s) == course
    np.testing.assert_array_equal(found.array, [[60, 61, 62]])
    assert len(notes) == bool(said)
    assert not notes or said in notes[0]


@pytest.mark.parametrize(
    ("times", "course"),
    [
        (pa.array([datetime.time(22), datetime.time(23, 30), datetime.time(0, 30)]), (0, 5400, 9000)),
        (pa.array([datetime.date(2150, 1, d) for d in (1, 2, 4)]), (0, 86400, 259200)),
        (pa.array([datetime.datetime(2150, 1, 1, 8, 0, s) for s in (0, 1, 30)]), (0, 1, 30)),
        (pa.array([datetime.timedelta(minutes=m) for m in (5, 6, 9)]), (0, 60, 240)),
        (pa.array(["5", "6.5", "7"]).dictionary_encode(), (5, 6.5, 7)),
        (pa.array([5, 6, 9], pa.int16()), (5, 6, 9)),
    ],
)
def test_times_of_a_parquet_table(tmp_path: Path, times: pa.Array, course: tuple[float, ...]) -> None:
    columns = {"record": ["1"] * 3, "time": times, "variable": ["HR"] * 3, "value": [60.0, 61.0, 62.0]}
    pq.write_table(pa.table(columns), tmp_path / "events.parquet")
    found, _ = _table(tmp_path, "events.parquet")
    assert found.times_s is not None
    assert tuple(found.times_s) == course


def test_rows_without_a_time_a_record_or_a_variable_are_set_aside_and_counted(tmp_path: Path) -> None:
    text = HEAD.replace("time", "time_min") + "1,0,HR,60\n1,,HR,80\n1,soon,HR,81\n1,2,HR,62\n,3,HR,90\n1,4,,91\n"
    found, notes = _read(tmp_path, text)
    assert found.times_s is not None
    assert found.times_s.tolist() == [0, 120]
    assert found.leads == ("HR",)
    assert notes == (
        "2 rows have no time that can be read and are set aside",
        "2 rows have no record or no variable and are set aside",
    )
    pq.write_table(
        pa.table({"record": ["1", None], "minute": [0.0, None], "variable": ["HR", "HR"], "value": [60.0, 1.0]}),
        tmp_path / "events.parquet",
    )
    assert event_records(cohort_in(tmp_path), Ref("events", "events.parquet")) == ("1",)


def test_decimal_commas_in_times_and_values(tmp_path: Path) -> None:
    text = "record;time_min;variable;value\n1;0,5;HR;60,5\n1;1;HR;61\n"
    found, notes = _read(tmp_path, text)
    assert found.times_s is not None
    assert (found.times_s.tolist(), found.array.tolist(), notes) == ([30, 60], [[60.5, 61]], ())


def test_a_table_in_latin_1(tmp_path: Path) -> None:
    text = HEAD.replace("time", "time_s") + "".join(f"1,{i},{v},9{i}\n" for i in range(3) for v in ("HF", "Säure"))
    found, _ = _read(tmp_path, text, encoding="latin-1")
    assert found.array.tolist() == [[90, 91, 92]] * 2
    assert found.leads[0] == "HF"


def test_values_without_end_are_set_aside(tmp_path: Path) -> None:
    found, notes = _read(tmp_path, "record,time_s,variable,value\n1,0,HR,60\n1,1,HR,inf\n1,2,HR,62\n")
    assert found.array.tolist() == [[60, 62]]
    assert notes == ("1 rows hold text where a number belongs and are set aside (HR 1)",)


def test_events_with_am_and_pm(tmp_path: Path) -> None:
    rows = ["1,11:30 AM,HR,60", "1,12:30 PM,HR,61", "1,13:15 PM,HR,62", "1,11:30 p.m.,HR,63", "1,12:15 a.m.,HR,64"]
    found, notes = _read(tmp_path, HEAD + "\n".join(rows) + "\n")
    assert found.times_s is not None
    assert (found.times_s / 60).tolist() == [0, 60, 720, 765]
    assert found.array.tolist() == [[60, 61, 63, 64]]
    assert "1 row has no time that can be read and is set aside" in notes
    assert NO_HOUR in notes


def test_events_at_dates_with_am_and_pm(tmp_path: Path) -> None:
    rows = ["1,2024-02-29 11:30 PM,HR,60", "1,2024-03-01 12:30 AM,HR,61", "1,2024-03-01 2:15 PM,HR,62"]
    found, _ = _read(tmp_path, HEAD + "\n".join(rows) + "\n")
    assert found.times_s is not None
    assert (found.times_s / 60).tolist() == [0, 60, 885]


def test_a_table_of_wrong_hours_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=f"written as '99:99 xx': {NO_HOUR}") as caught:
        _read(tmp_path, HEAD + "1,13:15 PM,HR,60\n1,14:15 PM,HR,61\n")
    assert "7:30 AM" in caught.value.expected


UNITS = "record,time_s,variable,value,unit\n"


def test_values_of_one_variable_are_brought_to_its_most_frequent_unit(tmp_path: Path) -> None:
    rows = ["1,0,GLU,5.5,mmol/L", "1,1,GLU,100,mg/dL", "1,2,GLU,6,mmol/l", "1,3,GLU,7,", "1,0,HR,60,bpm"]
    found, notes = _read(tmp_path, UNITS + "\n".join(rows) + "\n")
    assert (found.leads, found.units) == (("GLU", "HR"), ("mmol/L", "bpm"))
    np.testing.assert_allclose(found.array[0], [5.5, 5.5507, 6, 7], rtol=1e-4)
    assert notes == (
        "1 rows of GLU were converted from mg/dL to mmol/L",
        "1 rows of GLU tell no unit and are taken to be in mmol/L",
    )


def test_a_unit_that_cannot_be_converted_sets_its_rows_aside(tmp_path: Path) -> None:
    rows = ["1,0,X,5,mmol/L", "1,1,X,100,mg/dL", "1,2,X,6,mmol/L", "2,0,X,90,mg/dL"]
    found, notes = _read(tmp_path, UNITS + "\n".join(rows) + "\n")
    assert found.array.tolist() == [[5, 6]]
    assert notes == ("2 rows of X are in mg/dL, not in mmol/L, and are set aside",)
    assert event_records(cohort_in(tmp_path), Ref("events", "events.csv")) == ("1",)


def test_a_unit_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    rows = ["1,0,MAP,80,mmHg", "1,1,MAP,81,mm Hg", "1,2,MAP,82,mm[Hg]", "1,3,T,37,°C", "1,4,T,37.5,ºC"]
    found, notes = _read(tmp_path, UNITS + "\n".join(rows) + "\n")
    np.testing.assert_allclose(found.array[0, :3], [80, 81, 82])
    np.testing.assert_allclose(found.array[1, 3:], [37, 37.5])
    assert notes == ()


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        ("subject_id,hadm_id,stay_id,charttime,itemid,value,valuenum,valueuom", (2, 3, 4, 6)),
        ("stay_id,charttime,itemid,label,valuenum", (0, 1, 3, 4)),
        ("record,min,variable,value", (0, 1, 2, 3)),
        ("record,variable,value,hr", (0, 3, 1, 2)),
        ("record,HR,value", None),
        ("patient_id,stay_id,time,variable,value", (1, 2, 3, 4)),
        ("id,record,time,variable,value", (1, 2, 3, 4)),
        ("record,label,time,variable,value", (0, 2, 3, 4)),
        ("record,name,minute,parameter,result,value", (0, 2, 3, 5)),
    ],
)
def test_heads_of_event_tables(heads: str, found: tuple[int, int, int, int] | None) -> None:
    assert event_heads(heads.split(",")) == found


def test_commas_part_thousands_where_a_point_is_the_decimal_mark(tmp_path: Path) -> None:
    rows = ('1,0,PLT,"1,234"', "1,1,PLT,987.5", '1,2,PLT,"12,345.5"', "1,3,PLT,7")
    found, _ = _read(tmp_path, HEAD.replace("time", "time_s") + "\n".join(rows) + "\n")
    assert found.array.tolist() == [[1234, 987.5, 12345.5, 7]]


def test_whose_records_are_is_told_by_a_column_of_patients(tmp_path: Path) -> None:
    rows = ["1,10,0,HR,60", "1,11,0,HR,61", "2,12,0,HR,62", "2,13,0,HR,63", "1,13,1,HR,64", ",14,0,HR,65"]
    _, notes = _read(tmp_path, "subject_id,stay_id,hours,variable,value\n" + "\n".join(rows) + "\n", record="10")
    ref = Ref("events", "events.csv")
    assert event_records(cohort_in(tmp_path), ref) == ("10", "11", "12", "13", "14")
    assert event_patients(cohort_in(tmp_path), ref) == {"10": "1", "11": "1", "12": "2"}
    assert notes == ("the rows of 1 records are of several patients: whose they are is not known",)


def test_records_that_are_fractions_by_their_type_alone_are_whole(tmp_path: Path) -> None:
    columns = {
        "record": [7.0, 8.0, float("nan")],
        "minute": [0, 1, 2],
        "variable": ["HR"] * 3,
        "value": [1.0, 2.0, 3.0],
    }
    pq.write_table(pa.table(columns), tmp_path / "events.parquet")
    assert event_records(cohort_in(tmp_path), Ref("events", "events.parquet")) == ("7", "8")
