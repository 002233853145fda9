"""`hu pull` and `hu push`: files from an archive (PACS), and into one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded

if TYPE_CHECKING:
    from hounsfield.workflow.archives import Transfer

PARTLY = 3
"""Exit code where some files did not come or were not taken."""

_Target = Annotated[str, typer.Argument(metavar="TARGET", help="https://HOST/dicom-web, or AET@HOST:PORT.")]
_Rate = Annotated[float | None, typer.Option("--rate", help="Files a second at most, to spare the clinic.")]
_User = Annotated[str | None, typer.Option("--user", help="User of a DICOMweb service.")]
_PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="File with the password; else HOUNSFIELD_PASSWORD."),
]
_TokenFile = Annotated[
    Path | None, typer.Option("--token-file", metavar="FILE", help="File with a bearer token; else HOUNSFIELD_TOKEN.")
]
_Tls = Annotated[bool, typer.Option("--tls", help="Encrypt the connection to AET@HOST:PORT.")]
_TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", metavar="FILE", help="Authority to trust (PEM), such as the hospital's own.")
]
_TlsCert = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="FILE", help="Our own certificate and key (PEM) for AET@HOST:PORT.")
]
_Aet = Annotated[str, typer.Option("--aet", help="Our own AE title, as the archive knows it.")]


@guarded
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
    rate: _Rate = None,
    user: _User = None,
    password_file: _PasswordFile = None,
    token_file: _TokenFile = None,
    tls: _Tls = False,
    tls_ca: _TlsCa = None,
    tls_cert: _TlsCert = None,
    aet: _Aet = "HOUNSFIELD",
    port: Annotated[int, typer.Option("--port", help="Our own port for C-MOVE, as the archive knows it.")] = 11112,
    retrieve: Annotated[
        str, typer.Option("--retrieve", help="From AET@HOST:PORT: get, move, or auto (get where offered).")
    ] = "auto",
    as_json: options.AsJson = False,
) -> None:
    """Fetch studies from a PACS into a folder; the same command goes on where it was stopped."""
    from hounsfield.cli.output import line, print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.workflow.archives import Access
    from hounsfield.workflow.pulling import pull as work

    access = Access(
        user=user,
        password_file=password_file,
        token_file=token_file,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        aet=aet,
        port=port,
        retrieve=retrieve,
        rate=rate,
    )
    with quiet_stdout() as stdout:
        done = work(target, out, query=query, series=series, access=access, progress=progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
    if not as_json:
        _show("Fetched", done)
        line(f"Next: hu inspect {out}")
    if done.failed:
        raise typer.Exit(PARTLY)


@guarded
def push(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="DICOM file, or folder of them.")],
    target: _Target,
    *,
    rate: _Rate = None,
    user: _User = None,
    password_file: _PasswordFile = None,
    token_file: _TokenFile = None,
    tls: _Tls = False,
    tls_ca: _TlsCa = None,
    tls_cert: _TlsCert = None,
    aet: _Aet = "HOUNSFIELD",
    as_json: options.AsJson = False,
) -> None:
    """Send DICOM files to a PACS as they are; what it has already is left out."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.workflow.archives import Access
    from hounsfield.workflow.pushing import push as work

    access = Access(
        user=user,
        password_file=password_file,
        token_file=token_file,
        tls=tls,
        tls_ca=tls_ca,
        tls_cert=tls_cert,
        aet=aet,
        rate=rate,
    )
    with quiet_stdout() as stdout:
        done = work(path, target, access=access, progress=progress())
        if as_json:
            print_json(done.model_dump(mode="json"), stdout)
    if not as_json:
        _show("Sent", done)
    if done.failed:
        raise typer.Exit(PARTLY)


def _show(verb: str, done: "Transfer") -> None:
    from collections import Counter

    from hounsfield.cli.output import line, table
    from hounsfield.cli.progress import duration

    line(f"{done.studies} studies, {done.series} series, {done.instances} files.")
    line(
        f"{verb} {done.moved} files ({done.bytes / 2**20:.1f} MiB) in {duration(done.seconds)}; "
        f"{done.present} were there already."
    )
    counts = Counter(f.reason for f in done.failed)
    first = {f.reason: f.case for f in reversed(done.failed)}
    rows = [(str(number), reason, first[reason]) for reason, number in counts.most_common()]
    table(f"{len(done.failed)} files were not transferred", ("files", "reason", "such as"), rows)
