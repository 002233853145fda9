"""Processes side by side: what they say, how they end, and how long they take together."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import PlanError
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.types import Json
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job, State
from hounsfield.learn.loop import Watch
from hounsfield.learn.threads import settle_threads
from hounsfield.workflow.checkpoints import PACE_STEPS, FileStore, Pace
from hounsfield.workflow.fitting import Hands, _steps_in, fit_members
from hounsfield.workflow.jobs import job_of
from hounsfield.workflow.members import Assignment, Crew, Shown, keep_state, kept_state, read_feed, write_feed
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
            left=lambda: float("inf"),
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
    Crew(tmp_path, workers=1).run([one], left=lambda: 0.0, heard=lambda _a, _t: None)
    state = kept_state(tmp_path / f"{one.name}.fitted.safetensors")
    assert state is not None
    assert state.stopped_by_brake
    assert state.steps == 1


def several(given: Drafted, folder: Path, *, steps: int, count: int = 3) -> list[Assignment]:
    """Write the feed into a folder of their own and return members that differ in their seed."""
    folder.mkdir()
    feed = given.prepared.feed
    for name, stored in feed.inputs.items():
        np.save(folder / f"input-{name}.npy", stored)
    write_feed(folder, feed)
    made = []
    for number in range(count):
        job = job_of(given.plan, given.known.task, given.known.fingerprint, member=number)
        job = job.model_copy(update={"optimisation": job.optimisation.model_copy(update={"steps": steps})})
        made.append(Assignment(number, 0, "supervised", job, feed.train, feed.val, steps))
    return made


def hands(work: Path, *, left: Callable[[], float] = lambda: float("inf"), progress: Progress = SILENT) -> Hands:
    return Hands(work, lambda _n, _name, store: Watch(store=store), clock=lambda: 0.0, left=left, progress=progress)


def weights(state: State) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.arrays.items()}


@pytest.fixture(scope="module")
def in_turn(drafted: Drafted, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    """Weights of three members of 40 steps, made here one after the other, in one thread and without a pause."""
    folder = tmp_path_factory.mktemp("turns") / "one"
    settle_threads(1)
    made = fit_members(several(drafted, folder, steps=40), drafted.prepared.feed, hands(folder), workers=1)
    return [weights(s) for s in made.states]


def test_a_member_that_is_paused_ends_at_the_same_bits(
    drafted: Drafted, tmp_path: Path, in_turn: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = several(drafted, tmp_path / "two", steps=40)
    told: list[tuple[str, Json, Json]] = []
    hear = Shown.heard

    def heard(self: Shown, assignment: Assignment, said: Mapping[str, Json]) -> None:
        hear(self, assignment, said)
        if "paused" in said or "fitted" in said:
            note = json.loads((tmp_path / "two" / f"{assignment.name}.job.json").read_text())
            told.append((assignment.name, said["made"], round(note["seconds"])))

    monkeypatch.setattr(Shown, "heard", heard)
    # no test keeps a budget: so many seconds are left, whenever it is asked
    made = fit_members(wanted, drafted.prepared.feed, hands(tmp_path / "two", left=lambda: 90_000.0), workers=2)
    assert [weights(s) for s in made.states] == in_turn
    assert [(s.steps, s.stopped_by_brake) for s in made.states] == [(40, False)] * 3
    assert made.steps == 120
    # member 1 opens the second lane with 20 steps and closes the first one with the others
    assert sorted((name, steps) for name, steps, _ in told) == [
        ("member-0", 40), ("member-1", 20), ("member-1", 20), ("member-2", 40)
    ]  # fmt: skip
    shares = {(name, n): seconds for n, (name, _, seconds) in enumerate(told)}
    assert {seconds for (name, _), seconds in shares.items() if name == "member-0"} == {59_998}
    assert [seconds for (name, _), seconds in shares.items() if name == "member-1"] == [59_998, 90_000]


def test_a_run_that_ends_in_the_second_turn_goes_on_to_the_same_bits(
    drafted: Drafted, tmp_path: Path, in_turn: list[dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hounsfield.workflow.members.CHECKPOINT_SECONDS", 0.0)
    work = tmp_path / "two"
    wanted = several(drafted, work, steps=40)
    store = FileStore(work / "member-1.safetensors")
    hear = Shown.heard
    paused: set[str] = set()

    def interrupting(self: Shown, assignment: Assignment, said: Mapping[str, Json]) -> None:
        hear(self, assignment, said)
        step = said.get("step")
        # the first word of the second turn is where it goes on
        if assignment.name in paused and isinstance(step, int):
            while _steps_in(store) <= step:
                time.sleep(0.005)
            raise KeyboardInterrupt
        paused.update({assignment.name} if "paused" in said else ())

    monkeypatch.setattr(Shown, "heard", interrupting)
    with pytest.raises(KeyboardInterrupt):
        fit_members(wanted, drafted.prepared.feed, hands(work), workers=2)
    assert 20 < _steps_in(store) < 40
    assert not (work / "member-1.fitted.safetensors").exists()
    monkeypatch.setattr(Shown, "heard", hear)
    made = fit_members(wanted, drafted.prepared.feed, hands(work), workers=2)
    assert [weights(s) for s in made.states] == in_turn


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
