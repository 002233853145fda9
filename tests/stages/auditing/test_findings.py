from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from hounsfield.core.cohort import SetAside, TargetSpec
from hounsfield.stages.auditing import audit
from tests.stages.auditing.making import cohort, jpeg, look, phantom, sample


def test_training_gives_way_and_the_test_part_stays() -> None:
    samples = [
        sample("t1", "no", part="train"),
        sample("t2", "yes", part="train"),
        sample("t3", "no", part="train"),
        sample("t4", "yes", part="train"),
        sample("v1", "no", part="val"),
        sample("e1", "yes", part="test"),
    ]
    pictures = {name: phantom(i) for i, name in enumerate(("t1", "t2", "t3", "t4", "v1", "e1"))}
    pictures["e1"] = pictures["t1"]
    pictures["v1"] = jpeg(pictures["t2"], 70)
    pictures["t4"] = pictures["t3"]
    looks = [look(n, p) for n, p in pictures.items()]
    found = audit(cohort(samples), looks, [], seed=0)
    reasons = {a.sample: a.reason for a in found.removed_from_training}
    assert set(reasons) == {"t1", "t2", "t3", "t4", "v1"}
    assert "test sample" in reasons["t1"]
    assert "validation sample" in reasons["t2"]
    assert "different answer" in reasons["t3"]
    assert [a.sample for a in found.flagged_in_test] == ["e1"]
    assert found.duplicates_across_parts == (("t1", "e1"), ("t2", "v1"))
    assert set(found.contradictions) == {("t1", "e1"), ("t2", "v1"), ("t3", "t4")}

    turned = [replace(s, targets={"ill": "no"}) if s.part == "test" else s for s in samples]
    again = audit(cohort(turned), looks, [], seed=0)
    assert again.removed_from_training == found.removed_from_training


def test_without_official_parts_a_contradiction_leaves_all_parts() -> None:
    samples = [sample(n, a) for n, a in (("a", "no"), ("b", "yes"), ("c", "no"))]
    looks = [look("a", phantom(1)), look("b", phantom(1)), look("c", phantom(2))]
    found = audit(cohort(samples), looks, [], seed=0)
    assert [a.sample for a in found.removed_from_training] == ["a", "b"]
    assert found.flagged_in_test == ()


def test_faulty_files_are_listed_and_the_rest_is_counted() -> None:
    samples = [
        sample("a", "no", part="train", patient="p"),
        sample("b", "yes", part="test", patient="p"),
        sample("c", None, part="train"),
        sample("d", "no", part="train"),
        sample("e", "no", part="test"),
    ]
    flat = np.zeros((40, 40), dtype=np.uint8)
    looks = [look("a", phantom(1)), look("b", phantom(2)), look("c", phantom(3)), look("d", flat)]
    found = audit(cohort(samples), looks, [SetAside(sample="e", reason="cut short")], seed=0)
    assert {a.sample: a.reason for a in found.unreadable} == {
        "e": "cut short",
        "d": "the image is constant",
        "c": "the answer is missing",
    }
    assert (found.samples, found.patients) == (2, 1)
    assert found.balance == {"all": {"no": 1, "yes": 1}, "train": {"no": 1, "yes": 0}, "test": {"no": 0, "yes": 1}}
    assert found.sizes == {"128 x 128": 2}
    assert found.patients_in_two_parts == 1
    assert any("1 of them lie in the official test part" in w for w in found.warnings)


@pytest.mark.parametrize("kind", ["mask", "boxes"])
def test_what_masks_hold_is_not_counted_as_answers(kind: Literal["mask", "boxes"]) -> None:
    """Issue 5: "Few of the 6 samples have the answers background (0), tumor (0)" stood above sound masks."""
    target = TargetSpec(name="mask", kind=kind, classes=("background", "tumor"))
    samples = [sample(n, None) for n in "abcdef"]
    found = audit(cohort(samples, target=target), [look(s.id, phantom(i)) for i, s in enumerate(samples)], [], seed=0)
    assert found.samples == 6
    assert found.balance == {}
    assert not any("have the answers" in w for w in found.warnings)
