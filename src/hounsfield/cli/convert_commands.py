"""`hu convert`: DICOM to NIfTI."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder or archive of DICOM files.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to.")],
    *,
    series: Annotated[
        str | None, typer.Option("--series", metavar="QUERY", help="Only the series that a query matches.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of the same name in OUT.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Write every volume of a DICOM tree as NIfTI, with its masks and a picture of both."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_conversion import show_conversion
    from hounsfield.workflow.converting import convert as work

    with quiet_stdout() as stdout:
        done = work(source, out, series=series, overwrite=overwrite, progress=progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
            return
    show_conversion(done, out)
