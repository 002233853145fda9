from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Ref
from hounsfield.core.errors import ReadError
from hounsfield.core.leads import standard_lead
from hounsfield.data.signal.archive import series_labels
from hounsfield.data.signal.events import event_records
from hounsfield.data.signal.readers import read_signal, signal_header, signal_reader_for
from tests.data_room.signal.records import cohort_in


def _write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_columns_with_units_and_a_rate(tmp_path: Path) -> None:
    rows = "\n".join(f"{i * 8},{i},{80 + i}" for i in range(10))
    _write(tmp_path, "a.csv", f"time [ms],ECG II (mV),ABP [mmHg]\n{rows}\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert found.rate_hz == pytest.approx(125)
    assert found.leads == ("ECG II", "ABP")
    assert found.units == ("mV", "mmHg")
    np.testing.assert_array_equal(found.array[1], np.arange(80, 90))
    part = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv", (("lead", "ABP"),)), start=3, stop=5)
    np.testing.assert_array_equal(part.array, [[83, 84]])
    assert part.start_s == pytest.approx(0.024)
    assert signal_reader_for(tmp_path / "a.csv") == "columns"


def test_a_second_line_of_units_and_clock_times(tmp_path: Path) -> None:
    rows = "\n".join(f"'0:{i * 0.004:06.3f}',{i}" for i in range(20))
    _write(tmp_path, "a.csv", f"'Elapsed time','MLII'\n'hh:mm:ss.mmm','mV'\n{rows}\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert (found.rate_hz, found.leads, found.units) == (250, ("MLII",), ("mV",))


def test_irregular_times_are_kept_and_missing_cells_are_nan(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "time_min,HR\n0,60\n1,\n5,70\n5,71\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert found.rate_hz is None
    assert found.times_s is not None
    assert found.times_s.tolist() == [0, 60, 300, 300]
    np.testing.assert_array_equal(found.array[0], [60, np.nan, 70, 71])


def test_dates_become_seconds_since_the_first(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "timestamp,HR\n2024-02-28 23:59:00,60\n2024-02-29 00:01:00,61\n2024-02-29 01:00:00,62\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert found.times_s is not None
    assert found.times_s.tolist() == [0, 120, 3660]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,HR\n0,60\n1,high\n2,61\n", "row 2 of the lead 'HR' holds text"),
        ("time,HR\n0,60\n2,61\n1,62\n", "backwards 1 times"),
        ("time,HR\n0,60\nlater,61\n", "row 2 of the times"),
        ("time\n0\n1\n", "no lead"),
        ("time,HR\n", "no rows|shape"),
    ],
)
def test_bad_columns_are_errors_with_their_reason(tmp_path: Path, text: str, why: str) -> None:
    _write(tmp_path, "a.csv", text)
    with pytest.raises(ReadError, match=why):
        read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))


def test_a_series_of_one_point_is_a_signal_without_a_rate(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "time (s),HR\n0,60\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert (found.samples, found.rate_hz, found.duration_s) == (1, None, 0.0)


EVENTS = (
    "record,minute,variable,value,unit\n"
    "7,0,MAP,80,mmHg\n7,5,HR,60,bpm\n007,1,HR,61,bpm\n7,3,MAP,82,mmHg\n7,3,MAP,83,mmHg\n"
)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_events_of_one_record_keep_their_times(tmp_path: Path, kind: str) -> None:
    _write(tmp_path, "events.csv", EVENTS)
    if kind == "parquet":
        import pyarrow as pa
        import pyarrow.csv as pc
        import pyarrow.parquet as pq

        options = pc.ConvertOptions(column_types={"record": pa.string()})
        pq.write_table(pc.read_csv(tmp_path / "events.csv", convert_options=options), tmp_path / "events.parquet")
    cohort, ref = cohort_in(tmp_path), Ref("events", f"events.{kind}", (("record", "7"),))
    found = read_signal(cohort, ref)
    assert event_records(cohort, ref) == ("7", "007")
    assert found.leads == ("MAP", "HR")
    assert found.units == ("mmHg", "bpm")
    assert found.times_s is not None
    assert found.times_s.tolist() == [0, 180, 300]
    np.testing.assert_array_equal(found.array, [[80, 83, np.nan], [np.nan, np.nan, 60]])
    header = signal_header(cohort, ref)
    assert header.samples == 3
    assert "1 values have the same record" in header.notes[0]
    assert signal_reader_for(tmp_path / f"events.{kind}") == "events"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("record,minute,value\n7,0,1\n", "no table of events"),
        ("record,minute,variable,value\n", "empty"),
        ("record,time,variable,value\n7,05/14/2020,HR,1\n7,06/14/2020,HR,2\n7,0,HR,2\n", "written as '99/99/9999'"),
        ("record,minute,variable,value\n7,,HR,1\n", "no row of the table has"),
    ],
)
def test_bad_events_are_errors_with_their_reason(tmp_path: Path, text: str, why: str) -> None:
    _write(tmp_path, "events.csv", text)
    with pytest.raises(ReadError, match=why):
        read_signal(cohort_in(tmp_path), Ref("events", "events.csv", (("record", "7"),)))


