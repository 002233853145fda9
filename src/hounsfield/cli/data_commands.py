"""`hu inspect` and `hu plan`: what the data is, and what would be done with it."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def inspect(
    source: options.Source,
    *,
    task: options.Task = None,
    target: options.Target = None,
    image: options.Image = None,
    group: options.Group = None,
    split: options.Split = None,
    positive: options.Positive = None,
    labels: options.Labels = None,
    series: options.SeriesQuery = None,
    index: options.IndexFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write cohort.yaml and samples.csv to, for correction.")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME",
            help="Write this too into samples.csv: `report text`, which identifies patients.",
        ),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Say what a folder is understood to be, and what is wrong with it."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_inspection import inspection_json, show_inspection
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
    )
    from hounsfield.workflow.inspecting import inspect as work  # heavy: after the wishes are checked

    with quiet_stdout() as stdout:
        found = work(source, wishes=wishes, out=out, beside=tuple(beside or ()), progress=progress())
        if as_json:
            print_json(inspection_json(found.cohort, found.audit), stdout)
            return
    show_inspection(found.cohort, found.audit, written=found.written, out=out)


@guarded
def plan(
    source: options.Source,
    *,
    why: Annotated[bool, typer.Option("--why", help="Print rule and evidence of every decision.")] = False,
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
    threads: options.Threads = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write plan.yaml.")] = None,
    as_json: options.AsJson = False,
) -> None:
    """Decide everything before training, with reasons, predicted time and memory."""
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_plan import show_plan, show_reasons
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
        threads=threads,
    )
    from hounsfield.workflow.planning import plan as work  # heavy: after the wishes are checked

    with quiet_stdout() as stdout:
        found = work(source, wishes=wishes, out=out, progress=progress())
        if as_json:
            print_json(found.model_dump(mode="json"), stdout)
            return
    (show_reasons if why else show_plan)(found, written=out is not None)
