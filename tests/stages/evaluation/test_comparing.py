"""Paired comparison, ties, recommendation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import Baseline, Figure
from hounsfield.stages.evaluation.comparing import baseline_block, compare, recommend
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from tests.stages.evaluation.cases import BINARY, binary

FEW = JudgeOptions(replicates=300)


def test_difference_is_paired() -> None:
    samples, ours, truth = binary(150)
    theirs = np.clip(ours + np.random.default_rng(0).normal(0, 0.02, ours.shape), 0, 1)
    figure = compare(BINARY, samples, ours=ours, theirs=theirs, options=FEW)["auroc"]
    expected = roc_auc_score(truth, ours[:, 1]) - roc_auc_score(truth, theirs[:, 1])
    assert figure.value == pytest.approx(expected)
    assert figure.low is not None
    assert figure.high is not None
    # Two nearly equal models differ by far less than either is unsure.
    assert figure.high - figure.low < 0.02


def test_base_rate_loses_and_the_same_model_ties() -> None:
    samples, answers, _ = binary(150)
    constant = baseline_block(BINARY, samples, network=answers, baseline=np.full(answers.shape, 0.5), options=FEW)
    assert constant.metrics["auroc"].value == 0.5
    assert not constant.ties
    same = baseline_block(BINARY, samples, network=answers, baseline=answers, options=FEW)
    assert same.ties
    assert recommend(BINARY, {"prevalence": constant}) == "network"
    assert recommend(BINARY, {"prevalence": constant, "logistic": same}) == "logistic"
    assert recommend(BINARY, {}) == "network"


def test_errors_are_better_when_smaller() -> None:
    target = TargetSpec(name="d", kind="number")
    truth = np.arange(60.0)
    samples = [JudgedSample(str(i), str(i), float(t)) for i, t in enumerate(truth)]
    block = baseline_block(target, samples, network=truth + 1, baseline=np.full(60, 30.0), options=FEW)
    difference = block.difference["mae"]
    assert difference.high is not None
    assert difference.high < 0
    assert "below 0 favours" in difference.note
    assert recommend(target, {"median": block}) == "network"


def test_a_network_that_is_clearly_worse_is_not_recommended() -> None:
    worse = Baseline(
        metrics={"auroc": Figure(value=0.9)}, difference={"auroc": Figure(value=-0.2, low=-0.3, high=-0.1)}
    )
    assert recommend(BINARY, {"logistic": worse}) == "logistic"
