"""`hu measure`: image biomarkers of regions."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from hounsfield.cli import options
from hounsfield.cli.guard import guarded


@guarded
def measure(
    images: Annotated[
        Path | None,
        typer.Argument(
            metavar="IMAGES",
            help="Image file, folder of images, or DICOM folder; or, without MASKS, records of signals.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Argument(metavar="MASKS", help="Label map, folder of them, or DICOM folder with RTSTRUCT or SEG."),
    ] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Parquet file to write; CSV and the record are written beside it.")
    ] = None,
    settings: Annotated[
        str,
        typer.Option(
            "--settings", metavar="NAME|FILE", help="default, ibsi-digital, ibsi-A ... ibsi-E, or a YAML file."
        ),
    ] = "default",
    parts: Annotated[
        bool, typer.Option("--parts", help="Measure each connected part of a label as a region of its own.")
    ] = False,
    repeat: Annotated[
        Path | None,
        typer.Option("--repeat", metavar="TABLE", help="Measure again what a table records, and compare the bytes."),
    ] = None,
    show: Annotated[
        str | None, typer.Option("--show", metavar="NAME", help="Print settings as YAML, to be edited, and leave.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="FOLDER", help="Draw regions, histograms, maps, correlations.")
    ] = None,
    map_of: Annotated[
        str | None, typer.Option("--map", metavar="TAG", help="Feature that --pictures maps over the image.")
    ] = None,
    stability: Annotated[
        int | None,
        typer.Option("--stability", metavar="N", help="Measure each region N times, changed a little; ICC by feature."),
    ] = None,
    deep: Annotated[
        Path | None,
        typer.Option("--deep", metavar="BUNDLE", help="Embeddings of a trained model, for each region's crop."),
    ] = None,
    every: Annotated[
        float | None,
        typer.Option(
            "--every", metavar="SECONDS", help="Length of the stretches of a signal; else 300 past half an hour."
        ),
    ] = None,
    threads: options.Threads = None,
    as_json: options.AsJson = False,
) -> None:
    """Measure shape, intensity and texture of regions as the IBSI defines them, one row for each region.

    Of signals: heart rate, variability, intervals, pressures and quality, one row for each stretch of each record.
    """
    # what is imported stays: to look through it for what could be freed takes a twentieth of the start
    gc.set_threshold(50_000)
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_measurement import measurement_json, show_beside, show_measurement, show_settings
    from hounsfield.core.errors import InputError
    from hounsfield.workflow.measure_beside import Asked, Beside, beside
    from hounsfield.workflow.measure_signals import holds_signals
    from hounsfield.workflow.measuring import MeasureWishes, read_settings
    from hounsfield.workflow.measuring import measure as work
    from hounsfield.workflow.measuring import repeat as again

    if show is not None:
        show_settings(read_settings(show))
        return
    if images is not None and masks is None and repeat is None and holds_signals(images):
        _measure_signals(images, out=out, every=every, threads=threads, as_json=as_json)
        return
    if (images is None) != (masks is None) or (images is None and repeat is None):
        raise InputError(
            "IMAGES and MASKS are not both given.",
            expected="hu measure IMAGES MASKS --out features.parquet, or hu measure --repeat features.parquet",
            next_step="give both; a folder that holds both may be given twice",
        )
    sources = (images, masks) if images is not None and masks is not None else None
    asked = Asked(out=out, pictures=pictures, map_of=map_of, stability=stability, deep=deep)
    asked.check(repeated=repeat is not None)
    made = Beside()
    with quiet_stdout() as stdout:
        if repeat is not None:
            found = again(repeat, out=out, sources=sources, progress=progress())
        elif sources is not None:
            wishes = MeasureWishes(settings=read_settings(settings), parts=parts, threads=threads)
            found = work(*sources, out=out, wishes=wishes, progress=progress())
            made = beside(found, sources, asked, progress=progress())
        if as_json:
            print_json(measurement_json(found), stdout)
    if not as_json:
        show_measurement(found, out, repeated=repeat is not None)
        show_beside(made)
    if found.changed:
        raise typer.Exit(1)


def _measure_signals(
    records: Path, *, out: Path | None, every: float | None, threads: int | None, as_json: bool
) -> None:
    from hounsfield.cli.output import print_json, quiet_stdout
    from hounsfield.cli.progress import progress
    from hounsfield.cli.show_signals import show_signals, signals_json
    from hounsfield.workflow.measure_signals import measure_signals

    with quiet_stdout() as stdout:
        found = measure_signals(records, out=out, every_s=every, threads=threads, progress=progress())
        if as_json:
            print_json(signals_json(found), stdout)
    if not as_json:
        show_signals(found, out)
