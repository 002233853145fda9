"""Repeated validation is judged within folds and over mean answers."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.stages.evaluation.repeating import Repeats, judge_repeats
from hounsfield.stages.evaluation.samples import JudgedSample

TWO = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
TRUTH = np.arange(40) % 4 == 0
SAMPLES = [JudgedSample(f"s{i}", f"p{i}", "yes" if t else "no") for i, t in enumerate(TRUTH)]


def made() -> tuple[IntArray, Float64Array, Float64Array]:
    """Three repeats of four folds with ten positives, good answers and answers of chance."""
    draws = stream(0, "repeats")
    folds = np.zeros((3, 40), dtype=np.int64)
    for own in folds:
        for part in (np.flatnonzero(TRUTH), np.flatnonzero(~TRUTH)):
            own[draws.permutation(part)] = np.arange(len(part)) % 4
    good, chance = draws.normal(1.2 * TRUTH, 1, (3, 40)), draws.random((3, 40))
    first, second = (np.stack([1 - p, p], axis=2) for p in (1 / (1 + np.exp(-good)), chance))
    return folds, first, second


def test_both_estimates_are_scikit_learns_areas() -> None:
    folds, good, chance = made()
    found = judge_repeats(TWO, SAMPLES, Repeats(folds, {"a": good, "b": chance}, {"a": {"x": 0.9}}), reference="b")
    by_fold = [
        roc_auc_score(TRUTH[own == k], said[own == k, 1])
        for own, said in zip(folds, good, strict=True)
        for k in range(4)
    ]
    first, second = found.models
    assert (found.folds, found.repeats, found.samples, found.metric) == (4, 3, 40, "auroc")
    assert first.mean.value == pytest.approx(np.mean(by_fold))
    assert first.pooled.value == pytest.approx(roc_auc_score(TRUTH, good.mean(axis=0)[:, 1]))
    assert first.by_repeat == pytest.approx([roc_auc_score(TRUTH, own[:, 1]) for own in good])
    assert first.variables == {"x": 0.9}
    assert first.difference is not None
    assert first.mean.value is not None
    assert second.mean.value is not None
    assert first.difference.value == pytest.approx(first.mean.value - second.mean.value)
    assert first.difference.low is not None
    assert first.pooled_difference is not None
    assert second.difference is None
    assert first.mean.high is not None
    assert first.mean.high <= 1.0


def test_without_a_reference_and_with_numbers() -> None:
    folds, good, _ = made()
    number = TargetSpec(name="size", kind="number")
    samples = [JudgedSample(f"s{i}", f"p{i}", float(i)) for i in range(40)]
    found = judge_repeats(number, samples, Repeats(folds, {"a": good[:, :, 1]}, {}), reference="b")
    assert (found.metric, found.reference) == ("mae", "")
    expected = np.mean(
        [
            np.abs(said[own == k, 1] - np.flatnonzero(own == k)).mean()
            for own, said in zip(folds, good, strict=True)
            for k in range(4)
        ]
    )
    assert found.models[0].mean.value == pytest.approx(expected)
    assert found.models[0].difference is None
