"""The commands, their help and their examples."""

import atexit
import gc
import os
import sys
from typing import Annotated

import typer

from hounsfield.cli import (
    convert_commands,
    data_commands,
    deidentify_commands,
    explain_commands,
    export_commands,
    follow_commands,
    measure_commands,
    model_commands,
    other_commands,
    pacs_commands,
    queue_commands,
)

_HELP = """From a folder of medical studies and their answers to a measured, explained diagnostic model.

Research software, not a medical device.
"""

_EXAMPLES = """\b
Examples:
  hu demo                                     the whole flow on a generated CT cohort, offline
  hu inspect data/covid-ct                    what the folder is understood to be, and what is wrong with it
  hu inspect DISK --labels answers.xlsx       the same for a disk from the PACS and a spreadsheet
  hu plan data/covid-ct --why                 every decision with its reason; time and memory
  hu train data/covid-ct --minutes 15 --out runs/covid
  hu predict runs/covid image.png folder/ --out predictions/

\b
Each command has its own help: hu train --help
"""

app = typer.Typer(
    name="hu",
    help=_HELP,
    epilog=_EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    # plain help: rendering it with rich takes longer than everything else together
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"hounsfield {version('hounsfield')}")
        raise typer.Exit


@app.callback()
def _common(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the full trace of an unexpected error.")] = False,
) -> None:
    del show_version
    if debug:
        os.environ["HOUNSFIELD_DEBUG"] = "1"


def _epilog(*lines: str) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


