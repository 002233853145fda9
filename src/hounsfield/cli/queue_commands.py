"""`hu queue`: which images should be annotated next."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded

if TYPE_CHECKING:
    from hounsfield.core.types import Json


@guarded
def queue(
    bundle: options.BundlePath,
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Images without masks, or folders of them.")],
    *,
    number: Annotated[int, typer.Option("--number", help="How many images are wanted.")] = 20,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write queue.csv to.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Say which images would teach a model most if they were annotated next."""
    from hounsfield.cli.output import line, print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.workflow.dense.queueing import queue as work

    with quiet_stdout() as stdout:
        found = work(bundle, list(inputs), number=number, out=out, progress=progress())
        if as_json:
            rows: list[Json] = [
                {
                    "sample": one.sample,
                    "uncertainty": one.uncertainty,
                    "distance": one.distance if math.isfinite(one.distance) else None,
                }
                for one in found
            ]
            print_json({"schema_version": 1, "queue": rows}, stdout)
            return
    for place, one in enumerate(found, start=1):
        line(f"{place:3d}. {one.sample}  uncertainty {one.uncertainty:.3f}")
