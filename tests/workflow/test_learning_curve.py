"""Measuring learning curves: subsets are grouped and stratified, answers are those of what was held out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import Reading, Ref, Sample, TargetSpec
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.workflow.fitting import Fold
from hounsfield.workflow.learning_curve import (
    Arm,
    Question,
    Room,
    affordable_curves,
    answerable,
    baseline_curve,
    baseline_seconds,
    curves_json,
    curves_of,
    measure_curve,
    network_curve,
    network_seconds,
    question,
    remembered,
    subset,
)
from tests.workflow.conftest import Drafted

TARGET = TargetSpec(name="label", kind="categorical", classes=("no", "yes"), positive="yes", positive_source="name")


def _asked(count: int = 200, arms: int = 1) -> Question:
    rng = np.random.default_rng(0)
    samples = [
        Sample(
            id=f"s{i}",
            patient=f"p{i // 2}",
            inputs={"image": (Reading(Ref("png", f"{i}.png")),)},
            targets={"label": "yes" if (i // 2) % 4 == 0 else "no"},
        )
        for i in range(count)
    ]
    rows = np.arange(count)
    order = rng.permutation(count // 2)
    part = np.zeros(count // 2, dtype=np.int64)
    part[order] = np.arange(count // 2) % max(2, arms)
    part = np.repeat(part, 2)
    made = [Arm(rows[part != a], rows[part == a]) for a in range(arms)]
    return Question(TARGET, samples, [s.patient for s in samples], made, "val" if arms == 1 else "cv", 0)


def test_subsets_hold_whole_groups_and_both_classes() -> None:
    asked = _asked()
    chosen = subset(asked, asked.arms[0].train, share=0.25, seed=3)
    assert len(chosen) == pytest.approx(0.25 * len(asked.arms[0].train), abs=3)
    for row in chosen:
        assert row ^ 1 in chosen  # both samples of a patient
    shares = np.mean([asked.samples[int(r)].targets["label"] == "yes" for r in chosen])
    assert shares == pytest.approx(0.25, abs=0.06)
    assert set(chosen) <= set(asked.arms[0].train)
    again = subset(asked, asked.arms[0].train, share=0.25, seed=3)
    np.testing.assert_array_equal(chosen, again)
    assert len(subset(asked, asked.arms[0].train, share=1.0, seed=0)) == len(asked.arms[0].train)


def test_few_hearts_have_no_curve_and_no_subset_is_empty() -> None:
    asked = _asked()
    assert answerable(asked)
    records = replace(asked, groups=[f"r{i * 4 // 200}" for i in range(200)])  # fifty beats of each of four
    assert not answerable(records)
    sizes = np.searchsorted([20, 80, 140], np.arange(200), side="right")
    uneven = replace(asked, groups=[f"r{place}" for place in sizes])
    for share in (0.01, 0.05, 0.25):
        chosen = subset(uneven, np.arange(200), share=share, seed=0)
        assert 0 < len(chosen) < 200
        assert {uneven.groups[int(r)] for r in np.setdiff1d(np.arange(200), chosen)}.isdisjoint(
            uneven.groups[int(r)] for r in chosen
        )


@pytest.mark.parametrize("arms", [1, 3])
def test_more_rows_measure_better(arms: int) -> None:
    asked, calls = _asked(400, arms), []

    def fit(train: IntArray, held: IntArray) -> Float64Array:
        assert not set(train) & set(held)
        calls.append(len(train))
        truth = np.array([asked.samples[int(r)].targets["label"] == "yes" for r in held], dtype=np.float64)
        noise = np.random.default_rng(int(train.sum())).normal(size=len(held)) * 20 / np.sqrt(len(train))
        yes = 1 / (1 + np.exp(-(2 * truth - 1 + noise)))
        return np.stack([1 - yes, yes], axis=1)

    found = measure_curve(fit, asked, model="network")
    assert len(calls) == 6 * arms
    values = [p.figure.value or 0 for p in found.points]
    assert values[0] < values[-1]
    assert found.part == asked.part
    assert [p.runs for p in found.points] == [3, 2, 1]
    assert found.points[0].patients * 2 == found.points[0].samples
    assert curves_of({"learning_curves": curves_json([found])}) == (found,)
    assert curves_of({}) == ()


def test_answers_are_remembered(tmp_path: Path) -> None:
    calls = []

    def fit(train: IntArray, held: IntArray) -> Float64Array:
        calls.append(len(train))
        return np.full((len(held), 2), 0.5)

    for _ in range(2):
        found = remembered(fit, tmp_path / "kept")(np.arange(4), np.arange(4, 6))
        np.testing.assert_array_equal(found, np.full((2, 2), 0.5))
    assert calls == [4]


def test_curves_of_a_study(drafted: Drafted, tmp_path: Path) -> None:
    feed = drafted.prepared.feed
    folds = [Fold(feed.train, feed.val, np.zeros(0, dtype=np.int64))]
    asked = question(drafted.plan, drafted.known, drafted.prepared, folds)
    assert asked.part == "val"
    assert isinstance(answerable(asked), bool)
    linear = baseline_curve(drafted.plan, drafted.known, feed, asked)
    assert linear.model == "logistic"
    assert linear.points[-1].samples == len(feed.train)
    network = network_curve(drafted.plan, drafted.known, feed, asked, steps=2, kept=tmp_path)
    assert network.model == "network"
    assert len(list(tmp_path.glob("curve-*.safetensors"))) == 6
    afforded = affordable_curves(
        drafted.plan, drafted.known, drafted.prepared, folds, room=Room(left=60.0, steps=2, per_step=1e3), kept=tmp_path
    )
    assert [c.model for c in afforded] == (["logistic"] if answerable(asked) else [])
    assert baseline_seconds(asked, describing=0.01, described=True) > 0.5
    assert network_seconds(asked, steps=2, per_step=0.1, run=0.0) == pytest.approx(1.2)
