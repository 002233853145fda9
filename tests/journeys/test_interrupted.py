"""A killed run, continued, ends at the weights of one that was left alone."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from hounsfield.core.errors import RunExistsError
from tests.journeys.making import quick, write_cohort

CHILD = """
import sys
from pathlib import Path
import hounsfield.learn.learners.supervised as supervised
import hounsfield.workflow.checkpoints as checkpoints
import hounsfield.workflow.planning as planning
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes

class Frequent(checkpoints.FileStore):
    def due(self):
        return True

    def save(self, arrays, facts):
        super().save(arrays, facts)
        import time
        time.sleep(0.2)

import hounsfield.workflow.fitting as fitting
fitting.FileStore = Frequent
planning.PROBE_SECONDS = 0.0
train(sys.argv[1], out=Path(sys.argv[2]), wishes=Wishes(threads=1, max_steps=12))
"""


def planned_alone(killed: Path, folder: Path) -> Path:
    """Write the plan of a killed run beside its data, as a plan that was asked for."""
    lines = [line for line in (killed / "plan.yaml").read_text().splitlines() if not line.startswith("source:")]
    (folder / "plan.yaml").write_text("\n".join([*lines, "source: data", ""]))
    return folder / "plan.yaml"


def test_sigkill_in_the_middle_costs_no_bit(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    words = [sys.executable, "-c", CHILD, str(tmp_path / "data"), str(tmp_path / "killed")]
    killed = subprocess.Popen(words, stderr=subprocess.PIPE)
    checkpoint = tmp_path / "killed" / ".work" / "member-0.safetensors"
    for _ in range(24000):
        if checkpoint.exists() or killed.poll() is not None:
            break
        time.sleep(0.01)
    time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert checkpoint.exists()
    assert not (tmp_path / "killed" / "bundle").exists()

    with pytest.raises(RunExistsError, match="differs from this one in: wishes"):
        quick(tmp_path / "data", tmp_path / "killed", max_steps=12, seed=5)

    quick(tmp_path / "data", tmp_path / "killed", max_steps=12)
    quick(planned_alone(tmp_path / "killed", tmp_path), tmp_path / "alone", max_steps=12)

    assert (tmp_path / "killed" / "plan.yaml").read_bytes() == (tmp_path / "alone" / "plan.yaml").read_bytes()
    assert "continued" in (tmp_path / "killed" / "log.jsonl").read_text()
    files = list((tmp_path / "alone" / "bundle").rglob("*.safetensors"))
    assert len(files) >= 4
    for file in files:
        same = tmp_path / "killed" / file.relative_to(tmp_path / "alone")
        assert same.read_bytes() == file.read_bytes(), file.name
    tables = [(tmp_path / run / "predictions.csv").read_bytes() for run in ("killed", "alone")]
    assert tables[0] == tables[1]


COMMAND = """
import hounsfield.workflow.planning as planning
from hounsfield.cli import main

planning.PROBE_SECONDS = 0.0
main()
"""


@pytest.mark.skipif(not hasattr(os, "kill"), reason="no signals here")
def test_ctrl_c_is_a_sentence_and_the_command_continues(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    words = [sys.executable, "-c", COMMAND, "train", str(tmp_path / "data"), "--threads", "1", "--seed", "3"]
    started = subprocess.Popen([*words, "--out", str(tmp_path / "run")], stderr=subprocess.PIPE)
    for _ in range(24000):
        if (tmp_path / "run" / "plan.yaml").exists() or started.poll() is not None:
            break
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=240)
    assert started.returncode == 130, said.decode()
    assert b"Type the same command again" in said
    assert b"Traceback" not in said
    assert (tmp_path / "run" / "plan.yaml").exists()


SEVERAL = """
import sys
from pathlib import Path
import hounsfield.workflow.members as members
import hounsfield.workflow.planning as planning
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes

members.CHECKPOINT_SECONDS = 0.0
planning.PROBE_SECONDS = 0.0
train(sys.argv[1], out=Path(sys.argv[2]), wishes=Wishes(threads=2, members=2, max_steps=40))
"""
BESIDE = {"threads": 2, "members": 2, "max_steps": 40}


def living(word: str) -> list[int]:
    """Processes whose command line has a word."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(word in part for part in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def test_members_side_by_side_end_with_their_parent_and_go_on_to_the_same_bits(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    words = [sys.executable, "-c", SEVERAL, str(tmp_path / "data"), str(tmp_path / "killed")]
    killed = subprocess.Popen(words, stderr=subprocess.PIPE)
    work = tmp_path / "killed" / ".work"
    for _ in range(24000):
        if all((work / f"member-0{end}.safetensors").exists() for end in ("", "-1")) or killed.poll() is not None:
            break
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    for _ in range(600):
        if not living(str(work)):
            break
        time.sleep(0.1)
    assert not living(str(work)), "a member outlived its parent"
    assert not (tmp_path / "killed" / "bundle").exists()

    quick(tmp_path / "data", tmp_path / "killed", **BESIDE)
    quick(planned_alone(tmp_path / "killed", tmp_path), tmp_path / "alone", **BESIDE)
    files = list((tmp_path / "alone" / "bundle" / "members").glob("*.safetensors"))
    assert len(files) == 2
    for file in files:
        same = tmp_path / "killed" / file.relative_to(tmp_path / "alone")
        assert same.read_bytes() == file.read_bytes(), file.name
