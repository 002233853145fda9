"""The interval that so many patients can give."""

import re

from hounsfield.core.cohort import TargetSpec
from hounsfield.stages.evaluation.expecting import expected_interval
from tests.stages.evaluation.cases import BINARY


def test_two_classes_after_hanley_and_mcneil() -> None:
    # Hanley and McNeil (1982): AUC .80 with 100 + 100 has a standard error of about .031.
    text = expected_interval(BINARY, {"normal": 100, "COVID": 100})
    low, high = (float(value) for value in re.findall(r"AUC 0.80: ([\d.]+)–([\d.]+)", text)[0])
    assert abs(low - (0.8 - 1.96 * 0.031)) < 0.01
    assert abs(high - (0.8 + 1.96 * 0.031)) < 0.01
    assert "n = 100 + 100" in text


def test_other_kinds_and_nothing() -> None:
    labels = TargetSpec(name="f", kind="multilabel", classes=("a", "b", "c"))
    assert "b: n = 4 + 46" in expected_interval(labels, {"a": 20, "b": 4, "c": 30}, total=50)
    assert "MAE" in expected_interval(TargetSpec(name="d", kind="number"), {"": 100})
    assert "n = 30" in expected_interval(TargetSpec(name="g", kind="ordinal", classes=("0", "1")), {"0": 10, "1": 20})
    assert expected_interval(BINARY, {"normal": 0, "COVID": 0}) == ""
    assert expected_interval(BINARY, {"normal": 10, "COVID": 0}) == ""
