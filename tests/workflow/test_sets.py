"""Prediction sets of every kind of target, from fitting to judging."""

import numpy as np
import pytest

from hounsfield.core.cohort import TargetKind, TargetSpec
from hounsfield.core.prediction import SetRule
from hounsfield.core.streams import stream
from hounsfield.core.types import TargetValue
from hounsfield.stages.evaluation.samples import JudgedSample
from hounsfield.stages.evaluation.sets import MadeSets, set_figures
from hounsfield.workflow.sets import members, set_rule, written_sets


def target(kind: TargetKind, *classes: str) -> TargetSpec:
    return TargetSpec(name="answer", kind=kind, classes=classes)


def sample(index: int, truth: TargetValue) -> JudgedSample:
    return JudgedSample(f"s{index}", f"p{index // 2}", truth)


def test_classes_are_covered_and_written() -> None:
    rng = stream(0, "sets")
    kind = target("categorical", "a", "b")
    truth = rng.integers(0, 2, 800)
    share = np.clip(0.5 + 0.25 * (2 * truth - 1) + 0.2 * rng.standard_normal(800), 0.01, 0.99)
    shares = np.stack([1 - share, share], axis=1)
    rule = set_rule(kind, shares[:400], truth[:400])
    assert rule.cases == {"a": int((truth[:400] == 0).sum()), "b": int((truth[:400] == 1).sum())}
    judged = [sample(i, kind.classes[truth[i]] if i % 50 else None) for i in range(400, 800)]
    made = MadeSets(members(kind, shares[400:], rule), np.zeros(400))
    found = set_figures(kind, judged, shares[400:], made=made, rule=rule)
    assert found is not None
    assert found.coverage == pytest.approx(0.9, abs=0.05)
    assert found.per_patient == pytest.approx(0.9, abs=0.05)
    assert found.single + found.empty <= 1
    assert sum(c.samples for c in found.classes.values()) == 392
    for name, own in found.classes.items():
        assert own.seen_low is not None
        assert own.low is not None
        assert own.seen_low <= own.low
        assert own.within == (own.seen_low - 1e-9 <= (own.coverage or 0) <= (own.seen_high or 0) + 1e-9), name
    sets = written_sets(kind, shares[400:], rule)
    assert set(sets) <= {"a", "b", "a|b", ""}
    assert [s.count("|") + bool(s) for s in sets] == made.inside.sum(axis=1).tolist()
    folds = set_figures(kind, judged, shares[400:], made=made, rule=rule, own_rules=True)
    assert folds is not None
    assert folds.classes["a"].within is None


def test_a_class_with_too_few_cases_is_in_every_set() -> None:
    kind = target("categorical", "a", "b", "rare")
    shares = np.tile([0.98, 0.01, 0.01], (60, 1))
    truth = np.array([0] * 30 + [1] * 25 + [2] * 5)
    rule = set_rule(kind, shares, truth)
    assert rule.limits["rare"] is None
    assert all("rare" in s for s in written_sets(kind, shares, rule))
    made = MadeSets(members(kind, shares, rule), np.zeros(60))
    found = set_figures(kind, [sample(i, kind.classes[t]) for i, t in enumerate(truth)], shares, made=made, rule=rule)
    assert found is not None
    assert found.classes["rare"].always


def test_labels_are_there_absent_or_unsure() -> None:
    kind = target("multilabel", "x", "y")
    rule = SetRule(
        level=0.9,
        limits={"x": 0.4, "y": 0.9, "x:no": 0.4, "y:no": 0.9},
        cases={"x": 20, "y": 20, "x:no": 20, "y:no": 20},
    )
    shares = np.array([[0.9, 0.95], [0.1, 0.5], [0.5, 0.05]])
    assert written_sets(kind, shares, rule) == ["x|y", "y?", "x?"]
    fitted = set_rule(kind, np.tile(shares, (20, 1)), np.tile([[1.0, 1.0], [0.0, np.nan], [1.0, 0.0]], (20, 1)))
    assert fitted.cases == {"x": 40, "y": 20, "x:no": 20, "y:no": 20}
    made = MadeSets(members(kind, shares, rule), np.zeros(3))
    judged = [sample(0, ("x", "y")), sample(1, ()), sample(2, ("x",))]
    found = set_figures(kind, judged, shares, made=made, rule=rule)
    assert found is not None
    assert set(found.classes) == {"x", "x:no", "y", "y:no"}
    assert found.coverage == pytest.approx(5 / 6)  # neither x nor its absence is plausible for the third
    assert found.empty == pytest.approx(1 / 6)


def test_levels_leave_no_gap() -> None:
    kind = target("ordinal", "low", "mid", "high")
    rule = SetRule(level=0.9, limits={"low": None, "mid": 0.0, "high": 0.9}, cases={"low": 3, "mid": 30, "high": 30})
    assert written_sets(kind, np.array([[0.1, 0.2, 0.7]]), rule) == ["low|mid|high"]


def test_numbers_get_bounds() -> None:
    kind = target("number")
    rng = stream(1, "sets")
    truth = rng.standard_normal((400, 1)) * 3 + 50
    said = truth + rng.standard_normal((400, 1))
    said[0], truth[1] = 0.0, np.nan
    rule = set_rule(kind, said[:200], truth[:200])
    assert rule.cases == {"": 199}
    half = rule.limits[""]
    assert half == pytest.approx(1.645, abs=0.35)
    made = MadeSets(np.zeros((200, 0), dtype=np.bool_), np.full(200, half))
    judged = [sample(i, float(truth[200 + i, 0])) for i in range(200)]
    found = set_figures(kind, judged, said[200:, 0], made=made, rule=rule)
    assert found is not None
    assert found.coverage == pytest.approx(0.9, abs=0.06)
    assert found.size == pytest.approx(2 * (half or 0))
    low, high = written_sets(kind, np.array([[50.0]]), rule)[0].split("..")
    assert float(low) < 50 < float(high)
    assert written_sets(kind, np.array([[50.0]]), set_rule(kind, said[:3], truth[:3])) == ["-inf..inf"]
