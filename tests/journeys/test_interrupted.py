"""A killed run, continued, ends at the weights of one that was left alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hounsfield.core.errors import RunExistsError
from tests.journeys.making import quick, write_cohort

CHILD = """
import sys
from pathlib import Path
import hounsfield.learn.learners.supervised as supervised
import hounsfield.workflow.checkpoints as checkpoints
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes

class Frequent(checkpoints.FileStore):
    def due(self):
        return True

    def save(self, arrays, facts):
        super().save(arrays, facts)
        if "--slow" in sys.argv:
            import time
            time.sleep(0.2)

import hounsfield.workflow.fitting as fitting
fitting.FileStore = Frequent
train(sys.argv[1], out=Path(sys.argv[2]), wishes=Wishes(threads=1, max_steps=12))
"""


def child(*words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, *map(str, words)], stderr=subprocess.PIPE)


def ended(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()


def test_sigkill_in_the_middle_costs_no_bit(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    killed = child(tmp_path / "data", tmp_path / "killed", "--slow")
    checkpoint = tmp_path / "killed" / ".work" / "member-0.safetensors"
    for _ in range(6000):
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

    plan = (tmp_path / "killed" / "plan.yaml").read_text()
    lines = [line for line in plan.splitlines() if not line.startswith("source:")]
    (tmp_path / "plan.yaml").write_text("\n".join([*lines, "source: data", ""]))
    ended(child(tmp_path / "data", tmp_path / "killed"))
    ended(child(tmp_path / "plan.yaml", tmp_path / "alone"))

    assert (tmp_path / "killed" / "plan.yaml").read_bytes() == (tmp_path / "alone" / "plan.yaml").read_bytes()
    assert "continued" in (tmp_path / "killed" / "log.jsonl").read_text()
    files = list((tmp_path / "alone" / "bundle").rglob("*.safetensors"))
    assert len(files) >= 4
    for file in files:
        same = tmp_path / "killed" / file.relative_to(tmp_path / "alone")
        assert same.read_bytes() == file.read_bytes(), file.name
    tables = [(tmp_path / run / "predictions.csv").read_bytes() for run in ("killed", "alone")]
    assert tables[0] == tables[1]


@pytest.mark.skipif(not hasattr(os, "kill"), reason="no signals here")
def test_ctrl_c_is_a_sentence_and_the_command_continues(tmp_path: Path) -> None:
    write_cohort(tmp_path / "data", n=24)
    words = [sys.executable, "-m", "hounsfield.cli", "train", str(tmp_path / "data"), "--threads", "1", "--seed", "3"]
    started = subprocess.Popen([*words, "--out", str(tmp_path / "run")], stderr=subprocess.PIPE)
    for _ in range(6000):
        if (tmp_path / "run" / "plan.yaml").exists() or started.poll() is not None:
            break
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130, said.decode()
    assert b"Type the same command again" in said
    assert b"Traceback" not in said
    assert (tmp_path / "run" / "plan.yaml").exists()
