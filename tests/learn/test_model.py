"""An opened bundle judges each sample by itself, refuses with a reason, and knows when it is damaged."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from hounsfield.bundle.sealed import BundleContents, Member
from hounsfield.core.errors import BundleError, HounsfieldError, ReadError
from hounsfield.core.fingerprint import Fingerprint
from hounsfield.core.image import Image
from hounsfield.core.plan import Plan
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.engines.ensemble import WORTH, automatic
from hounsfield.learn.engines.whole import EngineError
from hounsfield.learn.guard import GuardLimits, distances, fit_guard, limits, plain_doubts
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners.network_runner import RUN_BATCH
from hounsfield.learn.learners.protocol import Learner
from hounsfield.learn.looks import looks
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.model import (
    GUARD,
    SELF_TEST,
    Judgement,
    Model,
    member_job,
    member_json,
    runner,
    self_test_inputs,
)
from hounsfield.learn.prepare.image import ImagePreparation
from tests.learn.toys import ALL, SIZE, make_feed, make_job, striped

Item = tuple[str, Mapping[str, Image] | HounsfieldError]
LIMITS = GuardLimits(flag=1e9, refuse=1e9, ndim=2, size_low=(12, 12), size_high=(20, 20), colour=False)


def member(learner: str, *, seed: int) -> Member:
    feed, job = make_feed(ALL, count=80), make_job(ALL, optimisation=Optimisation(steps=12, batch=16), seed=seed)
    state = cast(Learner, LEARNERS.resolve(learner)).fit(feed, job, watch=Watch())
    return Member(learner, state.arrays, member_json(job, state.json))


def self_test(members: tuple[Member, ...]) -> dict[str, AnyArray]:
    inputs = self_test_inputs(member_job(members[0]).preparation)
    found = [runner(m).run(inputs) for m in members]
    return {name: np.mean([f[name] for f in found], axis=0) for name in found[0]}


@pytest.fixture(scope="module")
def contents() -> BundleContents:
    """Two members, two baselines and a guard; on noise-free limits that only the tests set."""
    members = (member("supervised", seed=0), member("supervised", seed=1))
    feed = make_feed(count=80)
    described = np.stack([looks(i) for i in feed.inputs["image"]])
    arrays = fit_guard(described[feed.train])
    flag, refuse = limits(distances(arrays, described[feed.val]), len(feed.val))
    return BundleContents(
        members=members,
        plan=Plan(hounsfield="0", cohort="toy", cohort_digest="0", task="classify", targets=(), sections={}),
        fingerprint=Fingerprint(samples=1, patients=1, val_samples=0, inputs={}, targets={}),
        documents={
            GUARD: cast(Json, LIMITS.model_copy(update={"flag": flag, "refuse": refuse}).model_dump(mode="json"))
        },
        arrays={GUARD: arrays, SELF_TEST: self_test(members)},
        baselines={"logistic.0": member("logistic", seed=0), "prevalence.0": member("prevalence", seed=0)},
    )


@pytest.fixture(scope="module")
def model(contents: BundleContents) -> Model:
    return Model(contents, baselines=("logistic.0", "prevalence.0"))


class Meeting:
    """A member of one thread that waits until another runs too."""

    one_thread = True

    def __init__(self, value: float, barrier: threading.Barrier | None) -> None:
        self.value, self.barrier = value, barrier

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        if self.barrier is not None:
            self.barrier.wait(timeout=20.0)
        return {"x": np.full((len(inputs["image"]), 1), self.value)}


@pytest.mark.parametrize("lanes", [1, 2])
def test_members_of_one_thread_run_side_by_side(
    contents: BundleContents, monkeypatch: pytest.MonkeyPatch, lanes: int
) -> None:
    opened = Model(contents)
    barrier = threading.Barrier(2) if lanes == 2 else None  # alone it would wait in vain
    monkeypatch.setattr("hounsfield.learn.model.threads", lambda: lanes)
    monkeypatch.setattr(opened, "_runners", [Meeting(v, barrier) for v in (1.0, 2.0, 4.0, 8.0)])
    monkeypatch.setattr(opened, "_weights", {"x": [1.0, 10.0, 100.0, 1000.0]})
    np.testing.assert_array_equal(opened.run({"image": np.zeros((3, 1))})["x"], np.full((3, 1), 8421.0))


def items(count: int, *, seed: int = 3) -> list[Item]:
    return [(f"s{i}", {"image": Image(a)}) for i, a in enumerate(striped(count, seed=seed))]


def same(one: Judgement, other: Judgement) -> None:
    assert (one.key, one.flags, one.refusal) == (other.key, other.flags, other.refusal)
    assert one.outputs.keys() == other.outputs.keys()
    assert one.baselines.keys() == other.baselines.keys()
    for name, values in one.outputs.items():
        np.testing.assert_array_equal(values, other.outputs[name], err_msg=name)
    for name, found in one.baselines.items():
        for target, values in found.items():
            np.testing.assert_array_equal(values, other.baselines[name][target], err_msg=f"{name} {target}")


def test_what_is_said_of_a_sample_does_not_depend_on_its_company(model: Model) -> None:
    given = items(RUN_BATCH * 2 + 5)
    broken: Item = ("broken", ReadError("The file is cut short."))
    together = list(model.judge(given))
    assert [j.key for j in together] == [key for key, _ in given]
    for item, judged in zip(given, together, strict=True):
        same(next(model.judge([item])), judged)
    for before in (1, 7):  # others before it, some of which cannot be read: another place in another chunk
        shifted = list(model.judge([broken] * before + given[::-1]))
        for judged, wanted in zip(shifted[before:][::-1], together, strict=True):
            same(judged, wanted)


def test_it_streams(model: Model) -> None:
    taken = 0

    def endless() -> "object":
        nonlocal taken
        while True:
            taken += 1
            yield items(1)[0]

    judged = model.judge(endless())  # type: ignore[arg-type]  # a generator without end
    next(judged)
    assert taken == RUN_BATCH
    for _ in range(RUN_BATCH):
        next(judged)
    assert taken == 2 * RUN_BATCH


def test_members_are_averaged_and_baselines_run_beside(contents: BundleContents, model: Model) -> None:
    images = striped(5, seed=3)
    each = [runner(m).run({"image": images}) for m in contents.members]
    beside = runner(contents.baselines["logistic.0"]).run({"image": images})
    for place, judged in enumerate(model.judge(items(5))):
        assert set(judged.outputs) == set(each[0]) - {"embedding"}  # kept for every sample: answers only
        for name in judged.outputs:
            np.testing.assert_array_equal(judged.outputs[name], np.mean([e[name][place] for e in each], axis=0))
        for name, values in beside.items():
            assert name != "embedding"
            np.testing.assert_array_equal(judged.baselines["logistic.0"][name], values[place])
        assert set(judged.baselines) == {"logistic.0", "prevalence.0"}
    assert next(Model(contents).judge(items(1))).baselines == {}


def test_a_baseline_of_several_folds_is_averaged_as_members_are(contents: BundleContents) -> None:
    images, other = striped(3, seed=3), member("prevalence", seed=1)
    shares: dict[str, AnyArray] = {k: np.asarray(v, np.float64) * 0.5 for k, v in other.arrays.items()}
    twice = replace(contents, baselines={**contents.baselines, "prevalence.1": replace(other, arrays=shares)})
    each = [runner(twice.baselines[f"prevalence.{i}"]).run({"image": images}) for i in (0, 1)]
    (judged, *_) = Model(twice, baselines=("prevalence", "logistic")).judge(items(3))
    assert set(judged.baselines) == {"prevalence", "logistic"}
    for name, values in judged.baselines["prevalence"].items():
        np.testing.assert_allclose(values, (each[0][name][0] + each[1][name][0]) / 2)
    with pytest.raises(BundleError, match="no baseline"):
        Model(twice, baselines=("forest",))


def test_training_like_images_pass(model: Model) -> None:
    judged = list(model.judge(items(60, seed=11)))
    assert sum(bool(j.refusal) for j in judged) <= 3


def test_other_images_are_refused_with_the_distance(model: Model) -> None:
    noise = stream(0, "noise").integers(0, 256, (30, 1, SIZE, SIZE)).astype(np.uint8)
    judged = list(model.judge((str(i), {"image": Image(a)}) for i, a in enumerate(noise)))
    assert all("unlike the training images" in j.refusal for j in judged)
    assert all(j.outputs for j in judged)  # kept, so that figures can be recomputed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"image": Image(np.full((1, 20, 20), 40, np.uint8))}, "one grey value only"),
        ({"image": Image(np.zeros((1, 4, 16, 16), np.uint8))}, "3 space axes, the plan is for 2"),
        (ReadError("The PNG is cut short.", expected="a whole file"), "The PNG is cut short."),
    ],
    ids=["constant", "3D", "unreadable"],
)
def test_what_cannot_be_run_is_said_and_the_rest_goes_on(
    model: Model, content: Mapping[str, Image] | HounsfieldError, said: str
) -> None:
    one, bad, other = model.judge([items(2)[0], ("bad", content), items(2)[1]])
    assert said in bad.refusal
    assert (bad.key, bad.outputs, bad.baselines) == ("bad", {}, {})
    for judged, item in zip((one, other), items(2), strict=True):
        same(judged, next(model.judge([item])))


def test_nothing_to_judge(model: Model) -> None:
    assert list(model.judge([])) == []


def test_without_a_guard_nothing_is_refused(contents: BundleContents) -> None:
    free = Model(replace(contents, documents={}))
    noise = stream(0, "noise").integers(0, 256, (1, SIZE, SIZE)).astype(np.uint8)
    judged = next(free.judge([("noise", {"image": Image(noise)})]))
    assert (judged.refusal, judged.flags) == ("", ())


def test_doubts_about_size_and_colour() -> None:
    rng = stream(0, "doubts")
    grey = rng.integers(0, 256, (1, 16, 16)).astype(np.uint8)
    assert plain_doubts(Image(grey), LIMITS) == []
    assert plain_doubts(Image(np.repeat(grey, 3, axis=0)), LIMITS) == []
    (small,) = plain_doubts(Image(grey[:, :5]), LIMITS)
    assert "5 x 16" in small
    colour = Image(rng.integers(0, 256, (3, 16, 16)).astype(np.uint8))
    (said,) = plain_doubts(colour, LIMITS)
    assert "colour" in said
    assert plain_doubts(colour, LIMITS.model_copy(update={"colour": True})) == []
    assert plain_doubts(Image(np.zeros((1, 2, 2, 2), np.uint8)), LIMITS) == []  # refused for its axes elsewhere


def test_damaged_weights_fail_the_self_test(contents: BundleContents) -> None:
    first = contents.members[0]
    name = next(n for n in first.arrays if n.endswith("weight") and first.arrays[n].ndim == 2)
    arrays = {**first.arrays, name: -np.asarray(first.arrays[name], np.float32)}
    hurt = replace(contents, members=(replace(first, arrays=arrays), *contents.members[1:]))
    with pytest.raises(BundleError, match="self-test"):
        Model(hurt)


def test_self_test_forgives_another_processor(contents: BundleContents) -> None:
    kept = {k: np.asarray(v, np.float64) * (1 + 1e-6) for k, v in contents.arrays[SELF_TEST].items()}
    Model(replace(contents, arrays={**contents.arrays, SELF_TEST: kept}))


def test_self_test_misses_an_output(contents: BundleContents) -> None:
    kept = {**contents.arrays[SELF_TEST], "another": np.zeros((2, 1))}
    with pytest.raises(BundleError, match="self-test"):
        Model(replace(contents, arrays={**contents.arrays, SELF_TEST: kept}))


def test_a_member_without_a_job_is_no_member(contents: BundleContents) -> None:
    hurt = replace(contents, members=(replace(contents.members[0], json=None),))
    with pytest.raises(BundleError, match="no job"):
        Model(hurt)


@pytest.mark.parametrize(
    "spec",
    [
        ImagePreparation(size=(16, 20)),
        ImagePreparation(size=(8, 8), channels=3, storage="float16"),
        ImagePreparation(ndim=3, size=(6, 8, 10)),
    ],
    ids=["2D", "colour", "3D"],
)
def test_self_test_inputs_are_synthetic_and_always_the_same(spec: ImagePreparation) -> None:
    one, other = self_test_inputs({"image": spec})["image"], self_test_inputs({"image": spec})["image"]
    np.testing.assert_array_equal(one, other)
    assert one.shape == (2, spec.channels, *spec.size)
    assert one.dtype == np.dtype(spec.storage)
    values = one.astype(np.float32) / (255 if spec.storage == "uint8" else 1)
    assert values.min() >= 0
    assert values.max() <= 1
    assert values.std() > 0.1


def test_for_many_samples_an_engine_is_compiled_and_says_the_same(contents: BundleContents, model: Model) -> None:
    quick = Model(contents, samples=WORTH)
    assert (model.engine, quick.engine) == ("torch", automatic(samples=WORTH))
    for one, other in zip(model.judge(items(5)), quick.judge(items(5)), strict=True):
        assert one.flags == other.flags
        for name, values in one.outputs.items():
            np.testing.assert_allclose(other.outputs[name], values, atol=1e-4)


def test_an_engine_that_fails_gives_way_unless_it_was_asked_for(
    contents: BundleContents, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EngineError("It cannot be run.")

    monkeypatch.setattr("hounsfield.learn.model.EnsembleRunner", fail)
    assert Model(contents, samples=WORTH).engine == "torch"
    with pytest.raises(EngineError, match="cannot be run"):
        Model(contents, engine="onnxruntime")
