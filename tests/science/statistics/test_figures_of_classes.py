import math

import numpy as np
import pytest
from sklearn import metrics

from hounsfield.core.errors import InputError
from hounsfield.science.statistics import calibration, discrimination
from hounsfield.science.statistics.figures import bootstrap_figures
from hounsfield.science.statistics.figures_of_classes import (
    categorical,
    figures_categorical,
    figures_multilabel,
    multilabel,
)

RNG = np.random.default_rng(9)
NAMES = {
    "auroc", "average_precision", "accuracy", "accuracy_at_operating_point", "balanced_accuracy", "f1", "sensitivity",
    "specificity", "ppv", "npv", "brier", "calibration_slope", "calibration_intercept", "calibration_error",
}  # fmt: skip


def _several() -> tuple[np.ndarray, np.ndarray]:
    truth = RNG.integers(0, 4, 150)
    shares = RNG.dirichlet(np.ones(4), 150) + 0.3 * np.eye(4)[truth]
    return truth, shares / shares.sum(axis=1, keepdims=True)


def test_two_classes_with_a_named_positive() -> None:
    truth = RNG.integers(0, 2, 90)
    p = np.clip(RNG.normal(0.4 + 0.2 * truth, 0.2), 0.01, 0.99)
    # The positive class is the first one here, as malignant is 0 in some public sets.
    result = figures_categorical(
        1 - truth, np.stack([p, 1 - p], axis=1), classes=["ill", "well"], positive=0, threshold=0.3, prevalence=0.1
    )
    extra = {"auroc:ill", "auroc:well", "recall:ill", "recall:well", "ppv_at_prevalence", "npv_at_prevalence"}
    assert set(result) == NAMES | extra
    called = p >= 0.3
    assert result["auroc"] == result["auroc:ill"] == result["auroc:well"]
    assert result["auroc"] == pytest.approx(metrics.roc_auc_score(truth, p))
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, p > 0.5))
    assert result["accuracy_at_operating_point"] == pytest.approx(metrics.accuracy_score(truth, called))
    assert result["sensitivity"] == result["recall:ill"] == pytest.approx(metrics.recall_score(truth, called))
    assert result["specificity"] == result["recall:well"]
    assert result["brier"] == pytest.approx(metrics.brier_score_loss(truth, p))
    assert result["calibration_slope"] == pytest.approx(calibration.calibration_slope(truth, p))
    assert result["calibration_intercept"] == pytest.approx(calibration.calibration_intercept(truth, p))
    assert result["calibration_error"] == calibration.calibration_error(truth, p)
    expected = discrimination.ppv_npv_at_prevalence(result["sensitivity"], result["specificity"], prevalence=0.1)
    assert (result["ppv_at_prevalence"], result["npv_at_prevalence"]) == pytest.approx(expected)


