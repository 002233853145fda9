from collections import Counter
from dataclasses import replace

import pytest

from hounsfield.core.audit import Audit
from hounsfield.core.cohort import Cohort, Part, Sample, Schema, SetAside, TargetSpec
from hounsfield.core.errors import CohortError, SplitError
from hounsfield.stages.splitting import carve, join_groups, split, strata_of
from hounsfield.stages.splitting.dividing import completed

TARGET = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")
EMPTY = Audit(samples=0, patients=0)


def person(
    name: str, answer: str | float | tuple[str, ...] | None, patient: str = "", part: Part | None = None
) -> Sample:
    return Sample(id=name, patient=patient or name, inputs={}, targets={"ill": answer}, part=part)


def cohort(samples: list[Sample], target: TargetSpec = TARGET) -> Cohort:
    return Cohort("made", "nowhere", tuple(samples), Schema(targets=(target,)))


def by_class(count: int, slices: int = 1) -> list[Sample]:
    answers = [("no", i) for i in range(2 * count // 3)] + [("yes", i) for i in range(count - 2 * count // 3)]
    return [person(f"{a}{i}_{k}", a, f"{a}{i}") for a, i in answers for k in range(slices)]


def test_own_parts_are_grouped_stratified_and_repeatable() -> None:
    samples = by_class(90, slices=3)
    found = split(cohort(samples), EMPTY, seed=4)
    assert Counter(found.parts.values()) == {"train": 162, "val": 54, "test": 54}
    for part in ("train", "val", "test"):
        inside = Counter(s.targets["ill"] for s in samples if found.parts[s.id] == part)
        assert inside["yes"] / sum(inside.values()) == pytest.approx(1 / 3, abs=0.02)
    where = {(found.groups[n], p) for n, p in found.parts.items()}
    assert len(where) == 90
    assert found.grouped
    assert found == split(cohort(samples), EMPTY, seed=4)
    assert found.parts != split(cohort(samples), EMPTY, seed=5).parts


def test_duplicate_clusters_join_patients() -> None:
    samples = by_class(30)
    cluster = ("no0_0", "no7_0", "yes3_0")
    found = split(cohort(samples), EMPTY.model_copy(update={"clusters": (cluster,)}), seed=0, folds=3)
    assert len({found.groups[n] for n in cluster}) == 1
    assert len({found.parts[n] for n in cluster}) == 1
    assert len({found.folds[n] for n in cluster}) == 1


def test_folds_cover_everything_once_with_each_class() -> None:
    samples = by_class(60, slices=2)
    found = split(cohort(samples), EMPTY, seed=0, folds=5)
    assert set(found.folds) == {s.id for s in samples}
    for fold in range(5):
        inside = [s for s in samples if found.folds[s.id] == fold]
        assert Counter(s.targets["ill"] for s in inside) == {"no": 16, "yes": 8}


@pytest.mark.parametrize(
    ("folds", "shares"), [(2, ("42%", "8%", "50%")), (3, ("57%", "10%", "33%")), (5, ("68%", "12%", "20%"))]
)
def test_what_folds_do_is_said_instead_of_parts(folds: int, shares: tuple[str, str, str]) -> None:
    found = split(cohort(by_class(60, slices=2)), EMPTY, seed=7, folds=folds)
    train, val, out = shares
    assert found.rule.startswith(f"{folds} folds, patients and repeated pictures together, balanced by ill, seed 7; ")
    assert (
        f"about {train} of the samples train, {val} validate (threshold, calibration) and {out} are judged"
        in found.rule
    )
    assert "out of fold" in found.rule
    assert found.rule_zh.startswith(f"{folds} 折交叉验证，同一患者及重复图像不分开，按 ill 均衡，种子 7；")
    assert f"约 {train} 的样本用于训练、{val} 用于验证（阈值与校准）、{out} 用于评估" in found.rule_zh
    assert not any("60" in said or "official" in said or "自带" in said for said in (found.rule, found.rule_zh))


def test_folds_beside_official_parts_say_what_becomes_of_these() -> None:
    parts: tuple[tuple[Part, int], ...] = (("train", 20), ("val", 6), ("test", 6))
    samples = [person(f"{p}{i}", "no" if i % 2 else "yes", part=p) for p, n in parts for i in range(n)]
    samples += [person("shared1", "no", "both", "train"), person("shared2", "no", "both", "test")]
    found = split(cohort(samples), EMPTY, seed=0, folds=3)
    assert len(found.folds) == 26
    assert "official test part is in no fold" in found.rule
    assert "training and validation parts are joined" in found.rule
    assert "1 samples gave way" in found.rule
    assert "carved" not in found.rule
    for said in ("自带的测试集不在任何一折中", "自带的训练集与验证集合并后分折", "1 个样本"):
        assert said in found.rule_zh
    brought = [s for s in samples if s.part == "train"]
    without = split(cohort(brought), EMPTY, seed=0, folds=3)
    assert "official" not in without.rule, "no part is kept apart"
    assert "carved" not in without.rule


def test_the_rule_of_parts_is_said_in_both_languages() -> None:
    own = split(cohort(by_class(30)), EMPTY, seed=4)
    assert own.rule == (
        "about 60 / 20 / 20 percent for training, validation and test; patients and repeated pictures together, "
        "balanced by ill, seed 4"
    )
    assert own.rule_zh == "约 60 / 20 / 20 % 分为训练、验证与测试；同一患者及重复图像不分开，按 ill 均衡，种子 4"
    test = [person(f"c{i}", "no" if i % 2 else "yes", part="test") for i in range(10)]
    train = [person(f"a{i}", "no" if i % 2 else "yes", part="train") for i in range(40)]
    kept = split(cohort(train + test), EMPTY, seed=0)
    assert (
        kept.rule == "official parts kept (train, test); val carved from training by patient, balanced by ill, seed 0"
    )
    assert kept.rule_zh == "保留数据自带的划分（训练集、测试集）；验证集按患者从训练集中分出，按 ill 均衡，种子 0"


def test_official_parts_are_kept_and_training_gives_way() -> None:
    samples = [
        *[person(f"a{i}", "no" if i % 2 else "yes", part="train") for i in range(20)],
        *[person(f"b{i}", "no" if i % 2 else "yes", part="val") for i in range(6)],
        *[person(f"c{i}", "no" if i % 2 else "yes", part="test") for i in range(6)],
        person("shared1", "no", "both", "train"),
        person("shared2", "no", "both", "test"),
    ]
    audit = EMPTY.model_copy(update={"removed_from_training": (SetAside(sample="a3", reason="a repeat"),)})
    found = split(cohort(samples), audit, seed=0)
    assert found.official == ("train", "val", "test")
    assert found.grouped
    assert {a.sample for a in found.left_out} == {"a3", "shared1"}
    assert all(found.parts[s.id] == s.part for s in samples if s.id not in ("a3", "shared1"))


def test_a_missing_validation_part_is_carved_whatever_the_test_answers() -> None:
    train = [person(f"a{i}_{k}", "no" if i % 2 else "yes", f"a{i}", "train") for i in range(40) for k in range(2)]
    test = [person(f"c{i}", "no" if i % 2 else "yes", part="test") for i in range(10)]
    found = split(cohort(train + test), EMPTY, seed=0)
    assert len(found.ids("val")) == 16
    assert Counter(s.targets["ill"] for s in train if found.parts[s.id] == "val") == {"no": 8, "yes": 8}
    turned = [replace(s, targets={"ill": "yes"}) for s in test]
    assert split(cohort(train + turned), EMPTY, seed=0).parts == found.parts


def test_an_official_division_that_cannot_give_way_is_kept_without_the_claim() -> None:
    samples = [
        *[person(f"n{i}", "no", part="train") for i in range(10)],
        *[person(f"y{i}", "yes", "only", "train") for i in range(4)],
        person("z", "yes", "only", "test"),
        person("w", "no", part="test"),
    ]
    found = split(cohort(samples), EMPTY, seed=0)
    assert not found.grouped
    assert "no patient-wise claim" in found.rule
    assert found.left_out == ()
    assert [n for n, p in found.parts.items() if p == "test"] == ["z", "w"]


def test_a_class_with_too_few_patients_is_refused() -> None:
    samples = [*[person(f"n{i}", "no") for i in range(20)], *[person(f"y{i}", "yes", f"p{i % 2}") for i in range(9)]]
    with pytest.raises(SplitError, match="Class 'yes' has 9 samples of 2 patients"):
        split(cohort(samples), EMPTY, seed=0)
    with pytest.raises(SplitError, match="too few for 5 folds"):
        split(cohort([*samples, person("y9", "yes"), person("y10", "yes")]), EMPTY, seed=0, folds=5)


def test_one_class_and_nothing_left_are_refused() -> None:
    with pytest.raises(CohortError, match="all are 'no'"):
        split(cohort([person(f"n{i}", "no") for i in range(9)]), EMPTY, seed=0)
    gone = EMPTY.model_copy(update={"unreadable": (SetAside(sample="n", reason="cut short"),)})
    with pytest.raises(CohortError, match="No sample is left"):
        split(cohort([person("n", "no")]), gone, seed=0)


def test_labels_and_numbers_are_spread_too() -> None:
    several = TargetSpec(name="ill", kind="multilabel", classes=("a", "b", "c"))
    sets: list[tuple[str, ...]] = [("a",), ("a", "b"), (), ("c",)]
    found = split(cohort([person(f"s{i}", sets[i % 4]) for i in range(80)], several), EMPTY, seed=0)
    held = Counter((found.parts[f"s{i}"], tag) for i in range(80) for tag in sets[i % 4])
    assert [held[(p, "b")] for p in ("train", "val", "test")] == [12, 4, 4]
    number = TargetSpec(name="ill", kind="number")
    found = split(cohort([person(f"s{i}", float(i)) for i in range(100)], number), EMPTY, seed=0)
    lowest = Counter(found.parts[f"s{i}"] for i in range(20))
    assert lowest == {"train": 12, "val": 4, "test": 4}


def test_carving_leaves_the_last_holder_of_a_class_behind() -> None:
    samples = [*[person(f"n{i}", "no") for i in range(20)], person("y", "yes")]
    groups, strata = join_groups(samples, ()), strata_of(samples, TARGET)
    carved = carve([s.id for s in samples], groups, strata, share=0.25, seed=0)
    assert "y" not in carved
    assert len(carved) == 5


def test_a_class_of_two_patients_is_validated_by_one_of_them() -> None:
    answers = {f"r{i}": ("no", "no") for i in range(18)} | {"rich": ("yes", "yes"), "poor": ("no", "yes")}
    train = [person(f"{r}_{k}", own[k % 2], r, "train") for r, own in answers.items() for k in range(60)]
    test = [person(f"t{k}", "yes" if k % 2 else "no", "t", "test") for k in range(40)]
    found = split(cohort(train + test), EMPTY, seed=0)
    assert found.grouped
    where = {r: {found.parts[f"{r}_{k}"] for k in range(60)} for r in answers}
    assert (where["poor"], where["rich"]) == ({"val"}, {"train"})  # most of what is rare is learned from
    assert 0.15 <= len(found.ids("val")) / len(train) <= 0.25
    assert found.rule.endswith("val carved from training by patient, balanced by ill, seed 0")


def test_what_a_part_lacks_is_not_taken_from_who_is_the_last_to_hold_another_class() -> None:
    answers = {"a": "no yes", "b": "yes rare", "c": "no", "d": "no", "e": "no"}
    ids = [f"{group} {tag}" for group, own in answers.items() for tag in own.split()]
    groups, strata = {name: name[0] for name in ids}, {name: [name[2:]] for name in ids}

    def given(*carved: str) -> set[str]:
        chosen = completed([n for n in ids if groups[n] in carved], ids, groups, strata, wanted=("no", "yes", "rare"))
        return {groups[name] for name in chosen}

    assert given("c") == {"a", "c"}  # b alone has what is rare
    assert given("a") == {"a"}
    assert given("b") == {"b", "c"}  # of those that have no more than that, the first


def test_beats_of_a_record_are_not_divided_though_a_class_has_one_record_only() -> None:
    answers = {f"r{i}": ("no", "yes") for i in range(8)} | {"r8": ("no", "rare")}
    target = TargetSpec(name="ill", kind="categorical", classes=("no", "yes", "rare"))
    train = [person(f"{r}_{k}", own[k % 9 == 0], r, "train") for r, own in answers.items() for k in range(60)]
    test = [person(f"t{k}", "yes" if k % 2 else "no", "t", "test") for k in range(40)]
    found = split(cohort(train + test, target), EMPTY, seed=0)
    assert found.grouped
    assert "val carved from training by patient" in found.rule
    places = {r: {found.parts[f"{r}_{k}"] for k in range(60)} for r in answers}
    assert all(len(parts) == 1 for parts in places.values())
    assert places["r8"] == {"train"}
    assert {s.targets["ill"] for s in train if found.parts[s.id] == "val"} == {"no", "yes"}
