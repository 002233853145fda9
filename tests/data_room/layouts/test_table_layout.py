from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.data.cohort_file import cohort_yaml, samples_csv
from hounsfield.data.cohorts import digest, understand
from hounsfield.data.row.readers import read_row
from hounsfield.data.row_columns import ordered
from tests.data_room.folders import table


def _rows(count: int = 60) -> list[dict[str, object]]:
    rng = stream(0, "table")
    rows: list[dict[str, object]] = []
    for i in range(count):
        ill = int(rng.random() < 0.4)
        rows.append(
            {
                "sno": i + 1,
                "case": f"c{i:03d}",
                "age": int(rng.integers(30, 80)),
                "sex": "MF"[int(rng.integers(2))],
                "severity": ("mild", "moderate", "severe")[int(rng.integers(3))],
                "stage": ("I", "II", "IIIa", "IIIb")[int(rng.integers(4))],
                "marker": "" if i % 7 == 0 else round(float(rng.normal(ill, 1)), 2),
                "unit": "mmol",
                "site": "AB"[i % 2],
                "date": f"2020-01-{1 + i % 28:02d}",
                "survival_days": int(rng.integers(10, 900)),
                "marker_of_fate": ill * 10 + 3,
                "diagnosis": ("benign", "malignant")[ill],
            }
        )
    return rows


def _roles(cohort: Cohort) -> dict[str, str]:
    return {c.column: c.role for c in cohort.schema.columns}


def test_columns_become_variables_by_their_content_and_name(tmp_path: Path) -> None:
    rows = _rows()
    path = table(tmp_path / "cases.csv", rows)
    for source in (path, tmp_path):
        cohort = understand(source)
        assert (cohort.schema.layout, len(cohort)) == ("table", 60)
        assert _roles(cohort) == {
            "sno": "id", "case": "id", "age": "input", "sex": "input", "severity": "input", "stage": "input",
            "marker": "input", "unit": "constant", "site": "attribute", "date": "unused", "survival_days": "unused",
            "marker_of_fate": "same as target", "diagnosis": "target",
        }  # fmt: skip
    spec = cohort.schema.inputs[0]
    assert (spec.name, spec.kind, spec.ndim) == ("variables", "row", 0)
    kinds = {c.name: (c.kind, c.levels) for c in spec.columns}
    assert kinds == {
        "age": ("numeric", ()),
        "sex": ("categorical", ("F", "M")),
        "severity": ("ordinal", ("mild", "moderate", "severe")),
        "stage": ("ordinal", ("I", "II", "IIIa", "IIIb")),
        "marker": ("numeric", ()),
    }
    one = cohort.samples[7]
    row = read_row(cohort, one.inputs["variables"][0].ref)
    assert row.names == tuple(kinds)
    assert row.values[0] == rows[7]["age"]
    assert row.values[1] == "FM".index(str(rows[7]["sex"]))
    assert row.values[3] == ("I", "II", "IIIa", "IIIb").index(str(rows[7]["stage"]))
    assert np.isnan(row.values[4])
    assert (one.id, one.attributes["site"]) in {("8", "B"), ("c007", "B")}
    assert any("survival_days" in n for n in cohort.schema.notes)


def test_levels_come_from_outside_the_test_part(tmp_path: Path) -> None:
    rows = [{**r, "split": "test" if i >= 40 else "train"} for i, r in enumerate(_rows())]
    for row in rows:
        row["grade"] = "odd" if row["split"] == "test" and row["sno"] == 50 else str(row["sex"])
    cohort = understand(table(tmp_path / "cases.csv", rows))
    assert cohort.schema.official_parts == ("train", "test")
    grade = next(c for c in cohort.schema.inputs[0].columns if c.name == "grade")
    assert grade.levels == ("F", "M")
    at = [c.name for c in cohort.schema.inputs[0].columns].index("grade")
    assert np.isnan(read_row(cohort, cohort.samples[49].inputs["variables"][0].ref).values[at])


def test_text_among_numbers_is_missing_and_told(tmp_path: Path) -> None:
    rows = _rows()
    rows[3]["marker"] = "haemolytic"
    cohort = understand(table(tmp_path / "cases.csv", rows))
    assert any("'marker': 1 cells" in n for n in cohort.schema.notes)


