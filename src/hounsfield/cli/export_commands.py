"""`hu export`: a model leaves for where Hounsfield is not."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def export(
    bundle: options.BundlePath,
    *,
    to: Annotated[str, typer.Option("--to", help="Format: onnx.")] = "onnx",
    out: Annotated[Path | None, typer.Option("--out", help="File to write; else <name of the run>.onnx here.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a trained model as one ONNX file: raw image in, calibrated answers out, no torch needed."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_model import show_model
    from hounsfield.workflow.exporting import export as work

    with quiet_stdout() as stdout:
        done = work(bundle, to=to, out=out, progress=progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
            return
    show_model("Exported", done)
