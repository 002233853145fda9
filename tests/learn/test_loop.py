"""The loop ends at the same bits however often it was stopped, and keeps what it says it keeps."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hounsfield.core.errors import PlanError
from hounsfield.core.types import AnyArray, Json
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.batch import Batch
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.learners.supervised import SUPERVISED, Answers, Batches, start
from hounsfield.learn.loop import Loop, Optimisation, Phase, Store, Trained, Watch, rate, run
from hounsfield.learn.losses.base import Loss
from hounsfield.learn.ranks import ALONE, Ranks
from hounsfield.workflow.checkpoints import FileStore
from tests.learn.toys import ALL, EVERYTHING, make_feed, make_job
from tests.references import training


class Killed(BaseException):
    """What ends a run in the middle."""


class MemoryStore:
    """Keeps every checkpoint; one is due after the steps named."""

    def __init__(self, due: Callable[[int], bool] = lambda _asked: True) -> None:
        self.kept: list[tuple[Mapping[str, AnyArray], Json]] = []
        self._due = due
        self._asked = 0

    def load(self) -> tuple[Mapping[str, AnyArray], Json] | None:
        return self.kept[-1] if self.kept else None

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        self.kept.append(({k: v.copy() for k, v in arrays.items()}, facts))

    def due(self) -> bool:
        self._asked += 1
        return self._due(self._asked)


def kill_after(step: int) -> Callable[[int], bool]:
    def brake(now: int) -> bool:
        if now > step:
            raise Killed
        return False

    return brake


def fit(job: Job, *, store: Store | None = None, kill: int | None = None) -> State:
    watch = Watch(store=store, brake=kill_after(kill)) if kill is not None else Watch(store=store)
    return SUPERVISED.fit(make_feed(ALL, missing=True), job, watch=watch)


def same_bits(one: State, other: State) -> bool:
    assert one.arrays.keys() == other.arrays.keys()
    return all(one.arrays[k].tobytes() == other.arrays[k].tobytes() for k in one.arrays)


def full(*, precision: str = "float32", selection: str = "best") -> Job:
    settings = Optimisation.model_validate(
        {
            "steps": 9,
            "batch": 8,
            "learning_rate": 0.01,
            "weight_decay": 0.05,
            "clip": 1.0,
            "averaging": 0.9,
            "validate_every": 2,
            "selection": selection,
            "smoothing": 0.05,
            "class_weights": [0.8, 1.2],
            "precision": precision,
        }
    )
    options = {"dropout": 0.2, "stochastic_depth": 0.2}
    return make_job(ALL, optimisation=settings, augmentation=EVERYTHING, options=dict(options))


@pytest.mark.parametrize("selection", ["best", "last"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kept", ["memory", "file"])
def test_a_killed_run_ends_at_the_bits_of_one_left_alone(
    tmp_path: Path, precision: str, selection: str, kept: str
) -> None:
    job = full(precision=precision, selection=selection)
    alone = fit(job)

    def store() -> Store:
        return memory if kept == "memory" else FileStore(tmp_path / "m.safetensors", every_seconds=0.0)

    memory = MemoryStore(lambda asked: asked % 2 == 1)
    with pytest.raises(Killed):
        fit(job, store=store(), kill=4)
    with pytest.raises(Killed):
        fit(job, store=store(), kill=6)
    continued = fit(job, store=store())
    assert same_bits(alone, continued)
    assert continued.history == alone.history
    assert continued.steps == alone.steps == 9
    again = fit(job, store=store())  # killed after the last step: nothing is done again, and nothing lost
    assert same_bits(alone, again)


@pytest.mark.parametrize("kill", [2, 5])
def test_mixed_and_smaller_samples_resume_to_the_same_bits(kill: int) -> None:
    mixing = AugmentSpec(mixup=0.4, cutmix=1.0)
    settings = Optimisation(steps=7, batch=8, low_until=0.6, low_scale=0.6)
    job = make_job(ALL, optimisation=settings, augmentation=mixing)
    memory = MemoryStore()
    with pytest.raises(Killed):
        fit(job, store=memory, kill=kill)
    assert same_bits(fit(job), fit(job, store=memory))
    plain = make_job(ALL, optimisation=Optimisation(steps=7, batch=8), augmentation=mixing)
    assert not same_bits(fit(job), fit(plain))


def test_seed_is_all_that_tells_two_runs_apart() -> None:
    job = full()
    assert same_bits(fit(job), fit(job))
    assert not same_bits(fit(job), fit(job.model_copy(update={"seed": 1})))


def test_global_generators_play_no_part() -> None:
    job = full()
    torch.manual_seed(1)
    one = fit(job)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert same_bits(one, fit(job))
    assert torch.equal(before, torch.get_rng_state())


def test_brake_ends_the_loop_and_is_recorded() -> None:
    feed, job = make_feed(), make_job()
    state = SUPERVISED.fit(feed, job, watch=Watch(brake=lambda step: step >= 2))
    assert (state.steps, state.stopped_by_brake) == (2, True)
    whole = SUPERVISED.fit(feed, job, watch=Watch(brake=lambda step: step >= 6))
    assert (whole.steps, whole.stopped_by_brake) == (6, False)


def test_a_run_that_the_clock_ended_stays_ended() -> None:
    """Killed while the report was made, it must not train on and forget that the clock was used."""
    store = MemoryStore()
    watch = Watch(store=store, brake=lambda step: step >= 4)
    first = SUPERVISED.fit(make_feed(ALL, missing=True), full(), watch=watch)
    again = fit(full(), store=store)
    assert (first.steps, first.stopped_by_brake) == (again.steps, again.stopped_by_brake) == (4, True)
    assert same_bits(first, again)


class _Line:
    """A network of one weight and a norm's running mean; its loss is given by a function of the weight."""

    def __init__(self, value: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.network = nn.Linear(1, 1, bias=False)
        self._value = value

    def networks(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("fit", ("network",)),)

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        del phase, networks, batch, ranks
        return Loss(self._value(self.network.weight).sum())


def _nothing(_draw: int) -> Batch:
    return Batch(torch.zeros(1, dtype=torch.int64), {}, {}, torch.ones(1))


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_loss_that_is_no_number_ends_the_run(factor: float) -> None:
    loop = Loop(_Line(lambda w: w.abs() * factor), Optimisation(steps=3, batch=1))
    with pytest.raises(PlanError, match="step 0") as caught:
        loop.step(_nothing)
    assert "learning_rate" in caught.value.next_step


def test_constant_schedule_and_no_warm_up() -> None:
    flat = Optimisation(steps=10, batch=1, learning_rate=0.5, schedule="constant", warmup=0.5)
    assert [rate(s, flat) for s in range(10)] == [0.5] * 10
    cosine = Optimisation(steps=10, batch=1, learning_rate=0.5, warmup=0.0)
    np.testing.assert_allclose(
        [rate(s, cosine) for s in range(10)], [0.25 * (1 + np.cos(np.pi * s / 10)) for s in range(10)]
    )


def test_best_weights_are_those_of_the_lowest_validation_loss() -> None:
    figures = iter([3.0, 1.0, 2.0, 1.0])
    seen: list[float] = []

    def validate(networks: Mapping[str, nn.Module]) -> dict[str, float]:
        seen.append(float(next(networks["network"].parameters()).detach()))
        return {"loss": next(figures)}

    settings = Optimisation(
        steps=4, batch=1, learning_rate=0.1, schedule="constant", averaging=0.5, validate_every=1, selection="best"
    )
    done = run(_Line(lambda w: w), _nothing, settings, watch=Watch(validate=validate))
    assert len(set(seen)) == 4
    assert float(done.weights["network"]["weight"]) == seen[1]  # the first of two equals
    assert done.history["val_loss"] == [3.0, 1.0, 2.0, 1.0]
    assert done.history["step"] == [1.0, 2.0, 3.0, 4.0]


def test_validation_sees_averaged_weights_and_training_goes_on_with_its_own() -> None:
    settings = Optimisation(
        steps=3, batch=1, optimiser="adam", learning_rate=0.1, schedule="constant", averaging=0.9, validate_every=1
    )
    seen: list[float] = []

    def validate(networks: Mapping[str, nn.Module]) -> dict[str, float]:
        seen.append(float(next(networks["network"].parameters()).detach()))
        return {"loss": 0.0}

    objective = _Line(lambda w: w)
    with torch.no_grad():
        objective.network.weight.fill_(1.0)
    done: Trained = run(objective, _nothing, settings, watch=Watch(validate=validate))
    theta = mean = np.ones(1)
    for step in range(3):
        theta = theta - 0.1  # Adam's step on a constant gradient
        mean = training.averaged(mean, theta, steps=step + 1, decay=0.9)
        assert seen[step] == pytest.approx(float(mean[0]), rel=1e-5)
    assert float(objective.network.weight.detach()) == pytest.approx(0.7, rel=1e-5)
    assert float(done.weights["network"]["weight"]) == pytest.approx(float(mean[0]), rel=1e-5)


def test_average_of_whole_numbers_is_the_last_one() -> None:
    feed, job = make_feed(), make_job(optimisation=Optimisation(steps=5, batch=8, averaging=0.9))
    state = SUPERVISED.fit(feed, job, watch=Watch())
    counted = [v for k, v in state.arrays.items() if k.endswith("num_batches_tracked")]
    assert counted
    assert {int(v) for v in counted} == {5}


class _Duel:
    """Two networks, the second of which moves twice before the first."""

    def __init__(self) -> None:
        self.made = {"first": nn.Linear(1, 1, bias=False), "second": nn.Linear(1, 1, bias=False)}
        self.seen: list[tuple[str, int]] = []

    def networks(self) -> dict[str, nn.Module]:
        return dict(self.made)

    def phases(self) -> tuple[Phase, ...]:
        return (Phase("critic", ("second",), repeats=2), Phase("maker", ("first",)))

    def loss(self, phase: Phase, networks: Mapping[str, nn.Module], batch: Batch, ranks: Ranks) -> Loss:
        del ranks, networks
        self.seen.append((phase.name, int(batch.index[0])))
        return Loss((self.made["first"].weight * self.made["second"].weight).sum())


def test_phases_take_their_turns_and_their_own_batches_and_train_their_own_networks() -> None:
    duel = _Duel()
    loop = Loop(duel, Optimisation(steps=2, batch=1, learning_rate=0.1, schedule="constant"))

    def numbered(draw: int) -> Batch:
        return Batch(torch.tensor([draw]), {}, {}, torch.ones(1))

    before = {n: float(m.weight.detach()) for n, m in duel.made.items()}
    loop.step(numbered)
    loop.step(numbered)
    assert duel.seen == [("critic", 0), ("critic", 1), ("maker", 2), ("critic", 3), ("critic", 4), ("maker", 5)]
    moved = {n: abs(float(m.weight.detach()) - before[n]) for n, m in duel.made.items()}
    assert moved["second"] > 1.5 * moved["first"] > 0


def test_norms_and_biases_are_not_decayed() -> None:
    network = start(make_feed(), make_job())
    loop = Loop(Answers(network, make_job()), Optimisation(steps=1, batch=1, weight_decay=0.3))
    groups = loop.optimisers["network"].param_groups
    assert [g["weight_decay"] for g in groups] == [0.3, 0.0]
    assert all(p.ndim > 1 for p in groups[0]["params"])
    assert all(p.ndim <= 1 for p in groups[1]["params"])
    assert sum(len(g["params"]) for g in groups) == len(list(network.parameters()))


def test_a_checkpoint_of_something_else_is_refused() -> None:
    feed, job = make_feed(), make_job()
    loop = Loop(Answers(start(feed, job), job), job.optimisation)
    with pytest.raises(PlanError, match="does not belong"):
        loop.restore({}, None)


def test_state_holds_all_that_the_next_step_depends_on() -> None:
    feed, job = make_feed(ALL), full()
    one = Loop(Answers(start(feed, job), job), job.optimisation)
    batches = Batches(feed, job, ranks=ALONE)
    for _ in range(3):
        one.step(batches)
    other = Loop(Answers(start(feed, job.model_copy(update={"seed": 9})), job), job.optimisation)
    other.restore(*one.state())
    assert one.step(batches) == other.step(batches)
    for key, value in one.state()[0].items():
        assert value.tobytes() == other.state()[0][key].tobytes(), key


def test_an_earlier_end_brings_the_learning_rate_down_all_the_same() -> None:
    job, feed = make_job(), make_feed()
    settings = Optimisation(steps=100, batch=4, learning_rate=1.0, warmup=0.1)
    loop = Loop(Answers(start(feed, job), job), settings)
    plain = [rate(step, settings) for step in range(100)]
    seen = []
    for step in range(100):
        loop.steps = step
        assert rate(loop.place(), settings) == plain[step]
    for step in range(60):
        loop.steps = step
        if step == 40:
            loop.shorten(60)
        seen.append(rate(loop.place(), settings))
    assert seen[:40] == plain[:40]
    assert seen[40] == plain[40]
    assert all(a > b for a, b in itertools.pairwise(seen[40:]))
    assert seen[59] == pytest.approx(plain[97])
    assert loop.end == 60
    loop.shorten(80)
    assert loop.end == 60
    arrays, facts = loop.state()
    other = Loop(Answers(start(feed, job), job), settings)
    other.restore(arrays, facts)
    assert (other.end, other.bend) == (loop.end, loop.bend)


def test_a_run_that_must_end_earlier_says_so() -> None:
    job = make_job()
    watch = Watch(end=lambda _step, planned: min(planned, job.optimisation.steps - 2))
    state = SUPERVISED.fit(make_feed(), job, watch=watch)
    assert (state.steps, state.stopped_by_brake) == (job.optimisation.steps - 2, True)
