"""A warm-up sees training and unlabelled images only, changes the encoder only, and resumes to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.supervised import SUPERVISED, start
from hounsfield.learn.loop import Optimisation, Store, Watch
from hounsfield.learn.ranks import Ranks
from hounsfield.learn.warmup.spec import Warmup
from hounsfield.learn.warmup.views import ViewBatches, wider
from hounsfield.learn.warmup.warm import warmed
from tests.learn.test_loop import Killed, MemoryStore, kill_after, same_bits
from tests.learn.toys import EVERYTHING, make_feed, make_job, striped

WARM = Warmup(method="two-views", share=0.3, steps=5, learning_rate=1e-3)


def job(*, warmup: Warmup = WARM, precision: str = "float32") -> Job:
    settings = Optimisation.model_validate(
        {"steps": 6, "batch": 8, "averaging": 0.9, "validate_every": 2, "weight_decay": 0.05, "precision": precision}
    )
    made = make_job(optimisation=settings, augmentation=EVERYTHING, options={"dropout": 0.2, "stochastic_depth": 0.2})
    return made.model_copy(update={"warmup": warmup})


def fed(*, extra: int = 10) -> Feed:
    return replace(make_feed(), unlabelled={"image": striped(extra, seed=3)} if extra else {})


def fit(asked: Job, *, store: Store | None = None, kill: int | None = None, feed: Feed | None = None) -> State:
    brake = kill_after(kill) if kill is not None else lambda _step: False
    return SUPERVISED.fit(feed or fed(), asked, watch=Watch(store=store, brake=brake))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_killed_in_the_warm_up_and_in_the_fit_ends_at_the_same_bits(precision: str) -> None:
    asked = job(precision=precision)
    alone = fit(asked)
    memory = MemoryStore()
    with pytest.raises(Killed):
        fit(asked, store=memory, kill=2)  # in the warm-up: the third step ends it
    assert isinstance(memory.kept[-1][1], dict)
    assert memory.kept[-1][1]["stage"] == "warm-up"
    with pytest.raises(Killed):
        fit(asked, store=memory, kill=5)  # the warm-up has five steps: this is the fit's sixth
    assert isinstance(memory.kept[-1][1], dict)
    assert "stage" not in memory.kept[-1][1]
    kept = len(memory.kept)
    continued = fit(asked, store=memory)
    assert same_bits(alone, continued)
    assert continued.history == alone.history
    assert all("stage" not in facts for _, facts in memory.kept[kept:] if isinstance(facts, dict))


def test_held_out_images_are_never_looked_at() -> None:
    feed = fed()
    other = feed.inputs["image"].copy()
    other[feed.val] = 255 - other[feed.val]
    changed = replace(feed, inputs={"image": other}, val=feed.val[:0])
    asked = job()
    assert same_bits(fit(asked, feed=replace(feed, val=feed.val[:0])), fit(asked, feed=changed))
    batches = ViewBatches(feed, asked, ranks=Ranks())
    shown = {int(i) for number in range(20) for i in batches(number).index}
    assert shown <= {*feed.train.tolist(), *range(40, 50)}
    assert shown & set(range(40, 50))


def test_heads_stay_fresh_and_the_encoder_moves() -> None:
    feed, asked = fed(), job()
    network = start(feed, asked)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    warmed(network, feed, asked, watch=Watch())
    after = network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before if k.startswith("heads"))
    assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith("encoders"))


def test_two_views_differ_and_the_same_number_gives_the_same_batch() -> None:
    batches = ViewBatches(fed(), job(), ranks=Ranks())
    batch = batches(3)
    first, second = batch.inputs["image"].chunk(2)
    assert not torch.equal(first, second)
    assert torch.equal(batch.index[: len(first)], batch.index[len(first) :])
    assert torch.equal(ViewBatches(fed(), job(), ranks=Ranks())(3).inputs["image"], batch.inputs["image"])


def test_processes_share_a_batch_between_them() -> None:
    whole = ViewBatches(fed(), job(), ranks=Ranks())(1)
    shares = [ViewBatches(fed(), job(), ranks=Ranks(r, 2))(1) for r in range(2)]
    assert sorted(i for s in shares for i in s.index.tolist()) == sorted(whole.index.tolist())


def test_unlabelled_images_change_the_weights() -> None:
    assert not same_bits(fit(job()), fit(job(), feed=fed(extra=0)))


def test_without_a_warm_up_nothing_changes() -> None:
    off = job(warmup=Warmup(unlabelled=10))
    assert same_bits(fit(off), fit(off, feed=fed(extra=0)))


def test_too_few_images_are_not_warmed_up_on() -> None:
    feed = make_feed().with_parts(np.arange(4), np.arange(4, 8))
    watch = warmed(start(feed, job()), feed, job(), watch=Watch())
    assert watch.store is None


def test_views_are_wider_than_the_fit_but_mirror_no_more() -> None:
    spec = EVERYTHING.model_copy(update={"flips": (), "mixup": 0.4})
    views = wider(spec)
    assert views.flips == ()
    assert not views.mixes
    assert views.gamma[0] < spec.gamma[0]
    assert views.gamma[1] > spec.gamma[1]
    assert type(views).model_validate(views.model_dump()) == views
