"""Predict: what comes after the last reading of each series."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from hounsfield.bundle.atomic import writing
from hounsfield.bundle.sealed import BundleContents
from hounsfield.core.cohort import Cohort, Sample
from hounsfield.core.errors import HounsfieldError, InputError, ReadError, case_id
from hounsfield.core.kinds import AS_IT_IS
from hounsfield.core.prediction import Prediction, TargetPrediction
from hounsfield.core.types import Float64Array, Json
from hounsfield.data.kinds.protocol import content_reader
from hounsfield.learn.forecast.forecaster import Forecaster
from hounsfield.learn.forecast.preparing import clean
from hounsfield.science.forecasting.course import Course
from hounsfield.science.statistics.quantiles import share_below
from hounsfield.workflow.forecast.courses import Shape, course_of
from hounsfield.workflow.forecast.fitting import open_forecaster
from hounsfield.workflow.forecast.sections import ForecastSection, forecast_of, shape_of
from hounsfield.workflow.roads import How
from hounsfield.workflow.study import with_roles
from hounsfield.workflow.wishes import Wishes


def predict_forecast(contents: BundleContents, inputs: Sequence[str | Path], *, how: How) -> Iterator[Prediction]:
    """Forecast series, one at a time.

    Parameters
    ----------
    contents : BundleContents
    inputs : sequence of str or Path
    how : How
        Into its folder go ``predictions.csv`` (a row for each series and question, all quantiles) and
        ``predictions.json``.

    Raises
    ------
    InputError
        If there is no series among the inputs, or another engine than PyTorch is asked for.

    Yields
    ------
    Prediction
        In the order of the inputs; a series without the variable, or without a reading of it, is refused.
    """
    if how.engine not in (None, "torch"):
        raise InputError(
            f"--engine {how.engine} cannot run a forecaster.", expected="torch", next_step="leave --engine out"
        )
    plan, asked, shape = contents.plan, forecast_of(contents.plan), shape_of(contents.plan)
    roles = with_roles(Wishes(series=how.series), {k: v for k, v in plan.roles.items() if k != "target"}).disk_roles
    cohorts = content_reader("signal").loose(inputs, roles, dict.fromkeys(contents.fingerprint.inputs, AS_IT_IS))
    cases = [(cohort, sample) for cohort in cohorts for sample in cohort.samples]
    if not cases:
        raise InputError("There is no series among the inputs.", expected="files or folders that hold some")
    forecaster, _ = open_forecaster(contents)
    with ExitStack() as stack:
        table: _Table | None = None
        told: BinaryIO | None = None
        if how.out is not None:
            how.out.mkdir(parents=True, exist_ok=True)
            table = _Table(stack.enter_context(writing(how.out / "predictions.csv")), asked)
            told = stack.enter_context(writing(how.out / "predictions.json"))
            told.write(b'{"schema_version": 1, "predictions": [')
        shown = stack.enter_context(how.progress.step("Forecasting", float(len(cases))))
        for number, (cohort, sample) in enumerate(cases):
            prediction, hours, quantiles = forecast(forecaster, asked, cohort, sample, shape=shape)
            if table is not None and told is not None:
                table.add(prediction, hours, quantiles)
                told.write(b",\n" if number else b"\n")
                told.write(json.dumps(_json(prediction, asked, hours, quantiles), ensure_ascii=False).encode("utf-8"))
            shown.advance()
            yield prediction
        if told is not None:
            told.write(b"\n]}\n")


def forecast(
    forecaster: Forecaster, asked: ForecastSection, cohort: Cohort, sample: Sample, *, shape: Shape
) -> tuple[Prediction, float | None, Float64Array | None]:
    """Forecast one series from its last reading on.

    Parameters
    ----------
    forecaster : Forecaster
    asked : ForecastSection
    cohort : Cohort
    sample : Sample
    shape : Shape

    Returns
    -------
    tuple
        The prediction, when the last reading was (hours), and the quantiles ``k q``; None where refused.
    """
    try:
        hours, quantiles = _at_the_end(forecaster, cohort, sample, shape)
    except HounsfieldError as error:
        return Prediction(sample.id, refusal=error.line()), None, None
    middle = asked.levels.index(0.5)
    targets: dict[str, TargetPrediction] = {}
    for place, outcome in enumerate(asked.asked):
        row = quantiles[place]
        chance: dict[str, float] = {}
        if asked.below is not None and outcome.kind == "lowest":
            chance = {f"below {asked.below:g}": float(share_below(row[None], asked.levels, asked.below)[0])}
        targets[f"{asked.variable}: {outcome.name}"] = TargetPrediction(
            value=float(row[middle]), probabilities=chance, plausible=f"{row[0]:.4g}..{row[-1]:.4g}"
        )
    return Prediction(sample.id, targets), hours, quantiles


def _at_the_end(forecaster: Forecaster, cohort: Cohort, sample: Sample, shape: Shape) -> tuple[float, Float64Array]:
    course = clean(course_of(cohort, sample, shape), forecaster.spec)
    steps = course.readings(forecaster.spec.target)
    if not len(steps):
        raise ReadError(
            f"Case {case_id(sample.id)}: {shape.target} was never measured.",
            expected="at least one reading of what is forecast",
            next_step="leave the case out",
        )
    known = known_until(course, int(steps[-1]), shape)
    return float(known.times_h[-1]), forecaster.quantiles([known])[0][-1]


def known_until(course: Course, step: int, shape: Shape) -> Course:
    """Return what was known at a step, no more steps of it than the plan takes together."""
    known = course.until(step)
    first = max(0, len(known.times_h) - shape.most_steps)
    return Course(known.times_h[first:], known.values[:, first:], known.end_h)


def written_hours(hours: float) -> str:
    """Write a time to the third of a millisecond, however long ago its clock began: ``472223.1666667``."""
    return f"{hours:.7f}".rstrip("0").rstrip(".")


class _Table:
    """``predictions.csv``: a row for each series and question."""

    def __init__(self, file: BinaryIO, asked: ForecastSection) -> None:
        self._file = file
        self._asked = asked
        below = [f"below_{asked.below:g}"] if asked.below is not None else []
        self._line(
            ["sample", "time_h", "question", *(f"q{level:g}" for level in asked.levels), *below, "flags", "refusal"]
        )

    def add(self, prediction: Prediction, hours: float | None, quantiles: Float64Array | None) -> None:
        """Write the rows of one series; of a refused one a single row."""
        asked, flags = self._asked, "; ".join(prediction.flags)
        if quantiles is None or hours is None:
            empty = [""] * (2 + len(asked.levels) + (asked.below is not None))
            self._line([prediction.sample, *empty, flags, prediction.refusal])
            return
        for row, (name, said) in zip(quantiles, prediction.targets.items(), strict=True):
            cells = [f"{value:.5g}" for value in row]
            if asked.below is not None:
                cells.append("".join(f"{p:.4f}" for p in said.probabilities.values()))
            self._line([prediction.sample, written_hours(hours), name, *cells, flags, ""])

    def _line(self, cells: list[str]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(cells)
        self._file.write(text.getvalue().encode("utf-8"))


def _json(prediction: Prediction, asked: ForecastSection, hours: float | None, quantiles: Float64Array | None) -> Json:
    targets: dict[str, Json] = {}
    for place, (name, said) in enumerate(prediction.targets.items()):
        row = quantiles[place] if quantiles is not None else np.zeros(0)
        targets[name] = {
            "value": float(said.value) if isinstance(said.value, float) else None,
            "quantiles": {f"{level:g}": float(v) for level, v in zip(asked.levels, row, strict=False)},
            "probabilities": {k: float(p) for k, p in said.probabilities.items()},
        }
    return {
        "sample": prediction.sample,
        "time_h": hours,
        "targets": targets,
        "flags": list(prediction.flags),
        "refusal": prediction.refusal,
    }
