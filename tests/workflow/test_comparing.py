"""How two runs on the same samples are read before they are compared."""

import csv
from pathlib import Path

import pytest
from sklearn.metrics import balanced_accuracy_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import TargetReport
from hounsfield.workflow.comparing import compare
from tests.stages.reporting.sample import report

BEATS = TargetSpec(name="beat", kind="categorical", classes=("N", "S", "V"))
SHARES = {"N": (0.6, 0.3, 0.1), "S": (0.5, 0.3, 0.2), "V": (0.5, 0.1, 0.4)}
"""What is given to each class of 8 samples: the most probable class is always N."""


def run(folder: Path, factors: dict[str, float], folds: tuple[dict[str, float], ...] = ()) -> Path:
    folder.mkdir()
    part = "cv" if folds else "test"
    judged = TargetReport(
        target=BEATS, parts={part: report().parts["test"]}, class_factors=factors, fold_class_factors=folds
    )
    whole = report().model_copy(
        update={"target": BEATS, "targets": {"beat": judged}, "judged_part": part, "parts": judged.parts}
    )
    (folder / "report.json").write_text(whole.model_dump_json(), encoding="utf-8")
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "patient", "part", "fold", "truth", *(f"probability:{c}" for c in BEATS.classes)])
        for place, (truth, shares) in enumerate((t, s) for t, s in SHARES.items() for _ in range(8)):
            fold = str(place % 2) if folds else ""
            writer.writerow([f"s{place}", f"p{place}", part, fold, truth, *shares])
    return folder


def test_runs_are_compared_at_the_factors_of_their_classes(tmp_path: Path) -> None:
    ours, theirs = run(tmp_path / "a", {"N": 1.0, "S": 1.8, "V": 2.0}), run(tmp_path / "b", {})
    difference = compare(ours, theirs).difference
    truth = [c for c in SHARES for _ in range(8)]
    called = ["N"] * 8 + ["S"] * 8 + ["V"] * 8
    wanted = balanced_accuracy_score(truth, called) - balanced_accuracy_score(truth, ["N"] * 24)
    assert difference["balanced_accuracy"].value == pytest.approx(wanted)
    assert difference["accuracy"].value == 0.0


def test_samples_of_a_fold_have_the_factors_of_its_own_model(tmp_path: Path) -> None:
    moved: dict[str, float] = {"N": 1.0, "S": 1.8, "V": 2.0}
    ours = run(tmp_path / "a", {"N": 1.0, "S": 1.0, "V": 1.0}, ({"N": 1.0, "S": 1.0, "V": 1.0}, moved))
    theirs = run(tmp_path / "b", {}, ({}, {}))
    assert compare(ours, theirs).difference["recall:V"].value == pytest.approx(0.5)
