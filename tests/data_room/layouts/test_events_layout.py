from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hounsfield.core.cohort import Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.data.cohorts import digest, recordings, understand
from hounsfield.data.row.readers import read_row
from hounsfield.data.signal.readers import read_signal
from tests.data_room.folders import table

STAYS = 40


def _events(path: Path, records: range, *, parquet: bool = True) -> None:
    rng = stream(0, f"events {path.name}")
    rows = [
        {"record": str(r), "minute": m, "variable": v, "value": round(float(rng.normal(80, 9)), 1)}
        for r in records
        for m, v in ((0, "HR"), (30, "MAP"), (65, "HR"))
    ]
    if parquet:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({k: [r[k] for r in rows] for k in rows[0]}), path)
    else:
        table(path, rows)


def _outcome(record: int) -> dict[str, object]:
    return {
        "record": record,
        "age": 40 + record % 37,
        "gender": ("f", "m")[record % 3 == 0],
        "hospital": "AB"[record % 2],
        "height": 150 + record % 31,
        "sofa": record % 13,
        "length_of_stay": 1 + record % 11,
        "in_hospital_death": int(record % 5 == 0),
    }


def _ward(folder: Path) -> Path:
    for name, first in (("a", 1000), ("b", 2000)):
        _events(folder / f"events_{name}.parquet", range(first, first + STAYS))
        table(folder / f"stays_{name}.csv", [_outcome(r) for r in range(first, first + STAYS)])
    return folder


def test_one_sample_for_each_stay_with_its_series_and_a_row(tmp_path: Path) -> None:
    cohort = understand(_ward(tmp_path))
    assert (cohort.schema.layout, len(cohort)) == ("events", 2 * STAYS)
    spec = cohort.schema.targets[0]
    assert (spec.name, spec.classes, spec.positive) == ("in_hospital_death", ("0", "1"), "1")
    assert [(s.name, s.kind) for s in cohort.schema.inputs] == [("signal", "signal"), ("static", "row")]
    assert cohort.schema.inputs[0].leads == ("HR", "MAP")
    assert [(c.name, c.kind) for c in cohort.schema.inputs[1].columns] == [
        ("age", "numeric"),
        ("gender", "categorical"),
        ("height", "numeric"),
    ]
    late = next(s for s in cohort.samples if s.id == "2003")
    signal = read_signal(cohort, late.inputs["signal"][0].ref)
    assert signal.times_s is not None
    assert signal.times_s.tolist() == [0.0, 1800.0, 3900.0]
    assert np.isfinite(signal.array).sum() == 3
    row = read_row(cohort, late.inputs["static"][0].ref)
    assert row.values.tolist() == [40 + 2003 % 37, 0.0, 150 + 2003 % 31]
    about = {"age": 40.0 + 2003 % 37, "gender": "f", "hospital": "B", "set": "b", "height": 150.0 + 2003 % 31}
    assert late.attributes == about | {"sofa": float(2003 % 13)}
    roles = {c.column: c.role for c in cohort.schema.columns}
    assert roles["length_of_stay"] == "unused"
    assert roles["hospital"] == "attribute"


def test_a_score_is_looked_at_where_that_is_said(tmp_path: Path) -> None:
    _ward(tmp_path)
    (tmp_path / "cohort.yaml").write_text("layout: events\ncolumns:\n  sofa: input\n  age: unused\n")
    names = [c.name for c in understand(tmp_path).schema.inputs[1].columns]
    assert names == ["gender", "height", "sofa"]


def test_sets_are_parts_where_that_is_said(tmp_path: Path) -> None:
    cohort = understand(_ward(tmp_path), Roles(split="set"))
    assert {(s.part, s.id[0]) for s in cohort.samples} == {("train", "1"), ("test", "2")}
    (tmp_path / "events_a.parquet").rename(tmp_path / "events_train.parquet")
    for old, new in (("a", "train"), ("b", "test")):
        (tmp_path / f"stays_{old}.csv").rename(tmp_path / f"stays_{new}.csv")
    assert understand(tmp_path).schema.official_parts == ("train", "test")


def test_one_csv_of_events(tmp_path: Path) -> None:
    _events(tmp_path / "vitals.csv", range(100, 140), parquet=False)
    table(tmp_path / "outcomes.csv", [_outcome(r) for r in range(100, 141)])
    cohort = understand(tmp_path)
    assert len(cohort) == STAYS
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("140", "no events were recorded")]
    assert understand(tmp_path / "vitals.csv").samples == cohort.samples


