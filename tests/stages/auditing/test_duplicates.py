from collections.abc import Callable

import numpy as np
import pytest

from hounsfield.stages.auditing.duplicates import Repeats, find_repeats
from tests.stages.auditing.making import TARGET, Picture, jpeg, look, phantom, sample, shifted

CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "re-encoded": lambda p: jpeg(p, 60),
    "strongly compressed": lambda p: jpeg(p, 25),
    "shifted by 2": lambda p: shifted(p, 2),
    "shifted by 3": lambda p: shifted(p, 3),
    "brighter": lambda p: np.clip(p * 0.8 + 40.0, 0, 255).astype(np.uint8),
    "all at once": lambda p: jpeg(shifted(np.clip(p * 0.9 + 20.0, 0, 255).astype(np.uint8), 2), 70),
}


def repeats_of(
    pictures: dict[str, Picture], answers: dict[str, str], patients: dict[str, str] | None = None
) -> Repeats:
    samples = [sample(n, answers.get(n, "no"), patient=(patients or {}).get(n)) for n in pictures]
    return find_repeats(samples, [look(n, p) for n, p in pictures.items()], target=TARGET)


def test_phantoms_of_different_patients_are_not_repeats() -> None:
    assert repeats_of({f"p{i}": phantom(i) for i in range(60)}, {}).pairs == ()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("others", [3, 60])
def test_a_changed_copy_is_found(change: str, others: int) -> None:
    pictures = {f"p{i}": phantom(i) for i in range(others)}
    pictures["copy"] = CHANGES[change](phantom(2))
    found = repeats_of(pictures, {})
    assert [(p.a, p.b, p.kind) for p in found.pairs] == [("p2", "copy", "near")]
    assert found.clusters == (("p2", "copy"),)
    assert found.contradictions == ()


def test_unrelated_pictures_do_not_hide_a_repeat() -> None:
    rng = np.random.Generator(np.random.Philox(3))
    pictures = {f"n{i}": rng.integers(0, 255, (128, 128)).astype(np.uint8) for i in range(90)}
    pictures["copy"] = np.clip(pictures["n5"] * 0.7 + 9.0, 0, 255).astype(np.uint8)
    assert [(p.a, p.b) for p in repeats_of(pictures, {}).pairs] == [("n5", "copy")]


def test_exact_repeats_are_paired_with_the_first() -> None:
    pictures = {"a": phantom(1), "b": phantom(2), "c": phantom(1), "d": phantom(1)}
    found = repeats_of(pictures, {"c": "yes"})
    assert [(p.a, p.b, p.kind, p.same_answer) for p in found.pairs] == [
        ("a", "c", "exact", False),
        ("a", "d", "exact", True),
    ]
    assert found.contradictions == (("a", "c"),)
    assert found.clusters == (("a", "c", "d"),)


def test_a_near_repeat_under_another_answer_contradicts_unless_of_one_patient() -> None:
    pictures = {"a": phantom(1), "b": phantom(2), "c": jpeg(phantom(1), 60)}
    assert repeats_of(pictures, {"c": "yes"}).contradictions == (("a", "c"),)
    same = repeats_of(pictures, {"c": "yes"}, {"a": "one", "c": "one"})
    assert len(same.pairs) == 1
    assert same.contradictions == ()
