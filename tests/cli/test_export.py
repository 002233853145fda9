"""`hu export` hands its options on and prints what was written."""

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.errors import RunExistsError
from hounsfield.core.progress import Progress
from hounsfield.workflow.exporting import Exported

Put = Callable[[str, str, Callable[..., object]], None]
DONE = Exported(file="m.onnx", bytes=1200, cases=6, largest_difference=2e-6)


def test_what_was_written_is_printed(fake: Put) -> None:
    def export(bundle: Path, *, to: str, out: Path | None, progress: Progress) -> Exported:
        assert (bundle, to, out) == (Path("run"), "onnx", Path("m.onnx"))
        return DONE

    fake("hounsfield.workflow.exporting", "export", export)
    said = CliRunner().invoke(app, ["export", "run", "--to", "onnx", "--out", "m.onnx"])
    assert said.exit_code == 0
    assert "file: m.onnx" in said.stdout
    assert "largest difference: 2e-06" in said.stdout
    told = CliRunner().invoke(app, ["export", "run", "--out", "m.onnx", "--json"])
    assert json.loads(told.stdout) == DONE.model_dump()


def test_a_file_that_is_there_is_kept(fake: Put) -> None:
    def export(bundle: Path, **_: object) -> Exported:
        raise RunExistsError("m.onnx exists already.", expected="a new file", next_step="choose another --out")

    fake("hounsfield.workflow.exporting", "export", export)
    said = CliRunner().invoke(app, ["export", "run"])
    assert said.exit_code == 2
    assert "m.onnx exists already." in said.stderr