app.command(
    "demo",
    short_help="Run everything on a small simulated CT cohort, offline.",
    epilog=_epilog("hu demo", "hu demo --minutes 3 --out runs/demo"),
)(other_commands.demo)
app.command(
    "doctor",
    short_help="Print versions, processor, memory and device.",
    epilog=_epilog("hu doctor", "hu doctor --json > machine.json"),
)(other_commands.doctor)
app.command(
    "inspect",
    short_help="Say what a folder is understood to be, and its faults.",
    epilog=_epilog(
        "hu inspect data/covid-ct",
        "hu inspect DISK --labels answers.xlsx          a disk from the PACS, a spreadsheet by accession number",
        "hu inspect images/ --labels answers.csv --target diagnosis --positive malignant",
        "hu inspect data/covid-ct --out check/     writes cohort.yaml and samples.csv for correction",
    ),
)(data_commands.inspect)
app.command(
    "convert",
    short_help="Write the volumes of a DICOM tree as NIfTI, with masks.",
    epilog=_epilog(
        "hu convert pacs-export/ nifti/",
        "hu convert pacs-export.zip nifti/ --series \"Modality == 'CT' and SliceThickness <= 3\"",
    ),
)(convert_commands.convert)
app.command(
    "plan",
    short_help="Decide everything, with reasons, time and memory.",
    epilog=_epilog(
        "hu plan data/covid-ct --why",
        "hu plan data/covid-ct --minutes 15 --out plan.yaml     edit it, then: hu train plan.yaml",
    ),
)(data_commands.plan)
app.command(
    "train",
    short_help="Train, judge and seal a model; continues a run.",
    epilog=_epilog(
        "hu train data/covid-ct --minutes 15 --seed 0 --out runs/covid",
        "hu train plan.yaml --out runs/covid",
        "hu train breastmnist.npz --folds 5",
        "The same command, typed again after an interruption, continues the run.",
    ),
)(model_commands.train)
app.command(
    "evaluate",
    short_help="Judge a trained model on data with answers.",
    epilog=_epilog(
        "hu evaluate runs/covid data/other-hospital",
        "hu evaluate runs/covid data/other-hospital --prevalence 0.05 --out judged/",
    ),
)(model_commands.evaluate)
app.command(
    "predict",
    short_help="Apply a trained model to images.",
    epilog=_epilog(
        "hu predict runs/covid image.png",
        "hu predict runs/covid image.png folder/ --out predictions/",
        "hu predict runs/covid folder/ --json",
        "hu predict runs/live record.hea --stream --every 10",
    ),
)(model_commands.predict)
app.command(
    "explain",
    short_help="Show where in an image the answer comes from.",
    epilog=_epilog(
        "hu explain runs/covid data/covid-ct",
        "hu explain runs/covid image.png folder/ --out explanations/",
        "hu explain runs/busi data/busi --number 8 --pointing 100",
    ),
)(explain_commands.explain)
app.command(
    "queue",
    short_help="Say which images to annotate next.",
    epilog=_epilog("hu queue runs/lungs unlabelled/ --number 20", "hu queue runs/lungs unlabelled/ --out next/"),
)(queue_commands.queue)
app.command(
    "measure",
    short_help="Measure shape, intensity and texture of regions.",
    epilog=_epilog(
        "hu measure image.nii.gz mask.nii.gz --out features.parquet",
        "hu measure images/ masks/ --parts --out features.parquet",
        "hu measure pacs-export/ pacs-export/ --settings ibsi-E --out features.parquet     RTSTRUCT or SEG",
        "hu measure --repeat features.parquet     the same bytes, or what differs",
        "hu measure images/ masks/ --out features.parquet --pictures pictures/ --stability 20",
        "hu measure --show default > own.yaml     edit it, then: --settings own.yaml",
    ),
)(measure_commands.measure)
app.command(
    "follow",
    short_help="Follow lesions from visit to visit; RECIST 1.1.",
    epilog=_epilog(
        "hu follow visits.csv --out followed/",
        "hu follow visits.csv --parts --json     every connected part of a mask is a lesion",
    ),
)(follow_commands.follow)
app.command(
    "compare",
    short_help="Compare two runs on the same test samples.",
    epilog=_epilog("hu compare runs/covid runs/other", "hu compare runs/a runs/b --json"),
)(model_commands.compare)
app.command(
    "export",
    short_help="Write a trained model as one ONNX file.",
    epilog=_epilog("hu export runs/covid", "hu export runs/covid --to onnx --out covid.onnx"),
)(export_commands.export)
app.command(
    "pull",
    short_help="Fetch studies from a PACS into a folder.",
    epilog=_epilog(
        "hu pull https://pacs.example/dicom-web disk/ --query 'StudyDate=20240101-20240630 Modality=CT' \\",
        "        --user reader --password-file secret.txt --tls-ca hospital.pem --rate 5",
        "hu pull PACS@pacs.example:104 disk/ --query 'AccessionNumber=A123*' --aet RESEARCH --port 11112",
        "hu pull https://pacs.example/dicom-web disk/ --query 'PatientID=4711' --dry-run     only says what matches",
        "The same command, typed again after an interruption, goes on where it was.",
    ),
)(pacs_commands.pull)
app.command(
    "push",
    short_help="Send DICOM files to a PACS.",
    epilog=_epilog(
        "hu push results/ https://pacs.example/dicom-web --user writer --password-file secret.txt",
        "hu push results/ PACS@pacs.example:104 --aet RESEARCH --tls-ca hospital.pem",
    ),
)(pacs_commands.push)
app.command(
    "deidentify",
    short_help="Write files without persons, and search them again.",
    epilog=_epilog(
        "hu deidentify export/ shared/",
        "hu deidentify second-export/ shared2/ --key shared.key     the same persons keep their pseudonyms",
        "hu deidentify export/ shared/ --option keep-institution --without shift-dates",
        "hu deidentify nifti/ shared/ --option remove-faces",
    ),
)(deidentify_commands.deidentify)


def run() -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal of another encoding shows a substitute instead of ending the run
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    # registered first, so run last: the process ends here, and looking through all that packages have made for what
    # could be freed, as the interpreter does on leaving, takes a quarter of a short command
    atexit.register(gc.freeze)
    app()
