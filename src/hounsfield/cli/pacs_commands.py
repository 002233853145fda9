"""`hu pull` and `hu push`: files from an archive (PACS), and into one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.grouped import spread
from hounsfield.cli.guard import guarded

if TYPE_CHECKING:
    from hounsfield.core.progress import Progress
    from hounsfield.workflow.transfers import Transfer

PARTLY = 3
"""Exit code where some files did not come or were not taken."""

_Target = Annotated[str, typer.Argument(metavar="TARGET", help="https://HOST/dicom-web, or AET@HOST:PORT.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only ask: say what would be transferred, and leave it.")]


@dataclass(frozen=True)
class Reach:
    """How an archive is reached."""

    rate: Annotated[float | None, typer.Option("--rate", help="Files a second at most, to spare the clinic.")] = None
    user: Annotated[str | None, typer.Option("--user", help="User of a DICOMweb service.")] = None
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="File with the password; else HOUNSFIELD_PASSWORD."),
    ] = None
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="File with a bearer token; else HOUNSFIELD_TOKEN."),
    ] = None
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt the connection to AET@HOST:PORT.")] = False
    tls_ca: Annotated[
        Path | None,
        typer.Option("--tls-ca", metavar="FILE", help="Authority to trust (PEM), such as the hospital's own."),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option("--tls-cert", metavar="FILE", help="Our own certificate and key (PEM), where we are asked."),
    ] = None
    aet: Annotated[str, typer.Option("--aet", help="Our own AE title, as the archive at AET@HOST:PORT knows it.")] = (
        "HOUNSFIELD"
    )


@guarded
@spread
def pull(
    target: _Target,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder; what lies in it is not fetched again.")],
    *,
    query: Annotated[
        str, typer.Option("--query", help="What to fetch: 'PatientID=... StudyDate=20240101-20240630 Modality=CT'.")
    ],
    series: Annotated[
        str | None,
        typer.Option("--series", help="Which series of the matching studies: \"SeriesDescription contains 'thin'\"."),
    ] = None,
    reach: Reach,
    port: Annotated[int, typer.Option("--port", help="Our own port for C-MOVE, as the archive knows it.")] = 11112,
    retrieve: Annotated[
        str, typer.Option("--retrieve", help="From AET@HOST:PORT: get, move, or auto (get where offered).")
    ] = "auto",
    dry_run: _DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Fetch studies from a PACS into a folder; the same command goes on where it was stopped."""
    from hounsfield.workflow.archives import Access
    from hounsfield.workflow.pulling import pull as work

    access = Access(**vars(reach), port=port, retrieve=retrieve)
    _transfer(
        lambda shown: work(target, out, query=query, series=series, access=access, dry_run=dry_run, progress=shown),
        as_json=as_json,
        verbs=("fetch", "Fetched"),
        after=f"hu inspect {options.quoted(out)}",
    )


@guarded
@spread
def push(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="DICOM file, or folder of them.")],
    target: _Target,
    *,
    reach: Reach,
    dry_run: _DryRun = False,
    as_json: options.AsJson = False,
) -> None:
    """Send DICOM files to a PACS as they are; what it has already is left out."""
    from hounsfield.workflow.archives import Access
    from hounsfield.workflow.pushing import push as work

    access = Access(**vars(reach))
    _transfer(
        lambda shown: work(path, target, access=access, dry_run=dry_run, progress=shown),
        as_json=as_json,
        verbs=("send", "Sent"),
    )


def _transfer(
    work: "Callable[[Progress], Transfer]", *, as_json: bool, verbs: tuple[str, str], after: str = ""
) -> None:
    """Transfer, say what was done, and leave with the exit code that says whether all of it was."""
    from hounsfield.cli.output import line, print_json, quiet_stdout
    from hounsfield.cli.progress import progress

    with quiet_stdout() as stdout:
        done = work(progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
    if not as_json:
        _show(done, *verbs)
        if done.dry_run:
            line("Next: the same command without --dry-run.")
        elif after:
            line(f"Next: {after}")
    if done.failed:
        raise typer.Exit(PARTLY)


def _show(done: "Transfer", verb: str, past: str) -> None:
    from collections import Counter

    from hounsfield.cli.output import line, table
    from hounsfield.cli.progress import duration

    line(f"{done.studies} studies, {done.series} series, {done.instances} files.")
    there = f"{done.present} were there already."
    if done.dry_run:
        line(f"Would {verb} {done.instances - done.present - len(done.failed)} files; {there}")
    else:
        line(f"{past} {done.moved} files ({done.bytes / 2**20:.1f} MiB) in {duration(done.seconds)}; {there}")
    if done.others:
        line(f"{done.others} other files are no DICOM files and were left out.")
    counts = Counter(f.reason for f in done.failed)
    first = {f.reason: f.case for f in reversed(done.failed)}
    rows = [(str(number), reason, first[reason]) for reason, number in counts.most_common()]
    table(f"{len(done.failed)} files were not transferred", ("files", "reason", "such as"), rows)
