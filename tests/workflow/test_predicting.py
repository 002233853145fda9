import csv
import json
from pathlib import Path

import pytest

from hounsfield.core.errors import CohortError, RunExistsError
from hounsfield.workflow.comparing import compare
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.predicting import predict, prediction_json
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import picture, quick, save, write_cohort, write_table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predicting") / "data"
    write_cohort(folder, n=30, parts=True)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return quick(folder, folder.parent / "run")


def test_unreadable_images_are_answered_with_their_reason(run: Run, tmp_path: Path) -> None:
    save(tmp_path / "a.png", picture(1, 1))
    (tmp_path / "b.png").write_text("no picture")
    save(tmp_path / "c.png", picture(2, 0))
    said = list(predict(run.path, [tmp_path], out=tmp_path / "out"))
    assert [p.sample for p in said] == ["a", "b", "c"]
    assert "text" in said[1].refusal
    entry = prediction_json(said[1])
    assert isinstance(entry, dict)
    assert entry["refusal"] == said[1].refusal
    with (tmp_path / "out" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["sample"] for r in rows] == ["a", "b", "c"]
    assert json.loads((tmp_path / "out" / "predictions.json").read_text())["schema_version"] == 1
    with pytest.raises(RunExistsError):
        list(predict(run.path, [tmp_path], out=tmp_path / "out"))


def test_an_answer_does_not_depend_on_its_neighbours(run: Run, folder: Path) -> None:
    together = {p.sample: p for p in predict(run.path, [folder])}
    for name in ("03", "17"):
        alone = list(predict(run.path, [folder / f"{name}.png"]))
        assert alone[0].targets == together[name].targets


def test_an_image_unlike_the_training_images_is_doubted(run: Run, tmp_path: Path) -> None:
    save(tmp_path / "white.png", picture(1, 0) * 0 + 255)
    save(tmp_path / "tiny.png", picture(1, 0, size=10))
    white, tiny = (next(iter(predict(run.path, [tmp_path / n]))) for n in ("white.png", "tiny.png"))
    assert white.refusal
    assert tiny.refusal or any("size" in flag for flag in tiny.flags)


def test_answers_are_not_looked_at(run: Run, folder: Path, tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=30, parts=True)
    turned = [[*r[:2], "no" if r[2] == "yes" else "yes", r[3]] for r in rows]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease", "split"], turned)
    ours, theirs = (list(predict(run.path, [where])) for where in (folder, tmp_path / "data"))
    assert [p.targets for p in ours] == [p.targets for p in theirs]


def test_nothing_to_predict(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="No images"):
        list(predict(run.path, [tmp_path]))


def test_prevalence_is_told_in_an_evaluation(run: Run, folder: Path) -> None:
    report = evaluate(run.path, folder, wishes=Wishes(prevalence=0.05))
    assert any("prevalence" in name for name in report.parts["test"].metrics)


def test_a_run_compared_with_itself(run: Run) -> None:
    found = compare(run.path, run.path / "bundle")
    assert found.difference["auroc"].value == 0.0
    assert "No clear difference" in found.verdict
