"""What the demo ends with: both headlines, and where reports, overlay and DICOM objects lie."""

import re
from typing import TYPE_CHECKING

from hounsfield.cli.options import quoted
from hounsfield.cli.output import line
from hounsfield.core.report import Report
from hounsfield.core.types import Json

if TYPE_CHECKING:
    from hounsfield.workflow.demo import Demo

_FIT = re.compile(r"(\d+) steps fit, (\d+) are enough")


def show_demo(made: "Demo") -> None:
    """Print the summaries of both reports, and where everything lies.

    Parameters
    ----------
    made : Demo
    """
    from hounsfield.stages.reporting import summary_text

    study = made.annotated
    for report in (made.report, made.lesions.report):
        line(summary_text(report).rstrip())
        told = _steps(report)
        if told:
            line(told)
        line()
    line(f"Report, is there a lesion:  {made.path / 'report.html'}")
    line(f"Report, where it is:        {made.lesions.path / 'report.html'} (study {study.sample} is in its pictures)")
    line(f"Annotated slice:            {study.overlay}")
    line(f"DICOM SEG:                  {study.segmentation} (read back: the same {study.voxels:,} voxels)")
    line(f"RTSTRUCT and SR beside it; measurements: {study.folder / 'lesions.csv'}")
    line(f"Next: hu predict {quoted(made.lesions.path)} {quoted(study.study)} --out masks")


def demo_json(made: "Demo") -> Json:
    """Return the first report as a JSON value, with the second one and the files of the annotated study beside it."""
    study = made.annotated
    return {
        **made.report.model_dump(mode="json"),
        "lesions": made.lesions.report.model_dump(mode="json"),
        "annotated": {
            "sample": study.sample,
            "segmentation": str(study.segmentation),
            "overlay": str(study.overlay),
            "voxels": study.voxels,
        },
    }


def _steps(report: Report) -> str:
    """Return how many of the steps that would bring something fitted into the minutes, where not all did."""
    found = next((p for p in report.plan if (p.section, p.key) == ("optimisation", "steps")), None)
    told = _FIT.fullmatch(found.evidence) if found is not None else None
    if told is None or int(told[1]) >= int(told[2]):
        return ""
    return f"Steps: {told[1]} fitted into the minutes, {told[2]} would be enough; more --minutes bring more."
