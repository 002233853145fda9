"""The Python face: one function per verb, with the defaults of the command line.

Wishes are flat keyword arguments here, since a reader types them; inside they travel as one `Wishes`.
"""

# ruff: noqa: PLR0913  # the options of a command, each with a default; a reader types two or three of them

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hounsfield.core.prediction import Prediction
from hounsfield.core.progress import SILENT, Progress
from hounsfield.core.report import Report
from hounsfield.workflow.wishes import Wishes

if TYPE_CHECKING:
    from hounsfield.core.image import Image
    from hounsfield.core.plan import Plan
    from hounsfield.core.types import AnyArray
    from hounsfield.science.radiomics.settings import Settings
    from hounsfield.stages.explaining.forecast_result import ForecastExplanations
    from hounsfield.stages.explaining.result import Explanations
    from hounsfield.workflow.comparing import Comparison
    from hounsfield.workflow.deidentify import Deidentified
    from hounsfield.workflow.demo import Demo
    from hounsfield.workflow.doctor import Diagnosis
    from hounsfield.workflow.exporting import Exported
    from hounsfield.workflow.followed import Followed
    from hounsfield.workflow.inspecting import Inspection
    from hounsfield.workflow.measured import Measured
    from hounsfield.workflow.study import Source
    from hounsfield.workflow.training import Run


