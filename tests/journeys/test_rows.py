"""A plain table of variables goes the whole way."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import CohortError
from hounsfield.core.streams import stream
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.predicting import predict
from hounsfield.workflow.training import Run
from tests.journeys.making import quick, write_table

HEAD = ["id", "age", "sex", "crp", "lactate", "diagnosis"]


def rows(count: int, *, first: int = 0) -> list[list[object]]:
    """Patients who are ill where age and lactate are high; every seventh has no lactate, every ninth no sex."""
    made: list[list[object]] = []
    for i in range(first, first + count):
        draws = stream(i, "patients")
        age, lactate, crp = 50 + 12 * draws.standard_normal(), 2 + draws.standard_normal(), draws.lognormal(1.5, 1.0)
        ill = (age - 50) / 12 + (lactate - 2) + 0.3 * draws.standard_normal() > 0
        made.append(
            [
                f"p{i:04d}",
                f"{age:.2f}",
                "" if i % 9 == 0 else ("female", "male")[i % 2],
                f"{crp:.3f}",
                "" if i % 7 == 0 else f"{lactate:.3f}",
                "ill" if ill else "well",
            ]
        )
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("table")
    write_table(folder / "patients.csv", HEAD, rows(150))
    return quick(folder / "patients.csv", folder / "run", max_steps=60)


def test_the_report_has_figures_beside_baselines(run: Run) -> None:
    accuracy = run.report.parts["test"].metrics["accuracy"]
    assert accuracy.value is not None
    assert accuracy.value > 0.7
    assert accuracy.low is not None
    assert {"prevalence", "logistic"} <= set(run.report.baselines)
    plan = open_sealed(run.path / "bundle").plan
    assert plan.value("network", "family") == "row"
    (section,) = [s for s in plan.sections if s.startswith("preparation.")]
    assert plan.value(section, "columns") == ["age", "sex", "crp", "lactate"]
    assert plan.value(section, "logarithm") == ["crp"]


def test_new_rows_are_predicted_whatever_their_order(run: Run, tmp_path: Path) -> None:
    new = rows(12, first=500)
    write_table(tmp_path / "new.csv", HEAD[:-1], [r[:-1] for r in new])
    said = list(predict(run.path, [tmp_path / "new.csv"]))
    assert [p.sample for p in said] == [r[0] for r in new]
    right = sum(p.targets["diagnosis"].value == r[-1] for p, r in zip(said, new, strict=True))
    assert right >= 8
    turned = [[r[0], r[4], r[2], r[1], r[3]] for r in new[:1]]
    write_table(tmp_path / "one.csv", ["id", "lactate", "sex", "age", "crp"], turned)
    (alone,) = predict(run.path, [tmp_path / "one.csv"])
    assert alone.targets == said[0].targets


def test_dirty_rows_are_flagged_or_refused(run: Run, tmp_path: Path) -> None:
    dirty = [
        ["a", "old", "male", "3.0", "2.0"],
        ["b", "", "", "", ""],
        ["c", "1e9", "other", "3.0", "2.0"],
    ]
    write_table(tmp_path / "dirty.csv", HEAD[:-1], dirty)
    text, empty, far = predict(run.path, [tmp_path / "dirty.csv"])
    assert any("never missing in training: age" in f for f in text.flags)
    assert "Every variable" in empty.refusal
    assert any("far out: age" in f for f in far.flags)
    write_table(tmp_path / "other.csv", ["weight", "height"], [["70", "180"]])
    with pytest.raises(CohortError, match="none of the variables"):
        list(predict(run.path, [tmp_path / "other.csv"]))


def test_other_patients_are_evaluated(run: Run, tmp_path: Path) -> None:
    write_table(tmp_path / "patients.csv", HEAD, rows(60, first=2000))
    figures = evaluate(run.path, tmp_path / "patients.csv").parts["test"]
    assert figures.samples == 60
    value = figures.metrics["accuracy"].value
    assert value is not None
    assert value > 0.7


def test_folds_hold_every_row_out_once(tmp_path: Path) -> None:
    write_table(tmp_path / "patients.csv", HEAD, rows(60))
    done = quick(tmp_path / "patients.csv", tmp_path / "run", max_steps=5, folds=3)
    assert done.report.judged_part == "cv"
    assert done.report.parts["cv"].samples == 60
    assert np.isfinite(done.report.parts["cv"].metrics["accuracy"].value or np.nan)
