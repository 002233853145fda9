"""Batches are addressed, the validation loss is exact, and a fitted network opens as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hounsfield.core.errors import BundleError, PlanError
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.batch import Batch
from hounsfield.learn.learners.network_runner import RUN_BATCH, NetworkRunner
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.supervised import (
    SUPERVISED,
    Batches,
    plain_batches,
    probe,
    shrink,
    start,
    validation,
)
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.ranks import ALONE, Ranks
from tests.learn.toys import ALL, EVERYTHING, make_feed, make_job, striped
from tests.references import losses

LOW = Optimisation(steps=10, batch=8, low_until=0.5, low_scale=0.6)
MIXING = AugmentSpec(mixup=0.4, cutmix=1.0, flips=("x",), noise=0.05)
SPECS = {"none": AugmentSpec(), "all": EVERYTHING, "mixing": MIXING}


def batches(job: Job, *, ranks: Ranks = ALONE) -> Batches:
    return Batches(make_feed(ALL, missing=True), job, ranks=ranks)


def equal(one: Batch, other: Batch) -> None:
    assert torch.equal(one.index, other.index)
    assert torch.equal(one.weight, other.weight)
    keys, others = one.context["keys"], other.context["keys"]
    assert isinstance(keys, torch.Tensor)
    assert isinstance(others, torch.Tensor)
    assert torch.equal(keys, others)
    for name in one.inputs:
        assert torch.equal(one.inputs[name], other.inputs[name])
    for name, value in one.targets.items():
        assert torch.equal(value.nan_to_num(-7), other.targets[name].nan_to_num(-7)), name


def joined(parts: list[Batch]) -> Batch:
    keys = [p.context["keys"] for p in parts]
    return Batch(
        torch.cat([p.index for p in parts]),
        {k: torch.cat([p.inputs[k] for p in parts]) for k in parts[0].inputs},
        {k: torch.cat([p.targets[k] for p in parts]) for k in parts[0].targets},
        torch.cat([p.weight for p in parts]),
        context={"keys": torch.cat([k for k in keys if isinstance(k, torch.Tensor)])},
    )


@pytest.mark.parametrize("name", SPECS)
def test_a_batch_is_the_same_whatever_was_drawn_before(name: str) -> None:
    job = make_job(ALL, augmentation=SPECS[name])
    in_order, at_once, backwards = batches(job), batches(job), batches(job)
    wanted = [in_order(number) for number in range(9)]
    equal(at_once(7), wanted[7])
    for number in reversed(range(9)):
        equal(backwards(number), wanted[number])


@pytest.mark.parametrize("world", [2, 3])
@pytest.mark.parametrize("name", SPECS)
def test_shares_of_the_processes_joined_are_the_batch_of_one(name: str, world: int) -> None:
    job = make_job(ALL, augmentation=SPECS[name])
    for number in (0, 1, 5):
        parts = [batches(job, ranks=Ranks(r, world))(number) for r in range(world)]
        equal(joined(parts), batches(job)(number))


@pytest.mark.parametrize("name", SPECS)
def test_first_batches_are_smaller_ones_of_the_same_samples(name: str) -> None:
    """By number alone: whatever was drawn before, and for every share of the processes."""
    low, full = make_job(ALL, augmentation=SPECS[name], optimisation=LOW), make_job(ALL, augmentation=SPECS[name])
    assert LOW.low_steps == 5
    drawn = batches(low)
    for number in (9, 0, 4, 5):
        edge = 16 if number >= 5 else 10
        assert drawn(number).inputs["image"].shape == (8, 1, edge, edge)
        equal(batches(low)(number), drawn(number))
        assert torch.equal(drawn(number).index, batches(full)(number).index)
        equal(joined([batches(low, ranks=Ranks(r, 2))(number) for r in range(2)]), drawn(number))
    equal(drawn(7), batches(full)(7))


def test_shrinking_averages_and_leaves_eight_pixels() -> None:
    ramp = torch.arange(32, dtype=torch.float32).expand(1, 1, 32, 32)
    small = shrink(ramp, 0.5)
    assert small.shape == (1, 1, 16, 16)
    torch.testing.assert_close(small[0, 0, 3, 2:-2], ramp[0, 0, 0].unfold(0, 2, 2).mean(1)[2:-2])
    assert float(shrink(torch.full((1, 1, 20, 20), 3.0), 0.3).std()) == pytest.approx(0.0, abs=1e-6)
    assert shrink(torch.zeros(1, 1, 16, 6), 0.1).shape == (1, 1, 8, 6)
    volume = torch.randn(2, 1, 16, 16, 16)
    torch.testing.assert_close(shrink(volume, 0.5), torch.nn.functional.avg_pool3d(volume, 2))


def test_an_epoch_meets_training_rows_once_and_no_others() -> None:
    feed, job = make_feed(), make_job()
    drawn = Batches(feed, job, ranks=ALONE)
    first = torch.cat([drawn(n).index for n in range(3)]).numpy()
    second = torch.cat([drawn(n).index for n in range(3, 6)]).numpy()
    for epoch in (first, second):
        assert len(set(epoch)) == 24  # three whole batches of 8 out of 30; the rest waits for another epoch
        assert set(epoch) <= set(feed.train)
    assert list(first) != list(second)
    met = set(np.concatenate([drawn(n).index.numpy() for n in range(30)]))
    assert met == set(feed.train)


def test_fewer_samples_than_a_batch_are_one_batch() -> None:
    feed = make_feed(count=8)
    drawn = Batches(feed, make_job(optimisation=Optimisation(steps=4, batch=32)), ranks=ALONE)
    for number in range(4):
        assert sorted(drawn(number).index.tolist()) == feed.train.tolist()
    SUPERVISED.fit(feed, make_job(optimisation=Optimisation(steps=4, batch=32)), watch=Watch())


def test_rows_outside_the_training_part_are_never_touched() -> None:
    """Poisoned validation rows change no batch and, where they cannot select, no weight."""
    feed, job = make_feed(ALL), make_job(ALL, augmentation=EVERYTHING)
    image = feed.inputs["image"].copy()
    image[feed.val] = 77
    targets = {name: values.copy() for name, values in feed.targets.items()}
    for values in targets.values():
        values[feed.val] = 1
    poisoned = replace(feed, inputs={"image": image}, targets=targets)
    for number in range(5):
        equal(Batches(feed, job, ranks=ALONE)(number), Batches(poisoned, job, ranks=ALONE)(number))
    one, other = (SUPERVISED.fit(f, job, watch=Watch()) for f in (feed, poisoned))
    assert all(one.arrays[k].tobytes() == other.arrays[k].tobytes() for k in one.arrays)


def test_inputs_are_standardised_and_numbers_too() -> None:
    feed, job = make_feed(("number",), missing=True), make_job(("number",))
    batch = Batches(feed, job, ranks=ALONE)(0)
    rows = batch.index.numpy()
    wanted = job.preparation["image"].normalised(feed.inputs["image"][rows])
    np.testing.assert_allclose(batch.inputs["image"].numpy(), wanted, atol=1e-6)
    numbers = (feed.targets["width"][rows].astype(np.float64) - 5.0) / 2.0
    np.testing.assert_allclose(batch.targets["width"].numpy(), numbers, rtol=1e-6)


@pytest.mark.parametrize("missing", [False, True], ids=["all known", "some missing"])
def test_validation_loss_is_the_mean_over_labelled_validation_samples(*, missing: bool) -> None:
    """Over more rows than one call takes, without class weights and smoothing, head by head."""
    feed = make_feed(ALL, count=4 * RUN_BATCH + 20, missing=missing)
    settings = Optimisation(steps=1, batch=8, class_weights=[0.5, 1.5], smoothing=0.1)
    job = make_job(ALL, optimisation=settings)
    network = start(feed, job)
    found = validation(network, feed, job)
    raw = NetworkRunner(network, job.preparation).run({"image": feed.inputs["image"][feed.val]})
    ones = np.ones(len(feed.val))
    truth = {name: values[feed.val] for name, values in feed.targets.items()}
    wanted = {
        "class": losses.cross_entropy(raw["class"], truth["class"].astype(np.int64), ones),
        "labels": losses.binary_cross_entropy(raw["labels"], truth["labels"].astype(np.float64), ones),
        "grade": losses.ordinal_cross_entropy(raw["grade"], truth["grade"].astype(np.int64), ones),
        "width": losses.huber(raw["width"][:, 0], (truth["width"][:, 0].astype(np.float64) - 5) / 2, ones),
    }
    for name, value in wanted.items():
        assert found[f"loss of {name}"] == pytest.approx(value, rel=1e-4), name
    assert found["loss"] == pytest.approx(sum(wanted.values()), rel=1e-4)


def test_fresh_network_says_the_base_rates() -> None:
    feed, job = make_feed(("categorical", "multilabel")), make_job(("categorical", "multilabel"))
    heads = start(feed, job).state_dict()
    counts = np.bincount(feed.targets["class"][feed.train].astype(np.int64)) + 1.0
    biases = [v.double().numpy() for k, v in heads.items() if k.startswith("heads") and k.endswith("bias")]
    assert any(len(b) == 2 and np.allclose(b, np.log(counts / counts.sum()), atol=1e-6) for b in biases)
    share = feed.targets["labels"][feed.train].astype(np.float64).mean(axis=0)
    assert any(len(b) == 3 and np.allclose(b, np.log(share / (1 - share)), atol=1e-5) for b in biases)


def test_it_learns_and_opens_as_it_was() -> None:
    feed = make_feed(count=64)
    settings = Optimisation(steps=60, batch=16, learning_rate=0.01, averaging=0.9)
    job = make_job(optimisation=settings)
    state = SUPERVISED.fit(feed, job, watch=Watch())
    fresh = striped(20, seed=5)
    raw = SUPERVISED.open(State(state.arrays, state.json), job).run({"image": fresh})
    assert (raw["class"].argmax(axis=1) == np.arange(20) % 2).mean() >= 0.9
    assert raw["class"].shape == (20, 2)
    assert raw["class"].dtype == np.float64
    assert len(raw["embedding"]) == 20
    one_by_one = [SUPERVISED.open(state, job).run({"image": fresh[i : i + 1]})["class"][0] for i in range(20)]
    np.testing.assert_array_equal(np.stack(one_by_one), raw["class"])


def test_norms_end_with_the_statistics_of_plain_images() -> None:
    feed = make_feed(count=64)
    settings = Optimisation(steps=6, batch=16, averaging=0.9)
    rough = AugmentSpec(brightness=0.5, noise=0.5)
    job = make_job(optimisation=settings, augmentation=rough)
    plain = make_job(optimisation=settings.model_copy(update={"plain_norms": True}), augmentation=rough)
    one, other = (SUPERVISED.fit(feed, j, watch=Watch()) for j in (job, plain))
    running = {k for k in one.arrays if k.split(".")[-1] in ("running_mean", "running_var", "num_batches_tracked")}
    same = {k for k in one.arrays if one.arrays[k].tobytes() == other.arrays[k].tobytes()}
    assert len(running) > 4
    assert same == set(one.arrays) - running
    again = SUPERVISED.fit(feed, plain, watch=Watch())
    assert all(other.arrays[k].tobytes() == again.arrays[k].tobytes() for k in other.arrays)


def test_plain_batches_are_training_images_as_they_are_judged() -> None:
    feed, job = make_feed(count=40), make_job(augmentation=EVERYTHING)
    shown = torch.cat([b["image"] for b in plain_batches(feed, job)]).numpy()
    wanted = job.preparation["image"].normalised(feed.inputs["image"][feed.train])
    assert len(shown) == 24  # three whole batches of 8 out of 30
    places = [int(np.abs(wanted - image).reshape(len(wanted), -1).max(1).argmin()) for image in shown]
    assert len(set(places)) == 24
    np.testing.assert_array_equal(shown, wanted[places])


def test_weights_of_another_network_are_refused() -> None:
    feed, job = make_feed(), make_job()
    state = SUPERVISED.fit(feed, job, watch=Watch())
    wider = make_job(options={"width": 16})
    with pytest.raises(BundleError, match="do not fit"):
        SUPERVISED.open(state, wider)


def test_no_steps_are_refused() -> None:
    with pytest.raises(PlanError, match="0 steps"):
        SUPERVISED.fit(make_feed(), make_job(optimisation=Optimisation(steps=0, batch=8)), watch=Watch())


def test_probe_times_real_steps_and_changes_nothing() -> None:
    feed, job = make_feed(), make_job()
    ticks = iter(range(100))
    assert probe(feed, job, steps=3, seconds=0.0, clock=lambda: float(next(ticks))) == [1.0, 1.0, 1.0]
    assert probe(feed, job, steps=3, seconds=4.5, clock=lambda: float(next(ticks))) == [1.0] * 5
    short = job.model_copy(update={"optimisation": Optimisation(steps=1, batch=8)})
    assert probe(feed, short, steps=0, seconds=0.0, clock=float) == []