def inspect(
    source: "Source",
    *,
    target: str | Sequence[str] = (),
    image: str | None = None,
    group: str | None = None,
    split: str | None = None,
    positive: str | None = None,
    labels: str | None = None,
    series: str | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> "Inspection":
    """Say what a source is understood to be, and audit it; see `hounsfield.workflow.inspecting.inspect`."""
    from hounsfield.workflow.inspecting import inspect as work

    wishes = Wishes(
        target=_names(target),
        image=image,
        group=group,
        split=split,
        positive=positive,
        labels=labels,
        series=series,
        seed=seed,
    )
    return work(source, wishes=wishes, out=_path(out), progress=progress)


def plan(
    source: "Source",
    *,
    task: str | None = None,
    target: str | Sequence[str] = (),
    positive: str | None = None,
    ahead: str | Sequence[str] = (),
    below: float | None = None,
    minutes: float | None = None,
    seed: int = 0,
    folds: int = 0,
    network: str | None = None,
    repeats: int | None = None,
    alone: str | None = None,
    members: int | None = None,
    causal: bool = False,
    learning_curve: bool = False,
    unlabelled: str | Path | Sequence[str | Path] = (),
    encoder: str | Path | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> "Plan":
    """Decide how a source would be learned and what it would cost; see `hounsfield.workflow.planning.plan`."""
    from hounsfield.workflow.planning import plan as work

    wishes = Wishes(
        task=task,
        target=_names(target),
        positive=positive,
        ahead=_names(ahead),
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
        unlabelled=_paths(unlabelled),
        encoder=None if encoder is None else str(encoder),
        threads=threads,
    )
    return work(source, wishes=wishes, out=_path(out), progress=progress)


def train(
    source: "Source",
    *,
    out: str | Path | None = None,
    task: str | None = None,
    target: str | Sequence[str] = (),
    image: str | None = None,
    group: str | None = None,
    split: str | None = None,
    positive: str | None = None,
    labels: str | None = None,
    series: str | None = None,
    ahead: str | Sequence[str] = (),
    below: float | None = None,
    minutes: float | None = None,
    seed: int = 0,
    folds: int = 0,
    network: str | None = None,
    repeats: int | None = None,
    alone: str | None = None,
    members: int | None = None,
    causal: bool = False,
    learning_curve: bool = False,
    unlabelled: str | Path | Sequence[str | Path] = (),
    encoder: str | Path | None = None,
    lang: str = "en",
    sensitivity: float | None = None,
    specificity: float | None = None,
    prevalence: float | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> "Run":
    """Train, judge and report; see `hounsfield.workflow.training.train`."""
    from hounsfield.workflow.training import train as work

    wishes = Wishes(
        task=task,
        target=_names(target),
        image=image,
        group=group,
        split=split,
        positive=positive,
        labels=labels,
        series=series,
        ahead=_names(ahead),
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
        unlabelled=_paths(unlabelled),
        encoder=None if encoder is None else str(encoder),
        lang=lang,
        sensitivity=sensitivity,
        specificity=specificity,
        prevalence=prevalence,
        threads=threads,
    )
    return work(source, out=_path(out), wishes=wishes, progress=progress)


def evaluate(
    bundle: str | Path,
    source: "Source",
    *,
    target: str | Sequence[str] = (),
    image: str | None = None,
    group: str | None = None,
    split: str | None = None,
    labels: str | None = None,
    series: str | None = None,
    prevalence: float | None = None,
    lang: str = "en",
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Judge a bundle on data with answers; see `hounsfield.workflow.evaluating.evaluate`."""
    from hounsfield.workflow.evaluating import evaluate as work

    wishes = Wishes(
        target=_names(target),
        image=image,
        group=group,
        split=split,
        labels=labels,
        series=series,
        prevalence=prevalence,
        lang=lang,
    )
    return work(bundle, source, out=_path(out), wishes=wishes, progress=progress)


def predict(
    bundle: str | Path,
    inputs: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    engine: str | None = None,
    series: str | None = None,
    uncertainty: bool = False,
    progress: Progress = SILENT,
) -> Iterator[Prediction]:
    """Predict images one by one as the result is iterated; see `hounsfield.workflow.predicting.predict`."""
    from hounsfield.workflow.predicting import predict as work

    return work(
        bundle, inputs, out=_path(out), engine=engine, series=series, uncertainty=uncertainty, progress=progress
    )


def export(
    bundle: str | Path, *, to: str = "onnx", out: str | Path | None = None, progress: Progress = SILENT
) -> "Exported":
    """Write a bundle as one file that runs without torch; see `hounsfield.workflow.exporting.export`."""
    from hounsfield.workflow.exporting import export as work

    return work(bundle, to=to, out=_path(out), progress=progress)


def explain(
    bundle: str | Path,
    inputs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    number: int = 4,
    answer: str | None = None,
    methods: Sequence[str] = (),
    pointing: int = 0,
    target: str | Sequence[str] = (),
    image: str | None = None,
    group: str | None = None,
    split: str | None = None,
    labels: str | None = None,
    lang: str = "en",
    threads: int | None = None,
    progress: Progress = SILENT,
) -> "Explanations | ForecastExplanations":
    """Show where in images or signals the answer comes from, or what a forecast rests on.

    See `hounsfield.workflow.explaining.explain` and `hounsfield.workflow.forecast.explaining.explain_forecasts`.
    """
    from hounsfield.workflow.explaining import ExplainWishes
    from hounsfield.workflow.explaining import explain as work
    from hounsfield.workflow.forecast.explaining import explain_forecasts, is_forecast

    wishes = Wishes(
        target=_names(target), image=image, group=group, split=split, labels=labels, lang=lang, threads=threads
    )
    asked = ExplainWishes(number=number, answer=answer, methods=tuple(methods), pointing=pointing)
    given = (inputs,) if isinstance(inputs, str | Path) else tuple(inputs)
    if is_forecast(bundle):
        return explain_forecasts(bundle, given, out=_path(out), wishes=wishes, asked=asked, progress=progress)
    return work(bundle, given, out=_path(out), wishes=wishes, asked=asked, progress=progress)


def measure(
    image: "str | Path | Image | AnyArray",
    mask: "str | Path | Image | AnyArray",
    *,
    settings: "str | Settings" = "default",
    spacing_mm: Sequence[float] | None = None,
    parts: bool = False,
    threads: int | None = None,
    out: str | Path | None = None,
    progress: Progress = SILENT,
) -> "Measured":
    """Measure regions, of files, folders or arrays ``z y x``; see `hounsfield.workflow.measuring.measure`.

    Of arrays, `spacing_mm` says how large a voxel is, along z, y, x (y, x of a plane).
    """
    from hounsfield.workflow.measuring import MeasureWishes, as_image, measure_arrays, read_settings
    from hounsfield.workflow.measuring import measure as work

    chosen = read_settings(settings) if isinstance(settings, str) else settings
    wishes = MeasureWishes(settings=chosen, parts=parts, threads=threads)
    if isinstance(image, str | Path) and isinstance(mask, str | Path):
        return work(Path(image), Path(mask), out=_path(out), wishes=wishes, progress=progress)
    return measure_arrays(as_image(image, spacing_mm), as_image(mask, spacing_mm), out=_path(out), wishes=wishes)


def follow(
    table: str | Path, *, out: str | Path | None = None, parts: bool = False, progress: Progress = SILENT
) -> "Followed":
    """Follow lesions and judge visits by RECIST 1.1; see `hounsfield.workflow.following.follow`."""
    from hounsfield.workflow.following import follow as work

    return work(Path(table), out=_path(out), parts=parts, progress=progress)


def compare(a: str | Path, b: str | Path, *, seed: int = 0) -> "Comparison":
    """Compare two runs on the same samples; see `hounsfield.workflow.comparing.compare`."""
    from hounsfield.workflow.comparing import compare as work

    return work(a, b, seed=seed)


def deidentify(
    source: str | Path,
    out: str | Path,
    *,
    key: str | Path | None = None,
    options: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> "Deidentified":
    """Write files without what identifies persons; see `hounsfield.workflow.deidentify.deidentify`."""
    from hounsfield.workflow.deidentify import deidentify as work

    return work(source, out, key=key, options=options, progress=progress)


def demo(
    out: str | Path = "runs/demo", *, minutes: float | None = None, seed: int = 0, progress: Progress = SILENT
) -> "Demo":
    """Simulate a cohort and run everything on it; see `hounsfield.workflow.demo.demo`."""
    from hounsfield.workflow.demo import demo as work

    return work(Path(out), minutes=minutes, seed=seed, progress=progress)


def doctor() -> "Diagnosis":
    """Say what this machine can do; see `hounsfield.workflow.doctor.doctor`."""
    from hounsfield.workflow.doctor import doctor as work

    return work()


def _names(target: str | Sequence[str]) -> tuple[str, ...]:
    return (target,) if isinstance(target, str) else tuple(target)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _paths(paths: str | Path | Sequence[str | Path]) -> tuple[str, ...]:
    return (str(paths),) if isinstance(paths, str | Path) else tuple(str(p) for p in paths)
