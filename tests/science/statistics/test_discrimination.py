import math

import numpy as np
import pytest
from sklearn import metrics

from hounsfield.core.errors import InputError
from hounsfield.science.statistics import discrimination as d

RNG = np.random.default_rng(7)
TRUTH = RNG.integers(0, 2, 83)
TIED = np.round(RNG.normal(size=83) + TRUTH, 1)
CLASSES = RNG.integers(0, 4, 120)
SHARES = RNG.dirichlet(np.ones(4), 120) + 0.3 * np.eye(4)[CLASSES]
SHARES /= SHARES.sum(axis=1, keepdims=True)
SAID = SHARES.argmax(axis=1)


@pytest.mark.parametrize("score", [TIED, -TIED, np.zeros(83), RNG.normal(size=83)])
def test_ranked_metrics_equal_scikit_learn_with_ties(score: np.ndarray) -> None:
    assert d.auroc(TRUTH, score) == pytest.approx(metrics.roc_auc_score(TRUTH, score), abs=1e-12)
    assert d.average_precision(TRUTH, score) == pytest.approx(metrics.average_precision_score(TRUTH, score), abs=1e-12)
    ours = d.roc_curve(TRUTH, score)
    fpr, tpr, thresholds = metrics.roc_curve(TRUTH, score, drop_intermediate=False)
    np.testing.assert_allclose(ours.false_positive_rate, fpr)
    np.testing.assert_allclose(ours.true_positive_rate, tpr)
    np.testing.assert_array_equal(ours.threshold, thresholds)


def test_auroc_by_hand() -> None:
    assert d.auroc(np.array([0, 1]), np.array([0.1, 0.9])) == 1.0
    assert d.auroc(np.array([0, 1]), np.array([0.5, 0.5])) == 0.5
    # Pairs: (.2 beats nothing of .3 .3), (.3 ties both), (.9 beats both): 0 + 1 + 2 of 6.
    assert d.auroc(np.array([1, 1, 1, 0, 0]), np.array([0.2, 0.3, 0.9, 0.3, 0.3])) == pytest.approx(0.5)


@pytest.mark.parametrize("truth", [np.array([1]), np.array([0, 0, 0]), np.array([], dtype=np.int64)])
def test_auroc_is_undefined_with_a_class_missing(truth: np.ndarray) -> None:
    assert math.isnan(d.auroc(truth, np.linspace(0, 1, len(truth))))


def test_average_precision_with_one_positive_and_with_none() -> None:
    assert d.average_precision(np.array([1]), np.array([0.2])) == 1.0
    assert math.isnan(d.average_precision(np.array([0]), np.array([0.2])))


def test_macro_auroc_equals_scikit_learn_and_skips_a_missing_class() -> None:
    expected = metrics.roc_auc_score(CLASSES, SHARES, multi_class="ovr", average="macro")
    assert d.auroc_macro(CLASSES, SHARES) == pytest.approx(expected, abs=1e-12)
    few = CLASSES < 2
    each = d.auroc_per_class(CLASSES[few], SHARES[few])
    assert np.isnan(each).tolist() == [False, False, True, True]
    assert d.auroc_macro(CLASSES[few], SHARES[few]) == pytest.approx(each[:2].mean())


def test_decisions_equal_scikit_learn() -> None:
    called = (TIED > 0.4).astype(np.int64)
    assert d.sensitivity(TRUTH, called) == pytest.approx(metrics.recall_score(TRUTH, called))
    assert d.specificity(TRUTH, called) == pytest.approx(metrics.recall_score(TRUTH, called, pos_label=0))
    assert d.ppv(TRUTH, called) == pytest.approx(metrics.precision_score(TRUTH, called))
    assert d.npv(TRUTH, called) == pytest.approx(metrics.precision_score(TRUTH, called, pos_label=0))
    assert d.f1(TRUTH, called) == pytest.approx(metrics.f1_score(TRUTH, called))
    assert d.accuracy(TRUTH, called) == pytest.approx(metrics.accuracy_score(TRUTH, called))
    assert d.balanced_accuracy(TRUTH, called) == pytest.approx(metrics.balanced_accuracy_score(TRUTH, called))


def test_choices_equal_scikit_learn() -> None:
    np.testing.assert_array_equal(d.confusion(CLASSES, SAID, classes=4), metrics.confusion_matrix(CLASSES, SAID))
    recall = metrics.recall_score(CLASSES, SAID, average=None)
    np.testing.assert_allclose(d.recall_per_class(CLASSES, SAID, classes=4), recall)
    assert d.f1_macro(CLASSES, SAID, classes=4) == pytest.approx(metrics.f1_score(CLASSES, SAID, average="macro"))
    expected = metrics.cohen_kappa_score(CLASSES, SAID, weights="quadratic")
    assert d.quadratic_kappa(CLASSES, SAID) == pytest.approx(expected, abs=1e-12)


def test_confusion_leaves_missing_truths_out() -> None:
    table = d.confusion(np.array([0, -1, 1]), np.array([0, 0, 0]), classes=2)
    assert table.tolist() == [[1, 0], [1, 0]]


def test_decisions_are_undefined_without_their_denominator() -> None:
    one = np.array([1])
    assert d.sensitivity(one, one) == 1.0
    assert math.isnan(d.specificity(one, one))
    assert math.isnan(d.npv(one, one))
    assert math.isnan(d.ppv(one, 1 - one))
    assert d.f1(one, 1 - one) == 0.0
    assert math.isnan(d.f1(1 - one, 1 - one))
    assert math.isnan(d.quadratic_kappa(np.array([2, 2]), np.array([2, 2])))
    assert d.balanced_accuracy(one, one) == 1.0
    assert math.isnan(d.accuracy(np.array([]), np.array([])))


def test_predictive_values_at_a_prevalence_by_hand() -> None:
    # Of 1000 people 10 are ill: 9 found, 1 missed; 99 of the 990 healthy called.
    ppv, npv = d.ppv_npv_at_prevalence(0.9, 0.9, prevalence=0.01)
    assert ppv == pytest.approx(9 / 108)
    assert npv == pytest.approx(891 / 892)
    assert math.isnan(d.ppv_npv_at_prevalence(0.0, 1.0, prevalence=0.2)[0])


@pytest.mark.parametrize(
    ("truth", "score"),
    [([0, 2], [0.1, 0.2]), ([0, 1], [0.1, np.nan]), ([0, 1], [0.1, 0.2, 0.3])],
)
def test_bad_input_is_refused(truth: list[int], score: list[float]) -> None:
    with pytest.raises(InputError):
        d.auroc(np.array(truth), np.array(score))
