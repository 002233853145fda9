"""Members and baselines are fitted once, calibrated on validation outputs, and put into one bundle."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.fingerprint import TargetFacts
from hounsfield.core.plan import Decision, Plan, PlanValue
from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.learn.learners.logistic import Logistic
from hounsfield.learn.loop import Watch
from hounsfield.learn.model import GUARD, SELF_TEST, Model, runner
from hounsfield.tasks.classify.temperature import careful_temperature
from hounsfield.workflow.checkpoints import FileStore
from hounsfield.workflow.fitting import (
    Calibrated,
    Fitted,
    Fold,
    Hands,
    assemble,
    blended,
    calibrate,
    fit_all,
    validation_outputs,
)
from hounsfield.workflow.opening import of_fold
from tests.workflow.conftest import Drafted
from tests.workflow.test_jobs import changed

NONE = np.zeros(0, dtype=np.int64)


def whole(given: Drafted) -> list[Fold]:
    return [Fold(given.prepared.feed.train, given.prepared.feed.val, NONE)]


def fit(given: Drafted, folds: list[Fold], work: Path, *, brake: Callable[[int], bool] | None = None) -> Fitted:
    def watching(waiting: int, name: str, store: FileStore) -> Watch:
        return Watch(store=store, brake=brake) if brake and name and waiting == 1 else Watch(store=store)

    ticks = iter(range(1000))
    hands = Hands(work, watching, clock=lambda: float(next(ticks)))
    return fit_all(given.plan, given.known, given.prepared.feed, folds, hands)


@pytest.fixture(scope="module")
def fitted(drafted: Drafted, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return fit(ensemble(drafted), whole(drafted), tmp_path_factory.mktemp("fitted"))


def test_one_member_and_every_baseline(fitted: Fitted) -> None:
    assert [m.learner for m in fitted.members] == ["supervised"]
    assert {name: len(made) for name, made in fitted.baselines.items()} == {"prevalence": 1, "logistic": 1}
    assert (fitted.steps, fitted.stopped_by_clock) == (6, False)
    assert fitted.seconds_per_step == pytest.approx(1 / 6)


def test_what_a_killed_run_had_finished_is_not_done_again(
    drafted: Drafted, fitted: Fitted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(step: int) -> bool:
        raise Killed

    with pytest.raises(Killed):
        fit(ensemble(drafted), whole(drafted), tmp_path, brake=kill)

    def again(*_: object, **__: object) -> None:
        raise AssertionError("the baseline was fitted again")

    monkeypatch.setattr(Logistic, "fit", again)
    continued = fit(ensemble(drafted), whole(drafted), tmp_path)
    for name, made in {"network": fitted.members, **fitted.baselines}.items():
        found = {"network": continued.members, **continued.baselines}[name]
        for key, value in made[0].arrays.items():
            assert value.tobytes() == found[0].arrays[key].tobytes(), (name, key)


def test_members_differ_by_fold_and_are_judged_on_their_own_rows(drafted: Drafted, tmp_path: Path) -> None:
    train, val = drafted.prepared.feed.train, drafted.prepared.feed.val
    folds = [Fold(train, val[:6], NONE), Fold(train, val[6:], NONE)]
    made = fit(ensemble(drafted), folds, tmp_path)
    one, other = made.members
    assert any(one.arrays[k].tobytes() != other.arrays[k].tobytes() for k in one.arrays)
    outputs, rows = validation_outputs(made.members, drafted.prepared.feed, folds)
    np.testing.assert_array_equal(rows, val)
    alone, _ = validation_outputs((other,), drafted.prepared.feed, folds[1:])
    np.testing.assert_array_equal(outputs["label"][6:], alone["label"])
    empty, none = validation_outputs((one,), drafted.prepared.feed, [Fold(train, NONE, NONE)])
    assert empty["label"].shape == (0, 2)
    assert len(none) == 0


def test_temperature_and_threshold_come_from_validation_outputs(drafted: Drafted) -> None:
    rng = stream(0, "calibrate")
    truth = rng.integers(0, 2, 80)
    outputs = rng.standard_normal((80, 2)) * 3
    outputs[np.arange(80), truth] += 2
    truth[:5] = -1
    found = calibrate(drafted.plan, drafted.known, {"label": outputs}, {"label": truth})
    decoding, point = found.decodings["label"], found.points["label"]
    assert decoding.temperature == pytest.approx(careful_temperature(outputs, truth))
    assert decoding.threshold == point.threshold
    scores = outputs / decoding.temperature
    probability = 1 / (1 + np.exp(scores[:, 0] - scores[:, 1]))
    known = truth >= 0

    def balanced(threshold: float) -> float:
        hit = (probability >= threshold) == truth
        return float(np.mean([hit[truth == c].mean() for c in (0, 1)]))

    assert balanced(point.threshold) == pytest.approx(max(balanced(t) for t in probability[known]))
    assert Calibrated.from_json(found.to_json()) == found
    assert Calibrated.from_json(None) == Calibrated({}, {})


def test_more_than_two_classes_have_a_threshold_each(drafted: Drafted) -> None:
    rng = stream(0, "calibrate three")
    target = TargetSpec(name="label", kind="categorical", classes=("a", "b", "c"))
    plan = drafted.plan.model_copy(update={"targets": (target,)})
    truth = rng.integers(-1, 3, 90)
    outputs = rng.standard_normal((90, 3)) * 3
    outputs[np.arange(90), truth] += 2
    found = calibrate(plan, drafted.known, {"label": outputs}, {"label": truth})
    shares = np.exp(outputs / found.decodings["label"].temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    assert found.points == {}
    for place, point in enumerate(found.class_points["label"].values()):
        ill, called = truth[truth >= 0] == place, shares[truth >= 0, place] >= point.threshold
        assert point.sensitivity == pytest.approx(called[ill].mean())
        assert point.specificity == pytest.approx((~called[~ill]).mean())
    assert list(found.class_points["label"]) == ["a", "b", "c"]
    assert Calibrated.from_json(found.to_json()) == found


def test_factors_of_classes_are_of_what_each_model_learned_from(drafted: Drafted) -> None:
    target = TargetSpec(name="label", kind="categorical", classes=("a", "b", "c"))
    facts = TargetFacts(kind="categorical", counts={"a": 400, "b": 100, "c": 25})
    known = replace(
        drafted.known, fingerprint=drafted.known.fingerprint.model_copy(update={"targets": {"label": facts}})
    )
    plan = drafted.plan.model_copy(update={"targets": (target,)})
    plan = changed(plan, "optimisation", "class_weights", [1.0, 2.0, 4.0])
    outputs, truth = {"label": np.zeros((6, 3))}, {"label": np.array([0, 0, 0, 1, 1, 2])}

    def factors(made: Plan, share: float) -> dict[str, float]:
        return calibrate(made, known, outputs, truth, of_networks={"label": share}).decodings["label"].class_factors

    half = changed(plan, "operating_point", "logit_adjustment", {"label": 0.5})
    assert factors(half, 1.0) == pytest.approx({"a": 1.0, "b": 2**0.5, "c": 2.0})
    assert factors(half, 0.0) == pytest.approx({"a": 1.0, "b": 2.0, "c": 4.0})
    # logarithms are added up where networks and another learner are joined: so is what each of them heard
    assert factors(half, 0.5) == pytest.approx({"a": 1.0, "b": 2**0.75, "c": 2**1.5})
    assert factors(changed(plan, "operating_point", "logit_adjustment", {"label": 0.0}), 1.0) == {}
    assert factors(changed(plan, "operating_point", "logit_adjustment", {}), 1.0) == {}
    old = {k: d for k, d in plan.sections["operating_point"].items() if k != "logit_adjustment"}
    assert factors(plan.with_section("operating_point", old), 1.0) == {}
    bare = {k: d for k, d in half.sections["optimisation"].items() if k != "class_weights"}
    assert factors(half.with_section("optimisation", bare), 1.0) == factors(half, 0.0)


def test_no_validation_part_calibrates_nothing(drafted: Drafted) -> None:
    found = calibrate(drafted.plan, drafted.known, {"label": np.zeros((0, 2))}, {"label": NONE})
    assert found.decodings["label"].temperature == 1.0
    assert 0 < found.decodings["label"].threshold < 1


def test_the_bundle_runs_and_passes_its_own_self_test(drafted: Drafted, fitted: Fitted) -> None:
    contents = assemble(
        drafted.plan, drafted.known, drafted.prepared.feed, whole(drafted), fitted=fitted, progress=SILENT
    )
    assert {GUARD, SELF_TEST} <= set(contents.arrays)
    assert {
        "training",
        "guard",
        "merge",
        "calibration_network",
        "calibration_prevalence",
        "calibration_logistic",
    } == set(contents.documents)
    assert contents.plan.source == ""
    assert contents.card
    Model(contents, baselines=contents.baselines)
    text = repr(contents.documents) + contents.card + contents.plan.model_dump_json()
    assert not any(f"case{i:03d}" in text or f"p{i:03d}" in text for i in range(60))
    without = replace(contents, documents={k: v for k, v in contents.documents.items() if k != GUARD})
    Model(without)


def ensemble(given: Drafted, **values: PlanValue) -> Drafted:
    """The same with another section ``ensemble``."""
    section = {k: Decision(value=v) for k, v in {"members": 1, "workers": 1, "features": False, **values}.items()}
    return replace(given, plan=given.plan.with_section("ensemble", section))


def test_members_side_by_side_are_those_that_one_thread_makes_in_turn(drafted: Drafted, tmp_path: Path) -> None:
    (tmp_path / "turn").mkdir()
    turn = fit(ensemble(drafted, members=2), whole(drafted), tmp_path / "turn")
    work = tmp_path / "beside"
    work.mkdir()
    for name, stored in drafted.prepared.feed.inputs.items():
        np.save(work / f"input-{name}.npy", stored)
    beside = fit(ensemble(drafted, members=2, workers=2), whole(drafted), work)
    assert beside.folds == turn.folds == (0, 0)
    assert beside.steps == turn.steps == 12
    assert beside.workers_mib > 0
    for one, other in zip(turn.members, beside.members, strict=True):
        assert {k: v.tobytes() for k, v in one.arrays.items()} == {k: v.tobytes() for k, v in other.arrays.items()}
        assert one.json == other.json
    first, second = beside.members
    assert any(first.arrays[k].tobytes() != second.arrays[k].tobytes() for k in first.arrays)
    seen = dict(turn.history)
    assert {k: list(v) for k, v in beside.history.items()} == {k: list(v) for k, v in seen.items()}


def test_merged_outputs_are_the_weighted_sum_of_the_members(drafted: Drafted, tmp_path: Path) -> None:
    train, val = drafted.prepared.feed.train, drafted.prepared.feed.val
    folds = [Fold(train, val[:6], NONE), Fold(train, val[6:], NONE)]
    given = ensemble(drafted, members=2)
    made = fit(given, folds, tmp_path)
    joined = blended(made, given.prepared.feed, folds)
    merge, outputs, rows = joined.merge, joined.outputs, joined.rows
    assert joined.of_networks == {"label": [1.0, 1.0]}
    assert merge.folds == [0, 0, 1, 1]
    assert merge.weights == {"label": [0.5, 0.5, 0.5, 0.5]}
    assert merge.whole() == {"label": [0.25, 0.25, 0.25, 0.25]}
    np.testing.assert_array_equal(rows, val)
    singly = [
        validation_outputs((m,), given.prepared.feed, [folds[f]])[0]["label"]
        for m, f in zip(made.members, merge.folds, strict=True)
    ]
    wanted = np.concatenate([(singly[0] + singly[1]) / 2, (singly[2] + singly[3]) / 2])
    np.testing.assert_allclose(outputs["label"], wanted, rtol=1e-12)
    contents = assemble(given.plan, given.known, given.prepared.feed, folds, fitted=made, progress=SILENT)
    inputs = {name: stored[val] for name, stored in given.prepared.feed.inputs.items()}
    runs = [runner(m).run(inputs)["label"] for m in made.members]
    np.testing.assert_allclose(Model(contents).run(inputs)["label"], np.mean(runs, axis=0), rtol=1e-9)
    second = of_fold(contents, 1)
    np.testing.assert_allclose(Model(second).run(inputs)["label"], np.mean(runs[2:], axis=0), rtol=1e-9)


def test_a_learner_without_steps_takes_no_share_of_the_clock(drafted: Drafted, tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def watching(waiting: int, name: str, store: FileStore) -> Watch:
        asked.append((name, waiting))
        return Watch(store=store)

    given = ensemble(drafted, features=True)
    hands = Hands(tmp_path, watching, clock=lambda: 0.0)
    made = fit_all(given.plan, given.known, given.prepared.feed, whole(given), hands)
    assert [m.learner for m in made.members] == ["supervised", "features"]
    assert [a for a in asked if a[0]] == [("member-0-1", 1), ("member-0", 1)]
    joined = blended(made, given.prepared.feed, whole(given))
    assert all(w >= 0 for w in joined.merge.weights["label"])
    assert (joined.of_networks["label"][0] == 0.0) == (joined.merge.weights["label"][0] == 0.0)
    assert (joined.of_networks["label"][0] == 1.0) == (joined.merge.weights["label"][1] == 0.0)