def test_one_value_of_text_is_set_aside_and_told_of(tmp_path: Path) -> None:
    _write(tmp_path, "events.csv", EVENTS.replace(",80,", ",high,"))
    ref = Ref("events", "events.csv", (("record", "7"),))
    found = read_signal(cohort_in(tmp_path), ref)
    places = [found.leads.index(name) for name in ("MAP", "HR")]
    np.testing.assert_array_equal(found.array[places], [[83, np.nan], [np.nan, 60]])
    assert any("hold text where a number belongs" in note for note in signal_header(cohort_in(tmp_path), ref).notes)


def test_categories_that_no_row_has_are_no_records(tmp_path: Path) -> None:
    """A table cut out of a larger one keeps the larger one's categories."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pa.array(["1", "2", "3", "2"]).dictionary_encode()
    columns = {"record": names, "minute": [0, 1, 2, 3], "variable": ["MAP"] * 4, "value": [80.0, 81.0, 82.0, 83.0]}
    pq.write_table(pa.table(columns).filter(pa.array([False, True, False, True])), tmp_path / "events.parquet")
    cohort, ref = cohort_in(tmp_path), Ref("events", "events.parquet", (("record", "2"),))
    assert event_records(cohort, ref) == ("2",)
    np.testing.assert_array_equal(read_signal(cohort, ref).array, [[81, 83]])


def test_a_record_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, "events.csv", EVENTS)
    with pytest.raises(ReadError, match="no such record"):
        read_signal(cohort_in(tmp_path), Ref("events", "events.csv", (("record", "8"),)))


def test_series_of_an_archive(tmp_path: Path) -> None:
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    np.savez(tmp_path / "a.npz", X_train=x, y_train=np.arange(4), X_test=x.reshape(2, 2, 6))
    cohort = cohort_in(tmp_path)
    one = read_signal(cohort, Ref("ucr", "a.npz", (("array", "X_train"), ("index", 2))))
    np.testing.assert_array_equal(one.array, x[2:3])
    assert (one.rate_hz, one.units) == (None, ("",))
    two = read_signal(cohort, Ref("ucr", "a.npz", (("array", "X_test"), ("index", 1))), start=1, stop=3)
    np.testing.assert_array_equal(two.array, [[13, 14], [19, 20]])
    assert signal_header(cohort, Ref("ucr", "a.npz", (("array", "X_test"), ("index", 1)))).leads == ("x1", "x2")
    assert signal_reader_for(tmp_path / "a.npz") == "ucr"
    for part in [("X_val", 0), ("X_train", 9), ("y_train", 0)]:
        with pytest.raises(ReadError):
            read_signal(cohort, Ref("ucr", "a.npz", (("array", part[0]), ("index", part[1]))))


def test_ts_and_tsv_series(tmp_path: Path) -> None:
    head = "# made here\n@problemName toy\n@timeStamps false\n@univariate false\n@classLabel true a b\n@data\n"
    _write(tmp_path, "a.ts", head + "1,2,3:4,?,6:a\n7,8:9,10:b\n")
    _write(tmp_path, "a.tsv", "1\t0.5\t0.25\t0.125\n2\t1.0\tNaN\t3.0\n")
    cohort = cohort_in(tmp_path)
    first = read_signal(cohort, Ref("ts", "a.ts", (("index", 0),)))
    np.testing.assert_array_equal(first.array, [[1, 2, 3], [4, np.nan, 6]])
    assert read_signal(cohort, Ref("ts", "a.ts", (("index", 1),))).samples == 2
    assert series_labels(cohort, Ref("ts", "a.ts")) == ("a", "b")
    np.testing.assert_array_equal(read_signal(cohort, Ref("ts", "a.tsv", (("index", 1),))).array, [[1, np.nan, 3]])
    assert series_labels(cohort, Ref("ts", "a.tsv")) == ("1", "2")
    assert [signal_reader_for(tmp_path / n) for n in ("a.ts", "a.tsv")] == ["ts", "ts"]
    _write(tmp_path, "a.ts", head + "1,2,x:4,5,6:a\n")
    with pytest.raises(ReadError, match="text"):
        read_signal(cohort, Ref("ts", "a.ts", (("index", 0),)))


def test_a_lead_in_brackets_is_no_unit_and_a_head_that_comes_again_keeps_its_unit(tmp_path: Path) -> None:
    heads = "time (s),ECG (II),ECG (V1) [mV],ABP (mmHg),ABP (mmHg),V,V"
    _write(tmp_path, "a.csv", heads + "\n" + "".join(f"{i},{i},2,90,91,5,6\n" for i in range(5)))
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert found.leads == ("ECG II", "ECG (V1)", "ABP", "ABP #2", "V", "V #2")
    assert found.units == ("", "mV", "mmHg", "mmHg", "", "")
    assert [standard_lead(n) for n in found.leads] == ["II", "V1", None, None, None, None]


def test_a_first_row_of_missing_values_is_no_row_of_units(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "HR,SpO2\n-,-\n60,97\n61,98\n")
    found = read_signal(cohort_in(tmp_path), Ref("columns", "a.csv"))
    np.testing.assert_array_equal(found.array, [[np.nan, 60, 61], [np.nan, 97, 98]])
    assert found.units == ("", "")


def test_repeated_times_are_told(tmp_path: Path) -> None:
    _write(tmp_path, "a.csv", "time (s),ECG (mV)\n" + "".join(f"{i // 4},{i}\n" for i in range(12)))
    header = signal_header(cohort_in(tmp_path), Ref("columns", "a.csv"))
    assert header.rate_hz is None
    assert header.notes == ("rows have the same time as those before them",)


def test_a_series_without_a_label_keeps_its_first_value(tmp_path: Path) -> None:
    _write(tmp_path, "a.tsv", "1\t0.5\t0.25\t0.125\n\t0.75\t0.5\t0.25\n  2\t1.0\t3.0\t\n")
    cohort = cohort_in(tmp_path)
    assert series_labels(cohort, Ref("ts", "a.tsv")) == ("1", "", "2")
    np.testing.assert_array_equal(read_signal(cohort, Ref("ts", "a.tsv", (("index", 1),))).array, [[0.75, 0.5, 0.25]])


def test_an_empty_row_takes_no_value_away_from_one_at_the_same_time(tmp_path: Path) -> None:
    _write(tmp_path, "events.csv", EVENTS.replace("7,3,MAP,83,mmHg", "7,3,MAP,,mmHg"))
    found = read_signal(cohort_in(tmp_path), Ref("events", "events.csv", (("record", "7"),)))
    np.testing.assert_array_equal(found.array, [[80, 82, np.nan], [np.nan, np.nan, 60]])


def test_blanks_and_case_of_the_words_of_a_ts_file_do_not_matter(tmp_path: Path) -> None:
    _write(tmp_path, "a.ts", "@problemName toy\n@CLASSLABEL\ttrue  a b\n@data\n1,2,3:a\n4,5,6:b\n")
    assert series_labels(cohort_in(tmp_path), Ref("ts", "a.ts")) == ("a", "b")
