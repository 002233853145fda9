import csv
import json
from pathlib import Path

import pytest

from hounsfield.core.errors import InputError, PlanError
from hounsfield.workflow.planning import plan
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import STEPS, quick, write_cohort, write_table


def test_the_same_plan_gives_the_same_bytes_whatever_the_test_answers(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=36, parts=True)
    wishes = Wishes(max_steps=STEPS, threads=1)
    plan(tmp_path / "data", wishes=wishes, out=tmp_path / "plan.yaml")
    first = quick(tmp_path / "plan.yaml", tmp_path / "first")
    turned = [[*r[:2], {"yes": "no", "no": "yes"}[str(r[2])] if r[3] == "test" else r[2], r[3]] for r in rows]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], turned)
    second = quick(tmp_path / "plan.yaml", tmp_path / "second")
    for name in ("members/0", "baselines/logistic.0", "baselines/prevalence.0", "arrays/guard"):
        files = [run.path / "bundle" / f"{name}.safetensors" for run in (first, second)]
        assert files[0].read_bytes() == files[1].read_bytes(), name
    ours, theirs = (r.report.parts["test"].metrics["auroc"].value for r in (first, second))
    assert ours is not None
    assert theirs == pytest.approx(1 - ours)


def test_a_plan_for_other_data_is_refused(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=24)
    plan(tmp_path / "data", wishes=Wishes(max_steps=STEPS, threads=1), out=tmp_path / "plan.yaml")
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease"], rows[:-2])
    with pytest.raises(PlanError, match="other data"):
        quick(tmp_path / "plan.yaml", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_probabilities_of_each_row_sum_to_one(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    run = quick(tmp_path / "data", tmp_path / "run")
    with (run.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert float(row["probability:no"]) + float(row["probability:yes"]) == pytest.approx(1, abs=1e-6)
    report = json.loads((run.path / "report.json").read_text())
    assert {r["part"] for r in rows} == set(report["parts"])


@pytest.mark.parametrize(
    "wishes", [{"minutes": 0}, {"folds": 1}, {"seed": -1}, {"lang": "fr"}, {"sensitivity": 1.5}, {"prevalence": 0.0}]
)
def test_wishes_out_of_range(wishes: dict[str, float]) -> None:
    with pytest.raises(InputError, match="--"):
        Wishes(**wishes)  # type: ignore[arg-type]  # wrong on purpose
