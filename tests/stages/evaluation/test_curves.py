"""Curves: the band holds the curve, bins hold the mean."""

import numpy as np
import pytest

from hounsfield.stages.evaluation.curves import roc_with_band
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.samples import JudgeOptions
from tests.stages.evaluation.cases import BINARY, binary


def test_roc_area_is_the_auroc_and_lies_in_its_band() -> None:
    samples, answers, _ = binary(150)
    part = judge(BINARY, samples, answers, options=JudgeOptions(replicates=300))
    roc = part.curves["roc"]
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0.0, 0.0, 1.0, 1.0)
    area = float(np.trapezoid(roc.y, roc.x))
    assert area == pytest.approx(part.metrics["auroc"].value, abs=1e-4)
    low, high = np.array(roc.low), np.array(roc.high)
    assert np.all(low <= high)
    assert np.trapezoid(low, roc.x) < area < np.trapezoid(high, roc.x)


def test_ties_give_one_point() -> None:
    truth = np.array([True, False, True, False])
    curve = roc_with_band(truth, np.full(4, 0.5), np.arange(4), JudgeOptions(replicates=200))
    assert curve.x == (0.0, 1.0)
    assert curve.y == (0.0, 1.0)


def test_reliability_and_decision() -> None:
    samples, answers, truth = binary(200)
    part = judge(BINARY, samples, answers, uncalibrated=answers, options=JudgeOptions(replicates=100))
    table = part.curves["reliability"]
    assert sum(table.count) == 200
    assert np.average(table.y, weights=table.count) == pytest.approx(truth.mean(), abs=1e-4)
    assert part.curves["reliability_uncalibrated"] == table
    everybody = part.curves["decision_all"]
    assert everybody.y[0] == pytest.approx(truth.mean() - (1 - truth.mean()) * 0.01 / 0.99, abs=1e-4)