def test_several_possible_answers_are_listed(tmp_path: Path) -> None:
    rows = [{"a": i % 2, "b": i // 2 % 2, "x": i * 0.37} for i in range(40)]
    path = table(tmp_path / "cases.csv", rows)
    with pytest.raises(CohortError, match="could be the answer: a, b"):
        understand(path)
    cohort = understand(path, Roles(target=("b",)))
    assert [c.name for c in cohort.schema.inputs[0].columns] == ["a", "x"]
    table(tmp_path / "others.csv", [{"c": 1, "label": 0}, {"c": 2, "label": 1}])
    assert understand(tmp_path, Roles(labels="cases.csv", target=("a",))).name == "cases"


def test_rows_of_one_person_share_a_patient(tmp_path: Path) -> None:
    rows = [{"id": i // 3, "day": i % 3, "x": i * 0.37 % 5, "label": i // 3 % 2} for i in range(60)]
    cohort = understand(table(tmp_path / "visits.csv", rows))
    assert (cohort.schema.patients_known, len({s.patient for s in cohort.samples})) == (True, 20)
    assert [c.name for c in cohort.schema.inputs[0].columns] == ["x"]
    assert [s.time_days for s in cohort.samples[:3]] == [0.0, 1.0, 2.0]


def test_one_table_in_parts_is_a_table_and_no_series(tmp_path: Path) -> None:
    rng = stream(0, "parts")
    for part in ("train", "val", "test"):
        rows = [{"time": i, "x": round(float(rng.normal()), 2), "label": i % 2} for i in range(20)]
        table(tmp_path / f"{part}.csv", rows)
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == ("table", 60)
    assert cohort.schema.official_parts == ("train", "val", "test")
    row = read_row(cohort, cohort.samples[45].inputs["variables"][0].ref)
    assert row.names == ("x",)
    assert np.isfinite(row.values).all()


def test_corrections_in_cohort_yaml_win(tmp_path: Path) -> None:
    table(tmp_path / "cases.csv", _rows())
    (tmp_path / "cohort.yaml").write_text("layout: table\ncolumns:\n  survival_days: input\n  age: unused\n")
    names = [c.name for c in understand(tmp_path).schema.inputs[0].columns]
    assert "survival_days" in names
    assert "age" not in names


def test_what_is_written_is_read_back_alike(tmp_path: Path) -> None:
    cohort = understand(table(tmp_path / "cases.csv", _rows()))
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort))
    (tmp_path / "samples.csv").write_text(samples_csv(cohort))
    again = understand(tmp_path)
    assert (again.samples, again.schema) == (cohort.samples, cohort.schema)
    assert digest(again) == digest(cohort)


def _measured(path: Path, cases: Sequence[Mapping[str, object]]) -> None:
    pq.write_table(pa.table({k: [c[k] for c in cases] for k in cases[0]}), path)


def test_measured_features_are_joined_to_answers(tmp_path: Path) -> None:
    rng = stream(0, "measured")
    rows = [
        {"case": f"c{i:03d}.nii.gz", "mask": "m", "label": 1, "part": p, "voxels": 50 - p, "notes": "", "missing": "",
         "Fmorph_vol": float(rng.normal()), "Fstat_mean": float(rng.normal()), "Fstat_one": 1.0}
        for i in range(30) for p in range(1 + (i == 4))
    ]  # fmt: skip
    _measured(tmp_path / "features.parquet", rows)
    answers = [{"case": f"c{i:03d}", "outcome": i % 2, "age": 50 + i % 9} for i in range(32)]
    table(tmp_path / "labels.csv", answers)
    cohort = understand(tmp_path)
    assert (cohort.schema.layout, len(cohort)) == ("table", 30)
    assert [(s.name, len(s.columns)) for s in cohort.schema.inputs] == [("features", 2), ("variables", 1)]
    row = read_row(cohort, cohort.samples[6].inputs["features"][0].ref)
    wanted = next(r for r in rows if r["case"] == "c006.nii.gz")
    assert row.values.tolist() == [wanted["Fmorph_vol"], wanted["Fstat_mean"]]
    assert {a.reason for a in cohort.set_aside} == {"no measured features"}
    assert any("largest region" in n for n in cohort.schema.notes)
    alone = tmp_path / "alone"
    alone.mkdir()
    _measured(alone / "features.parquet", rows)
    with pytest.raises(CohortError, match="no answers beside them"):
        understand(alone / "features.parquet")
    elsewhere = Roles(labels=str(tmp_path / "labels.csv"))
    cohort = understand(alone / "features.parquet", elsewhere)
    assert (len(cohort), [s.name for s in cohort.schema.inputs]) == (30, ["features"])
    assert cohort.samples[0].attributes["age"] == 50


def _several(folder: Path, *, sites: str = "AB") -> None:
    """Write what `hu measure` leaves for two modalities, CSV twins included, and answers with a hospital."""
    rng = stream(0, "several")
    for name in ("ct", "pet"):
        rows = [
            {"case": f"c{i:03d}", "mask": "", "label": 1, "part": 0, "voxels": 50, "notes": "", "missing": "",
             **{f"stat_{k}": float(rng.normal()) for k in range(12)}}
            for i in range(30) if (name, i) != ("pet", 7)
        ]  # fmt: skip
        _measured(folder / f"{name}.parquet", rows)
        table(folder / f"{name}.csv", rows)
        table(folder / f"{name}_apart.csv", [{"sample": "c099", "reason": "no mask has its name"}])
    table(
        folder / "labels.csv",
        [{"case": f"c{i:03d}", "outcome": i % 2, "hospital": sites[i // 2 % len(sites)]} for i in range(30)],
    )


def test_several_measured_tables_are_inputs_of_their_own_and_know_the_site(tmp_path: Path) -> None:
    _several(tmp_path)
    cohort = understand(tmp_path)
    assert [(s.name, len(s.columns), s.columns[-1].kind) for s in cohort.schema.inputs] == [
        ("features ct", 13, "place"),
        ("features pet", 13, "place"),
    ]
    assert cohort.schema.inputs[0].columns[-1].levels == ("A", "B")
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("c007", "no measured features in pet.parquet")]
    assert _roles(cohort)["hospital"] == "attribute"
    sample = next(s for s in cohort.samples if s.id == "c010")
    assert sample.attributes["hospital"] == "B"
    for name in ("features ct", "features pet"):
        row = read_row(cohort, sample.inputs[name][0].ref)
        assert (row.names[-1], row.values[-1]) == ("hospital", 1.0)
        assert np.isfinite(row.values).all()
    assert any("2 places" in n for n in cohort.schema.notes)


def test_a_site_may_be_named_and_few_rows_of_it_are_of_no_use(tmp_path: Path) -> None:
    _several(tmp_path, sites="ABCDEFGHIJ")
    assert all(c.kind != "place" for s in understand(tmp_path).schema.inputs for c in s.columns)
    again = tmp_path / "again"
    again.mkdir()
    rows = [{**r, **{f"x{k}": i * k % 7 for k in range(1, 12)}, "room": "NS"[i % 2]} for i, r in enumerate(_rows())]
    table(again / "cases.csv", rows)
    inferred = understand(again).schema.inputs[0].columns
    assert [c.name for c in inferred if c.kind == "place"] == ["site"]
    (again / "cohort.yaml").write_text("layout: table\ncolumns:\n  room: site\n")
    said = understand(again)
    assert [(c.name, c.levels) for c in said.schema.inputs[0].columns if c.kind == "place"] == [("room", ("N", "S"))]
    assert said.samples[0].attributes["room"] == "N"


def test_a_covariate_may_be_named_and_is_never_the_answer(tmp_path: Path) -> None:
    rows = [
        {**r, **{f"x{k}": i * k % 7 for k in range(1, 12)}, "copy": f"c{r['diagnosis']}"} for i, r in enumerate(_rows())
    ]
    table(tmp_path / "cases.csv", rows)
    assert not any(c.covariate for c in understand(tmp_path).schema.inputs[0].columns)
    (tmp_path / "cohort.yaml").write_text("layout: table\ncolumns:\n  age: covariate\n")
    said = understand(tmp_path)
    assert [c.name for c in said.schema.inputs[0].columns if c.covariate] == ["age"]
    assert _roles(said)["age"] == "covariate"
    assert said.samples[0].attributes["age"] is not None
    (tmp_path / "cohort.yaml").write_text("layout: table\ncolumns:\n  copy: covariate\n")
    with pytest.raises(CohortError, match="gives the answer away: it is 'diagnosis' under another name"):
        understand(tmp_path)


@pytest.mark.parametrize(
    ("levels", "order"),
    [
        (("t3", "t1", "t2"), ("t1", "t2", "t3")),
        (("stage iv", "stage i", "stage iii"), ("stage i", "stage iii", "stage iv")),
        (("high", "low", "medium"), ("low", "medium", "high")),
        (("a", "b", "c"), None),
        (("yes", "no"), None),
        (("2b", "2a", "1"), ("1", "2a", "2b")),
    ],
)
def test_levels_with_a_known_order(levels: tuple[str, ...], order: tuple[str, ...] | None) -> None:
    assert ordered(levels) == order