def test_several_classes_equal_scikit_learn() -> None:
    truth, shares = _several()
    result = figures_categorical(truth, shares)
    said = shares.argmax(axis=1)
    assert set(result) == NAMES | {f"{f}:{c}" for f in ("auroc", "recall") for c in range(4)}
    assert result["auroc"] == pytest.approx(metrics.roc_auc_score(truth, shares, multi_class="ovr"))
    assert result["average_precision"] == pytest.approx(metrics.average_precision_score(np.eye(4)[truth], shares))
    assert result["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert result["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert result["f1"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert result["ppv"] == pytest.approx(metrics.precision_score(truth, said, average="macro"))
    assert result["sensitivity"] == pytest.approx(metrics.recall_score(truth, said, average="macro"))
    recall = metrics.recall_score(truth, said, average=None)
    assert [result[f"recall:{c}"] for c in range(4)] == pytest.approx(list(recall))
    assert result["brier"] == pytest.approx(calibration.brier(truth, shares))
    assert result["calibration_error"] == pytest.approx(calibration.calibration_error(truth, shares))


def test_several_classes_are_called_by_factors_and_accuracy_stays_that_of_the_likeliest() -> None:
    truth, shares = _several()
    factors = np.array([1.0, 0.4, 2.0, 5.0])
    result = figures_categorical(truth, shares)
    adjusted = dict(categorical(truth, shares, factors=factors).values)
    said = (shares * factors).argmax(axis=1)
    assert (said != shares.argmax(axis=1)).any()
    for name in ("accuracy", "auroc", "brier", "calibration_error", "auroc:3"):
        assert adjusted[name] == result[name]
    assert adjusted["accuracy_at_operating_point"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert adjusted["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, said))
    assert adjusted["ppv"] == pytest.approx(metrics.precision_score(truth, said, average="macro"))
    assert adjusted["recall:3"] == pytest.approx(metrics.recall_score(truth, said, average=None)[3])
    assert dict(categorical(truth, shares, factors=np.full(4, 7.0)).values) == pytest.approx(result)


def test_missing_answers_change_nothing() -> None:
    for truth, shares in (_several(), (np.arange(40) % 2, RNG.dirichlet(np.ones(2), 40))):
        holes = np.where(np.arange(len(truth)) % 5 == 0, -1, truth)
        known = holes >= 0
        assert figures_categorical(holes, shares) == pytest.approx(
            figures_categorical(truth[known], shares[known]), nan_ok=True
        )


def test_a_missing_class_has_a_reason_and_leaves_the_macro_average() -> None:
    truth, shares = _several()
    truth = np.where(truth == 3, 0, truth)
    result = bootstrap_figures(categorical(truth, shares), np.arange(150), rng=np.random.default_rng(0), replicates=100)
    assert math.isnan(result["auroc:3"].value)
    assert result["auroc:3"].reason == "a class is missing"
    assert result["recall:3"].reason == "the class does not occur"
    assert result["auroc"].value == pytest.approx(np.mean([result[f"auroc:{c}"].value for c in range(3)]))
    assert result["auroc"].low < result["auroc"].value < result["auroc"].high


def test_one_sample() -> None:
    result = figures_categorical(np.array([1]), np.array([[0.2, 0.8]]))
    assert result["accuracy"] == result["sensitivity"] == 1.0
    assert math.isnan(result["auroc"])
    assert math.isnan(result["specificity"])
    several = figures_categorical(np.array([1]), np.array([[0.2, 0.7, 0.1]]))
    assert several["balanced_accuracy"] == 1.0


def test_labels_are_judged_each_on_its_known_answers() -> None:
    truth = RNG.integers(0, 2, (100, 3)).astype(np.float64)
    p = np.clip(RNG.normal(0.35 + 0.3 * truth, 0.2), 0.01, 0.99)
    truth[:20, 0] = -1
    truth[10:30, 1] = np.nan
    names = ["a", "b", "c"]
    result = figures_multilabel(truth, p, labels=names, thresholds=[0.3, 0.5, 0.6])
    per_label = {f"{figure}:{name}" for figure in [*NAMES, "recall"] for name in names}
    assert set(result) == NAMES | per_label
    for c, name in enumerate(names):
        known = truth[:, c] >= 0
        expected = figures_categorical(
            truth[known, c], np.stack([1 - p[known, c], p[known, c]], axis=1), threshold=[0.3, 0.5, 0.6][c]
        )
        for figure in NAMES:
            assert result[f"{figure}:{name}"] == pytest.approx(expected[figure])
    assert result["auroc"] == pytest.approx(np.mean([result[f"auroc:{name}"] for name in names]))


def test_a_label_that_never_occurs_leaves_the_macro_average() -> None:
    truth = RNG.integers(0, 2, (60, 2))
    truth[:, 1] = 0
    prepared = multilabel(truth, RNG.random((60, 2)))
    assert prepared.values["auroc"] == prepared.values["auroc:0"]
    assert math.isnan(prepared.values["auroc:1"])
    result = bootstrap_figures(prepared, np.arange(60), rng=np.random.default_rng(0), replicates=50)
    assert result["auroc"].low == result["auroc:0"].low
    assert result["recall:1"].reason == "the class does not occur"


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_probabilities_need_two_columns(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="k of 2"):
        categorical(np.zeros(5), np.zeros(shape))


def test_truths_and_names_must_fit() -> None:
    shares = np.full((2, 2), 0.5)
    with pytest.raises(InputError, match="no class index"):
        categorical(np.array([0, 2]), shares)
    with pytest.raises(InputError, match="distinct names"):
        categorical(np.array([0, 1]), shares, classes=["same", "same"])
    with pytest.raises(InputError, match="thresholds"):
        multilabel(np.zeros((2, 2)), shares, thresholds=[0.5])
