"""Learners on signals and rows that are no networks: what they say, and what they may look at."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from hounsfield.bundle.tensors import decode_arrays, encode_arrays
from hounsfield.core.errors import BundleError, PlanError
from hounsfield.core.protocols import Decoding, TargetKind
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners import LEARNERS, kernels
from hounsfield.learn.learners.protocol import Job, Learner, State
from hounsfield.learn.loop import Watch
from hounsfield.tasks.classify.task import TARGET_KINDS
from tests.learn.series.toys import series_feed, series_job, stays, waved
from tests.learn.toys import ALL, HEADS, TARGETS, striped

ON_SIGNALS = ("kernels", "neighbours", "summaries", "trees")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "BIASES", 200)


def learner(name: str) -> Learner:
    return cast(Learner, LEARNERS.resolve(name))


def fitted(name: str, feed: Feed, job: Job) -> State:
    return learner(name).fit(feed, job, watch=Watch())


def said(
    name: str, state: State, job: Job, inputs: dict[str, AnyArray], kinds: Sequence[str]
) -> dict[str, Float64Array]:
    """Decoded answers by kind, from what a bundle holds of the state."""
    kept = State(*decode_arrays(encode_arrays(state.arrays, state.json), "member"))
    raw = learner(name).open(kept, job).run(inputs)
    found = {}
    for kind in kinds:
        how, head = cast(TargetKind, TARGET_KINDS.resolve(kind)), HEADS[kind]
        found[kind] = how.decode(TARGETS[kind], raw[TARGETS[kind].name], Decoding(mean=head.mean, std=head.std))
    return found


@pytest.mark.parametrize("name", ["kernels", "neighbours"])
def test_waves_are_told_apart(name: str) -> None:
    job = series_job()
    state = fitted(name, series_feed({"signal": waved(80)}), job)
    probability = said(name, state, job, {"signal": waved(60, seed=9)}, ("categorical",))["categorical"][:, 1]
    right = (probability > 0.5) == (np.arange(60) % 2 == 1)
    assert right.mean() > (0.97 if name == "kernels" else 0.8)


@pytest.mark.parametrize("name", ["summaries", "trees"])
def test_stays_are_told_apart_by_their_end(name: str) -> None:
    job = series_job(timed="stay")
    state = fitted(name, series_feed({"stay": stays(160)}), job)
    probability = said(name, state, job, {"stay": stays(80, seed=5)}, ("categorical",))["categorical"][:, 1]
    truth = np.arange(80) % 2
    assert (probability[truth == 1][:, None] > probability[truth == 0]).mean() > 0.9


def area(probability: Float64Array) -> float:
    """The area under the curve where odd numbers are the second class."""
    return float((probability[1::2][:, None] > probability[::2]).mean())


@pytest.mark.parametrize("name", ["summaries", "trees"])
def test_rows_alone_serve_and_gaps_do_not_harm(name: str) -> None:
    rng = stream(0, "rows")
    rows = rng.standard_normal((400, 3)).astype(np.float32)
    rows[:, 1] += 2 * (np.arange(400) % 2)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    job = series_job()
    state = fitted(name, series_feed({"row": rows[:200]}), job)
    assert area(said(name, state, job, {"row": rows[200:]}, ("categorical",))["categorical"][:, 1]) > 0.82


def test_a_row_beside_a_signal_counts_for_kernels() -> None:
    rng = stream(1, "rows")
    series = waved(160)[rng.permutation(160)]
    rows = (np.arange(160) % 2 + 0.3 * rng.standard_normal(160)).astype(np.float32)[:, None]
    rows[5] = np.nan
    job = series_job()
    state = fitted("kernels", series_feed({"signal": series[:80], "row": rows[:80]}), job)
    found = said("kernels", state, job, {"signal": series[80:], "row": rows[80:]}, ("categorical",))
    assert area(found["categorical"][:, 1]) > 0.9


@pytest.mark.parametrize("name", ["kernels", "neighbours"])
def test_times_are_no_variable_where_steps_are_counted(name: str) -> None:
    series = waved(24)
    clock = np.arange(24 * series.shape[2], dtype=np.float32).reshape(24, 1, -1)
    job, plain = series_job(timed="signal"), series_job()
    one = fitted(name, series_feed({"signal": np.concatenate([clock, series], axis=1)}), job)
    other = fitted(name, series_feed({"signal": series}), plain)
    assert all(np.array_equal(one.arrays[k], other.arrays[k]) for k in other.arrays)
    inputs: dict[str, AnyArray] = {"signal": np.concatenate([clock, series], axis=1)}
    found = said(name, one, job, inputs, ("categorical",))["categorical"]
    np.testing.assert_array_equal(found, said(name, other, plain, {"signal": series}, ("categorical",))["categorical"])


@pytest.mark.parametrize("name", ON_SIGNALS)
@pytest.mark.parametrize("missing", [False, True])
def test_every_kind_gets_answers_of_its_form(name: str, *, missing: bool) -> None:
    job = series_job(ALL)
    state = fitted(name, series_feed({"signal": waved(60)}, ALL, missing=missing), job)
    for kind, found in said(name, state, job, {"signal": waved(9, seed=2)}, ALL).items():
        assert len(found) == 9
        assert np.isfinite(found).all()
        if kind in ("categorical", "ordinal"):
            np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-6)
            assert found.min() >= 0.0


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_several_classes_and_one_that_is_not_there(name: str) -> None:
    head = HEADS["categorical"]
    target = head.target.model_copy(update={"classes": ("a", "b", "c", "d"), "positive": None})
    job = series_job().model_copy(update={"heads": (head.model_copy(update={"target": target, "width": 4}),)})
    series = waved(90)
    series[1::2] *= 3
    answers = np.arange(90) % 2 * 3
    feed = replace(series_feed({"signal": series}), targets={target.name: answers})
    for present in ((0, 3), (0, 2, 3)):
        if len(present) == 3:
            series[::3] *= 0.05
            answers[::3] = 2
        raw = learner(name).open(fitted(name, feed, job), job).run({"signal": series})[target.name]
        assert raw.shape == (90, 4)
        assert set(raw.argmax(axis=1)) <= set(present)
        assert (raw.argmax(axis=1) == answers).mean() > 0.85


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_only_training_rows_are_looked_at(name: str) -> None:
    job = series_job(ALL)
    feed = series_feed({"signal": waved(40)}, ALL, missing=True)
    series = waved(40)
    series[feed.val] *= 3
    targets = {k: v.copy() for k, v in feed.targets.items()}
    for values in targets.values():
        values[feed.val] = 1 - values[feed.val]
    one = fitted(name, feed, job)
    other = fitted(name, replace(feed, inputs={"signal": series}, targets=targets), job)
    assert one.json == other.json
    assert one.arrays.keys() == other.arrays.keys()
    for key, value in one.arrays.items():
        assert value.tobytes() == other.arrays[key].tobytes(), key


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_one_class_in_training_is_said_of_everyone(name: str) -> None:
    feed = series_feed({"signal": waved(40)})
    feed = replace(feed, targets={"class": np.ones_like(feed.targets["class"])})
    state = fitted(name, feed, series_job())
    found = said(name, state, series_job(), {"signal": waved(3)}, ("categorical",))
    assert (found["categorical"][:, 1] > 0.95).all()


@pytest.mark.parametrize("name", ON_SIGNALS)
@pytest.mark.parametrize("kind", ALL)
def test_no_answer_at_all_is_said_without_conviction(name: str, kind: str) -> None:
    feed = series_feed({"signal": waved(24)}, (kind,))
    answers = feed.targets[TARGETS[kind].name]
    gone = np.full_like(answers, -1 if answers.dtype == np.int64 else np.nan)
    job = series_job((kind,))
    state = fitted(name, replace(feed, targets={TARGETS[kind].name: gone}), job)
    found = said(name, state, job, {"signal": waved(2)}, (kind,))[kind]
    if kind == "number":
        np.testing.assert_allclose(found, HEADS["number"].mean)
    else:
        np.testing.assert_allclose(found, 1 / 3 if kind == "ordinal" else 1 / 2, atol=1e-6)


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_what_is_said_of_a_sample_does_not_depend_on_its_company(name: str) -> None:
    job = series_job(ALL)
    runner = learner(name).open(fitted(name, series_feed({"signal": waved(40)}, ALL), job), job)
    series = waved(7, seed=4)
    together = runner.run({"signal": series})
    for place in range(7):
        alone = runner.run({"signal": series[place : place + 1]})
        for target, values in together.items():
            np.testing.assert_array_equal(alone[target][0], values[place])


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_a_number_is_measured(name: str) -> None:
    rng = stream(2, "levels")
    level = rng.uniform(1, 9, 120)
    series = (level[:, None, None] * np.sin(np.arange(40) / 3.0 + rng.random((120, 1, 1)))).astype(np.float32)
    feed = replace(series_feed({"signal": series}, ("number",)), targets={"width": level[:, None].astype(np.float32)})
    job = series_job(("number",))
    found = said(name, fitted(name, feed, job), job, {"signal": series}, ("number",))["number"][:, 0]
    assert np.abs(found - level)[feed.val].mean() < 0.5 * np.abs(level - level.mean()).mean()


@pytest.mark.parametrize("name", ON_SIGNALS)
def test_images_are_refused_in_words(name: str) -> None:
    feed = series_feed({"image": striped(20)})
    with pytest.raises(PlanError, match=r"image|0 signals"):
        fitted(name, feed, series_job())


@pytest.mark.parametrize("name", ["kernels", "neighbours", "trees"])
def test_foreign_weights_are_refused_in_words(name: str) -> None:
    with pytest.raises(BundleError, match="do not say"):
        learner(name).open(State({}, None), series_job())


def test_trees_refuse_inputs_of_another_width() -> None:
    state = fitted("trees", series_feed({"row": np.ones((20, 3), np.float32)}), series_job())
    with pytest.raises(BundleError, match="look at 3 numbers, the inputs give 2"):
        learner("trees").open(state, series_job()).run({"row": np.ones((1, 2), np.float32)})


def test_numbers_of_answers_that_do_not_help_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    feed, job = series_feed({"signal": waved(60), "row": np.ones((60, 2), np.float32)}), series_job()
    costs = {}
    for pools in kernels.POOL_SETS:
        monkeypatch.setattr(kernels, "POOL_SETS", (pools,))
        state = fitted("kernels", feed, job)
        features = sum(4 * len(state.arrays[f"kernels/signal/{v}/biases"]) for v in kernels.VIEWS)
        assert len(state.arrays["mean"]) == features * len(pools) // 4 + 4
        owners = kernels._owners(feed.inputs, {})
        np.testing.assert_array_equal(owners, [-1] * 4)
        drawn = kernels._drawn(feed, job, feed.train)
        described = kernels._described({n: v[feed.train] for n, v in feed.inputs.items()}, drawn)
        costs[pools] = kernels._fitted(
            described, kernels._owners(feed.inputs, drawn), pools, (feed, job, feed.train)
        ).cost
    monkeypatch.undo()
    monkeypatch.setattr(kernels, "BIASES", 200)
    state = fitted("kernels", feed, job)
    assert isinstance(state.json, dict)
    assert state.json["pools"] == list(min(costs, key=lambda pools: costs[pools]))


def test_many_rows_are_fitted_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "MOST_ROWS", 60)
    monkeypatch.setattr(kernels, "MOST_SOLVED", 50)
    feed, job = series_feed({"signal": waved(120)}), series_job()
    one, two = fitted("kernels", feed, job), fitted("kernels", feed, job)
    assert all(np.array_equal(one.arrays[k], two.arrays[k]) for k in one.arrays)
    found = said("kernels", one, job, {"signal": waved(20, seed=3)}, ("categorical",))["categorical"]
    assert (found.argmax(axis=1) == np.arange(20) % 2).mean() > 0.9
