"""A network that is fitted to masks in two turns, in two processes, has the bits of one that was left alone."""

from pathlib import Path

from hounsfield.core.progress import SILENT
from hounsfield.workflow.dense.jobs import dense_job_of
from hounsfield.workflow.dense.planning import plan_dense
from hounsfield.workflow.members import Assignment, Crew, kept_state
from hounsfield.workflow.study import study
from hounsfield.workflow.turns import Turn
from hounsfield.workflow.wishes import Wishes
from tests.workflow.dense.making import write_pictures

STEPS = 12


def test_two_turns_of_a_dense_network_make_the_bits_of_one(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    wishes = Wishes(task="annotate", threads=1, max_steps=STEPS)
    known = study(folder, wishes, progress=SILENT)
    work = tmp_path / "work"
    work.mkdir()
    plan, prepared = plan_dense(known, wishes, work=work, elapsed=lambda: 0.0, progress=SILENT)
    feed = prepared.feed
    one, other = (Assignment(0, n, "dense", dense_job_of(plan), feed.train, feed.val, STEPS) for n in range(2))
    told: list[str] = []
    Crew(work, workers=2).run([one], left=lambda: float("inf"), heard=lambda _a, said: told.extend(said))
    assert "paused" not in told
    lanes = [(Turn(0, 5, STEPS, STEPS),), (Turn(0, 0, 5, STEPS),)]
    Crew(work, workers=2).run([other], left=lambda: float("inf"), heard=lambda _a, said: told.extend(said), lanes=lanes)
    assert (told.count("paused"), told.count("fitted")) == (1, 2)
    states = [kept_state(work / f"{a.name}.fitted.safetensors") for a in (one, other)]
    assert [s.steps for s in states if s] == [STEPS, STEPS]
    alone, paused = ({name: array.tobytes() for name, array in s.arrays.items()} for s in states if s)
    assert alone == paused
