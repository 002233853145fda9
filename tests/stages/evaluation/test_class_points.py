"""Each class against the rest: thresholds against a search by hand, figures against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import precision_score, recall_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.science.statistics.operating_point import Rule
from hounsfield.stages.evaluation.class_points import fit_class_points, judge_class_points
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from tests.stages.evaluation.cases import BINARY, Floats

BEATS = TargetSpec(name="beat", kind="categorical", classes=("N", "S", "V"))
SIGNS = TargetSpec(name="signs", kind="multilabel", classes=("x", "y"))
FEW = JudgeOptions(replicates=200)


def _three(count: int, seed: int) -> tuple[Floats, Floats]:
    """Return class indices (n,), mostly the first, and probabilities (n 3)."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, count, p=(0.8, 0.12, 0.08))
    scores = rng.normal(size=(count, 3)) + 1.5 * np.eye(3)[truth] + (1.0, 0.0, 0.0)
    shares = np.exp(scores)
    return truth.astype(np.float64), shares / shares.sum(axis=1, keepdims=True)


def _samples(truth: Floats) -> list[JudgedSample]:
    return [JudgedSample(f"s{n}", f"p{n}", BEATS.classes[int(c)]) for n, c in enumerate(truth)]


def test_thresholds_keep_false_alarms_where_they_were_fixed_and_find_the_most_there() -> None:
    truth, shares = _three(300, seed=1)
    found = fit_class_points(BEATS, shares, truth, rule=Rule.SPECIFICITY, wanted=0.9)
    assert list(found) == ["N", "S", "V"]
    for place, point in enumerate(found.values()):
        ill, score = truth == place, shares[:, place]
        able = [t for t in (*score, 1.1) if np.mean(score[~ill] < t) >= 0.9]
        assert np.mean(score[~ill] < point.threshold) >= 0.9
        assert np.mean(score[ill] >= point.threshold) == pytest.approx(max(np.mean(score[ill] >= t) for t in able))
        assert (point.positives, point.negatives) == (ill.sum(), (~ill).sum())


def test_a_class_that_validation_lacks_has_one_half() -> None:
    truth, shares = _three(60, seed=2)
    truth[truth == 2] = -1  # missing answers are no negatives either
    found = fit_class_points(BEATS, shares, truth, rule=Rule.BALANCED_ACCURACY)
    assert (found["V"].threshold, found["V"].rule, found["V"].positives) == (0.5, Rule.DEFAULT, 0)
    assert found["S"].positives + found["S"].negatives == (truth >= 0).sum()
    assert found["S"].rule is Rule.BALANCED_ACCURACY


def test_figures_agree_with_sklearn_on_other_samples() -> None:
    truth, shares = _three(300, seed=1)
    points = fit_class_points(BEATS, shares, truth, rule=Rule.SPECIFICITY, wanted=0.9)
    later, answers = _three(200, seed=3)
    limits = np.tile([p.threshold for p in points.values()], (200, 1))
    samples = [*_samples(later), JudgedSample("unknown", "p0", None)]
    more = np.vstack([answers, np.full(3, 1 / 3)])
    found = judge_class_points(BEATS, samples, more, thresholds=np.vstack([limits, limits[:1]]), options=FEW)
    for place, (name, point) in enumerate(points.items()):
        ill, called = later == place, answers[:, place] >= point.threshold
        metrics = found[name].metrics
        assert found[name].cases == ill.sum()
        assert metrics["sensitivity"].value == pytest.approx(recall_score(ill, called))
        assert metrics["specificity"].value == pytest.approx(recall_score(~ill, ~called))
        assert metrics["ppv"].value == pytest.approx(precision_score(ill, called))
        assert metrics["npv"].value == pytest.approx(precision_score(~ill, ~called))
        for figure in metrics.values():
            assert figure.low is not None
            assert figure.high is not None
            assert figure.value is not None
            assert figure.low <= figure.value <= figure.high


def test_each_sample_has_the_threshold_of_its_own_model() -> None:
    truth = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0])
    answers = np.full((6, 3), 1 / 3)
    limits = np.full((6, 3), 0.5)
    limits[3, 1] = 0.3
    found = judge_class_points(BEATS, _samples(truth), answers, thresholds=limits, options=FEW)
    assert found["S"].metrics["sensitivity"].value == 0.5
    assert found["S"].metrics["ppv"].value == 1.0
    assert found["N"].metrics["ppv"].value is None
    assert found["N"].metrics["ppv"].note == "nothing is called positive"


def test_labels_have_thresholds_too_and_two_classes_have_not() -> None:
    truth = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [np.nan, np.nan]])
    shares = np.array([[0.4, 0.1], [0.2, 0.8], [0.3, 0.9], [0.1, 0.2], [0.9, 0.9]])
    found = fit_class_points(SIGNS, shares, truth, rule=Rule.BALANCED_ACCURACY)
    assert 0.2 < found["x"].threshold <= 0.3
    assert (found["x"].sensitivity, found["x"].specificity, found["x"].negatives) == (1.0, 1.0, 2)
    samples = [JudgedSample(f"s{n}", f"p{n}", said) for n, said in enumerate((("x",), ("y",), ("x", "y"), (), None))]
    limits = np.tile([p.threshold for p in found.values()], (5, 1))
    judged = judge_class_points(SIGNS, samples, shares, thresholds=limits, options=FEW)
    assert [(p.cases, p.metrics["sensitivity"].value, p.metrics["ppv"].value) for p in judged.values()] == [
        (2, 1, 1)
    ] * 2
    assert fit_class_points(BINARY, shares, truth[:, 0], rule=Rule.BALANCED_ACCURACY) == {}
    with pytest.raises(InputError, match="more than two classes"):
        judge_class_points(BINARY, samples, shares, thresholds=limits, options=FEW)
