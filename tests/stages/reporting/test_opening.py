"""What the report says first."""

from typing import Literal

import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.report import Figure, PartFigures
from hounsfield.stages.reporting.in_words import share_of_pairs
from hounsfield.stages.reporting.opening import opening
from tests.stages.reporting.sample import TARGET, figure, report


@pytest.mark.parametrize(
    ("auc", "said"), [(1.0, "100%"), (0.998, "99.8%"), (0.9999, "99.9%"), (0.93, "93%"), (0.5, "50%"), (0.0, "0%")]
)
def test_not_all_pairs_where_one_was_ranked_wrong(auc: float, said: str) -> None:
    assert share_of_pairs(auc) == said


def _told(target: TargetSpec, judged: PartFigures) -> tuple[str, str]:
    found = opening(report().model_copy(update={"target": target, "parts": {"test": judged}, "targets": {}}))
    assert all(words.zh != words.en for words in found.words)
    return " ".join(words.en for words in found.words), " ".join(words.zh for words in found.words)


def _masks(samples: int, classes: dict[str, int], shares: dict[str, float | None]) -> tuple[str, str]:
    target = TargetSpec(name="mask", kind="mask", classes=("background", *classes))
    metrics = {n: Figure(value=None) if v is None else figure(v) for n, v in shares.items()}
    return _told(target, PartFigures(samples=samples, patients=samples, classes=classes, metrics=metrics))


def _two(positives: int, negatives: int, shares: dict[str, float]) -> tuple[str, str]:
    total = positives + negatives
    metrics = {name: figure(value) for name, value in {"auroc": 0.8, **shares}.items()}
    classes = {"normal": negatives, "COVID": positives}
    return _told(TARGET, PartFigures(samples=total, patients=total, classes=classes, metrics=metrics))


def test_a_dice_is_said_in_words_of_what_is_missed_and_marked_in_vain() -> None:
    shares: dict[str, float | None] = {"dice": 0.76, "sensitivity": 0.71, "precision": 0.84}
    english, _ = _masks(160, {"lesion": 120}, {**shares, "false_positive_rate": 0.25, "missed_rate": 0.1})
    assert "71 are marked and 29 are not; of 100 marked parts 84 are right" in english
    assert "Of 100 images without it, something is marked in 25." in english


def test_of_few_images_counts_are_told() -> None:
    shares: dict[str, float | None] = {"dice": 0.76, "sensitivity": 0.71, "precision": 0.84, "missed_rate": 0.25}
    english, chinese = _masks(11, {"lesion": 8}, {**shares, "false_positive_rate": 1.0})
    assert "In the images that hold it (8), 71% of what was outlined is marked and 29% is not" in english
    assert "of what is marked in all 11 images 84% is right" in english
    assert "Of 8 images that hold it, 2 are missed whole." in english
    assert "In 3 of 3 images without it, something is marked." in english
    assert "没有该结构的图像共 3 幅，其中 3 幅被误标" in chinese
    assert "含有该结构的图像共 8 幅，其中 2 幅未作任何标注" in chinese
    assert "100 " not in english + chinese


def test_healthy_images_are_counted_where_only_they_are_few_or_rounding_would_hide_some() -> None:
    shares: dict[str, float | None] = {"dice": 0.76, "sensitivity": 0.71, "precision": 0.84}
    few, _ = _masks(124, {"lesion": 120}, {**shares, "false_positive_rate": 0.25})
    assert "Of 100 parts of what was outlined 71" in few
    assert "In 1 of 4 images without it" in few
    many, _ = _masks(1120, {"lesion": 120}, {**shares, "false_positive_rate": 0.004})
    assert "In 4 of 1000 images without it" in many


def test_of_several_structures_each_is_told_with_its_images() -> None:
    shares: dict[str, float | None] = {"dice": 0.8, "false_positive_rate": None, "false_positive_rate:liver": None}
    shares |= {"sensitivity": 0.9, "precision": 0.8}
    english, chinese = _masks(40, {"liver": 40, "tumour": 30}, {**shares, "false_positive_rate:tumour": 0.3})
    assert "Of 100 parts" in english
    assert "Marked all the same where it is not (images marked / images without it): “tumour” 3/10." in english
    assert "“tumour” 3/10" in chinese


def test_images_of_the_rarest_structure_decide_whether_there_are_few() -> None:
    shares: dict[str, float | None] = {"dice": 0.8, "sensitivity": 0.9, "precision": 0.8}
    english, chinese = _masks(40, {"liver": 40, "tumour": 7}, shares)
    assert "In the images that hold a structure (7 to 40; mean over structures), 90% of what was outlined" in english
    assert "（7 至 40 幅；取各结构平均）中，被勾画的区域标出 90%" in chinese


