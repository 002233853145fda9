"""Series as tables, some of which are not as the others: what becomes of them, and why."""

from pathlib import Path

import pytest

from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import understand
from hounsfield.data.signal.readers import read_signal
from tests.data_room.folders import table


def _series(folder: Path, count: int, *, heads: str = "time_s,HR,SpO2") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fields = heads.split(",")
    for i in range(count):
        values = stream(0, f"series {i}").normal(80, 5, (60, len(fields) - 1)).round(1)
        rows = [f"{t}," + ",".join(str(v) for v in row) for t, row in enumerate(values)]
        (folder / f"r{i}.csv").write_text(heads + "\n" + "\n".join(rows) + "\n")


def _labels(folder: Path, count: int, **columns: object) -> None:
    table(folder / "labels.csv", [{"record": f"r{i}", "diagnosis": "ab"[i % 2], **columns} for i in range(count)])


def test_records_with_a_fault_keep_it(tmp_path: Path) -> None:
    _series(tmp_path, 12)
    whole = (tmp_path / "r0.csv").read_text().splitlines()
    (tmp_path / "r1.csv").write_text("\n".join([whole[0], *("0,lead off,lead off" for _ in range(4)), *whole[4:]]))
    (tmp_path / "r2.csv").write_text(whole[0] + "\n")
    for i in (3, 4):
        (tmp_path / f"r{i}.csv").write_text("\n".join(",".join(row.split(",")[:2]) for row in whole))
    _labels(tmp_path, 13)
    cohort = understand(tmp_path)
    assert cohort.schema.inputs[0].leads == ("HR", "SpO2")
    assert {a.sample: a.reason for a in cohort.set_aside} == {
        "r1": "row 1 of the lead 'HR' holds text where a number belongs.",
        "r2": "it holds no rows",
        "r3": "it lacks SpO2, which the others have",
        "r4": "it lacks SpO2, which the others have",
        "r12": "no such record",
    }
    assert len(cohort) == 8


def test_records_with_more_leads_or_in_another_order_are_records(tmp_path: Path) -> None:
    _series(tmp_path, 6)
    _series(tmp_path / "other", 1, heads="time_s,SpO2,Temp,HR")
    (tmp_path / "other" / "r0.csv").rename(tmp_path / "r6.csv")
    (tmp_path / "other").rmdir()
    _labels(tmp_path, 7)
    table(tmp_path / "notes.csv", [{"record": f"r{i}", "time_s": i, "HR": 70} for i in range(7)])
    cohort = understand(tmp_path)
    assert (len(cohort), cohort.set_aside) == (7, ())
    ref = next(s for s in cohort.samples if s.id == "r6").inputs["signal"][0].ref
    assert read_signal(cohort, ref).leads == ("SpO2", "Temp", "HR")


def test_two_series_are_enough_where_a_table_names_them(tmp_path: Path) -> None:
    _series(tmp_path, 2)
    _labels(tmp_path, 2)
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, [s.id for s in cohort.samples]) == ("columns", ["r0", "r1"])


def test_german_heads_are_times(tmp_path: Path) -> None:
    _series(tmp_path, 6, heads="Zeit (s),EKG (mV)")
    _labels(tmp_path, 6)
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == ("columns", 6)


@pytest.mark.parametrize(
    ("heads", "count", "why"),
    [
        ("0.5,0.2", 9, "names 9 tables that are not taken for series: their first line holds numbers"),
        ("a,b", 4, "fewer than 8 have the same heads, and none of their columns is a time"),
    ],
)
def test_why_tables_are_no_series_is_told(tmp_path: Path, heads: str, count: int, why: str) -> None:
    _series(tmp_path, count, heads=heads)
    _labels(tmp_path, count)
    with pytest.raises(CohortError, match=why):
        understand(tmp_path)


def test_tables_that_are_no_series_beside_variables_are_in_doubt(tmp_path: Path) -> None:
    _series(tmp_path, 9, heads="0.5,0.2")
    rows = [{"record": f"r{i}", "diagnosis": "ab"[i % 2], "age": 40 + i * 7 % 11} for i in range(9)]
    table(tmp_path / "labels.csv", rows)
    cohort = understand(tmp_path)
    assert cohort.schema.layout == "table"
    assert any("not taken for series" in u for u in cohort.schema.unsure)


def test_parts_and_classes_that_are_called_as_tables_are_no_doubt(tmp_path: Path) -> None:
    for part in ("train", "test"):
        rows = [{"name": f"{part}{i}", "age": 40 + i * 7 % 11, "diagnosis": "ab"[i % 2]} for i in range(9)]
        table(tmp_path / f"{part}.csv", rows)
    assert not any("series" in u for u in understand(tmp_path).schema.unsure)


def test_lengths_of_records_that_were_not_looked_at_are_not_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hounsfield.data.layouts.columns.HEADERS_READ", 4)
    _series(tmp_path, 6)
    rows = (tmp_path / "r5.csv").read_text().splitlines()
    (tmp_path / "r5.csv").write_text("\n".join(rows[:21]) + "\n")
    _labels(tmp_path, 6)
    cohort = understand(tmp_path)
    assert len(cohort) == 6
    assert [row[0] for row in cohort.listings[0].rows] == ["r0", "r1", "r2", "r3"]
    assert any("2 further records are not listed" in n for n in cohort.schema.notes)


def test_commas_in_quoted_heads_part_no_columns(tmp_path: Path) -> None:
    _series(tmp_path, 4, heads="time_s,HR,SpO2")
    for path in tmp_path.glob("r*.csv"):
        path.write_text(path.read_text().replace("time_s,HR,SpO2", 'time_s,"HR, monitor",SpO2'))
    _labels(tmp_path, 4)
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, cohort.schema.inputs[0].leads) == ("columns", ("HR, monitor", "SpO2"))
