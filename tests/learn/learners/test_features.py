"""The learner of fixed features: what it says, what it may look at, and that every engine can run it."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
import torch

from hounsfield.core.errors import BundleError
from hounsfield.core.protocols import Decoding, TargetKind
from hounsfield.core.types import Float64Array
from hounsfield.learn.learners import LEARNERS
from hounsfield.learn.learners import features as learner
from hounsfield.learn.learners.features import FEATURES
from hounsfield.learn.loop import Watch
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.tasks.classify.task import TARGET_KINDS
from tests.learn.toys import ALL, HEADS, TARGETS, make_feed, make_job, striped


def decoded(kind: str, raw: dict[str, Float64Array]) -> Float64Array:
    head = HEADS[kind]
    how = cast(TargetKind, TARGET_KINDS.resolve(kind))
    return how.decode(TARGETS[kind], raw[TARGETS[kind].name], Decoding(mean=head.mean, std=head.std))


def test_it_is_in_the_table() -> None:
    assert LEARNERS.resolve("features") is FEATURES


def test_stripes_are_told_apart() -> None:
    feed = make_feed(("categorical",), count=80)
    state = FEATURES.fit(feed, make_job(), watch=Watch())
    raw = FEATURES.open(state, make_job()).run({"image": striped(60, seed=9)})
    probability, truth = decoded("categorical", raw)[:, 1], np.arange(60) % 2
    assert probability[truth == 1].min() > 0.9
    assert probability[truth == 0].max() < 0.1


def test_every_kind_gets_answers_of_its_form() -> None:
    feed, job = make_feed(ALL, count=60, missing=True), make_job(ALL)
    raw = FEATURES.open(FEATURES.fit(feed, job, watch=Watch()), job).run({"image": striped(9, seed=2)})
    for kind in ALL:
        assert raw[TARGETS[kind].name].shape == (9, HEADS[kind].width)
        found = decoded(kind, raw)
        assert np.isfinite(found).all()
        if kind in ("categorical", "ordinal"):
            np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
            assert found.min() >= 0.0


def test_a_number_is_measured() -> None:
    rng = np.random.Generator(np.random.Philox(key=1))
    level = rng.uniform(1, 60, 80)
    images = np.clip(128 + level[:, None, None, None] * rng.standard_normal((80, 1, 12, 12)), 0, 255).astype(np.uint8)
    feed = replace(
        make_feed(("number",), count=80), inputs={"image": images}, targets={"width": level[:, None].astype(np.float32)}
    )
    job = make_job(("number",), size=12)
    found = decoded("number", FEATURES.open(FEATURES.fit(feed, job, watch=Watch()), job).run({"image": images}))[:, 0]
    assert np.abs(found - level)[feed.val].mean() < 0.3 * np.abs(level - level.mean()).mean()


def test_ordinal_log_odds_survive_the_way_through_the_head() -> None:
    from hounsfield.learn.losses.ordinal import cumulative_logits

    scores = torch.tensor([[2.0, 0.5, -3.0], [1.0, 1.5, -1.0]])
    raw = learner._as_raw(scores, HEADS["ordinal"].model_copy(update={"width": 3}))
    found = cumulative_logits(raw)
    np.testing.assert_allclose(found[0], scores[0], atol=1e-5)
    # Questions that contradict each other (the second is more certain than the first) are brought into order.
    np.testing.assert_allclose(found[1], [1.0, 1.0 - learner.SMALLEST_GAP, -1.5 - learner.SMALLEST_GAP], atol=1e-4)


def test_only_training_rows_are_seen() -> None:
    feed, job = make_feed(), make_job()
    other = feed.inputs["image"].copy()
    other[feed.val] = 255 - other[feed.val]
    answers = {"class": np.where(np.isin(np.arange(40), feed.val), 1 - feed.targets["class"], feed.targets["class"])}
    one = FEATURES.fit(feed, job, watch=Watch())
    two = FEATURES.fit(replace(feed, inputs={"image": other}, targets=answers), job, watch=Watch())
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)


def test_many_rows_are_fitted_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "MOST_ROWS", 60)
    monkeypatch.setattr(learner, "MOST_BASIS_ROWS", 40)
    monkeypatch.setattr(learner, "MOST_DIRECTIONS", 20)
    feed, job = make_feed(count=120), make_job()
    one, two = (FEATURES.fit(feed, job, watch=Watch()) for _ in range(2))
    assert all(np.array_equal(one.arrays[name], two.arrays[name]) for name in one.arrays)
    raw = FEATURES.open(one, job).run({"image": striped(20, seed=4)})["class"]
    assert (raw.argmax(axis=1) == np.arange(20) % 2).all()


def test_a_class_that_is_not_there_and_unanswered_rows() -> None:
    feed, job = make_feed(), make_job()
    alone = replace(feed, targets={"class": np.where(np.arange(40) % 3 == 0, -1, 1)})
    raw = FEATURES.open(FEATURES.fit(alone, job, watch=Watch()), job).run({"image": striped(3)})["class"]
    assert (raw[:, 1] > raw[:, 0] + 2.0).all()


def test_neighbours_do_not_matter_and_the_module_says_the_same() -> None:
    feed, job = make_feed(ALL), make_job(ALL)
    state = FEATURES.fit(feed, job, watch=Watch())
    images = striped(21, seed=5)
    runner = FEATURES.open(state, job)
    whole = runner.run({"image": images})
    for name, output in runner.run({"image": images[13:]}).items():
        assert np.array_equal(output, whole[name][13:])
    with torch.inference_mode():
        said = FEATURES.module(state, job)({"image": torch.from_numpy(images.astype(np.float32) / 255.0)})
    for name, output in said.items():
        np.testing.assert_allclose(output.numpy(), whole[name], rtol=1e-4, atol=1e-4)


def test_the_module_is_the_arrays_in_numpy() -> None:
    feed, job = make_feed(ALL), make_job(ALL)
    state = FEATURES.fit(feed, job, watch=Watch())
    images = striped(5, seed=6)
    layer = learner.describers(job)["image"]
    described = layer(torch.from_numpy(job.preparation["image"].normalised(images))).numpy().astype(np.float64)
    scaled = np.clip((described - state.arrays["mean"]) * state.arrays["scale"], -6.0, 6.0)
    raw = FEATURES.open(state, job).run({"image": images})
    for place, kind in enumerate(ALL):
        if kind != "ordinal":
            expected = scaled @ state.arrays[f"weights/{place}"].T + state.arrays[f"bias/{place}"]
            np.testing.assert_allclose(raw[TARGETS[kind].name], expected, rtol=1e-4, atol=1e-4)


def test_it_can_be_written_as_a_graph() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from hounsfield.learn.engines.graph import onnx_bytes
    from hounsfield.learn.engines.whole import Whole

    feed, job = make_feed(ALL), make_job(ALL)
    state = FEATURES.fit(feed, job, watch=Watch())
    stored = {"image": striped(16, seed=7)}
    whole = Whole([FEATURES.module(state, job)], stored)
    session = onnxruntime.InferenceSession(onnx_bytes(whole, stored, whole.outputs), providers=["CPUExecutionProvider"])
    expected = FEATURES.open(state, job).run(stored)
    for name, output in zip(whole.outputs, session.run(None, stored), strict=True):
        np.testing.assert_allclose(output, expected[name], rtol=1e-4, atol=1e-4)


def test_weights_for_another_size_are_refused() -> None:
    state = FEATURES.fit(make_feed(), make_job(), watch=Watch())
    with pytest.raises(BundleError, match="features, images of the plan's size"):
        FEATURES.open(state, make_job().model_copy(update={"preparation": {"image": ImagePreparation(size=(32, 32))}}))
