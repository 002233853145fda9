"""Processes side by side: what they say, how they end, and how long they take together."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.types import Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.workflow.checkpoints import PACE_STEPS, Pace
from hounsfield.workflow.jobs import job_of
from hounsfield.workflow.members import Assignment, Crew, keep_state, kept_state, read_feed, write_feed
from hounsfield.workflow.planning import makespan
from tests.workflow.conftest import Drafted

NONE = np.zeros(0, dtype=np.int64)


def assigned(given: Drafted, feed: Feed, *, learner: str = "supervised", place: int = 0) -> Assignment:
    job = job_of(given.plan, given.known.task, given.known.fingerprint)
    return Assignment(0, place, learner, job, feed.train, feed.val, job.optimisation.steps)


def test_a_feed_is_read_back_as_it_was(drafted: Drafted, tmp_path: Path) -> None:
    feed = drafted.prepared.feed
    for name, stored in feed.inputs.items():
        np.save(tmp_path / f"input-{name}.npy", stored)
    write_feed(tmp_path, feed)
    found = read_feed(tmp_path, list(feed.inputs))
    for name, stored in feed.inputs.items():
        np.testing.assert_array_equal(found.inputs[name], stored)
    for name, values in feed.targets.items():
        assert values.dtype == found.targets[name].dtype
        np.testing.assert_array_equal(found.targets[name], values)
    np.testing.assert_array_equal(found.groups, feed.groups)


def test_a_fitted_state_is_read_back_as_it_was(tmp_path: Path) -> None:
    state = State({"w": np.arange(3.0)}, {"a": 1}, {"loss": [1.0, float("nan")]}, True, 7)
    keep_state(tmp_path / "s.safetensors", state)
    found = kept_state(tmp_path / "s.safetensors")
    assert found is not None
    np.testing.assert_array_equal(found.arrays["w"], state.arrays["w"])
    assert (found.json, found.stopped_by_brake, found.steps) == ({"a": 1}, True, 7)
    assert found.history["loss"][0] == 1.0
    assert np.isnan(found.history["loss"][1])
    assert kept_state(tmp_path / "none.safetensors") is None


def test_an_error_of_a_member_comes_back_in_its_own_words(drafted: Drafted, tmp_path: Path) -> None:
    feed = drafted.prepared.feed
    for name, stored in feed.inputs.items():
        np.save(tmp_path / f"input-{name}.npy", stored)
    write_feed(tmp_path, feed)
    broken = assigned(drafted, feed)
    assert isinstance(broken.job, Job)
    zero = broken.job.model_copy(update={"optimisation": broken.job.optimisation.model_copy(update={"steps": 0})})
    heard: list[Mapping[str, Json]] = []
    with pytest.raises(PlanError, match="0 steps") as caught:
        Crew(tmp_path, workers=2).run(
            [Assignment(0, 0, "supervised", zero, feed.train, feed.val, 0)],
            seconds=lambda _n: float("inf"),
            heard=lambda _a, told: heard.append(told),
        )
    assert caught.value.next_step == "plan again"
    assert json.dumps(heard).count("error") == 1


def test_no_time_left_ends_a_member_with_what_it_has(drafted: Drafted, tmp_path: Path) -> None:
    feed = drafted.prepared.feed
    for name, stored in feed.inputs.items():
        np.save(tmp_path / f"input-{name}.npy", stored)
    write_feed(tmp_path, feed)
    one = assigned(drafted, feed)
    Crew(tmp_path, workers=1).run([one], seconds=lambda _n: 0.0, heard=lambda _a, _t: None)
    state = kept_state(tmp_path / f"{one.name}.fitted.safetensors")
    assert state is not None
    assert state.stopped_by_brake
    assert state.steps == 1


@pytest.mark.parametrize(
    ("jobs", "workers", "ends"), [([3.0], 2, 3.0), ([1.0, 5.0, 5.0], 2, 6.0), ([2.0] * 5, 2, 6.0), ([], 2, 0.0)]
)
def test_jobs_begin_as_soon_as_a_place_is_free(jobs: list[float], workers: int, ends: float) -> None:
    assert makespan(jobs, workers) == ends


def test_the_end_moves_only_where_the_pace_is_too_slow() -> None:
    def paced(seconds: float, each: float) -> int:
        clock = {"now": 0.0}
        pace = Pace(lambda: seconds - clock["now"])
        end = 1000
        for step in range(1, PACE_STEPS + 2):
            clock["now"] = step * each
            end = pace(step, end)
        return end

    assert paced(1000.0, 0.99) == 1000
    assert paced(500.0, 1.0) == pytest.approx(500, abs=1)
    assert Pace(lambda: float("inf"))(5, 10) == 10
