"""`hu deidentify`: files leave without persons, and that is searched for again."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def deidentify(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder with all below it, or one file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder; there once all in it has been searched.")],
    *,
    key: Annotated[
        Path | None, typer.Option("--key", help="File with the secret key; made if new. Else OUT.key beside OUT.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Choice to add, such as remove-faces; may be given several times."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Usual choice to leave out, such as shift-dates.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Write the files of a folder without what identifies persons, and search everything written again.

    Exit code 3: the second search found something; the files in which it did are withheld.
    """
    from hounsfield.cli.output import heading, line, print_json, quiet_stdout, table
    from hounsfield.cli.progress import progress
    from hounsfield.core.errors import unknown_name
    from hounsfield.privacy.profile import DEFAULTS, OPTIONS
    from hounsfield.workflow.deidentify import LEAK_EXIT_CODE
    from hounsfield.workflow.deidentify import deidentify as work

    for name in (*(option or ()), *(without or ())):
        if name not in OPTIONS:
            raise unknown_name("option of de-identification", name, OPTIONS)
    chosen = (DEFAULTS | set(option or ())) - set(without or ())
    with quiet_stdout() as stdout:
        done = work(source, out, key=key, options=chosen, progress=progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
    if not as_json:
        heading(f"{done.written} of {done.files} files written to {done.out}, {done.withheld} withheld")
        table("Written", ("format", "files"), [(name, str(count)) for name, count in done.formats.items()])
        table("Withheld", ("reason", "files"), [(reason, str(count)) for reason, count in done.reasons.items()])
        found = [(case, place) for case, places in done.leaks.items() for place in places]
        table("The second search found something in", ("case", "where"), found)
        line(f"Options: {', '.join(done.options)}. Rules: {done.edition}.")
        for note in done.notes:
            line(note)
        if done.unsearched:
            line(f"Not searched to the end: {'; '.join(done.unsearched)}. Look at such files yourself.")
        line(f"Key: {done.key}; inputs and outputs by case: {done.links}. Keep both apart from the output.")
    if done.leaks:
        raise typer.Exit(LEAK_EXIT_CODE)