def test_test_answers_do_not_change_the_digest_and_values_do(tmp_path: Path) -> None:
    def sums() -> str:
        return digest(understand(tmp_path, Roles(split="set")))

    _ward(tmp_path)
    first = sums()
    rows = [_outcome(r) | ({"in_hospital_death": 1} if r == 2003 else {}) for r in range(2000, 2000 + STAYS)]
    table(tmp_path / "stays_b.csv", rows)
    assert sums() == first
    table(tmp_path / "stays_b.csv", [r | ({"age": 99} if r["record"] == 2003 else {}) for r in rows])
    assert sums() != first


def test_a_stay_in_two_tables_and_text_as_value_are_told(tmp_path: Path) -> None:
    _ward(tmp_path)
    _events(tmp_path / "events_c.parquet", range(1000, 1003))
    with pytest.raises(CohortError, match="3 records are in"):
        understand(tmp_path)
    (tmp_path / "events_c.parquet").unlink()
    (tmp_path / "events_d.csv").write_text("record,time,variable,value\n1,0,HR,high\n")
    with pytest.raises(CohortError, match="text where a number belongs"):
        understand(tmp_path)


def test_events_without_outcomes_have_no_answers(tmp_path: Path) -> None:
    _events(tmp_path / "events.parquet", range(5))
    with pytest.raises(CohortError, match="no labels"):
        understand(tmp_path)


def test_rows_with_text_as_value_are_set_aside_and_told(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"record": r, "minute": m, "variable": v, "value": value}
        for r in range(30)
        for m, v, value in ((0, "HR", 80.5), (5, "K", "haemolysed"), (9, "K", "4,1"), (20, "HR", "NA"))
    ]
    rows += [{"record": 99, "minute": 0, "variable": "K", "value": "cancelled"}]
    table(tmp_path / "events.csv", rows)
    table(tmp_path / "stays.csv", [_outcome(r) for r in (*range(30), 99)])
    cohort = understand(tmp_path)
    assert any("31 rows hold text where a number belongs and are set aside (K 31)" in n for n in cohort.schema.notes)
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("99", "no events were recorded")]
    signal = read_signal(cohort, cohort.samples[0].inputs["signal"][0].ref)
    assert signal.times_s is not None
    np.testing.assert_array_equal(signal.times_s, [0.0, 540.0, 1200.0])
    leads = {name: signal.array[i] for i, name in enumerate(signal.leads)}
    np.testing.assert_allclose(leads["HR"], [80.5, np.nan, np.nan])
    np.testing.assert_allclose(leads["K"], [np.nan, 4.1, np.nan], rtol=1e-6)


NAMES = ("a\\3", "..", "A/1", "B/1", "/etc/x", "c.csv", "r.edf", "x%2F1", "a.b", "plain", "007", "mask/1")


def test_a_name_of_a_record_is_no_path(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"record": r, "minute": m, "variable": "HR", "value": 60 + i} for i, r in enumerate(NAMES) for m in range(3)
    ]
    table(tmp_path / "events.csv", rows)
    table(
        tmp_path / "stays.csv", [{"record": r, "died": i % 2} for i, r in enumerate(NAMES[:-1])] + [{"record": "gone"}]
    )
    cohort = understand(tmp_path)
    assert sorted(s.id for s in cohort.samples) == sorted(NAMES[:-1])
    assert {s.id: s.patient for s in cohort.samples} == {n: n for n in NAMES[:-1]}
    assert {(a.sample, a.reason) for a in cohort.set_aside} == {
        ("gone", "no events were recorded"),
        ("mask/1", "no answer"),
    }
    for sample in cohort.samples:
        values = read_signal(cohort, sample.inputs["signal"][0].ref).array
        assert (values == 60 + NAMES.index(sample.id)).all()
        assert sample.targets["died"] == str(NAMES.index(sample.id) % 2)


def test_names_of_records_without_outcomes_are_shown_as_they_are(tmp_path: Path) -> None:
    names = ("A/1", "B/1", "..", "7")
    table(tmp_path / "events.csv", [{"record": r, "minute": 0, "variable": "HR", "value": 60} for r in names])
    cohort = recordings(tmp_path)
    assert sorted(s.id for s in cohort.samples) == sorted(names)
    assert cohort.schema.targets == ()


def test_everything_remarkable_of_a_table_of_events_is_told(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"record": r, "time": t, "variable": "HR", "value": 60 + t} for r in range(20) for t in (0, 1, 1)
    ]
    table(tmp_path / "events.csv", rows)
    table(tmp_path / "stays.csv", [_outcome(r) for r in range(20)])
    notes = understand(tmp_path).schema.notes
    assert "events.csv: the table does not tell the unit of its times: seconds." in notes
    assert any(n.startswith("events.csv: 20 values have the same record, variable and time") for n in notes)
