"""Paired comparison, ties, recommendation."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.core.report import Baseline, Figure
from hounsfield.core.streams import stream
from hounsfield.science.statistics.intervals import patient_weights
from hounsfield.stages.evaluation.comparing import baseline_block, compare, recommend
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.preparing import resampled
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions, gather
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
    network = resampled(gather(BINARY, samples, answers), None, FEW)
    constant = baseline_block(BINARY, samples, network=network, baseline=np.full(answers.shape, 0.5), options=FEW)
    assert constant.metrics["auroc"].value == 0.5
    assert not constant.ties
    same = baseline_block(BINARY, samples, network=network, baseline=answers, options=FEW)
    assert same.ties
    assert recommend(BINARY, {"prevalence": constant}) == "network"
    assert recommend(BINARY, {"prevalence": constant, "logistic": same}) == "logistic"
    assert recommend(BINARY, {}) == "network"


def test_one_set_of_replicates_serves_intervals_and_differences() -> None:
    samples, answers, _ = binary(150, per_patient=3)
    theirs = np.clip(answers + np.random.default_rng(0).normal(0, 0.1, answers.shape), 0, 1)
    counted = []
    rows = gather(BINARY, samples, answers)
    ours = resampled(rows, None, FEW)
    whole = judge(BINARY, samples, answers, options=FEW)
    assert judge(BINARY, samples, answers, options=FEW, drawn=ours) == whole
    block = baseline_block(BINARY, samples, network=ours, baseline=theirs, options=FEW)
    assert block.metrics == judge(BINARY, samples, theirs, options=FEW).metrics
    assert block.difference == compare(BINARY, samples, ours=answers, theirs=theirs, options=FEW)
    for weights in patient_weights(rows.units, replicates=300, rng=stream(0, "bootstrap:label:samples")):
        for w in weights.T:
            first, second = (roc_auc_score(rows.truth, p[:, 1], sample_weight=w) for p in (answers, theirs))
            counted.append(first - second)
    difference = block.difference["auroc"]
    assert (difference.low, difference.high) == pytest.approx(tuple(np.quantile(counted, [0.025, 0.975])))


def test_models_on_other_patients_are_not_paired() -> None:
    samples, answers, _ = binary(60)
    network = resampled(gather(BINARY, samples[::-1], answers[::-1]), None, FEW)
    with pytest.raises(InputError, match="different patients"):
        baseline_block(BINARY, samples, network=network, baseline=answers, options=FEW)


def test_errors_are_better_when_smaller() -> None:
    target = TargetSpec(name="d", kind="number")
    truth = np.arange(60.0)
    samples = [JudgedSample(str(i), str(i), float(t)) for i, t in enumerate(truth)]
    network = resampled(gather(target, samples, truth + 1), None, FEW)
    block = baseline_block(target, samples, network=network, baseline=np.full(60, 30.0), options=FEW)
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
