"""The options that several commands share, each defined once."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

_DATA = "What is asked of the data"
_RUN = "The run"
_OUTPUT = "Output"

Source = Annotated[
    Path, typer.Argument(metavar="PATH", help="Folder or disk (DICOM, NIfTI, PNG, ...), archive, table, or .npz.")
]
TrainSource = Annotated[Path, typer.Argument(metavar="PATH", help="Folder, manifest or .npz; or a plan.yaml.")]
BundlePath = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder of a run, or its bundle/.")]

Task = Annotated[
    str | None, typer.Option("--task", help="Task by name: classify, annotate or prognose.", rich_help_panel=_DATA)
]
Target = Annotated[
    list[str] | None,
    typer.Option(
        "--target",
        help="Column to answer, structure of masks or concept of reports; may be given several times. Inside annotated "
        "records: `beats` (`beats:NSVF` for some classes), `rhythm` (`rhythm:30` for windows of 30 s), `AFIB`.",
        rich_help_panel=_DATA,
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        help="Column of image paths; `phases` makes each phase of a series or 4D volume an input.",
        rich_help_panel=_DATA,
    ),
]
Group = Annotated[str | None, typer.Option("--group", help="Column of the patient.", rich_help_panel=_DATA)]
Split = Annotated[str | None, typer.Option("--split", help="Column of the part.", rich_help_panel=_DATA)]
Positive = Annotated[str | None, typer.Option("--positive", help='Class that means "diseased".', rich_help_panel=_DATA)]
Labels = Annotated[
    str | None, typer.Option("--labels", help="Table of answers, where it lies elsewhere.", rich_help_panel=_DATA)
]
SeriesQuery = Annotated[
    str | None,
    typer.Option(
        "--series",
        metavar="QUERY",
        help="Which DICOM series of a study are meant, such as \"Modality == 'CT' and SliceThickness <= 3\".",
        rich_help_panel=_DATA,
    ),
]
IndexFile = Annotated[
    str | None,
    typer.Option(
        "--index",
        metavar="FILE",
        help="Keep the index of a DICOM disk in this file, so that the next run need not read it again.",
        rich_help_panel=_DATA,
    ),
]

Ahead = Annotated[
    list[str] | None,
    typer.Option(
        "--ahead",
        metavar="TIME",
        help="How far a forecast looks ahead: `next`, `30 min`, `3 h`; may be given several times. Else by rule.",
        rich_help_panel=_DATA,
    ),
]
Below = Annotated[
    float | None,
    typer.Option(
        "--below",
        metavar="VALUE",
        help="Warn before readings fall below this; of a mean arterial pressure 65 mmHg unless said.",
        rich_help_panel=_DATA,
    ),
]

Minutes = Annotated[
    float | None, typer.Option("--minutes", help="Upper bound of wall time, report included.", rich_help_panel=_RUN)
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.", rich_help_panel=_RUN)]
Folds = Annotated[
    int, typer.Option("--folds", help="Folds of a cross-validation by patient; 0 for none.", rich_help_panel=_RUN)
]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats",
        help="Repeats of a nested cross-validation of what learns from rows; 0 for none, else the plan decides.",
        rich_help_panel=_RUN,
    ),
]
Alone = Annotated[
    str | None,
    typer.Option(
        "--alone", metavar="COLUMN", help="Variable that is judged alone, beside the models.", rich_help_panel=_RUN
    ),
]
Members = Annotated[
    int | None, typer.Option("--members", help="Networks (per fold) that answer together; else the plan decides.")
]
LearningCurve = Annotated[
    bool, typer.Option("--learning-curve", help="Measure what more data would bring; takes 40% of the training time.")
]
Network = Annotated[
    str | None, typer.Option("--network", help="Network by name; else the plan chooses.", rich_help_panel=_RUN)
]
Causal = Annotated[
    bool,
    typer.Option(
        "--causal",
        help="Signals: plan a network that can follow a live series (hu predict --stream), one direction, last state.",
        rich_help_panel=_RUN,
    ),
]
Unlabelled = Annotated[
    list[Path] | None,
    typer.Option(
        "--unlabelled",
        metavar="FOLDER",
        help="More images, without answers, to warm the network up on; may be given several times.",
        rich_help_panel=_RUN,
    ),
]
Encoder = Annotated[
    Path | None,
    typer.Option(
        "--encoder",
        metavar="FILE",
        help="Local safetensors file with first weights of the encoder.",
        rich_help_panel=_RUN,
    ),
]
Lang = Annotated[str, typer.Option("--lang", help="Language the report opens in: en or zh.", rich_help_panel=_RUN)]
Sensitivity = Annotated[
    float | None,
    typer.Option("--sensitivity", help="Wanted at the operating point, such as 0.95.", rich_help_panel=_RUN),
]
Specificity = Annotated[
    float | None,
    typer.Option("--specificity", help="Wanted at the operating point, such as 0.95.", rich_help_panel=_RUN),
]
Prevalence = Annotated[
    float | None, typer.Option("--prevalence", help="State PPV and NPV at this prevalence too.", rich_help_panel=_RUN)
]
Threads = Annotated[
    int | None, typer.Option("--threads", help="Threads; else the machine's cores.", rich_help_panel=_RUN)
]

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, and only that.", rich_help_panel=_OUTPUT)
]


def quoted(path: Path) -> str:
    """Return a path as it is typed in a shell."""
    return shlex.quote(str(path))
