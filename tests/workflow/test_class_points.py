"""Thresholds of each class from the validation part to the report, with folds and with bundles that have none."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.cohort import Sample, TargetSpec
from hounsfield.core.protocols import Decoding
from hounsfield.core.report import TargetReport
from hounsfield.learn.model import Judgement
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule
from hounsfield.stages.evaluation.samples import JudgeOptions
from hounsfield.tasks.classify.task import Classify
from hounsfield.workflow.fitting import Calibrated
from hounsfield.workflow.judging import judge_target
from hounsfield.workflow.predictions import Row, Rows

BEATS = TargetSpec(name="beat", kind="categorical", classes=("N", "S", "V"))


def _fixed(*thresholds: float) -> Calibrated:
    points = {
        name: OperatingPoint(threshold=t, rule=Rule.SPECIFICITY, wanted=0.9, positives=4, negatives=9)
        for name, t in zip(BEATS.classes, thresholds, strict=False)
    }
    return Calibrated({"beat": Decoding()}, {}, {"beat": points} if points else {})


def _rows(*, folds: int = 0) -> Rows:
    """Return 12 rows, each sure of its own class with .6, the others .2 each."""
    made = []
    for n in range(12):
        outputs = {"beat": np.log(np.where(np.arange(3) == n % 3, 0.6, 0.2))}
        sample = Sample(id=f"s{n}", patient=f"p{n}", inputs={}, targets={"beat": BEATS.classes[n % 3]})
        judgement = Judgement(f"s{n}", outputs, {}, (), "")
        made.append(Row(sample, "cv" if folds else "test", judgement, n % folds if folds else -1))
    return Rows(tuple(made))


def _judged(rows: Rows, fixed: dict[str, Calibrated], part: str) -> TargetReport:
    options = JudgeOptions(replicates=40)
    return judge_target(BEATS, {part: rows}, task=Classify(), fixed=fixed, judged_part=part, options=options)


def test_each_class_is_judged_at_the_threshold_of_the_bundle() -> None:
    found = _judged(_rows(), {"network": _fixed(0.1, 0.5, 0.7)}, "test")
    points = found.class_points
    assert list(points) == ["N", "S", "V"]
    assert [points[c].metrics["sensitivity"].value for c in points] == [1.0, 1.0, 0.0]
    assert [points[c].metrics["specificity"].value for c in points] == [0.0, 1.0, 1.0]
    assert [points[c].metrics["ppv"].value for c in points] == [pytest.approx(1 / 3), 1.0, None]
    assert (points["S"].threshold, points["S"].rule, points["S"].positives, points["S"].cases) == (
        0.5,
        "specificity",
        4,
        4,
    )
    assert found.parts["test"].metrics["accuracy"].value == 1.0  # another matter than the class that is called


def test_factors_move_what_is_called_on_every_part_and_for_baselines_of_their_own() -> None:
    rows = _rows()
    judgements = [replace(r.judgement, baselines={"logistic": r.judgement.outputs}) for r in rows.rows]
    rows = Rows(tuple(replace(r, judgement=j) for r, j in zip(rows.rows, judgements, strict=True)))
    decoding = Decoding(class_factors={"N": 1.0, "S": 1.0, "V": 3.1})
    fixed = {"network": Calibrated({"beat": decoding}, {}), "logistic": Calibrated({"beat": Decoding()}, {})}
    found = _judged(rows, fixed, "test")
    assert found.class_factors == decoding.class_factors
    part, plain = found.parts["test"], found.baselines["logistic"]
    assert part.confusion == ((0, 0, 4), (0, 0, 4), (0, 0, 4))
    assert (part.metrics["accuracy"].value, part.metrics["recall:V"].value) == (1.0, 1.0)
    assert part.metrics["balanced_accuracy"].value == pytest.approx(1 / 3)
    assert plain.metrics["balanced_accuracy"].value == 1.0
    assert plain.difference["balanced_accuracy"].value == pytest.approx(-2 / 3)
    assert _judged(rows, {"network": Calibrated({"beat": Decoding()}, {})}, "test").class_factors == {}


def test_samples_of_a_fold_are_called_by_the_factors_of_its_own_model() -> None:
    moved, plain = (Decoding(class_factors={"N": 1.0, "S": 1.0, "V": v}) for v in (3.1, 1.1))
    fixed = {
        name: Calibrated({"beat": d}, {})
        for name, d in (("network", plain), ("network.0", moved), ("network.1", plain))
    }
    found = _judged(_rows(folds=2), fixed, "cv")
    assert found.parts["cv"].confusion == ((2, 0, 2), (0, 2, 2), (0, 0, 4))
    assert found.class_factors == plain.class_factors
    assert found.fold_class_factors == (moved.class_factors, plain.class_factors)


def test_folds_have_their_own() -> None:
    fixed = {"network": _fixed(0.5, 0.5, 0.5), "network.0": _fixed(0.5, 0.5, 0.5), "network.1": _fixed(0.7, 0.5, 0.5)}
    point = _judged(_rows(folds=2), fixed, "cv").class_points["N"]
    assert point.metrics["sensitivity"].value == 0.5
    assert (point.threshold, point.folds) == (0.5, (0.5, 0.7))


def test_bundles_without_them_are_read_and_have_no_table() -> None:
    old = _fixed().to_json()
    assert isinstance(old, dict)
    old.pop("class_points")
    assert _judged(_rows(), {"network": Calibrated.from_json(old)}, "test").class_points == {}
    now = _fixed(0.1, 0.5, 0.7)
    assert Calibrated.from_json(json.loads(json.dumps(now.to_json()))) == now


def test_a_number_has_none() -> None:
    size = TargetSpec(name="size", kind="number")
    made = [
        Row(
            Sample(id=f"s{n}", patient=f"p{n}", inputs={}, targets={"size": float(n)}),
            "test",
            Judgement(f"s{n}", {"size": np.array([n + 0.5])}, {}, (), ""),
            -1,
        )
        for n in range(6)
    ]
    fixed = {"network": Calibrated({"size": Decoding()}, {})}
    options = JudgeOptions(replicates=40)
    parts = {"test": Rows(tuple(made))}
    found = judge_target(size, parts, task=Classify(), fixed=fixed, judged_part="test", options=options)
    assert found.class_points == {}
