"""A forecaster learns, covers, looks at nothing that comes, and follows a live series."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from hounsfield.core.errors import BundleError, InputError
from hounsfield.core.streams import stream
from hounsfield.learn.forecast.following import Follower
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.learner import Feeding, draft, fit
from hounsfield.learn.forecast.network import ForecastNetwork
from hounsfield.learn.forecast.preparing import clean, expected, prepare
from hounsfield.learn.forecast.spec import EchoOptions, ForecastSpec, TreeOptions
from hounsfield.learn.forecast.trees import grow_trees
from hounsfield.learn.loop import Optimisation
from hounsfield.science.forecasting.course import Course
from hounsfield.science.forecasting.outcomes import truths
from hounsfield.science.statistics.quantiles import covered
from tests.learn.forecast.courses import courses, request

WAYS = [
    (True, "carried", "gru"),
    (True, "decay", "gru"),
    (True, "mean", "lstm"),
    (False, "carried", "gru"),
    (False, "mean", "gru"),
    (True, "carried", "trees"),
    (False, "mean", "echo"),
]


def fresh(*, times: bool = True, missing: str = "carried", cell: str = "gru", stir: float = 0.3) -> Forecaster:
    """Return a forecaster that was drafted but not trained, its weights stirred so that everything has an effect."""
    asked = request(times=times, missing=missing, cell="gru" if cell in ("trees", "echo") else cell)
    if cell == "echo":
        asked = replace(asked, echo=EchoOptions(window=3, nearest=2, memory=40))
    if cell == "trees":
        asked = replace(asked, trees=TreeOptions(rounds=8, least=5))
    learned = courses(12, 0)
    spec = draft(learned, asked)
    assert spec.company  # the drive tells what comes
    if cell == "echo":
        spec = spec.model_copy(update={"echo_share": (0.5, 1.0)})
    trees = grow_trees(spec, [clean(c, spec) for c in learned], seed=0)
    network = ForecastNetwork(spec)
    rng = stream(0, "stir")
    weights = {
        k: v.numpy() + stir * rng.normal(0, 1, v.shape).astype(np.float32) for k, v in network.state_dict().items()
    }
    share = (0.5, 1.0) if trees else ()
    return Forecaster(spec, weights, np.linspace(-1, 1, 14).reshape(2, 7), trees, share)


@pytest.mark.parametrize(("times", "missing", "cell"), WAYS)
def test_the_future_changes_nothing(times: bool, missing: str, cell: str) -> None:  # noqa: FBT001  # parametrised
    forecaster = fresh(times=times, missing=missing, cell=cell)
    one = courses(1, 7)[0]
    said = forecaster.quantiles([one])[0]
    for step in (0, 3, len(one.times_h) - 2):
        rng = stream(step, "another future")
        values, times_h = one.values.copy(), one.times_h.copy()
        values[:, step + 1 :] = rng.normal(100, 60, values[:, step + 1 :].shape)
        times_h[step + 1 :] += 40.0
        moved = forecaster.quantiles([Course(times_h, values, float(times_h[-1]) + 9)])[0]
        np.testing.assert_array_equal(moved[: step + 1], said[: step + 1])
        np.testing.assert_allclose(forecaster.quantiles([one.until(step)])[0], said[: step + 1], atol=1e-4)


@pytest.mark.parametrize(("times", "missing", "cell"), WAYS)
def test_a_live_series_is_told_the_same_with_constant_memory(times: bool, missing: str, cell: str) -> None:  # noqa: FBT001  # parametrised
    forecaster = fresh(times=times, missing=missing, cell=cell)
    one = courses(1, 8, length=140)[0]
    said = forecaster.quantiles([one])[0]
    follower = Follower(forecaster)
    kept = []
    for round_ in range(2):
        for step, time in enumerate(one.times_h):
            np.testing.assert_allclose(follower.feed(time + 1000 * round_, one.values[:, step]), said[step], atol=2e-3)
            kept.append(follower.kept)
        follower.reset()
    assert len(one.times_h) > 70
    assert len(set(kept[60:70])) == 1
    with pytest.raises(InputError, match="time"):
        follower.feed(1.0, one.values[:, 0]), follower.feed(1.0, one.values[:, 0])
    with pytest.raises(InputError, match="readings"):
        follower.feed(2.0, np.zeros(3))


def test_other_series_of_the_batch_change_nothing() -> None:
    forecaster = fresh()
    several = courses(5, 9)
    together = forecaster.quantiles(several)
    for one, said in zip(several, together, strict=True):
        np.testing.assert_allclose(forecaster.quantiles([one])[0], said, atol=1e-4)


def test_a_fresh_network_says_what_the_autoregression_says() -> None:
    learned = courses(40, 1)
    spec = draft(learned, request())
    network = ForecastNetwork(spec)
    forecaster = Forecaster(spec, {k: v.numpy() for k, v in network.state_dict().items()}, np.zeros((2, 7)))
    said = forecaster.quantiles(learned)
    lines = [expected(clean(c, spec), spec) for c in learned]
    off = np.concatenate([s[..., 3] - line for s, line in zip(said, lines, strict=True)])
    scale = np.array(spec.scale)
    np.testing.assert_allclose(np.nanmax(np.abs(off - np.nanmean(off, axis=0)), axis=0), 0, atol=1e-4)
    truth = np.concatenate([truths(clean(c, spec), 0, spec.asked) for c in learned])
    every = np.concatenate(said)
    for k in range(2):
        known = np.isfinite(truth[:, k])
        below = (truth[known, k, None] <= every[known, k]).mean(axis=0)
        np.testing.assert_allclose(below, spec.levels, atol=0.02)
    assert (scale > 0).all()


def test_it_learns_what_the_other_variable_tells_and_covers() -> None:
    learned, held, judged = courses(120, 2), courses(60, 3), courses(60, 4)
    settings = Optimisation(steps=150, batch=16, learning_rate=5e-3, clip=1.0, validate_every=50, selection="best")
    spec = draft(learned, replace(request(), company=False))
    forecaster = fit(spec, learned, held, settings=settings, seed=0).forecaster
    said = np.concatenate(forecaster.quantiles(judged))[:, 0]
    cleaned = [clean(c, spec) for c in judged]
    truth = np.concatenate([truths(c, 0, spec.asked) for c in cleaned])[:, 0]
    line = np.concatenate([expected(c, spec) for c in cleaned])[:, 0]
    ours, theirs = np.nanmean(np.abs(truth - said[:, 3])), np.nanmean(np.abs(truth - line))
    assert ours < 0.5 * theirs
    assert (np.diff(said[np.isfinite(said[:, 0])], axis=1) >= 0).all()
    assert np.nanmean(covered(truth, said, (0, 6))) == pytest.approx(0.9, abs=0.04)
    again = fit(spec, learned, held, settings=settings, seed=0).forecaster
    assert all((again.weights[k] == v).all() for k, v in forecaster.weights.items())


def test_the_line_hears_the_other_variable_where_it_may() -> None:
    learned, judged = courses(60, 2), [courses(1, 4, length=80)[0]]
    errors = []
    for company in (False, True):
        spec = draft(learned, replace(request(), company=company))
        cleaned = clean(judged[0], spec)
        errors.append(np.nanmean(np.abs(truths(cleaned, 0, spec.asked) - expected(cleaned, spec)), axis=0)[0])
        assert bool(spec.company) == company
    assert errors[1] < 0.5 * errors[0]


def test_trees_are_followed_where_held_out_series_say_so() -> None:
    learned, held = crooked(60, 0), crooked(30, 1)
    settings = Optimisation(steps=2, batch=16)
    asked = replace(request(), company=False, trees=TreeOptions(rounds=60, rate=0.2, least=10))
    spec = draft(learned, asked)
    found = fit(spec, learned, held, settings=settings, seed=0)
    tried = {one.name: one for one in found.tried}
    assert list(tried) == ["line", "network", "network and trees", "trees"]
    assert tried["trees"].mae[0] < 0.8 * tried["network"].mae[0]
    assert tried["trees"].chosen[0]
    assert found.forecaster.share[0] == 1.0
    cleaned = [clean(c, spec) for c in held]
    truth = np.concatenate([truths(c, 0, spec.asked) for c in cleaned])[:, 0]
    said = np.concatenate(found.forecaster.quantiles(held))[:, 0]
    assert np.nanmean(np.abs(truth - said[:, 3])) == pytest.approx(tried["trees"].mae[0])
    assert np.nanmean(covered(truth, said, (0, 6))) == pytest.approx(0.9, abs=0.02)
    again = fit(spec, learned, held, settings=settings, seed=0)
    assert again.tried == found.tried


def crooked(count: int, seed: int) -> list[Course]:
    """Return courses whose next reading is far where the other variable is near its middle: no line can say it."""
    found = []
    for n in range(count):
        rng = stream(seed, "crooked", 0, n)
        drive = rng.normal(0, 1, 41)
        values = np.stack([80 + 8.0 * (np.abs(drive[:-1]) < 0.7) + rng.normal(0, 0.5, 40), drive[1:]])
        found.append(Course(np.arange(40.0), values, 41.0))
    return found


def test_a_mean_outside_of_what_it_is_the_mean_of_is_not_measured() -> None:
    one = courses(1, 3)[0]
    around = np.stack([one.values[0], one.values[0] - 20, one.values[0] + 30])
    around[0, 5] = around[2, 5] + 5
    spec = draft(courses(12, 0), request())
    wide = spec.model_dump() | {"variables": ("MAP", "low", "high"), "between": (1, 2), "company": ()}
    wide["scaling"] = {"middle": (80.0,) * 3, "spread": (5.0,) * 3}
    cleaned = clean(replace(one, values=around), ForecastSpec.model_validate(wide))
    assert np.isnan(cleaned.values[0, 5])
    assert np.isfinite(cleaned.values[0]).sum() == np.isfinite(one.values[0]).sum() - np.isfinite(one.values[0, 5])
    for between in ((1, 3), (-1, 2)):
        with pytest.raises(ValidationError, match="between"):
            ForecastSpec.model_validate(wide | {"between": between})


def test_batches_are_addressed_and_each_epoch_sees_every_series_once() -> None:
    spec = draft(courses(12, 0), request())
    arrays = prepare(courses(20, 5), spec)
    feed = Feeding(arrays, 5, 3)
    seen = [feed.batch(d).index.tolist() for d in range(4)]
    assert sorted(i for rows in seen for i in rows) == list(range(20))
    assert feed.batch(1).index.tolist() == seen[1]
    assert Feeding(arrays, 5, 3).batch(9).index.tolist() == feed.batch(9).index.tolist()
    batch = feed.batch(0)
    assert batch.inputs["series"].shape[2] == batch.targets["truth"].shape[1] == int(arrays.lengths[seen[0]].max())


def test_empty_series_and_impossible_readings() -> None:
    forecaster = fresh()
    empty = Course(np.zeros(0), np.zeros((2, 0)), 0.0)
    assert forecaster.quantiles([empty])[0].shape == (0, 2, 7)
    one = courses(1, 3)[0]
    values = one.values.copy()
    values[0, 4] = 300.0
    assert np.isnan(forecaster.quantiles([replace(one, values=values)])[0][4]).all()
    silent = Course(np.arange(3.0), np.full((2, 3), np.nan), 3.0)
    assert np.isnan(forecaster.quantiles([silent])[0]).all()


def test_what_does_not_fit_is_an_error() -> None:
    forecaster = fresh()
    with pytest.raises(BundleError):
        Forecaster(forecaster.spec, {"outer.bias": np.zeros(3)}, forecaster.shifts).network()
    with pytest.raises(InputError, match="learn from"):
        draft([], request())
    settings = Optimisation(steps=1, batch=4)
    with pytest.raises(InputError, match="too few"):
        fit(forecaster.spec, courses(4, 0), courses(1, 1, length=4), settings=settings, seed=0)
    stored = forecaster.spec.model_dump()
    for key, value in (
        ("levels", (0.1, 0.5, 0.8)),
        ("target", 2),
        ("lags", 4),
        ("scale", (1.0, 0.0)),
        ("company", ((1.0,),)),
        ("echo_share", (0.5, 2.0)),
        ("more", 1),
    ):
        with pytest.raises(ValidationError):
            ForecastSpec.model_validate({**stored, key: value})
    assert ForecastSpec.model_validate_json(forecaster.spec.model_dump_json()) == forecaster.spec


def test_the_global_random_state_is_left_alone() -> None:
    spec = draft(courses(12, 0), request())
    before = torch.random.get_rng_state()
    fit(spec, courses(12, 0), courses(12, 1), settings=Optimisation(steps=2, batch=4), seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
