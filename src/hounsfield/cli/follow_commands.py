"""`hu follow`: lesions from visit to visit."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def follow(
    table: Annotated[
        Path, typer.Argument(metavar="VISITS", help="CSV with a row for each visit: case, visit, mask; see the docs.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for lesions.csv, visits.csv and follow.json.")
    ] = None,
    parts: Annotated[bool, typer.Option("--parts", help="Take each connected part of a mask as a lesion.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Find lesions again in later visits, measure their change, and judge visits by RECIST 1.1."""
    from hounsfield.cli.output import line, print_json, quiet_stdout
    from hounsfield.cli.output import table as shown
    from hounsfield.cli.progress import progress
    from hounsfield.workflow.following import follow as work

    with quiet_stdout() as stdout:
        found = work(table, out=out, parts=parts, progress=progress())
        if as_json:
            print_json(
                {
                    "lesions": [r.model_dump() for r in found.lesions],
                    "visits": [r.model_dump() for r in found.visits],
                    "record": found.record.model_dump(mode="json"),
                },
                stdout,
            )
    if as_json:
        return
    rows = [
        [
            r.case,
            r.visit,
            f"{r.sum_mm:.1f}",
            _percent(r.from_baseline),
            _percent(r.from_nadir),
            str(r.new_lesions),
            r.overall,
            r.note,
        ]
        for r in found.visits
    ]
    shown("Visits", ["case", "visit", "sum mm", "baseline", "nadir", "new", "RECIST 1.1", "note"], rows)
    shown("Set aside", ["case", "reason"], [[a.sample, a.reason] for a in found.record.apart])
    line("Research software: a verdict is a proposal, and a reader's to confirm.")
    if out is not None:
        line(f"Written: {out}")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:+.0%}"
