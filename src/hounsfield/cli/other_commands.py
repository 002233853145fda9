"""`hu demo` and `hu doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def demo(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the generated cohort and the run.")] = Path(
        "runs/demo"
    ),
    minutes: options.Minutes = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Make a small simulated CT cohort and run everything on it, offline: is there a lesion, and where."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_demo import demo_json, show_demo
    from hounsfield.workflow.demo import demo as work

    with quiet_stdout() as stdout:
        made = work(out, minutes=minutes, seed=seed, progress=progress())
        if as_json:
            print_json(demo_json(made), stdout)
            return
    show_demo(made)


@guarded
def doctor(*, as_json: options.AsJson = False) -> None:
    """Print versions, processor, memory and device, fit for a public bug tracker."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.show_doctor import show_diagnosis
    from hounsfield.workflow.doctor import doctor as work

    with quiet_stdout() as stdout:
        found = work()
        if as_json:
            print_json(found.model_dump(mode="json"), stdout)
            return
    show_diagnosis(found)
