"""Members and baselines are fitted once, calibrated on validation outputs, and put into one bundle."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.progress import SILENT
from hounsfield.core.streams import stream
from hounsfield.learn.learners.logistic import Logistic
from hounsfield.learn.loop import Watch
from hounsfield.learn.model import GUARD, SELF_TEST, Model
from hounsfield.tasks.classify.temperature import careful_temperature
from hounsfield.workflow.checkpoints import FileStore
from hounsfield.workflow.fitting import Calibrated, Fitted, Fold, assemble, calibrate, fit_all, validation_outputs
from tests.workflow.conftest import Drafted

NONE = np.zeros(0, dtype=np.int64)


def whole(given: Drafted) -> list[Fold]:
    return [Fold(given.prepared.feed.train, given.prepared.feed.val, NONE)]


def fit(given: Drafted, folds: list[Fold], work: Path, *, brake: Callable[[int], bool] | None = None) -> Fitted:
    def watching(member: int, store: FileStore) -> Watch:
        return Watch(store=store, brake=brake) if brake and member == len(folds) - 1 else Watch(store=store)

    ticks = iter(range(1000))
    return fit_all(
        given.plan,
        given.known,
        given.prepared.feed,
        folds,
        work=work,
        watching=watching,
        clock=lambda: float(next(ticks)),
    )


@pytest.fixture(scope="module")
def fitted(drafted: Drafted, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return fit(drafted, whole(drafted), tmp_path_factory.mktemp("fitted"))


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
        fit(drafted, whole(drafted), tmp_path, brake=kill)

    def again(*_: object, **__: object) -> None:
        raise AssertionError("the baseline was fitted again")

    monkeypatch.setattr(Logistic, "fit", again)
    continued = fit(drafted, whole(drafted), tmp_path)
    for name, made in {"network": fitted.members, **fitted.baselines}.items():
        found = {"network": continued.members, **continued.baselines}[name]
        for key, value in made[0].arrays.items():
            assert value.tobytes() == found[0].arrays[key].tobytes(), (name, key)


def test_members_differ_by_fold_and_are_judged_on_their_own_rows(drafted: Drafted, tmp_path: Path) -> None:
    train, val = drafted.prepared.feed.train, drafted.prepared.feed.val
    folds = [Fold(train, val[:6], NONE), Fold(train, val[6:], NONE)]
    made = fit(drafted, folds, tmp_path)
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


def test_no_validation_part_calibrates_nothing(drafted: Drafted) -> None:
    found = calibrate(drafted.plan, drafted.known, {"label": np.zeros((0, 2))}, {"label": NONE})
    assert found.decodings["label"].temperature == 1.0
    assert 0 < found.decodings["label"].threshold < 1


def test_the_bundle_runs_and_passes_its_own_self_test(drafted: Drafted, fitted: Fitted) -> None:
    contents = assemble(
        drafted.plan, drafted.known, drafted.prepared.feed, whole(drafted), fitted=fitted, progress=SILENT
    )
    assert {GUARD, SELF_TEST} <= set(contents.arrays)
    assert {"training", "guard", "calibration_network", "calibration_prevalence", "calibration_logistic"} == set(
        contents.documents
    )
    assert contents.plan.source == ""
    assert contents.card
    Model(contents, baselines=contents.baselines)
    text = repr(contents.documents) + contents.card + contents.plan.model_dump_json()
    assert not any(f"case{i:03d}" in text or f"p{i:03d}" in text for i in range(60))
    without = replace(contents, documents={k: v for k, v in contents.documents.items() if k != GUARD})
    Model(without)
