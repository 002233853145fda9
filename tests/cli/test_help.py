import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hounsfield.cli.app import app

COMMANDS = (
    "demo", "doctor", "inspect", "convert", "plan", "train", "evaluate", "predict", "explain", "compare", "pull",
    "push", "deidentify", "follow",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_and_json(command: str) -> None:
    found = CliRunner().invoke(app, [command, "--help"])
    assert found.exit_code == 0
    assert f"Examples:\n    hu {command}" in found.stdout
    assert "--json" in found.stdout


def test_help_lists_all_with_examples() -> None:
    found = CliRunner().invoke(app, ["--help"])
    assert all(f"\n  {command} " in found.stdout for command in COMMANDS)
    assert "hu demo" in found.stdout
    assert "not a medical device" in found.stdout


def test_no_words_show_the_help() -> None:
    found = CliRunner().invoke(app, [])
    assert "Usage" in found.output
    assert found.exit_code in (0, 2)


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("hounsfield 0.")


def test_help_loads_nothing_heavy_and_little_else() -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "sys.argv = ['hu', '--help']\n"
        "import hounsfield.cli\n"
        "try:\n    hounsfield.cli.main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'rich', 'pandas', 'scipy', 'sklearn', 'matplotlib', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)), len(set(sys.modules) - before), file=sys.stderr)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, modules = found.stderr.rsplit(maxsplit=1)
    assert heavy == "[]"
    # 137, nearly all of the standard library: with 100 more it would no longer answer at once
    assert int(modules) < 200


SLEEPS = "        time.sleep(30)\n"
# as a package does that tries an import and takes every failure for its absence
SWALLOWS = """        try:
            time.sleep(30)
        except BaseException:
            pass
    for _ in range(3):
        progress.say('goes on')
"""


@pytest.mark.parametrize("body", [SLEEPS, SWALLOWS], ids=["raised", "swallowed"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_run_cleanly(tmp_path: Path, number: signal.Signals, code: int, body: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, time, types\n"
        "def train(source, *, out, wishes, progress):\n"
        "    with progress.step('train', 10):\n"
        "        print('go', file=sys.stderr, flush=True)\n"
        + body
        + "module = types.ModuleType('hounsfield.workflow.training')\n"
        "module.train = train\n"
        "sys.modules['hounsfield.workflow.training'] = module\n"
        "from hounsfield.cli import main\n"
        "sys.argv = ['hu', 'train', 'data']\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, str(script)], stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stderr is not None
        while "go" not in process.stderr.readline():
            pass
        process.send_signal(number)
        rest = process.stderr.read()
    assert process.returncode == code
    assert "it continues the run" in rest
    assert "Traceback" not in rest


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "hounsfield.cli", "doctor"], stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert found.returncode == 1
    assert found.stderr == b""
