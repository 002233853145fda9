"""Cheap baselines: what they say, what they may look at, and that nobody's neighbours matter."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from hounsfield.core.protocols import Decoding, TargetKind
from hounsfield.core.types import Float64Array
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners import LEARNERS, logistic
from hounsfield.learn.learners.logistic import LOGISTIC
from hounsfield.learn.learners.prevalence import PREVALENCE
from hounsfield.learn.learners.protocol import Learner, State
from hounsfield.learn.learners.texture import texture
from hounsfield.learn.loop import Watch
from hounsfield.tasks.classify.task import TARGET_KINDS
from tests.learn.toys import ALL, HEADS, TARGETS, make_feed, make_job, striped

BASELINES = ("prevalence", "logistic")


def fitted(name: str, feed: Feed, kinds: Sequence[str] = ALL) -> State:
    return cast(Learner, LEARNERS.resolve(name)).fit(feed, make_job(kinds), watch=Watch())


def said(name: str, state: State, images: object, kinds: Sequence[str] = ALL) -> dict[str, Float64Array]:
    """Decoded answers by kind."""
    learner = cast(Learner, LEARNERS.resolve(name))
    raw = learner.open(state, make_job(kinds)).run({"image": np.asarray(images)})
    found = {}
    for kind in kinds:
        how, head = cast(TargetKind, TARGET_KINDS.resolve(kind)), HEADS[kind]
        found[kind] = how.decode(TARGETS[kind], raw[TARGETS[kind].name], Decoding(mean=head.mean, std=head.std))
    return found


@pytest.mark.parametrize("missing", [False, True])
def test_prevalence_says_the_training_shares(*, missing: bool) -> None:
    feed = make_feed(ALL, missing=missing)
    found = said("prevalence", fitted("prevalence", feed), striped(3))
    for kind in ("categorical", "ordinal"):
        known = feed.targets[TARGETS[kind].name][feed.train].astype(np.int64)
        counts = np.bincount(known[known >= 0], minlength=len(TARGETS[kind].classes))
        np.testing.assert_allclose(found[kind], np.tile(counts / counts.sum(), (3, 1)), atol=1e-4)
    labels = np.nanmean(feed.targets["labels"][feed.train].astype(np.float64), axis=0)
    np.testing.assert_allclose(found["multilabel"], np.tile(labels, (3, 1)), atol=1e-6)
    median = np.nanmedian(feed.targets["width"][feed.train].astype(np.float64))
    np.testing.assert_allclose(found["number"], median, atol=1e-6)


def test_logistic_tells_textures_apart_and_measures() -> None:
    feed = make_feed(("categorical",), count=80)
    state = fitted("logistic", feed, ("categorical",))
    probability = said("logistic", state, striped(60, seed=9), ("categorical",))["categorical"][:, 1]
    truth = np.arange(60) % 2
    assert probability[truth == 1].min() > probability[truth == 0].max()


def test_logistic_measures_a_number() -> None:
    rng = np.random.Generator(np.random.Philox(key=1))
    level = rng.uniform(20, 200, 80)
    images = np.clip(level[:, None, None, None] + 5 * rng.standard_normal((80, 1, 12, 12)), 0, 255).astype(np.uint8)
    feed = replace(
        make_feed(("number",), count=80), inputs={"image": images}, targets={"width": level[:, None].astype(np.float32)}
    )
    found = said("logistic", fitted("logistic", feed, ("number",)), images, ("number",))["number"][:, 0]
    error = np.abs(found - level)[feed.val].mean()
    assert error < 0.3 * np.abs(np.median(level[feed.train]) - level)[feed.val].mean()


@pytest.mark.parametrize("kind", ["categorical", "ordinal", "multilabel", "number"])
def test_runner_says_what_scikit_learn_says(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    strength = 1e-2
    monkeypatch.setattr(logistic, "STRENGTHS", (strength,))
    feed = make_feed((kind,), count=60, missing=True)
    fresh = striped(10, seed=3)
    found = said("logistic", fitted("logistic", feed, (kind,)), fresh, (kind,))[kind]
    features = np.stack([texture(i) for i in feed.inputs["image"][feed.train]])
    scaler = StandardScaler().fit(features)
    scaler.scale_ = np.maximum(np.sqrt(scaler.var_), 1e-6)
    x, new = scaler.transform(features), scaler.transform(np.stack([texture(i) for i in fresh]))
    answers = feed.targets[TARGETS[kind].name][feed.train].astype(np.float64)

    def probability(columns: Float64Array) -> Float64Array:
        known = np.isfinite(columns) & (columns >= 0)
        model = LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(x[known], columns[known].astype(int))
        return np.asarray(model.predict_proba(new))

    if kind == "multilabel":
        wanted = np.stack([probability(answers[:, k])[:, 1] for k in range(3)], axis=1)
    elif kind == "number":
        known = np.isfinite(answers[:, 0])
        wanted = Ridge(alpha=1 / strength).fit(x[known], answers[known, 0]).predict(new)[:, None]
    else:
        wanted = probability(answers)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_only_training_rows_are_looked_at(name: str) -> None:
    """The penalty too is chosen inside the training part."""
    feed = make_feed(ALL, missing=True)
    image = feed.inputs["image"].copy()
    image[feed.val] = 255 - image[feed.val]
    targets = {k: v.copy() for k, v in feed.targets.items()}
    for values in targets.values():
        values[feed.val] = 1 - values[feed.val]
    one = fitted(name, feed)
    other = fitted(name, replace(feed, inputs={"image": image}, targets=targets))
    assert one.arrays.keys() == other.arrays.keys()
    for key, value in one.arrays.items():
        assert value.tobytes() == other.arrays[key].tobytes(), key


def test_penalty_is_the_one_that_serves_groups_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[float, int]] = []
    plain = LogisticRegression.fit

    def counted(self: LogisticRegression, x: Float64Array, y: Float64Array) -> LogisticRegression:
        tried.append((self.C, len(y)))
        return cast(LogisticRegression, plain(self, x, y))

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    feed = make_feed(("categorical",))
    fitted("logistic", feed, ("categorical",))
    inner = [(c, n) for c, n in tried if n < len(feed.train)]
    assert {c for c, _ in inner} == set(logistic.STRENGTHS)
    assert len(inner) == logistic.INNER_FOLDS * len(logistic.STRENGTHS)
    assert [n for _, n in tried if n == len(feed.train)] == [len(feed.train)]  # once, with the best


def test_inner_folds_keep_groups_together() -> None:
    groups = np.repeat(np.arange(10), 3).astype(np.int64)
    labels = (np.arange(30) // 3 % 2).astype(np.int64)
    folds = logistic._folds(labels, groups)
    assert len(folds) == logistic.INNER_FOLDS
    for inside, outside in folds:
        assert not set(groups[inside]) & set(groups[outside])
    assert logistic._folds(labels[:3], groups[:3]) == []


@pytest.mark.parametrize("name", BASELINES)
def test_one_class_in_training_is_said_of_everyone(name: str) -> None:
    feed = make_feed(("categorical",))
    targets = {"class": np.ones_like(feed.targets["class"])}
    found = said(name, fitted(name, replace(feed, targets=targets), ("categorical",)), striped(3), ("categorical",))
    assert (found["categorical"][:, 1] > 0.99).all()


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("kind", ALL)
def test_no_answer_at_all_is_said_without_conviction(name: str, kind: str) -> None:
    feed = make_feed((kind,))
    answers = feed.targets[TARGETS[kind].name]
    gone = np.full_like(answers, -1 if answers.dtype == np.int64 else np.nan)
    state = fitted(name, replace(feed, targets={TARGETS[kind].name: gone}), (kind,))
    found = said(name, state, striped(2), (kind,))[kind]
    assert np.isfinite(found).all()
    if kind == "number":
        np.testing.assert_allclose(found, HEADS["number"].mean)
    else:
        wanted = 0.5 if kind == "multilabel" else 1 / len(TARGETS[kind].classes)
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_what_is_said_of_a_sample_does_not_depend_on_its_company(name: str) -> None:
    learner = cast(Learner, LEARNERS.resolve(name))
    runner = learner.open(fitted(name, make_feed(ALL)), make_job(ALL))
    images = striped(9, seed=4)
    together = runner.run({"image": images})
    for place in range(9):
        alone = runner.run({"image": images[place : place + 1]})
        for target, values in together.items():
            np.testing.assert_array_equal(alone[target][0], values[place])


def test_baselines_are_in_the_table() -> None:
    assert LEARNERS.resolve("prevalence") is PREVALENCE
    assert LEARNERS.resolve("logistic") is LOGISTIC
