"""What the accuracy benchmark asks, keeps and splits anew."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from benchmarks.accuracy.classify import resplit, run
from benchmarks.accuracy.classify.judged import verdicts, without
from benchmarks.accuracy.classify.sets import DataSet, command, read_sets

from hounsfield.core.cohort import Cohort, Part, Reading, Ref, Sample, Schema, TargetSpec
from hounsfield.core.report import Figure, PartFigures, Report, TargetReport
from hounsfield.workflow.study import Study

TARGET = TargetSpec(name="label", kind="categorical", classes=("0", "1"), positive="1", positive_source="name")


def test_sets_ask_for_what_was_agreed() -> None:
    sets = read_sets()
    budgets = {name: (entry.minutes, entry.folds) for name, entry in sets.items()}
    assert budgets == {
        "covid-ct": (20, 0),
        "pneumoniamnist": (10, 0),
        "breastmnist": (5, 0),
        "adrenalmnist3d": (10, 0),
        "busi": (20, 5),
        "cxr-lung-tb": (20, 5),
    }
    assert {name for name, entry in sets.items() if entry.resplit} == {"covid-ct", "breastmnist", "adrenalmnist3d"}
    for entry in sets.values():
        assert all(entry.aim[name] > entry.must[name] for name in entry.must)
    assert command(sets["busi"], 2) == "hu train busi --minutes 20 --folds 5 --seed 2"


def test_verdicts_say_by_how_much() -> None:
    metrics = {"auroc": Figure(value=0.85), "accuracy": Figure(value=0.75)}
    found = verdicts(metrics, {"auroc": 0.83, "accuracy": 0.75, "f1": 0.5})
    assert found["auroc"] == {"wanted": 0.83, "value": 0.85, "above": 0.02, "met": True}
    assert found["accuracy"]["met"] is False
    assert found["f1"]["above"] is None


def _ran(folder: Path) -> Report:
    rng = np.random.default_rng(0)
    rows = [
        {
            "sample": f"images/COVID/case-{n}.jpg",
            "patient": f"p{n}",
            "part": "test",
            "truth": str(n % 2),
            "probability:0": str(1 - p),
            "probability:1": str(p),
        }
        for n, p in enumerate(np.clip(0.5 + 0.3 * (np.arange(40) % 2 - 0.5) + 0.1 * rng.normal(size=40), 0, 1))
    ]
    rows[0]["probability:1"], rows[0]["probability:0"] = "0.99", "0.01"  # a faulty normal
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    part = PartFigures(samples=40, patients=40, metrics={})
    judged = TargetReport(target=TARGET, parts={"test": part})
    whole = SimpleNamespace(judged_part="test", target=TARGET, targets={"label": judged}, seed=0)
    return cast(Report, whole)


def test_faulty_samples_are_left_out_by_name(tmp_path: Path) -> None:
    report = _ran(tmp_path)
    kept = without(report, tmp_path, ["case-0"])
    assert kept.samples == 39
    whole = without(report, tmp_path, [])
    assert (kept.metrics["auroc"].value or 0) > (whole.metrics["auroc"].value or 0)
    with pytest.raises(ValueError, match="case-77"):
        without(report, tmp_path, ["case-77"])


def _study(samples: list[Sample], groups: dict[str, str]) -> Study:
    cohort = Cohort(name="toy", root="/", samples=tuple(samples), schema=Schema(targets=(TARGET,), inputs=()))
    return cast(Study, SimpleNamespace(cohort=cohort, split=SimpleNamespace(groups=groups)))


def _archive_study(path: Path) -> Study:
    rng = np.random.default_rng(0)
    arrays: dict[str, np.typing.NDArray[np.uint8]] = {}
    samples: list[Sample] = []
    counts: tuple[tuple[Part, int], ...] = (("train", 60), ("val", 20), ("test", 20))
    for part, count in counts:
        labels = (np.arange(count) % 2).astype(np.uint8)
        arrays[f"{part}_images"] = rng.integers(0, 255, (count, 6, 6), dtype=np.uint8)
        arrays[f"{part}_labels"] = labels[:, None]
        arrays[f"{part}_images"][:, 0, 0] = labels
        for n, label in enumerate(labels):
            ref = Ref("npz", path.name, (("array", f"{part}_images"), ("index", n)))
            name = f"{part}_{n}"
            samples.append(
                Sample(
                    id=name, patient=name, inputs={"image": (Reading(ref),)}, targets={"label": str(label)}, part=part
                )
            )
    np.savez(path, allow_pickle=False, **arrays)
    groups = {s.id: s.id for s in samples} | {"train_0": "twins", "test_1": "twins"}
    return _study(samples, groups)


def test_an_archive_is_split_anew_with_sizes_groups_and_classes_kept(tmp_path: Path) -> None:
    source = tmp_path / "toy.npz"
    known = _archive_study(source)
    parts = resplit.divided(known, seed=1)
    assert resplit.sizes(parts) == pytest.approx({"train": 60, "val": 20, "test": 20}, abs=1)
    assert parts["train_0"] == parts["test_1"]
    assert parts != resplit.divided(known, seed=2)
    made = resplit.written(source, known, parts, tmp_path / "anew")
    with np.load(made) as found:
        assert {p: len(found[f"{p}_images"]) for p in resplit.PARTS} == resplit.sizes(parts)
        for part in resplit.PARTS:
            np.testing.assert_array_equal(found[f"{part}_images"][:, 0, 0], found[f"{part}_labels"][:, 0])
            assert found[f"{part}_labels"].mean() == pytest.approx(0.5, abs=0.06)


def test_a_table_is_split_anew(tmp_path: Path) -> None:
    source = tmp_path / "toy"
    (source / "images").mkdir(parents=True)
    samples, rows = [], []
    for n in range(20):
        path, part = f"images/{n}.jpg", ("train", "train", "val", "test")[n // 2 % 4]
        (source / path).write_bytes(b"picture %d" % n)
        rows.append({"path": path, "label": str(n % 2), "split": part, "patient": f"p{n}"})
        samples.append(
            Sample(
                id=path,
                patient=f"p{n}",
                inputs={"image": (Reading(Ref("raster", path)),)},
                targets={"label": str(n % 2)},
                part=part,  # type: ignore[arg-type]  # a part
            )
        )
    with (source / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    known = _study(samples, {s.id: s.id for s in samples})
    parts = resplit.divided(known, seed=3)
    made = resplit.written(source, known, parts, tmp_path / "anew")
    with (made / "labels.csv").open(newline="") as file:
        assert {r["path"]: r["split"] for r in csv.DictReader(file)} == parts
    assert (made / "images" / "7.jpg").read_bytes() == b"picture 7"


def test_the_official_figure_is_placed() -> None:
    def report(value: float, linear: float) -> Report:
        own, other = (
            PartFigures(samples=1, patients=1, metrics={n: Figure(value=v) for n in resplit.METRICS})
            for v in (value, linear)
        )
        there = SimpleNamespace(judged_part="test", parts={"test": own}, baselines={"logistic": other})
        return cast(Report, there)

    def told(value: float, linear: float) -> dict[str, object]:
        return resplit.figures(report(value, linear))

    made = [told(0.8, 0.75), told(0.9, 0.8)]
    assert resplit.placed(told(0.85, 0.8), made, "auroc")["inside"] is True
    assert resplit.placed(told(0.95, 0.87), made, "auroc")["inside"] is False
    assert resplit.placed(told(0.95, 0.87), made, resplit.MARGIN)["inside"] is True
    assert resplit.placed(told(0.95, 0.87), [], "auroc")["inside"] is False


def test_what_is_there_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = DataSet(path="toy", minutes=1)
    there = {"command": command(entry, 0), "code": "other", "commit": "abc"}
    monkeypatch.setattr(run, "read_result", lambda name: there)
    calls: list[str] = []

    class Trained(Exception):
        pass

    def train(*given: object, **named: object) -> None:
        calls.append("trained")
        raise Trained

    monkeypatch.setattr(run, "trained", train)
    run.one("toy", entry, 0, again=False)
    assert calls == []
    with pytest.raises(Trained):
        run.one("toy", entry, 0, again=True)
    there["command"] = "hu train toy --minutes 2 --seed 0"
    with pytest.raises(Trained):
        run.one("toy", entry, 0, again=False)