def test_a_share_without_known_counts_is_told_as_before() -> None:
    english, _ = _masks(0, {}, {"dice": 0.8, "false_positive_rate": 0.25})
    assert "Of 100 images without it, something is marked in 25." in english


def test_no_list_of_structures_is_begun_where_none_can_be_counted() -> None:
    shares: dict[str, float | None] = {"dice": 0.8, "false_positive_rate": None, "false_positive_rate:tumour": 0.123}
    english, chinese = _masks(40, {"liver": 40, "tumour": 30}, shares)
    assert "Marked all the same" not in english
    assert "却被误标" not in chinese


def test_studies_are_counted_where_a_class_has_few() -> None:
    english, chinese = _two(5, 300, {"sensitivity": 0.8, "specificity": 0.96})
    assert "of 5 studies with “COVID” it finds 4 and misses 1; of 300 without, it raises 12 false alarms" in english
    assert "5 例“COVID”中检出 4 例、漏诊 1 例；300 例非“COVID”中误报 12 例" in chinese
    english, _ = _two(50, 300, {"sensitivity": 0.8, "specificity": 0.96})
    assert "of 100 studies with “COVID” it finds 80 and misses 20; of 100 without, it raises 4 false" in english


def test_rounding_hides_no_miss() -> None:
    english, _ = _two(1000, 300, {"sensitivity": 0.998, "specificity": 0.96})
    assert "of 1000 studies with “COVID” it finds 998 and misses 2" in english


@pytest.mark.parametrize(
    ("samples", "value", "said"), [(9, 7 / 9, "7 of 9 studies"), (900, 0.98, "98% of the studies")]
)
def test_right_classes_are_counted_where_there_are_few(samples: int, value: float, said: str) -> None:
    third = samples // 3
    target = TargetSpec(name="label", kind="categorical", classes=("a", "b", "c"))
    part = PartFigures(
        samples=samples,
        patients=samples,
        classes={"a": third, "b": third, "c": third},
        metrics={"auroc": figure(0.8), "accuracy": figure(value)},
    )
    assert f"It names the right class for {said}." in _told(target, part)[0]


def _named(classes: dict[str, int], metrics: dict[str, float], kind: Literal["categorical", "ordinal"]) -> str:
    target = TargetSpec(name="label", kind=kind, classes=tuple(classes))
    total = sum(classes.values())
    figures = {name: figure(value, 0.04) for name, value in {"auroc": 0.8, "quadratic_kappa": 0.4, **metrics}.items()}
    part = PartFigures(samples=total, patients=total, classes=classes, metrics=figures)
    english, chinese = _told(target, part)
    assert ("balanced accuracy" in english.lower()) == ("平衡准确率" in chinese)
    return english


def test_where_one_class_holds_most_its_share_stands_beside() -> None:
    metrics = {"accuracy": 0.98, "balanced_accuracy": 0.41}
    told = _named({"N": 970, "S": 20, "V": 10}, metrics, "categorical")
    assert "the right class for 98% of the studies; always naming “N”" in told
    assert "would be right for 97% of the studies. Balanced accuracy" in told
    assert "is 41.0% (37.0–45.0%); always naming one class gives 33%" in told
    even = _named({"N": 600, "S": 390, "V": 10}, metrics, "categorical")
    assert "It names the right class for 98% of the studies." in even
    assert "always" not in even


def test_a_class_that_does_not_occur_counts_in_no_balance() -> None:
    told = _named({"N": 14, "S": 4, "V": 0}, {"accuracy": 13 / 18, "balanced_accuracy": 0.5}, "categorical")
    assert "for 13 of 18 studies; always naming “N”, the commonest class, would be right for 14 of 18 studies" in told
    assert "always naming one class gives 50%" in told


def test_of_two_classes_it_stands_beside_the_operating_point() -> None:
    shares = {"sensitivity": 0.6, "specificity": 0.95, "balanced_accuracy": 0.775, "accuracy": 0.99}
    english, chinese = _two(100, 900, {**shares, "accuracy_at_operating_point": 0.915})
    assert (
        "it raises 5 false alarms. It names the right class for 92% of the studies; always naming “normal”" in english
    )
    assert "right for 90% of the studies. Balanced accuracy, in which every class counts alike, is 77.5%" in english
    assert "若始终判为最常见的“normal”，正确的会有 90%" in chinese
    even, _ = _two(500, 500, {**shares, "accuracy_at_operating_point": 0.915})
    assert "It names" not in even


def test_levels_with_an_order_have_it_too() -> None:
    told = _named({"0": 80, "1": 10, "2": 10}, {"accuracy": 0.75, "balanced_accuracy": 0.4}, "ordinal")
    assert (
        "would be right for 80% of the studies. Balanced accuracy, in which every class counts alike, is 40.0%" in told
    )
