"""`hu train`, `evaluate`, `predict` and `compare`: a model is made, judged, used, set beside another."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded
from hounsfield.core.errors import InputError


@guarded
def train(
    source: options.TrainSource,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the run; else runs/<name of the cohort>.")
    ] = None,
    task: options.Task = None,
    target: options.Target = None,
    image: options.Image = None,
    group: options.Group = None,
    split: options.Split = None,
    positive: options.Positive = None,
    labels: options.Labels = None,
    series: options.SeriesQuery = None,
    index: options.IndexFile = None,
    ahead: options.Ahead = None,
    below: options.Below = None,
    minutes: options.Minutes = None,
    seed: options.Seed = 0,
    folds: options.Folds = 0,
    network: options.Network = None,
    repeats: options.Repeats = None,
    alone: options.Alone = None,
    members: options.Members = None,
    causal: options.Causal = False,
    learning_curve: options.LearningCurve = False,
    unlabelled: options.Unlabelled = None,
    encoder: options.Encoder = None,
    lang: options.Lang = "en",
    sensitivity: options.Sensitivity = None,
    specificity: options.Specificity = None,
    prevalence: options.Prevalence = None,
    threads: options.Threads = None,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write training curves for TensorBoard too.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Train, judge and seal a model; the same command continues an interrupted run."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_run import show_run
    from hounsfield.workflow.wishes import Wishes

    wishes = Wishes(
        task=task,
        target=tuple(target or ()),
        image=image,
        group=group,
        split=split,
        positive=positive,
        labels=labels,
        series=series,
        index=index,
        ahead=tuple(ahead or ()),
        below=below,
        minutes=minutes,
        seed=seed,
        folds=folds,
        network=network,
        repeats=repeats,
        alone=alone,
        members=members,
        causal=causal,
        learning_curve=learning_curve,
        unlabelled=tuple(str(p) for p in unlabelled or ()),
        encoder=str(encoder) if encoder is not None else None,
        lang=lang,
        sensitivity=sensitivity,
        specificity=specificity,
        prevalence=prevalence,
        threads=threads,
        tensorboard=tensorboard,
    )
    from hounsfield.workflow.training import train as work  # heavy: after the wishes are checked

    with quiet_stdout() as stdout:
        run = work(source, out=out, wishes=wishes, progress=progress())
        if as_json:
            print_json(run.report.model_dump(mode="json"), stdout)
            return
    show_run(run.report, run.path)


@guarded
def evaluate(
    bundle: options.BundlePath,
    source: options.Source,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write report and predictions to.")] = None,
    target: options.Target = None,
    image: options.Image = None,
    group: options.Group = None,
    split: options.Split = None,
    labels: options.Labels = None,
    series: options.SeriesQuery = None,
    index: options.IndexFile = None,
    prevalence: options.Prevalence = None,
    lang: options.Lang = "en",
    as_json: options.AsJson = False,
) -> None:
    """Judge a trained model on data with answers, such as another hospital's."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_run import show_run
    from hounsfield.workflow.wishes import Wishes

    wishes = Wishes(
        target=tuple(target or ()),
        image=image,
        group=group,
        split=split,
        labels=labels,
        series=series,
        index=index,
        prevalence=prevalence,
        lang=lang,
    )
    from hounsfield.workflow.evaluating import evaluate as work  # heavy: after the wishes are checked

    with quiet_stdout() as stdout:
        report = work(bundle, source, out=out, wishes=wishes, progress=progress())
        if as_json:
            print_json(report.model_dump(mode="json"), stdout)
            return
    show_run(report, out)


@guarded
def predict(
    bundle: options.BundlePath,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...", help="Images, signals, folders, manifests or .npz files; with --stream one, or -."
        ),
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write predictions.csv and predictions.json to.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option("--engine", help="openvino, openvino-bfloat16, onnxruntime or torch; else the machine decides."),
    ] = None,
    series: options.SeriesQuery = None,
    uncertainty: Annotated[
        bool, typer.Option("--uncertainty", help="Of masks: write how unsure the model is at every voxel too.")
    ] = False,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Follow a signal step by step and answer as it goes on; - reads samples as CSV lines from standard "
            "input. Needs a model that was trained with --causal.",
        ),
    ] = False,
    every: Annotated[
        float | None, typer.Option("--every", help="With --stream: seconds between answers; else after each step.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Apply a trained model to images, one by one; what it must not judge is refused with the reason."""
    from hounsfield.cli.output import quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_predictions import print_predictions, show_predictions

    if stream:
        _stream(bundle, inputs, out=out, every=every, others=engine or series or uncertainty, as_json=as_json)
        return
    if every is not None:
        raise InputError("--every is given without --stream.", expected="both", next_step="add --stream")
    from hounsfield.workflow.predicting import predict as work

    with quiet_stdout() as stdout:
        found = work(
            bundle, inputs, out=out, engine=engine, series=series, uncertainty=uncertainty, progress=progress()
        )
        if as_json:
            print_predictions(found, stdout)
        else:
            show_predictions(found, stdout, written=out is not None)


def _stream(
    bundle: Path, inputs: list[Path], *, out: Path | None, every: float | None, others: object, as_json: bool
) -> None:
    from hounsfield.cli.output import quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_stream import print_stream, show_stream
    from hounsfield.workflow.streaming import LINES, StreamWishes
    from hounsfield.workflow.streaming import stream as work

    if len(inputs) != 1 or others:
        raise InputError(
            "--stream follows one record at a time, and takes no --engine, --series or --uncertainty.",
            expected="one record, or - for lines on standard input",
            next_step="name one, and leave the other options out",
        )
    asked = StreamWishes(every_s=every, out=out)
    source = sys.stdin if str(inputs[0]) == LINES else inputs[0]
    with quiet_stdout() as stdout:
        found = work(bundle, source, asked=asked, progress=progress())
        (print_stream if as_json else show_stream)(found, stdout)


@guarded
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Folder of another run.")],
    *,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Compare two runs on the same test samples, paired, with intervals."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.show_model import show_model
    from hounsfield.workflow.comparing import compare as work

    with quiet_stdout() as stdout:
        found = work(first, second, seed=seed)
        if as_json:
            print_json(found.model_dump(mode="json"), stdout)
            return
    show_model("Comparison", found)
