"""`hu explain`: where in an image or a signal the answer comes from, or what a forecast rests on."""

from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def explain(
    bundle: options.BundlePath,
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...", help="The cohort that the model was trained on, another one, images or signals."
        ),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder for explain.html, explain.json and pictures, or boxes.json and coco.json."),
    ] = Path("explanations"),
    boxes: Annotated[
        bool,
        typer.Option(
            "--boxes",
            help="Put a box around what is found instead (COCO, overlays), scored where the data have outlines.",
        ),
    ] = False,
    number: Annotated[
        int | None,
        typer.Option(
            "--number",
            help="How many errors, and how many right answers, to explain (4; of new series twice as many); images to "
            "box without outlines (8).",
        ),
    ] = None,
    answer: Annotated[
        str | None, typer.Option("--class", help="Class, label or level to explain; else what the model says.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", help="gradcam (images only), gradients or occlusion; several times for several; else all."
        ),
    ] = None,
    pointing: Annotated[
        int, typer.Option("--pointing", help="Further images with a mask to play the pointing game on.")
    ] = 0,
    target: options.Target = None,
    image: options.Image = None,
    group: options.Group = None,
    split: options.Split = None,
    labels: options.Labels = None,
    lang: options.Lang = "en",
    threads: options.Threads = None,
    as_json: options.AsJson = False,
) -> None:
    """Show where in an image or a signal the answer comes from; a map no better than random ones is not shown.

    Of a forecast: what it rests on, by hiding variables and stretches of time.
    """
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_explanations import show_boxes, show_explanations, show_forecasts
    from hounsfield.workflow.wishes import Wishes

    wishes = Wishes(
        target=tuple(target or ()), image=image, group=group, split=split, labels=labels, lang=lang, threads=threads
    )
    if boxes:
        from hounsfield.workflow.boxing import BoxWishes, find_boxes  # heavy: after the wishes are checked

        boxing = BoxWishes(answer=answer, methods=tuple(method or ()), number=8 if number is None else number)
        with quiet_stdout() as stdout:
            made = find_boxes(bundle, inputs, out=out, wishes=wishes, asked=boxing, progress=progress())
            if as_json:
                print_json(made.model_dump(mode="json"), stdout)
                return
        show_boxes(made, out)
        return
    from hounsfield.workflow.explaining import ExplainWishes  # heavy: after the wishes are checked
    from hounsfield.workflow.explaining import explain as work
    from hounsfield.workflow.forecast.explaining import explain_forecasts, is_forecast

    asked = ExplainWishes(
        number=4 if number is None else number, answer=answer, methods=tuple(method or ()), pointing=pointing
    )
    if is_forecast(bundle):
        with quiet_stdout() as stdout:
            told = explain_forecasts(bundle, inputs, out=out, wishes=wishes, asked=asked, progress=progress())
            if as_json:
                print_json(told.model_dump(mode="json"), stdout)
                return
        show_forecasts(told, out)
        return
    with quiet_stdout() as stdout:
        found = work(bundle, inputs, out=out, wishes=wishes, asked=asked, progress=progress())
        if as_json:
            print_json(found.model_dump(mode="json"), stdout)
            return
    show_explanations(found, out)
