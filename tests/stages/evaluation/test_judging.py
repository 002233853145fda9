"""Figures against scikit-learn and hand-made cases."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, recall_score, roc_auc_score

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import InputError
from hounsfield.science.statistics.operating_point import OperatingPoint, Rule
from hounsfield.stages.evaluation.judging import judge
from hounsfield.stages.evaluation.preparing import ClassFactors
from hounsfield.stages.evaluation.samples import JudgedSample, JudgeOptions
from tests.stages.evaluation.cases import BINARY, binary

FEW = JudgeOptions(replicates=200)


def test_two_classes_agree_with_sklearn() -> None:
    samples, answers, truth = binary()
    point = OperatingPoint(threshold=0.4, rule=Rule.BALANCED_ACCURACY, positives=1, negatives=1)
    part = judge(BINARY, samples, answers, operating_point=point, options=FEW)
    auroc = part.metrics["auroc"]
    assert auroc.value == pytest.approx(roc_auc_score(truth, answers[:, 1]))
    assert auroc.low is not None
    assert auroc.high is not None
    assert auroc.low < roc_auc_score(truth, answers[:, 1]) < auroc.high
    assert part.metrics["accuracy"].value == pytest.approx(accuracy_score(truth, answers[:, 1] > 0.5))
    called = answers[:, 1] >= 0.4
    assert part.metrics["sensitivity"].value == pytest.approx(recall_score(truth, called))
    assert part.metrics["accuracy_at_operating_point"].value == pytest.approx(accuracy_score(truth, called))
    assert {"recall:normal", "recall:COVID"} <= set(part.metrics)
    assert sum(map(sum, part.confusion)) == part.samples == 120
    assert part.confusion[1][1] == int((called & (truth == 1)).sum())
    assert part.classes == {"normal": int((truth == 0).sum()), "COVID": int(truth.sum())}


def test_positive_class_may_come_first() -> None:
    samples, answers, truth = binary()
    target = BINARY.model_copy(update={"classes": ("COVID", "normal")})
    part = judge(target, samples, answers[:, ::-1], options=FEW)
    assert part.metrics["auroc"].value == pytest.approx(roc_auc_score(truth, answers[:, 1]))
    assert part.metrics["sensitivity"].value == pytest.approx(recall_score(truth, answers[:, 1] >= 0.5))
    assert part.confusion[0][0] == int(((answers[:, 1] >= 0.5) & (truth == 1)).sum())


def test_same_seed_gives_the_same_interval_and_order_of_patients_matters_not_for_values() -> None:
    samples, answers, _ = binary()
    first, second = (judge(BINARY, samples, answers, options=FEW) for _ in range(2))
    assert first == second
    other = judge(BINARY, samples, answers, options=JudgeOptions(replicates=200, seed=1))
    assert other.metrics["auroc"].value == first.metrics["auroc"].value
    assert other.metrics["auroc"].low != first.metrics["auroc"].low


def test_repeated_samples_of_a_patient_do_not_make_it_surer() -> None:
    samples, answers, _ = binary(60)
    doubled = [JudgedSample(f"{s.id}-{k}", s.patient, s.truth) for s in samples for k in range(4)]
    single = judge(BINARY, samples, answers, options=JudgeOptions(replicates=600)).metrics["auroc"]
    many = judge(BINARY, doubled, np.repeat(answers, 4, axis=0), options=JudgeOptions(replicates=600)).metrics["auroc"]
    assert single.low is not None
    assert single.high is not None
    assert many.low is not None
    assert many.high is not None
    assert many.high - many.low == pytest.approx(single.high - single.low, rel=0.25)


def test_per_patient_means_and_skipped_patients() -> None:
    samples, answers, truth = binary(60, per_patient=3)
    part = judge(BINARY, samples, answers, options=FEW)
    mean = answers[:, 1].reshape(20, 3).mean(axis=1)
    assert part.patient_metrics["auroc"].value == pytest.approx(roc_auc_score(truth[::3], mean))
    assert (part.patients, part.patients_judged, part.patients_skipped) == (20, 20, 0)
    other = "normal" if samples[0].truth == "COVID" else "COVID"
    mixed = [JudgedSample(samples[0].id, samples[0].patient, other), *samples[1:]]
    part = judge(BINARY, mixed, answers, options=FEW)
    assert (part.patients_judged, part.patients_skipped) == (19, 1)
    assert not judge(BINARY, *binary(30)[:2], options=FEW).patient_metrics


def test_missing_truth_counts_nowhere() -> None:
    samples, answers, truth = binary()
    gaps = [JudgedSample(s.id, s.patient, None if i < 20 else s.truth) for i, s in enumerate(samples)]
    part = judge(BINARY, gaps, answers, uncalibrated=answers, options=FEW)
    assert part.samples == 100
    assert part.metrics["auroc"].value == pytest.approx(roc_auc_score(truth[20:], answers[20:, 1]))
    assert part.uncalibrated["brier"] == part.metrics["brier"]


def test_one_class_missing_says_why() -> None:
    samples, answers, _ = binary()
    only = [index for index, sample in enumerate(samples) if sample.truth == "COVID"]
    part = judge(BINARY, [samples[i] for i in only], answers[only], options=FEW)
    assert part.metrics["auroc"].value is None
    assert "class is missing" in part.metrics["auroc"].note
    assert part.metrics["sensitivity"].value is not None
    assert "roc" not in part.curves


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_samples(count: int) -> None:
    samples, answers, _ = binary()
    part = judge(BINARY, samples[:count], answers[:count], uncalibrated=answers[:count], options=FEW)
    assert part.samples == count
    assert all(figure.value is None or np.isfinite(figure.value) for figure in part.metrics.values())


def test_several_classes() -> None:
    rng = np.random.default_rng(0)
    target = TargetSpec(name="kind", kind="categorical", classes=("a", "b", "c"))
    truth = rng.integers(0, 3, 150)
    logits = rng.normal(size=(150, 3)) + 1.5 * np.eye(3)[truth]
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    samples = [JudgedSample(str(i), str(i), "abc"[t]) for i, t in enumerate(truth)]
    part = judge(target, samples, answers, options=FEW)
    assert part.metrics["auroc"].value == pytest.approx(roc_auc_score(truth, answers, multi_class="ovr"))
    assert {"roc:a", "roc:b", "roc:c", "reliability"} <= set(part.curves)
    assert {"auroc:a", "recall:c"} <= set(part.metrics)


def test_several_classes_are_called_by_their_factors() -> None:
    target = TargetSpec(name="kind", kind="categorical", classes=("a", "b", "c"))
    rng = np.random.default_rng(4)
    truth = rng.choice(3, 200, p=(0.8, 0.15, 0.05))
    shares = rng.dirichlet((4.0, 1.0, 0.5), 200) + 0.2 * np.eye(3)[truth]
    shares /= shares.sum(axis=1, keepdims=True)
    samples = [JudgedSample(f"s{n}", f"p{n}", target.classes[c], {"sex": "FM"[n % 2]}) for n, c in enumerate(truth)]
    point = ClassFactors({"b": 2.0, "c": 6.0})
    part = judge(target, samples, shares, operating_point=point, options=FEW)
    said = (shares * (1.0, 2.0, 6.0)).argmax(axis=1)
    assert part.confusion == tuple(map(tuple, confusion_matrix(truth, said).tolist()))
    assert part.metrics["accuracy_at_operating_point"].value == pytest.approx(accuracy_score(truth, said))
    assert part.metrics["accuracy"].value == pytest.approx(accuracy_score(truth, shares.argmax(axis=1)))
    assert part.metrics["balanced_accuracy"].value == pytest.approx(recall_score(truth, said, average="macro"))
    women = np.arange(200) % 2 == 0
    group = next(g for g in part.subgroups if g.value == "F")
    assert group.metrics["balanced_accuracy"].value == pytest.approx(
        recall_score(truth[women], said[women], average="macro")
    )


def test_multilabel() -> None:
    rng = np.random.default_rng(1)
    target = TargetSpec(name="findings", kind="multilabel", classes=("nodule", "cavity"))
    marks = rng.random((100, 2)) < 0.4
    answers = 1 / (1 + np.exp(-(2.0 * marks - 1 + rng.normal(size=(100, 2)))))
    samples = [
        JudgedSample(str(i), str(i), tuple(n for n, m in zip(target.classes, row, strict=True) if m))
        for i, row in enumerate(marks)
    ]
    point = OperatingPoint(threshold=0.3, rule=Rule.SENSITIVITY, wanted=0.9, positives=1, negatives=1)
    part = judge(target, samples, answers, operating_point={"nodule": point}, options=FEW)
    assert part.metrics["auroc"].value == pytest.approx(roc_auc_score(marks, answers, average="macro"))
    assert part.metrics["recall:nodule"].value == pytest.approx(recall_score(marks[:, 0], answers[:, 0] >= 0.3))
    assert part.metrics["recall:cavity"].value == pytest.approx(recall_score(marks[:, 1], answers[:, 1] >= 0.5))
    assert part.confusion == ()
    assert part.classes == {"nodule": int(marks[:, 0].sum()), "cavity": int(marks[:, 1].sum())}


def test_ordinal_has_kappa_and_recall() -> None:
    rng = np.random.default_rng(2)
    target = TargetSpec(name="grade", kind="ordinal", classes=("0", "I", "II"))
    truth = rng.integers(0, 3, 90)
    answers = rng.dirichlet([1.0, 1.0, 1.0], 90) + np.eye(3)[truth]
    answers /= answers.sum(axis=1, keepdims=True)
    samples = [JudgedSample(str(i), str(i), target.classes[t]) for i, t in enumerate(truth)]
    part = judge(target, samples, answers, options=FEW)
    said = answers.argmax(axis=1)
    expected = cohen_kappa_score(truth, said, weights="quadratic")
    assert part.metrics["quadratic_kappa"].value == pytest.approx(expected)
    assert part.metrics["recall:II"].value == pytest.approx(recall_score(truth, said, average=None)[2])


def test_number() -> None:
    rng = np.random.default_rng(3)
    target = TargetSpec(name="diameter", kind="number", unit="mm")
    truth, error = rng.gamma(4, 4, 80), rng.normal(size=80)
    samples = [JudgedSample(str(i), str(i), float(t)) for i, t in enumerate(truth)]
    part = judge(target, samples, truth + error, options=FEW)
    assert part.metrics["mae"].value == pytest.approx(np.abs(error).mean())
    assert part.curves["scatter"].x == pytest.approx(truth)
    assert part.classes == {}
    assert part.confusion == ()


def test_folds_and_faulty_samples() -> None:
    samples, answers, truth = binary()
    options = JudgeOptions(
        replicates=200, faulty=frozenset({"s0", "s1"}), folds={s.id: i % 3 for i, s in enumerate(samples)}
    )
    part = judge(BINARY, samples, answers, options=options)
    assert len(part.folds) == 3
    assert part.folds[1]["auroc"] == pytest.approx(roc_auc_score(truth[1::3], answers[1::3, 1]))
    assert part.without_faulty["auroc"].value == pytest.approx(roc_auc_score(truth[2:], answers[2:, 1]))
    assert not judge(BINARY, samples, answers, options=FEW).without_faulty


def test_predictive_values_at_another_prevalence() -> None:
    samples, answers, _ = binary()
    part = judge(BINARY, samples, answers, options=JudgeOptions(replicates=200, prevalence=0.05))
    sensitivity, specificity = part.metrics["sensitivity"].value, part.metrics["specificity"].value
    assert sensitivity is not None
    assert specificity is not None
    expected = sensitivity * 0.05 / (sensitivity * 0.05 + (1 - specificity) * 0.95)
    assert part.metrics["ppv_at_prevalence"].value == pytest.approx(expected)


def test_wrong_shapes_and_classes_are_refused() -> None:
    samples, answers, _ = binary(10)
    with pytest.raises(InputError, match="shape"):
        judge(BINARY, samples, answers[:, 1])
    with pytest.raises(InputError, match="unknown class"):
        judge(BINARY, [JudgedSample("a", "a", "flu")], answers[:1])
