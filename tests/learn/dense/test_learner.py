"""A network fitted to masks."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import Member
from hounsfield.core.types import AnyArray, BoolArray, Json
from hounsfield.learn.dense.job import dense_json
from hounsfield.learn.dense.learner import DENSE, probe
from hounsfield.learn.dense.model import DenseRunner, labels_of
from hounsfield.learn.dense.window import Windows
from hounsfield.learn.loop import Watch
from tests.learn.dense.making import ONE, TWO, deep_feed, deep_job, flat_feed, flat_job


class Kept:
    """A store that stops after some saves."""

    def __init__(self) -> None:
        self.found: tuple[dict[str, AnyArray], Json] | None = None

    def load(self) -> tuple[dict[str, AnyArray], Json] | None:
        return self.found

    def save(self, arrays: Mapping[str, AnyArray], facts: Json) -> None:
        self.found = ({k: np.array(v) for k, v in arrays.items()}, facts)

    def due(self) -> bool:
        return True


def dice(said: BoolArray, right: BoolArray) -> float:
    return 2.0 * float((said & right).sum()) / float(said.sum() + right.sum())


def test_discs_are_found(tmp_path: Path) -> None:
    feed, job = flat_feed(tmp_path), flat_job()
    state = DENSE.fit(feed, job, watch=Watch())
    assert state.steps == 60
    assert {"step", "loss", "val_loss"} <= set(state.history)
    member = Member("dense", state.arrays, dense_json(job, None))
    runner = DenseRunner([member], windows=Windows((32, 32)), engine="torch", views=("x",))
    scores = []
    for row in (8, 9):
        found = runner.dense(feed.cases.image(row))["mask"]
        mask = labels_of(found, ONE["mask"], [0.3])[0] > 0
        scores.append(dice(mask, np.asarray(feed.cases.label(row)[0] != 0, dtype=np.bool_)))
    assert np.mean(scores) > 0.7


def test_an_interrupted_fit_ends_with_the_same_bits(tmp_path: Path) -> None:
    feed = flat_feed(tmp_path)
    job = flat_job()
    job = job.model_copy(update={"optimisation": job.optimisation.model_copy(update={"steps": 8})})
    alone = DENSE.fit(feed, job, watch=Watch())
    store = Kept()

    class Killed(Exception):
        pass

    def kill(step: int) -> bool:
        if step == 5:
            raise Killed
        return False

    with pytest.raises(Killed):
        DENSE.fit(feed, job, watch=Watch(store=store, brake=kill))
    again = DENSE.fit(feed, job, watch=Watch(store=store))
    assert all(np.array_equal(alone.arrays[k], again.arrays[k]) for k in alone.arrays)


def test_volumes_are_fitted_and_classes_exclude_each_other(tmp_path: Path) -> None:
    feed, job = deep_feed(tmp_path), deep_job()
    state = DENSE.fit(feed, job, watch=Watch())
    member = Member("dense", state.arrays, dense_json(job, None))
    runner = DenseRunner([member, member], windows=Windows((16, 24, 16), 0.3), engine="torch")
    found = runner.dense(feed.cases.image(5))["mask"]
    assert found.shape == (2, 18, 24, 20)
    assert float(found.astype(np.float32).sum(axis=0).max()) <= 1.001
    labels = labels_of(found, TWO["mask"], [0.5, 0.5])
    right = np.asarray(feed.cases.label(5)[0] == 1, dtype=np.bool_)
    assert dice(np.asarray(labels[0] == 1, dtype=np.bool_), right) > 0.7


def test_a_probe_makes_real_steps(tmp_path: Path) -> None:
    ticks = iter(range(100))
    clock = lambda: float(next(ticks))  # noqa: E731  # one line is all it is
    assert len(probe(flat_feed(tmp_path), flat_job(), steps=3, seconds=0.0, clock=clock)) == 3
