"""Subgroups: which are made, and that their figures are those of their samples."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from tests.stages.evaluation.cases import BINARY, binary

FEW = JudgeOptions(replicates=100)


def test_categories_and_numbers() -> None:
    samples, answers, truth = binary(120)
    found = judge(BINARY, samples, answers, options=FEW).subgroups
    assert [g.value for g in found if g.attribute == "sex"] == ["F", "M"]
    ages = [g for g in found if g.attribute == "age"]
    assert len(ages) == 3
    assert sum(g.samples for g in ages) == 120
    women = found[0]
    assert women.metrics["auroc"].value == pytest.approx(roc_auc_score(truth[::2], answers[::2, 1]))


def test_small_constant_and_identifying_attributes_are_left_out() -> None:
    samples, answers, _ = binary(60)
    marked = [
        JudgedSample(
            s.id, s.patient, s.truth, {"id": s.id, "same": "x", "rare": "a" if i < 4 else "b", "answer": str(s.truth)}
        )
        for i, s in enumerate(samples)
    ]
    found = judge(BINARY, marked, answers, options=FEW).subgroups
    assert [(g.attribute, g.value) for g in found] == [("rare", "b")]


def test_missing_values_belong_to_no_group() -> None:
    samples, answers, _ = binary(80)
    marked = [
        JudgedSample(
            s.id, s.patient, s.truth, {"site": None if i < 20 else "AB"[i % 2], "age": np.nan if i < 30 else float(i)}
        )
        for i, s in enumerate(samples)
    ]
    found = judge(BINARY, marked, answers, options=FEW).subgroups
    assert sum(g.samples for g in found if g.attribute == "site") == 60
    assert sum(g.samples for g in found if g.attribute == "age") == 50
