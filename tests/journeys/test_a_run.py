"""From a folder of slices to a judged model: the files of a run, its figures, and what is said of the data."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

from hounsfield.bundle.sealed import open_sealed
from hounsfield.core.errors import CohortError, InputError, RunExistsError
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.workflow.comparing import compare
from hounsfield.workflow.evaluating import evaluate
from hounsfield.workflow.study import study
from hounsfield.workflow.training import Run
from hounsfield.workflow.wishes import Wishes
from tests.journeys.making import everything_in, hu, picture, quick, write_cohort, write_folders, write_table

FILES = {
    "cohort.yaml",
    "samples.csv",
    "audit.json",
    "fingerprint.json",
    "plan.yaml",
    "bundle",
    "predictions.csv",
    "report.json",
    "report.html",
    "log.jsonl",
    "seen.json",
}
KEYS = {"schema_version", "task", "target", "parts", "baselines", "shortcut", "audit", "cost", "environment"}
METRICS = {"auroc", "accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity", "brier"}


def test_all_files_of_a_run(demo_run: Run) -> None:
    assert {p.name for p in demo_run.path.iterdir()} == FILES
    for line in (demo_run.path / "log.jsonl").read_text().splitlines():
        assert "event" in json.loads(line)


def test_the_report_has_what_is_promised(demo_run: Run) -> None:
    report = json.loads((demo_run.path / "report.json").read_text())
    assert set(report) >= KEYS
    assert report["schema_version"] == 1
    assert report["target"]["positive"] == "lesion"
    for part in ("test", "val"):
        assert set(report["parts"][part]["metrics"]) >= METRICS
        assert set(report["parts"][part]["metrics"]["auroc"]) >= {"value", "low", "high"}
    assert set(report["baselines"]) >= {"prevalence", "logistic"}
    assert set(report["shortcut"]) >= {"auroc", "by"}
    assert set(report["audit"]) >= {"unreadable", "duplicates_across_parts", "contradictions", "removed_from_training"}
    assert set(report["cost"]) >= {"predicted_seconds", "seconds", "predicted_peak_mib", "peak_mib"}
    kinds = {t["target"]["kind"] for t in report["targets"].values()}
    assert kinds == {"categorical", "multilabel", "ordinal", "number"}
    assert "quadratic_kappa" in report["targets"]["grade"]["parts"]["test"]["metrics"]
    assert "mae" in report["targets"]["diameter_mm"]["parts"]["test"]["metrics"]


def test_classes_pointed_out_are_those_that_the_report_counts(demo_run: Run) -> None:
    report = demo_run.report
    (name,) = (n for n, t in report.targets.items() if t.target.kind == "multilabel")
    with (demo_run.path / "predictions.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["part"] == "test" and r[f"{name}/truth"]]
    for label, point in report.targets[name].class_points.items():
        there = np.array([label in r[f"{name}/truth"].split("|") for r in rows])
        # a refused sample has no answer, and counts by its probability
        over = np.array(
            [
                float(r[f"{name}/probability:{label}"]) >= point.threshold
                if r["refusal"]
                else label in r[f"{name}/pointed_out"].split("|")
                for r in rows
            ]
        )
        wanted = point.metrics["sensitivity"].value
        assert wanted is None or wanted == pytest.approx(over[there].mean())
        assert point.metrics["specificity"].value == pytest.approx(1 - over[~there].mean())


def test_the_three_traps_are_named(demo_run: Run, demo_folder: Path) -> None:
    with (demo_folder / "answers.csv").open(newline="") as file:
        names = [row["SOPInstanceUID"] for row in csv.DictReader(file)]
    repeat, corrupt, contradiction = names[-3:]
    audit = demo_run.report.audit
    assert any(repeat in pair for pair in audit.duplicates_across_parts)
    # the disk's index names the file, the audit the sample
    damaged = next(p for p in (demo_folder / "disk").rglob("*") if p.is_file() and corrupt.encode() in p.read_bytes())
    unreadable = {entry["sample"] for entry in audit.unreadable}
    assert corrupt in unreadable
    assert unreadable <= {corrupt, damaged.relative_to(demo_folder).as_posix()}
    assert any(contradiction in pair for pair in audit.contradictions)
    assert {repeat, contradiction} <= {entry["sample"] for entry in audit.removed_from_training}


def test_the_page_needs_nothing_else(demo_run: Run) -> None:
    page = (demo_run.path / "report.html").read_text(encoding="utf-8")
    asked = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page) + re.findall(r"url\(([^)]+)\)", page)
    assert all(link.startswith(("data:", "#")) for link in asked)
    assert "@import" not in page


def test_figures_can_be_recomputed_from_renamed_unlabelled_images(
    plain_run: Run, plain_folder: Path, tmp_path: Path
) -> None:
    with (plain_folder / "labels.csv").open(newline="") as file:
        judged = [row for row in csv.DictReader(file) if row["split"] == "test"]
    (tmp_path / "new").mkdir()
    order = stream(3, "rename").permutation(len(judged))
    truth = {}
    for number, place in enumerate(order):
        shutil.copy(plain_folder / judged[place]["image"], tmp_path / "new" / f"q{number:03d}.png")
        truth[f"q{number:03d}"] = judged[place]["disease"]
    result = hu("predict", plain_run.path, tmp_path / "new", "--out", tmp_path / "said")
    assert result.exit_code == 0, result.stderr
    with (tmp_path / "said" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["sample"] for r in rows] == sorted(truth)
    answers = np.array([truth[r["sample"]] == "yes" for r in rows])
    score = np.array([float(r["probability:yes"]) for r in rows])
    figures = plain_run.report.parts["test"].metrics
    assert figures["auroc"].value == pytest.approx(roc_auc_score(answers, score), abs=1e-6)
    said = np.array([r["predicted"] == "yes" for r in rows])
    assert figures["accuracy"].value == pytest.approx(accuracy_score(answers, said), abs=1e-6)
    assert figures["brier"].value == pytest.approx(float(np.mean((score - answers) ** 2)), abs=1e-6)
    entries = json.loads((tmp_path / "said" / "predictions.json").read_text())["predictions"]
    assert [e["sample"] for e in entries] == [r["sample"] for r in rows]


def test_the_own_test_part_is_judged_as_in_the_report(plain_run: Run, plain_folder: Path) -> None:
    again = evaluate(plain_run.path, plain_folder)
    assert again.parts["test"].samples == plain_run.report.parts["test"].samples == 12
    for name, figure in plain_run.report.parts["test"].metrics.items():
        assert again.parts["test"].metrics[name].value == figure.value, name


def test_another_hospital_with_the_same_classes(tmp_path: Path) -> None:
    write_folders(tmp_path / "ours", n=24)
    write_folders(tmp_path / "theirs", n=10, first=100)
    write_folders(tmp_path / "strange", n=9, classes=("benign", "malignant", "unclear"), first=200)
    quick(tmp_path / "ours", tmp_path / "run")
    result = hu("evaluate", tmp_path / "run", tmp_path / "theirs", "--out", tmp_path / "judged", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["parts"]["test"]["samples"] == 10
    assert everything_in(tmp_path / "judged") == ["audit.json", "predictions.csv", "report.html", "report.json"]
    refused = hu("evaluate", tmp_path / "run", tmp_path / "strange", "--out", tmp_path / "no")
    assert refused.exit_code == 2
    assert "unclear" in refused.stderr
    assert not (tmp_path / "no").exists()


def test_two_runs_are_compared_paired(plain_run: Run, plain_folder: Path, demo_run: Run, tmp_path: Path) -> None:
    quick(plain_folder, tmp_path / "textbook", network="textbook")
    result = hu("compare", plain_run.path, tmp_path / "textbook", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["samples"] == 12
    ours, theirs = found["metrics_a"]["auroc"]["value"], found["metrics_b"]["auroc"]["value"]
    assert found["difference"]["auroc"]["value"] == pytest.approx(ours - theirs, abs=1e-9)
    with pytest.raises(InputError, match="different questions"):
        compare(plain_run.path, demo_run.path)


def test_runs_on_different_samples_are_not_compared(plain_run: Run, tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=30, parts=True)
    quick(tmp_path / "data", tmp_path / "run")
    with pytest.raises(InputError, match="different samples"):
        compare(plain_run.path, tmp_path / "run")


def test_folds_judge_each_sample_by_a_member_without_it(tmp_path: Path) -> None:
    rows = write_cohort(tmp_path / "data", n=30)
    paired = [[name, f"p{i // 4:02d}{said}", said] for i, (name, _, said) in enumerate(rows)]
    write_table(tmp_path / "data" / "labels.csv", ["image", "patient", "disease"], paired)
    report = quick(tmp_path / "data", tmp_path / "run", folds=3).report
    assert set(report.parts) == {"cv"}
    assert report.parts["cv"].samples == 30
    assert len(report.parts["cv"].folds) == 3
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Division: 3 folds, patients and repeated pictures together" in page
    assert "划分方式：3 折交叉验证，同一患者及重复图像不分开" in page
    assert "60 / 20 / 20" not in page
    with (tmp_path / "run" / "predictions.csv").open(newline="") as file:
        said = list(csv.DictReader(file))
    assert sorted(r["sample"] for r in said) == sorted(f"{i:02d}" for i in range(30))
    assert {r["part"] for r in said} == {"cv"}
    assert len(open_sealed(tmp_path / "run" / "bundle").members) == 3
    folds = study(tmp_path / "data", Wishes(folds=3), progress=SILENT).split.folds
    of_patient: dict[str, set[int]] = {}
    for row in said:
        of_patient.setdefault(row["patient"], set()).add(folds[row["sample"]])
    assert all(len(found) == 1 for found in of_patient.values())
    with pytest.raises(CohortError, match="trained on these samples in folds"):
        evaluate(tmp_path / "run", tmp_path / "data")


def test_an_existing_folder_is_left_alone(plain_run: Run, plain_folder: Path, tmp_path: Path) -> None:
    before = (plain_run.path / "report.json").read_bytes()
    with pytest.raises(RunExistsError, match="complete run"):
        quick(plain_folder, plain_run.path)
    assert (plain_run.path / "report.json").read_bytes() == before
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(RunExistsError, match="not a run"):
        quick(plain_folder, tmp_path)
    assert everything_in(tmp_path) == ["thesis.docx"]


def test_evaluating_samples_from_a_generator(plain_run: Run) -> None:
    def samples() -> list[dict[str, object]]:
        return [{"image": picture(i, i % 2), "disease": ("no", "yes")[i % 2]} for i in range(50, 58)]

    listed = evaluate(plain_run.path, samples())
    generated = evaluate(plain_run.path, (s for s in samples()))
    assert generated.parts["test"].samples == 8
    assert generated.parts["test"].metrics == listed.parts["test"].metrics
