"""What a run ends with: the headline, what not to believe, and where the report lies."""

from pathlib import Path

from hounsfield.cli.options import quoted
from hounsfield.cli.output import line
from hounsfield.core.report import Report


def show_run(report: Report, path: Path | None) -> None:
    """Print the summary of a report, and where its files are.

    Parameters
    ----------
    report : Report
    path : pathlib.Path or None
        Folder that it was written to; None where it was not written.
    """
    from hounsfield.stages.reporting import summary_text

    line(summary_text(report).rstrip())
    line()
    if path is None:
        line("Nothing was written: --out FOLDER writes report and predictions.")
        return
    page = path / "report.html"
    line(f"Report: {page}")
    if (path / "bundle").is_dir():
        line(f"Next: hu predict {quoted(path)} IMAGE")
